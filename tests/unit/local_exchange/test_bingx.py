"""The BingX dialect: orders with attached exits, settings, envelopes, codes."""

import json
from decimal import Decimal
from typing import Any

import pytest
from tests.support.wire import BingxWire, bars, bingx_on, flat_bars, setup_of

from milobot.local_exchange.core.accounts import Rights
from milobot.local_exchange.core.timing import ClockMode
from milobot.local_exchange.setup import Credentials

PRICE = 40_000.0
ORDER = "/openApi/swap/v2/trade/order"
OPEN = "/openApi/swap/v2/trade/openOrders"


def exit_at(price: float, kind: str = "STOP_MARKET", **more: Any) -> str:
    """Return an attached exit as the wire carries it."""
    return json.dumps({"type": kind, "stopPrice": price, "workingType": "CONTRACT_PRICE", **more})


async def open_rows(wire: BingxWire) -> list[Any]:
    """Return the open orders."""
    rows = (await wire.call("GET", OPEN, symbol="BTC-USDT")).body["data"]["orders"]
    return list(rows)


async def test_market_order_with_exits_fills_and_leaves_both_resting() -> None:
    """The attached stop counts only once it is seen resting: side, trigger and quantity."""
    async with bingx_on(setup_of(flat_bars(3))) as wire:
        placed = await wire.order(
            clientOrderId="Entry-1",
            stopLoss=exit_at(39_000),
            takeProfit=exit_at(41_000, "TAKE_PROFIT_MARKET"),
        )

        order = placed.body["data"]["order"]
        assert (placed.body["code"], order["clientOrderId"]) == (0, "entry-1")
        assert order["orderId"] > 2**53
        rows = [(r["type"], r["side"], r["stopPrice"], r["origQty"]) for r in await open_rows(wire)]
        assert rows == [
            ("STOP_MARKET", "SELL", "39000.0", "0.010"),
            ("TAKE_PROFIT_MARKET", "SELL", "41000.0", "0.010"),
        ]
        position = await wire.position()
        assert (position["positionSide"], position["positionAmt"]) == ("LONG", "0.010")
        found = (await wire.call("GET", ORDER, symbol="BTC-USDT", clientOrderId="ENTRY-1")).body
        assert found["data"]["order"]["status"] == "FILLED"
        assert found["data"]["order"]["commission"] == "-0.200000"


async def test_exits_of_a_resting_entry_wait_for_its_fill() -> None:
    """Until the entry fills nothing may trigger; then both rest."""
    candles = bars((PRICE,) * 4, (PRICE, PRICE, 39_400.0, 39_600.0), (39_600.0,) * 4)
    async with bingx_on(setup_of(candles)) as wire:
        await wire.order(type="LIMIT", price="39500.0", stopLoss=exit_at(39_000))
        before = [row["type"] for row in await open_rows(wire)]
        await wire.exchange.advance(3)

        assert before == ["LIMIT"]
        assert [row["type"] for row in await open_rows(wire)] == ["STOP_MARKET"]


async def test_triggered_stop_keeps_its_id_and_takes_the_other_exit_along() -> None:
    """One id from resting to filled; the target goes with the position."""
    candles = bars((PRICE,) * 4, (PRICE, PRICE, 38_900.0, 38_950.0), (38_950.0,) * 4)
    async with bingx_on(setup_of(candles)) as wire:
        await wire.order(stopLoss=exit_at(39_000), takeProfit=exit_at(41_000, "TAKE_PROFIT_MARKET"))
        stop = (await open_rows(wire))[0]["orderId"]
        await wire.exchange.advance(3)

        found = (await wire.call("GET", ORDER, symbol="BTC-USDT", orderId=stop)).body
        assert (found["data"]["order"]["status"], found["data"]["order"]["avgPrice"]) == (
            "FILLED",
            "39000.0",
        )
        assert await open_rows(wire) == []
        assert await wire.position() is None
        fills = await wire.call(
            "GET", "/openApi/swap/v2/trade/allFillOrders", symbol="BTC-USDT", orderId=stop
        )
        assert [row["price"] for row in fills.body["data"]["fill_orders"]] == ["39000.0"]
        ended = await wire.call("GET", "/openApi/swap/v2/trade/allOrders", symbol="BTC-USDT")
        assert [row["status"] for row in ended.body["data"]["orders"]] == [
            "EXPIRED",
            "FILLED",
            "FILLED",
        ]


