"""Each fault does on the wire what it says, and the ledger tells whether it was executed."""

import asyncio
import json
import time
from typing import Any

import aiohttp
import pytest
from tests.support.wire import (
    Answer,
    BinanceWire,
    bars,
    binance_on,
    bingx_on,
    flat_bars,
    next_event,
    setup_of,
)
from tests.unit.local_exchange.test_bingx import exit_at, open_rows

from milobot.local_exchange.faults import parse_rule_text

PRICE = 40_000.0


def strike(wire: BinanceWire, text: str) -> None:
    """Add one rule to the exchange's plan."""
    wire.exchange.plan.extend([parse_rule_text(text)])


async def attempt(wire: BinanceWire) -> Answer | str:
    """Place an order and return the answer, or the name of what came instead."""
    try:
        return await wire.order(newClientOrderId="x", clientOrderId="x")
    except (aiohttp.ClientError, TimeoutError) as error:
        return type(error).__name__


def executed(wire: BinanceWire) -> bool:
    """Return whether an order of the client's was executed, from the truth."""
    accounts = wire.exchange.ledger()["accounts"]
    return any(row["client_id"] == "x" for a in accounts for row in a["orders"])


# (fault, whether executed, Binance: status and code, BingX: status and code); a word is what
# the HTTP client meets instead of an answer.
MATRIX: list[tuple[str, bool, Any, Any]] = [
    ("timeout_after_accept:seconds=0.05", True, "ServerDisconnectedError", None),
    ("timeout_before_accept:seconds=0.05", False, "ServerDisconnectedError", None),
    ("drop_before", False, "ServerDisconnectedError", None),
    ("drop_after", True, "ServerDisconnectedError", None),
    ("cut_body", True, "ClientPayloadError", None),
    ("endless_body:seconds=0.05", True, "ClientPayloadError", None),
    ("empty_body", True, (200, None), None),
    ("empty_json", True, (200, {}), None),
    ("truncated_json", True, (200, None), None),
    ("html:on=place", False, (200, None), None),
    ("http_error:status=504", True, (504, None), None),
    ("http_error:status=502,executed=0", False, (502, None), None),
    ("unknown_503", True, (503, -1000), (503, None)),
    ("unknown_503:executed=0", False, (503, -1000), (503, None)),
    ("unavailable_503", False, (503, None), (200, 100500)),
    ("overload_503", False, (503, -1008), (200, 109500)),
    ("internal_503", False, (503, -1001), (200, 80012)),
    ("unknown_1006", True, (503, -1006), (200, 80019)),
    ("timeout_1007", True, (408, -1007), (200, 101500)),
    ("timeout_1007:executed=0", False, (408, -1007), (200, 101500)),
    ("rate_limited:on=place", False, (429, -1003), (429, 109429)),
    ("banned:on=place", False, (418, -1003), (418, 100410)),
    ("maintenance:on=place", False, (503, None), (200, 100503)),
]
BINANCE_CODES = (
    -1021,
    -2010,
    -2011,
    -2019,
    -2021,
    -2022,
    -4046,
    -4059,
    -4061,
    -4116,
    -4118,
    -4120,
    -4130,
    -4131,
    -4161,
    -4509,
)
BINGX_CODES = (
    80012,
    80014,
    80016,
    100001,
    100410,
    100421,
    101204,
    101209,
    101400,
    101481,
    101500,
    109201,
    109400,
    109414,
    109421,
    109429,
)


def check(got: Answer | str, wanted: Any) -> None:
    """Compare an answer with what the matrix says of it."""
    if isinstance(wanted, str):
        assert got == wanted
        return
    assert isinstance(got, Answer)
    status, code = wanted
    assert got.status == status
    if code is None:
        assert not isinstance(got.body, dict)
    elif code == {}:
        assert got.body == {}
    else:
        assert got.body["code"] == code


