"""Each fault does on the wire what it says, and the ledger tells whether it was executed."""

import asyncio
import json
import time
from typing import Any

import pytest
from tests.support.faulty_wire import attempt, executed, strike
from tests.support.wire import (
    Answer,
    binance_on,
    bingx_on,
    flat_bars,
    setup_of,
)

PRICE = 40_000.0
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
