"""Corners of both dialects that clients rarely meet, and must survive."""

from decimal import Decimal

import aiohttp
import pytest
from tests.support.faulty_wire import strike
from tests.support.wire import (
    BingxWire,
    bars,
    binance_on,
    bingx_on,
    flat_bars,
    next_event,
    setup_of,
)
from tests.unit.local_exchange.test_bingx import OPEN, ORDER, exit_at, open_rows

from milobot.cli.exchange_setup import Request, build_setup
from milobot.domain.timeframes import Timeframe
from milobot.local_exchange.core.timing import ClockMode

PRICE = 40_000.0
SYMBOL = {"symbol": "BTCUSDT"}
PAIR = {"symbol": "BTC-USDT"}


@pytest.mark.parametrize(
    ("method", "path", "params", "code"),
    [
        ("POST", "leverage", {**SYMBOL}, -1102),
        ("POST", "leverage", {**SYMBOL, "leverage": "many"}, -1102),
        ("POST", "leverage", {**SYMBOL, "leverage": "126"}, -4028),
        ("POST", "marginType", {**SYMBOL, "marginType": "PORTFOLIO"}, -1102),
        ("POST", "positionSide/dual", {}, -1102),
        ("GET", "klines", {**SYMBOL}, -1102),
        ("GET", "klines", {**SYMBOL, "interval": "7m"}, -1102),
        ("GET", "depth", {"symbol": "X"}, -1121),
        ("GET", "openOrder", {**SYMBOL, "orderId": "5"}, -2013),
        ("GET", "allOrders", {**SYMBOL, "startTime": "soon"}, -1102),
        ("GET", "algoOrder", {}, -1102),
    ],
)
async def test_wrong_question_has_its_code_on_binance(
    method: str, path: str, params: dict[str, str], code: int
) -> None:
    """Each parameter that is missing or wrong is named by code, none is guessed."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        answer = await wire.call(method, f"/fapi/v1/{path}", **params)

        assert (answer.status, answer.body["code"]) == (400, code)


@pytest.mark.parametrize(
    ("method", "path", "params", "code"),
    [
        ("POST", "v2/trade/leverage", {**PAIR, "side": "BOTH"}, 109400),
        ("POST", "v2/trade/leverage", {**PAIR, "side": "UP", "leverage": "3"}, 109400),
        ("POST", "v2/trade/leverage", {**PAIR, "side": "BOTH", "leverage": "126"}, 101209),
        ("POST", "v2/trade/marginType", {**PAIR, "marginType": "ALL"}, 109400),
        ("POST", "v1/positionSide/dual", {}, 109400),
        ("GET", "v2/trade/order", PAIR, 109400),
        ("GET", "v2/trade/order", {**PAIR, "orderId": "5"}, 109421),
        ("GET", "v2/quote/depth", {}, 109400),
        ("GET", "v1/maintMarginRatio", {"symbol": "NO-USDT"}, 109425),
    ],
)
async def test_wrong_question_has_its_code_on_bingx(
    method: str, path: str, params: dict[str, str], code: int
) -> None:
    """The same in the other dialect."""
    async with bingx_on(setup_of(flat_bars(3))) as wire:
        answer = await wire.call(method, f"/openApi/swap/{path}", **params)

        assert answer.body["code"] == code


async def test_lists_without_a_symbol_hold_all_of_them() -> None:
    """Tickers, prices and brackets of everything that trades."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        for path in ("v1/ticker/price", "v1/ticker/bookTicker", "v1/premiumIndex"):
            assert (await wire.send("GET", f"/fapi/{path}")).body[0]["symbol"] == "BTCUSDT"
        assert (await wire.send("GET", "/fapi/v1/fundingInfo")).body == []
        assert (await wire.send("GET", "/fapi/v1/ping")).body == {}
        brackets = await wire.call("GET", "/fapi/v1/leverageBracket", symbol="BTCUSDT")
        assert len(brackets.body) == 1
        assert (await wire.call("GET", "/fapi/v3/positionRisk", symbol="BTCUSDT")).body == []
    async with bingx_on(setup_of(flat_bars(3))) as wire:
        base = "/openApi/swap/v2/quote"
        assert len((await wire.send("GET", f"{base}/ticker")).body["data"]) == 1
        assert (await wire.send("GET", f"{base}/contracts?symbol=NO-USDT")).body["data"] == []
        old = (await wire.call("GET", "/openApi/swap/v2/user/balance")).body["data"]
        assert old["balance"]["asset"] == "USDT"