@pytest.mark.parametrize(("fault", "is_executed", "binance", "bingx"), MATRIX)
async def test_fault_of_the_transport_in_the_binance_dialect(
    fault: str,
    binance: Any,
    bingx: Any,  # noqa: ARG001 - the other dialect's column
    *,
    is_executed: bool,
) -> None:
    """What a client sees and what is true are two things; here is the table of both."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        strike(wire, fault)
        got = await attempt(wire)

        check(got, binance)
        assert executed(wire) is is_executed
        record = wire.exchange.ledger()["requests"][-1]
        assert (record["executed"], record["call"]) == (is_executed, "place")
        assert record["faults"] == [fault.partition(":")[0]]
        assert (await wire.order()).status == 200


@pytest.mark.parametrize(("fault", "is_executed", "binance", "bingx"), MATRIX)
async def test_fault_of_the_transport_in_the_bingx_dialect(
    fault: str, binance: Any, bingx: Any, *, is_executed: bool
) -> None:
    """The same faults in the other dialect's words."""
    async with bingx_on(setup_of(flat_bars(3))) as wire:
        strike(wire, fault)
        got = await attempt(wire)

        check(got, binance if bingx is None else bingx)
        assert executed(wire) is is_executed


@pytest.mark.parametrize("code", BINANCE_CODES)
async def test_any_code_can_be_the_answer_in_the_binance_dialect(code: int) -> None:
    """Every code of the list, with a message and not executed."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        strike(wire, str(code))
        got = await attempt(wire)

        assert isinstance(got, Answer)
        assert (got.status, got.body["code"]) == (400, code)
        assert got.body["msg"] not in {"", "Error."}
        assert not executed(wire)


@pytest.mark.parametrize("code", BINGX_CODES)
async def test_any_code_can_be_the_answer_in_the_bingx_dialect(code: int) -> None:
    """The counterparts; only rate limits change the HTTP status."""
    async with bingx_on(setup_of(flat_bars(3))) as wire:
        strike(wire, str(code))
        got = await attempt(wire)

        assert isinstance(got, Answer)
        assert (got.status, got.body["code"]) == (429 if code in {100410, 109429} else 200, code)
        assert got.body["msg"] not in {"", "error"}
        assert not executed(wire)


async def test_rejection_can_be_a_lie() -> None:
    """An exchange that says no and did it: the worst case a reconciliation must find."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        strike(wire, "reject:code=-2019,executed=1")
        await attempt(wire)

        assert executed(wire)


async def test_retry_after_is_told() -> None:
    """A client that does not wait is banned for longer."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        strike(wire, "banned:seconds=7")
        got = await wire.send("GET", "/fapi/v1/ping")

        assert (got.status, got.headers["Retry-After"]) == (418, "7")


async def test_latency_delays_the_answer() -> None:
    """Half before, half after: the execution lies in the middle."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        strike(wire, "latency:p50_ms=60,p95_ms=60")
        start = time.monotonic()
        await wire.send("GET", "/fapi/v1/ping")

        assert 0.05 < time.monotonic() - start < 1


async def test_late_execution_comes_after_the_connection_has_dropped() -> None:
    """Not found now, filled later: why 'not found' counts only after a fence."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        strike(wire, "late_execution:seconds=5")
        assert await attempt(wire) == "ServerDisconnectedError"
        found = await wire.call("GET", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="x")
        assert (found.body["code"], executed(wire)) == (-2013, False)
        await wire.exchange.elapse(5_000)

        assert executed(wire)
        assert wire.exchange.ledger()["requests"][-1]["executed"] is True


async def test_invisible_order_appears_after_its_time_with_its_events() -> None:
    """Accepted, but neither query nor listing nor position nor stream shows it yet."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        socket = await wire.user_socket()
        strike(wire, "invisible:seconds=5")
        assert (await wire.order(newClientOrderId="x")).status == 200

        async def seen() -> tuple[Any, Any, Any]:
            order = await wire.call(
                "GET", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="x"
            )
            fills = await wire.call("GET", "/fapi/v1/userTrades", symbol="BTCUSDT")
            position = (await wire.position())["positionAmt"]
            return order.body.get("code"), len(fills.body), position

        assert await seen() == (-2013, 0, "0.000")
        await wire.exchange.elapse(5_000)
        assert await seen() == (None, 1, "0.010")
        assert (await next_event(socket, "ORDER_TRADE_UPDATE"))["o"]["c"] == "x"
        await socket.close()