REFUSED = [
    ({"quantity": "0.00001"}, 101400),
    ({"quantity": "0.0015"}, 109400),
    ({"quantity": ""}, 109400),
    ({"quantity": "20"}, 101204),
    ({"symbol": "BTCUSDT"}, 109425),
    ({"symbol": "DOGE-USDT"}, 109425),
    ({"type": "ICEBERG"}, 109400),
    ({"type": "LIMIT"}, 109400),
    ({"type": "LIMIT", "price": "41000.0", "timeInForce": "PostOnly"}, 101215),
    ({"type": "LIMIT", "price": "39000.0", "timeInForce": "SOON"}, 109400),
    ({"type": "STOP_MARKET", "reduceOnly": "true"}, 109400),
    ({"type": "STOP_MARKET", "reduceOnly": "true", "stopPrice": "1.0"}, 101205),
    ({"reduceOnly": "true"}, 101205),
    ({"positionSide": "LONG"}, 109400),
    ({"clientOrderId": "x" * 41}, 109400),
    ({"stopLoss": "{"}, 109400),
    ({"stopLoss": exit_at(41_000)}, 110412),
    ({"stopLoss": exit_at(39_000.05)}, 109400),
    ({"stopLoss": exit_at(39_000, "LIMIT")}, 109400),
    ({"stopLoss": exit_at(39_000, workingType="LAST")}, 109400),
]


@pytest.mark.parametrize(("change", "code"), REFUSED)
async def test_wrong_order_is_refused_inside_a_good_answer(
    change: dict[str, str], code: int
) -> None:
    """HTTP 200 with a code: a client that looks at the status alone believes it has an order."""
    async with bingx_on(setup_of(flat_bars(3))) as wire:
        answer = await wire.order(**change)

        assert (answer.status, answer.body["code"]) == (200, code)
        assert [a["orders"] for a in wire.exchange.ledger()["accounts"]] == [[], []]


async def test_client_ids_are_lower_cased_unique_and_dropped_for_stops() -> None:
    """Why our ids are lower case, and why a stop is found by side and trigger."""
    async with bingx_on(setup_of(flat_bars(3))) as wire:
        await wire.order(clientOrderId="Same")
        twice = await wire.order(clientOrderId="SAME")
        stop = await wire.order(
            "SELL", type="STOP_MARKET", stopPrice="39000.0", reduceOnly="true", clientOrderId="s"
        )

        assert twice.body["code"] == 101481
        assert stop.body["data"]["order"]["clientOrderId"] == ""


async def test_trigger_order_goes_either_way() -> None:
    """TRIGGER_MARKET names no direction: the price's side of the market decides."""
    candles = bars((PRICE,) * 4, (PRICE, 41_000.0, 39_000.0, PRICE), (PRICE,) * 4)
    async with bingx_on(setup_of(candles)) as wire:
        for price in ("40500.0", "39500.0"):
            await wire.order(type="TRIGGER_MARKET", stopPrice=price)
        await wire.exchange.advance(3)

        assert (await wire.position())["positionAmt"] == "0.020"


async def test_orders_are_cancelled_one_by_one_and_all_at_once() -> None:
    """A cancel of what is gone is 109421, for plain and conditional orders alike."""
    async with bingx_on(setup_of(flat_bars(3))) as wire:
        await wire.order(stopLoss=exit_at(39_000))
        stop = (await open_rows(wire))[0]["orderId"]
        first = await wire.call("DELETE", ORDER, symbol="BTC-USDT", orderId=stop)
        second = await wire.call("DELETE", ORDER, symbol="BTC-USDT", orderId=stop)
        await wire.order(type="LIMIT", price="39000.0")
        everything = await wire.call(
            "DELETE", "/openApi/swap/v2/trade/allOpenOrders", symbol="BTC-USDT"
        )

        assert first.body["data"]["order"]["status"] == "CANCELLED"
        assert second.body["code"] == 109421
        assert len(everything.body["data"]["success"]) == 1
        assert await open_rows(wire) == []