async def test_test_order_places_nothing() -> None:
    """The exchanges' own dry run: parameters are checked, the book stays empty."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        good = await wire.call(
            "POST", "/fapi/v1/order/test", **SYMBOL, side="BUY", type="MARKET", quantity="1"
        )
        bad = await wire.call("POST", "/fapi/v1/order/test", **SYMBOL, side="BUY", type="STOP")

        assert (good.body, bad.body["code"]) == ({}, -4120)
        assert wire.exchange.ledger()["accounts"][0]["orders"] == []


async def test_position_mode_changes_only_when_flat() -> None:
    """-4068 and its counterpart: hedge mode cannot begin inside a position."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        await wire.order()
        path = "/fapi/v1/positionSide/dual"
        assert (await wire.call("POST", path, dualSidePosition="true")).body["code"] == -4068
    async with bingx_on(setup_of(flat_bars(3))) as other:
        await other.order()
        path = "/openApi/swap/v1/positionSide/dual"
        assert (await other.call("POST", path, dualSidePosition="true")).body["code"] == 80012
        for asked in ("LONG", "BOTH"):
            next(iter(other.exchange.venues["bingx"].accounts.values())).is_hedged = True
            assert (await other.order(positionSide=asked)).body["code"] == 109400


async def test_key_says_what_it_may_do_on_bingx() -> None:
    """Withdrawal is number 5: a bot must refuse such a key."""
    async with bingx_on(setup_of(flat_bars(3))) as wire:
        told = (await wire.call("GET", "/openApi/v1/account/apiPermissions")).body["data"]
        named = (await wire.call("GET", "/openApi/v1/account/apiRestrictions")).body["data"]

        assert (told["permissions"], named["enableWithdrawals"]) == ([2, 3], False)


async def test_json_body_is_read_like_a_query_on_bingx() -> None:
    """Some clients send orders as JSON; the signature covers what it says."""
    async with bingx_on(setup_of(flat_bars(3))) as wire:
        signed = wire.signed(**PAIR, side="BUY", type="MARKET", quantity="0.01")
        fields = dict(part.split("=", 1) for part in signed.split("&"))
        url = f"{wire.exchange.bingx_url}{ORDER}"
        async with wire.session.post(url, json=fields, headers={"X-BX-APIKEY": wire.key}) as got:
            assert (await got.json())["code"] == 0
        async with wire.session.post(url, data="{", headers={"X-BX-APIKEY": wire.key}) as got:
            assert (await got.json())["code"] == 100412


async def test_rejected_child_and_invisible_order_on_bingx() -> None:
    """FAILED with the position still open, and an order that nothing shows for a while."""
    candles = bars((PRICE,) * 4, (PRICE, PRICE, 38_900.0, 38_950.0), (38_950.0,) * 4)
    async with bingx_on(setup_of(candles)) as wire:
        strike(wire, "child_rejected")
        await wire.order(stopLoss=exit_at(39_000))
        stop = (await open_rows(wire))[0]["orderId"]
        await wire.exchange.advance(3)
        found = (await wire.call("GET", ORDER, **PAIR, orderId=stop)).body["data"]["order"]
        assert found["status"] == "FAILED"
        assert (await wire.position())["positionAmt"] == "0.010"

        strike(wire, "invisible:seconds=5")
        await wire.order("SELL", reduceOnly="true")
        assert (await wire.position())["positionAmt"] == "0.010"
        await wire.exchange.elapse(5_000)
        assert await wire.position() is None


async def test_stop_limit_child_is_open_under_the_stops_id_and_can_be_cancelled() -> None:
    """BingX keeps one id: its list shows the resting child as the stop it came from."""
    candles = bars((PRICE,) * 4, (39_400.0, 39_400.0, 38_500.0, 38_600.0), (38_600.0,) * 4)
    async with bingx_on(setup_of(candles)) as wire:
        await wire.order()
        placed = await wire.order(
            "SELL", type="STOP", stopPrice="39000.0", price="39500.0", reduceOnly="true"
        )
        number = placed.body["data"]["order"]["orderId"]
        await wire.exchange.advance(3)
        rows = (await wire.call("GET", OPEN)).body["data"]["orders"]
        assert [(row["orderId"], row["type"]) for row in rows] == [(number, "STOP")]
        gone = await wire.call("DELETE", ORDER, **PAIR, orderId=number)

        assert gone.body["data"]["order"]["status"] == "CANCELLED"
        assert await open_rows(wire) == []
        full = (await wire.call("GET", "/openApi/swap/v1/trade/fullOrder", **PAIR)).body["data"]
        assert [row["status"] for row in full["orders"]] == ["CANCELLED", "FILLED"]


