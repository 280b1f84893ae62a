"""The watch over protection at the exchange: it sees what has a stop and what has none."""

from tests.support.crash.exposure import ExposureWatch
from tests.support.wire import BinanceWire, flat_bars, setup_of

from milobot.local_exchange.core.timing import ClockMode
from milobot.local_exchange.server import LocalExchange


async def _exposed(exchange: LocalExchange, *stops: dict[str, str]) -> bool:
    """Open 0.01, place stops, and return whether the position is still exposed."""
    watch = ExposureWatch(exchange.venues["binance"])
    watch.start()
    async with BinanceWire(exchange) as wire:
        await wire.order()
        for stop in stops:
            answer = await wire.algo("39000", **stop)
            assert answer.status == 200, answer.body
    return any(e.end_ms is None for e in watch.all())


async def test_a_position_counts_as_protected_only_by_stops_for_all_of_it() -> None:
    """Half a stop, or a target, is no protection; two halves and a close-position stop are."""
    half = {"quantity": "0.005", "reduceOnly": "true"}
    target = {"type_": "TAKE_PROFIT_MARKET"}
    cases: list[tuple[list[dict[str, str]], bool]] = [
        ([], True),
        ([half], True),
        ([{}], False),
        ([half, half], False),
        ([{"closePosition": "true"}], False),
    ]
    for stops, is_exposed in cases:
        async with LocalExchange(setup_of(flat_bars(4), clock=ClockMode.WALL)) as exchange:
            await exchange.advance()
            assert await _exposed(exchange, *stops) is is_exposed
    async with LocalExchange(setup_of(flat_bars(4), clock=ClockMode.WALL)) as exchange:
        await exchange.advance()
        async with BinanceWire(exchange) as wire:
            watch = ExposureWatch(exchange.venues["binance"])
            watch.start()
            await wire.order()
            await wire.algo("41000", **target)
            assert [e.end_ms for e in watch.all()] == [None]
            await wire.order("SELL", reduceOnly="true")
            assert all(e.end_ms is not None for e in watch.all())