async def test_settings_are_set_and_read_back() -> None:
    """Leverage needs a side, modes are words, brackets come without leverage."""
    async with bingx_on(setup_of(flat_bars(3))) as wire:
        base = "/openApi/swap"
        leverage = f"{base}/v2/trade/leverage"
        no_side = await wire.call("POST", leverage, symbol="BTC-USDT", leverage=7)
        both = await wire.call("POST", leverage, symbol="BTC-USDT", side="BOTH", leverage=7)
        margin = f"{base}/v2/trade/marginType"
        for _ in range(2):
            answer = await wire.call("POST", margin, symbol="BTC-USDT", marginType="ISOLATED")
            assert answer.body["code"] == 0
        mode = f"{base}/v1/positionSide/dual"

        assert (no_side.body["code"], both.body["data"]["leverage"]) == (109400, 7)
        told = (await wire.call("GET", leverage, symbol="BTC-USDT")).body["data"]
        assert (told["longLeverage"], told["maxShortLeverage"]) == (7, 125)
        told = (await wire.call("GET", margin, symbol="BTC-USDT")).body["data"]
        assert told == {"marginType": "ISOLATED"}
        await wire.call("POST", mode, dualSidePosition="true")
        assert (await wire.call("GET", mode)).body["data"] == {"dualSidePosition": "true"}
        assert (await wire.order()).body["code"] == 109400
        rows = await wire.call("GET", f"{base}/v1/maintMarginRatio", symbol="BTC-USDT")
        assert rows.body["data"][1]["maintAmount"] == "50.000000"


async def test_account_and_income_add_up() -> None:
    """Every booking of the wallet is in the income, and nothing else."""
    async with bingx_on(setup_of(flat_bars(5))) as wire:
        await wire.order()
        await wire.exchange.move_price("BTCUSDT", Decimal(41_000))
        await wire.call("POST", "/openApi/swap/v2/trade/closeAllPositions")

        balance = (await wire.call("GET", "/openApi/swap/v3/user/balance")).body["data"][0]
        rows = (await wire.call("GET", "/openApi/swap/v2/user/income")).body["data"]
        assert sum(Decimal(row["income"]) for row in rows) == Decimal(balance["balance"]) - 10_000
        assert balance["balance"] == "10009.5950"


AUTH = [
    ({"key": "nobody"}, 100413),
    ({"secret": "wrong"}, 100001),
    ({"key": "reader", "secret": "s"}, 100004),
    ({"key": "elsewhere", "secret": "s"}, 100419),
]


@pytest.mark.parametrize(("who", "code"), AUTH)
async def test_wrong_credentials_are_refused(who: dict[str, str], code: int) -> None:
    """Each way to be wrong has its own code."""
    keys = (
        Credentials(),
        Credentials("reader", "s", Rights(can_trade=False)),
        Credentials("elsewhere", "s", Rights(allowed_ip=False)),
    )
    async with bingx_on(setup_of(flat_bars(3), credentials=keys)) as wire:
        async with BingxWire(wire.exchange, **who) as other:
            answer = await other.order()

        assert answer.body["code"] == code


async def test_time_and_signature_must_be_there() -> None:
    """100421 without or with a wrong time, 100412 without a signature."""
    async with bingx_on(setup_of(flat_bars(3), clock=ClockMode.WALL)) as wire:
        path = "/openApi/swap/v3/user/balance"
        unsigned = await wire.send("GET", f"{path}?timestamp=1")
        late = await wire.call("GET", path, timestamp=1)

        assert (unsigned.body["code"], late.body["code"]) == (100412, 100421)
        assert (await wire.call("GET", path)).body["code"] == 0


async def test_orders_are_limited_by_key() -> None:
    """Ten a second: the eleventh is 429 with 100410, and the headers said it was coming."""
    async with bingx_on(setup_of(flat_bars(3), limits={"bingx_orders_1s": 2})) as wire:
        answers = [await wire.order() for _ in range(5)]

        limited = [a for a in answers if a.status == 429]
        assert limited
        assert limited[0].body["code"] == 100410
        assert limited[0].headers["X-RateLimit-Requests-Remain"] == "0"
        assert int(limited[0].headers["X-RateLimit-Requests-Expire"]) > 1_000_000_000


async def test_candles_come_newest_first_and_finer_ones_are_refused() -> None:
    """A client that takes the order for granted turns history upside down."""
    candles = bars(*[(float(i), i + 2.0, i - 0.5, i + 1.0) for i in range(1, 8)])
    async with bingx_on(setup_of(candles, history=6)) as wire:
        path = "/openApi/swap/v3/quote/klines?symbol=BTC-USDT&interval="
        rows = (await wire.send("GET", f"{path}3m&limit=2")).body["data"]
        wrong = (await wire.send("GET", f"{path}7m")).body

        assert [row["open"] for row in rows] == ["7", "4"]
        assert rows[0]["time"] - rows[1]["time"] == 180_000
        assert wrong["code"] == 109400