async def test_stale_snapshots_show_the_past_once() -> None:
    """Positions and orders of before the last change, then the truth again."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        strike(wire, "stale_positions:seconds=5")
        strike(wire, "stale_orders:seconds=5,on=query_open")
        await wire.order()
        await wire.limit("39000.0")

        assert (await wire.position())["positionAmt"] == "0.000"
        assert (await wire.call("GET", "/fapi/v1/openOrders")).body == []
        assert (await wire.position())["positionAmt"] == "0.010"
        assert len((await wire.call("GET", "/fapi/v1/openOrders")).body) == 1


async def test_old_orders_are_forgotten() -> None:
    """The exchange keeps canceled orders for days only: -2013 then proves nothing."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        await wire.order(newClientOrderId="x")
        strike(wire, "history_retention:times=2")
        found = await wire.call("GET", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="x")
        listed = await wire.call("GET", "/fapi/v1/allOrders", symbol="BTCUSDT")

        assert (found.body["code"], listed.body) == (-2013, [])


@pytest.mark.parametrize(
    ("rest", "status"), [("rests", "PARTIALLY_FILLED"), ("expires", "EXPIRED")]
)
async def test_partial_fill_leaves_a_rest(rest: str, status: str) -> None:
    """Half fills; the rest follows with the market's next move, or never."""
    async with binance_on(setup_of(flat_bars(4))) as wire:
        strike(wire, f"partial_fill:fraction=0.5,rest={rest}")
        done = (await wire.order(newClientOrderId="x")).body
        assert (done["status"], done["executedQty"]) == (status, "0.005")
        await wire.exchange.advance(2)

        found = await wire.call("GET", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="x")
        assert found.body["executedQty"] == ("0.010" if rest == "rests" else "0.005")


async def test_child_of_a_triggered_stop_is_rejected() -> None:
    """Triggered is not filled: the position is still there and nothing protects it."""
    candles = bars((PRICE,) * 4, (PRICE, PRICE, 38_500.0, 38_600.0), (38_600.0,) * 4)
    async with binance_on(setup_of(candles)) as wire:
        await wire.order()
        strike(wire, "child_rejected:on=place_conditional")
        await wire.algo("39000.0", clientAlgoId="stop")
        await wire.exchange.advance(3)

        found = (await wire.call("GET", "/fapi/v1/algoOrder", clientAlgoId="stop")).body
        assert (found["algoStatus"], found["actualOrderId"]) == ("REJECTED", "")
        assert (await wire.position())["positionAmt"] == "0.010"


async def test_attached_stop_can_vanish_or_lose_its_id() -> None:
    """BingX: 'attached' is a claim; only what is seen resting protects."""
    async with bingx_on(setup_of(flat_bars(4))) as wire:
        strike(wire, "attached_stop_dropped")
        await wire.order(stopLoss=exit_at(39_000))
        assert await open_rows(wire) == []
        strike(wire, "attached_stop_nameless")
        await wire.order(stopLoss=exit_at(39_000))

        assert [(row["type"], row["orderId"]) for row in await open_rows(wire)] == [
            ("STOP_MARKET", 0)
        ]


async def test_client_id_can_be_dropped_or_accepted_twice() -> None:
    """Two ways in which a client id fails as the way to find an order."""
    async with bingx_on(setup_of(flat_bars(4))) as wire:
        strike(wire, "client_id_dropped")
        placed = await wire.order(clientOrderId="x")
        assert placed.body["data"]["order"]["clientOrderId"] == ""
        await wire.order(clientOrderId="y")
        strike(wire, "client_id_reused")
        again = await wire.order(clientOrderId="y")

        assert again.body["code"] == 0
        path = "/openApi/swap/v2/trade/order"
        found = await wire.call("GET", path, symbol="BTC-USDT", clientOrderId="y")
        newest = again.body["data"]["order"]["orderId"]
        assert found.body["data"]["order"]["orderId"] == newest


async def _kinds(socket: aiohttp.ClientWebSocketResponse, count: int) -> list[str]:
    found = []
    for _ in range(count):
        event = await next_event(socket)
        found.append(event["o"]["x"] if "o" in event else "balance")
    return found


