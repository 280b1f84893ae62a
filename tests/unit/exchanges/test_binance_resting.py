"""Where orders may rest at Binance: asked everywhere now and then, in between where it matters."""

import orjson
from tests.support.binance import Bench, algo_payload, bench, entry, order_payload
from tests.support.fake_transport import reply

from milobot.exchanges.binance.events import UserEvents

PLAIN, CONDITIONAL = "GET /fapi/v1/openOrders", "GET /fapi/v1/openAlgoOrders"


def _desk() -> Bench:
    """Return a client whose stream is open; a stop rests in BTCUSDT."""
    desk = bench()
    desk.orders.told.is_live = True
    desk.transport.on(PLAIN, reply([]))
    desk.transport.on(CONDITIONAL, reply([algo_payload()]))
    return desk


def _asked(desk: Bench) -> list[str]:
    """Return where was asked since the last time: symbols, an empty word for everywhere."""
    asked = [one.params.get("symbol", "")[:3] for one in desk.transport.sent if one.name == PLAIN]
    desk.transport.sent.clear()
    return asked


async def test_after_a_listing_of_everything_only_what_may_have_changed_is_listed() -> None:
    """A start compares many times a minute: at 80 of 2,400 each it spends the whole budget."""
    desk = _desk()
    await desk.orders.fetch_open_orders()
    assert _asked(desk) == [""]

    found = await desk.orders.fetch_open_orders()

    assert (_asked(desk), len(found)) == (["BTC"], 1)
    event = orjson.loads(orjson.dumps({"e": "ORDER_TRADE_UPDATE", "T": 1, "o": _foreign_order()}))
    UserEvents(touch=desk.orders.resting.touch).parse(event)
    await desk.orders.fetch_open_orders()
    assert _asked(desk) == ["BTC", "ETH"]


def _foreign_order() -> dict[str, object]:
    return {
        "s": "ETHUSDT", "c": "somebody", "S": "BUY", "o": "LIMIT", "X": "NEW", "x": "NEW",
        "i": 7, "l": "0", "z": "0", "L": "0", "T": 1, "t": 0,
    }  # fmt: skip


async def test_everything_is_listed_again_in_time_and_whenever_news_may_be_missing() -> None:
    """What nobody told of must not stay unseen for longer than half a minute."""
    desk = _desk()
    await desk.orders.fetch_open_orders()
    desk.time.step(26_000)
    await desk.orders.fetch_open_orders()
    desk.orders.resting.doubt()
    await desk.orders.fetch_open_orders()
    assert _asked(desk) == ["", "", ""]

    desk.orders.told.is_live = False
    desk.orders.resting.doubt()
    await desk.orders.fetch_open_orders()
    await desk.orders.fetch_open_orders()
    assert _asked(desk) == ["", ""]


async def test_what_was_sent_shortly_before_a_listing_is_asked_for_after_it() -> None:
    """An order that was taken may be shown some seconds late."""
    desk = _desk()
    desk.transport.on(CONDITIONAL, reply([]))
    desk.transport.on("POST /fapi/v1/order", reply(order_payload()))
    await desk.orders.place_order(entry())
    await desk.orders.fetch_open_orders()
    await desk.orders.fetch_open_orders()
    assert _asked(desk) == ["", "BTC"]

    for _ in range(2):
        desk.time.step(26_000)
        await desk.orders.fetch_open_orders()
    await desk.orders.fetch_open_orders()
    assert _asked(desk) == ["", ""]


async def test_many_symbols_are_cheaper_all_at_once() -> None:
    """Two for each symbol are more than 80 for all from the fortieth on, and slower long before."""
    desk = _desk()
    await desk.orders.fetch_open_orders()
    for number in range(30):
        desk.orders.resting.touch(f"S{number}USDT")

    await desk.orders.fetch_open_orders()

    assert _asked(desk) == ["", ""]
