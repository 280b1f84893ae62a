"""The demo over the wire: a local exchange in its own process, real clients, a script, a page.

Everything a live bot does happens: requests are signed, orders travel, stops rest at the
exchange, news comes back over a stream. Only the money and the market are made up.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import closing
from dataclasses import dataclass

from milobot.app.exchange_process import ExchangeAddress, local_exchange
from milobot.app.pages import serve_beside
from milobot.app.preparation import Source, load_script, worker_for
from milobot.app.run_page import RunPage
from milobot.app.trader import Desk, Trader
from milobot.backtest.runner import Terms
from milobot.domain.market import CandleSeries
from milobot.domain.money import format_decimal
from milobot.domain.timeframes import Timeframe
from milobot.errors import ConfigurationError
from milobot.exchanges.binance import signing as binance_signing
from milobot.exchanges.binance.client import BinanceClient
from milobot.exchanges.binance.hosts import BinanceHosts
from milobot.exchanges.bingx import signing as bingx_signing
from milobot.exchanges.bingx.client import BingxClient
from milobot.exchanges.bingx.hosts import BingxHosts
from milobot.execution.engine import EngineConfig, ExecutionEngine
from milobot.ports import CandleStream
from milobot.scripting.client import ScriptWorker
from milobot.scripting.results import ScriptInfo
from milobot.storage.memory import MemoryJournal
from milobot.web.server import open_listener, page_address
from milobot.web.state import ChartState, Heading

SCRIPT_CANDLES_PER_S = 4.0
HISTORY = 480
_DAYS = 120
_FASTEST = 900.0


ExchangeClient = BinanceClient | BingxClient


@dataclass(frozen=True, slots=True)
class WireDemoRequest:
    """What to trade on which exchange's dialect, and how fast its market goes.

    Attributes:
        dialect: Whose exchange it is like; ``DIALECTS`` lists them.
        speed: Candles of the exchange's data a second; None four of the script's.
    """

    source: Source
    terms: Terms
    dialect: str = "binance"
    speed: float | None = None

    def __post_init__(self) -> None:
        """Check what can be checked at once.

        Raises:
            ConfigurationError: The dialect is unknown, or the speed is out of range.
        """
        if self.dialect not in DIALECTS:
            known = " or ".join(DIALECTS)
            raise ConfigurationError(f"--exchange {self.dialect[:20]!r} is unknown: use {known}")
        if self.speed is not None and not 0 < self.speed <= _FASTEST:
            raise ConfigurationError(
                f"--speed {self.speed:g} is out of range on an exchange: use up to {_FASTEST:g}"
            )


class StreamedCandles:
    """A ``MarketFeed`` of one series straight from a candle stream."""

    def __init__(self, stream: CandleStream) -> None:
        """Take candles from ``stream``."""
        self._stream = stream

    async def candles(self) -> AsyncIterator[CandleSeries]:
        """Yield each candle as it closes."""
        async for closed in self._stream.candles():
            yield CandleSeries.from_candles([closed.candle])


def run_wire_demo(request: WireDemoRequest, *, port: int, say: Callable[[str], None]) -> None:
    """Run the demo with its page until Ctrl-C or SIGTERM.

    Raises:
        MilobotError: The port is taken, or script, candles or a flag is wrong.
    """
    listener = open_listener("127.0.0.1", port)
    with closing(listener), worker_for(request.source) as worker:
        info = load_script(worker, request.source)

        async def run() -> None:
            async with local_exchange(_flags(request, info)) as exchange:
                say(f"exchange: {exchange.url} ({request.dialect} dialect, play money)")
                async with _CLIENTS[request.dialect](exchange) as client:
                    counter = await open_counter(request, info, worker, client)

                    async def trade() -> None:
                        # Said once Ctrl-C is listened to: who reads it may press it at once.
                        say(f"demo: {request.source.script.name} on {info.coin} {info.timeframe}")
                        say(f"chart: {page_address(listener)}  (Ctrl-C ends it)")
                        await counter.run()

                    await serve_beside(trade, counter.state, listener, stays=False)

        asyncio.run(run())


@dataclass(frozen=True, slots=True)
class Counter:
    """A trader at its desk, with the stream of candles that has to be kept running."""

    trader: Trader
    candles: CandleStream
    state: ChartState

    async def run(self) -> None:
        """Trade until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.candles.run())
            tasks.create_task(self.trader.run())


async def open_counter(
    request: WireDemoRequest, info: ScriptInfo, worker: ScriptWorker, client: ExchangeClient
) -> Counter:
    """Fetch what is needed from the exchange and put a trader together."""
    symbol, timeframe = info.coin, info.timeframe
    # Which rules the script may ask for is known only now that its symbol is.
    load_script(worker, request.source, await client.account.fetch_rules(symbol))
    history = await client.market.fetch_candles(symbol, timeframe, first_ms=None, limit=HISTORY)
    begins = timeframe.next_open(int(history.time[-1])) if len(history) else None
    stream = client.candle_feed({(symbol, timeframe): begins})
    journal = MemoryJournal()
    config = EngineConfig(account=f"{request.dialect}:local", limits=request.terms.limits)
    engine = ExecutionEngine(client.account, journal, client.clock, config)
    heading = Heading("demo", symbol, str(timeframe.value), request.source.script.name)
    page = RunPage(heading, engine, journal)
    desk = Desk(
        worker=worker,
        info=info,
        feed=StreamedCandles(stream),
        account=client.account,
        news=client.user_feed(),
        engine=engine,
        owner=f"demo:{request.source.script.name}",
    )
    return Counter(Trader(desk, page, history), stream, page.state)


def _binance(exchange: ExchangeAddress) -> BinanceClient:
    credentials = binance_signing.Credentials(exchange.api_key, exchange.secret)
    return BinanceClient(BinanceHosts.at(exchange.url), credentials)


def _bingx(exchange: ExchangeAddress) -> BingxClient:
    credentials = bingx_signing.Credentials(exchange.api_key, exchange.secret)
    return BingxClient(BingxHosts.at(exchange.url), credentials)


_CLIENTS: Mapping[str, Callable[[ExchangeAddress], ExchangeClient]] = {
    "binance": _binance,
    "bingx": _bingx,
}
DIALECTS = tuple(_CLIENTS)


def _flags(request: WireDemoRequest, info: ScriptInfo) -> list[str]:
    per_candle = max(1, info.timeframe.milliseconds // Timeframe.M1.milliseconds)
    speed = request.speed or min(_FASTEST, SCRIPT_CANDLES_PER_S * per_candle)
    source, terms = request.source, request.terms
    candles = ["--data", str(source.data)] if source.data else ["--days", str(_DAYS)]
    pairs = {
        "--dialect": request.dialect,
        "--symbol": info.coin,
        "--speed": f"{speed:g}",
        "--history": str((HISTORY + 1) * per_candle),
        "--wallet": format_decimal(terms.equity),
        "--fee": format_decimal(terms.fee),
        "--slippage": format_decimal(terms.slippage),
    }
    return [*candles, *(word for pair in pairs.items() for word in pair)]