@pytest.mark.parametrize(
    ("fault", "wanted"),
    [
        ("events_missing:on=event.ACCOUNT_UPDATE", ["NEW", "TRADE"]),
        ("events_twice:on=event.ACCOUNT_UPDATE", ["NEW", "balance", "balance", "TRADE"]),
        ("events_out_of_order:on=event.ACCOUNT_UPDATE", ["NEW", "TRADE", "balance"]),
        ("events_late:on=event.ACCOUNT_UPDATE,seconds=1", ["NEW", "TRADE", "balance"]),
    ],
)
async def test_user_events_are_disturbed(fault: str, wanted: list[str]) -> None:
    """Late, twice, out of order or missing: streams are hints, queries are truth."""
    async with binance_on(setup_of(flat_bars(4))) as wire:
        socket = await wire.user_socket()
        strike(wire, fault)
        await wire.order()
        await wire.exchange.elapse(1_500)
        await wire.order(newClientOrderId="end")

        assert await _kinds(socket, len(wanted)) == wanted
        assert (await next_event(socket))["o"]["c"] == "end"
        await socket.close()


async def test_event_held_back_comes_alone_when_nothing_follows() -> None:
    """Out of order needs a next event; without one it is only late."""
    async with binance_on(setup_of(flat_bars(4))) as wire:
        socket = await wire.user_socket()
        strike(wire, "events_out_of_order:on=event.ACCOUNT_CONFIG_UPDATE")
        await wire.call("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=9)
        await wire.exchange.elapse(1_500)

        assert (await next_event(socket))["ac"]["l"] == 9
        await socket.close()


async def test_stream_falls_silent_and_comes_back() -> None:
    """The socket stays open: only a watchdog notices."""
    async with binance_on(setup_of(flat_bars(8))) as wire:
        socket = await wire.socket("/market/ws/btcusdt@kline_1m")
        strike(wire, "stream_silent:seconds=5")
        await wire.exchange.advance(2)
        await wire.exchange.elapse(5_000)
        await wire.exchange.advance(1)

        event = await next_event(socket)
        forming = wire.exchange.venues["binance"].market.first.forming
        assert forming is not None
        assert event["k"]["t"] == forming.time
        await socket.close()


async def test_stream_drops_by_plan_and_by_hand() -> None:
    """Market and user sockets close apart from each other."""
    async with binance_on(setup_of(flat_bars(8))) as wire:
        market = await wire.socket("/market/ws/btcusdt@kline_1m")
        user = await wire.user_socket()
        strike(wire, "stream_dropped:on=stream.market")
        await wire.exchange.advance()
        closing = {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}
        assert (await market.receive(timeout=5)).type in closing
        assert await wire.exchange.drop_streams(markets=False) == 1

        assert (await user.receive(timeout=5)).type in closing


async def test_listen_key_expires_by_plan_and_by_hand() -> None:
    """listenKeyExpired, then silence until a new key."""
    async with binance_on(setup_of(flat_bars(8))) as wire:
        socket = await wire.user_socket()
        strike(wire, "listen_key_expired")
        await wire.order()
        assert (await next_event(socket))["e"] == "listenKeyExpired"
        again = await wire.user_socket()
        await wire.exchange.expire_listen_keys()

        assert (await next_event(again))["e"] == "listenKeyExpired"
        await socket.close()
        await again.close()


async def test_clock_jumps() -> None:
    """The server's time is ten seconds off from here on."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        before = (await wire.send("GET", "/fapi/v1/time")).body["serverTime"]
        strike(wire, "clock_skew:ms=10000")
        after = (await wire.send("GET", "/fapi/v1/time")).body["serverTime"]

        assert after - before == 10_000


async def test_huge_body_is_huge() -> None:
    """A client must give up reading, not run out of memory."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        strike(wire, "huge_body:megabytes=2,on=market")
        url = f"{wire.exchange.binance_url}/fapi/v1/exchangeInfo"
        async with wire.session.get(url) as answer:
            body = await answer.read()

        assert len(body) > 2 * 1024 * 1024
        assert json.loads(body)["timezone"] == "UTC"


async def test_server_closes_at_once_while_a_request_hangs() -> None:
    """A held answer must not keep the port or a task."""
    start = time.monotonic()
    async with binance_on(setup_of(flat_bars(3))) as wire:
        strike(wire, "timeout_after_accept:seconds=30")
        async with asyncio.TaskGroup() as tasks:
            hanging = tasks.create_task(attempt(wire))
            await asyncio.sleep(0.05)
            wire.exchange._gateways[0].closing.set()
        assert hanging.result() == "ServerDisconnectedError"

    assert time.monotonic() - start < 5
