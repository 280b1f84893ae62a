"""Faults of the streams: events twice, late or never, silence, drops, keys that expire."""

import aiohttp
import pytest
from tests.support.faulty_wire import strike
from tests.support.wire import (
    binance_on,
    flat_bars,
    next_event,
    setup_of,
)

PRICE = 40_000.0


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
        assert (await market.receive(timeout=20)).type in closing
        assert await wire.exchange.drop_streams(markets=False) == 1

        assert (await user.receive(timeout=20)).type in closing


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