async def test_cancelled_entry_takes_its_waiting_exits_along() -> None:
    """Exits of an entry that never filled must never rest."""
    async with bingx_on(setup_of(flat_bars(4))) as wire:
        placed = await wire.order(type="LIMIT", price="39500.0", stopLoss=exit_at(39_000))
        number = placed.body["data"]["order"]["orderId"]
        shown = (await wire.call("GET", ORDER, **PAIR, orderId=number)).body["data"]["order"]
        assert shown["stopLoss"]["stopPrice"] == 39_000
        await wire.call("DELETE", ORDER, **PAIR, orderId=number)

        states = wire.exchange.ledger()["accounts"][1]["conditionals"]
        assert [row["status"] for row in states] == ["WAITING"]
        await wire.exchange.move_price("BTCUSDT", Decimal(38_000))
        assert await wire.position() is None


async def test_fills_tell_their_time_twice_once_in_the_wrong_zone() -> None:
    """As recorded: ``filledTm`` says Z and means +08:00. A client must read the other."""
    async with bingx_on(setup_of(flat_bars(3))) as wire:
        await wire.order()
        path = "/openApi/swap/v2/trade/fillHistory"
        row = (await wire.call("GET", path, **PAIR)).body["data"]["fill_history_orders"][0]

        assert row["filledTime"] == "2024-01-01T08:00:00.000+0800"
        assert row["filledTm"] == "2024-01-01T08:00:00Z"


async def test_closed_bingx_key_and_reduce_only_limit_of_a_closed_position() -> None:
    """DELETE ends the stream; a resting exit without its position expires when touched."""
    candles = bars((PRICE,) * 4, (PRICE, 41_500.0, PRICE, PRICE), (PRICE,) * 4)
    async with bingx_on(setup_of(candles)) as wire:
        socket = await wire.user_socket()
        await wire.order()
        placed = await wire.order("SELL", type="LIMIT", price="41000.0", reduceOnly="true")
        await wire.order("SELL", reduceOnly="true")
        await wire.exchange.advance(3)
        number = placed.body["data"]["order"]["orderId"]
        found = (await wire.call("GET", ORDER, **PAIR, orderId=number)).body["data"]["order"]
        assert found["status"] == "EXPIRED"

        path = "/openApi/user/auth/userDataStream"
        key = (await wire.send("POST", path)).body["listenKey"]
        await wire.send("DELETE", f"{path}?listenKey={key}")
        while await next_event(socket) is not None:
            continue


async def test_late_execution_needs_a_valid_signature() -> None:
    """A fault may delay an order, it may not forge one."""
    async with bingx_on(setup_of(flat_bars(3))) as wire:
        strike(wire, "late_execution:seconds=1")
        async with BingxWire(wire.exchange, secret="wrong") as other:  # noqa: S106 - made up
            with pytest.raises(aiohttp.ServerDisconnectedError):
                await other.order()
        await wire.exchange.elapse(2_000)

        assert wire.exchange.ledger()["accounts"][1]["orders"] == []


def test_flags_become_an_exchange() -> None:
    """What the command line promises is what the server is given."""
    request = Request(
        dialect="both",
        data=None,
        market=5,
        days=3,
        symbol="ETHUSDT",
        timeframe="15m",
        speed=None,
        is_lock_step=False,
        clock="wall",
        history=None,
        port=0,
        keys=("a",),
        secrets=("b",),
        wallet="500",
        fee="0.0004",
        spread="0.0001",
        slippage="0",
        funding="0.0001",
        fault_file=None,
        faults=("drop_after",),
        has_limits=False,
        is_paused=True,
    )
    said: list[str] = []
    setup = build_setup(request, said.append)

    assert (setup.timeframe, setup.clock, setup.speed) == (Timeframe.M15, ClockMode.WALL, 1.0)
    assert (len(setup.candles["ETHUSDT"]), setup.history) == (3 * 96, 144)
    assert (setup.wallet, setup.terms.spread) == (Decimal(500), Decimal("0.0001"))
    assert setup.funding.constant == Decimal("0.0001")
    assert (setup.credentials[0].key, setup.faults.rules[0].fault) == ("a", "drop_after")
    assert setup.budgets()["weight"] > 10**6
    assert said == []
