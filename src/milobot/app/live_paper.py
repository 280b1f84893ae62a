"""A script on paper over the candles of a real exchange, with its page."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Protocol

from milobot.app.pages import Served, serve_beside
from milobot.app.paper import PaperDesk, PaperRun
from milobot.app.preparation import Source, load_script, worker_for
from milobot.backtest.runner import Terms
from milobot.domain.market import SymbolRules
from milobot.domain.timeframes import Timeframe
from milobot.errors import ConfigurationError, ExchangeError
from milobot.marketdata.feed import FeedSource
from milobot.marketdata.history import HistoryLoader
from milobot.marketdata.hub import FeedHub
from milobot.ports import CandleStream, Clock, MarketData
from milobot.scripting.client import ScriptWorker
from milobot.scripting.results import ScriptInfo
from milobot.storage.candles import SqliteCandleStore
from milobot.web.server import open_listener, page_address

Series = tuple[str, Timeframe]


class MarketClient(Protocol):
    """What a paper run needs of an exchange: public data only, no key."""

    @property
    def market(self) -> MarketData:
        """Return its public data."""
        ...

    @property
    def clock(self) -> Clock:
        """Return its time."""
        ...

    def candle_feed(self, since: Mapping[Series, int | None]) -> CandleStream:
        """Return a stream of closed candles."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


@dataclass(frozen=True, slots=True)
class LivePaperRequest:
    """What to run on paper.

    Attributes:
        exchange: Name under which its candles are stored, such as ``binance``.
    """

    source: Source
    terms: Terms
    exchange: str


def run_live_paper(
    request: LivePaperRequest,
    connect: Callable[[], MarketClient],
    *,
    port: int,
    say: Callable[[str], None],
) -> None:
    """Trade a script on paper until Ctrl-C or SIGTERM.

    Raises:
        MilobotError: The port is taken, the script is wrong, or the exchange is out of reach.
    """
    listener = open_listener("127.0.0.1", port)
    with closing(listener), worker_for(request.source) as worker:
        info = load_script(worker, request.source)

        async def run() -> None:
            async with open_run(request, info, worker, connect) as (paper, work):
                name = request.source.script.name
                say(
                    f"paper: {name} on {info.coin} {info.timeframe}, live candles of"
                    f" {request.exchange}; no order leaves this machine"
                )
                say(f"chart: {page_address(listener)}  (Ctrl-C ends it)")
                await serve_beside(work, Served(paper.state, listener), stays=False)
            trips = len(paper.account.journal.round_trips)
            say(
                f"paper run ended: {trips} round trips, wallet {paper.account.venue.wallet:.2f} USDT"
            )

        asyncio.run(run())


@asynccontextmanager
async def open_run(
    request: LivePaperRequest,
    info: ScriptInfo,
    worker: ScriptWorker,
    connect: Callable[[], MarketClient],
) -> AsyncIterator[tuple[PaperRun, Callable[[], Coroutine[None, None, None]]]]:
    """Fetch the history from the anchor on and yield a run with what keeps it going."""
    client = connect()
    database: Path = request.source.database
    try:
        with SqliteCandleStore(database) as store:
            now_ms = await _first_answer(request.exchange, client.market)
            rules = await _rules_of(info.coin, client.market)
            load_script(worker, request.source, rules)
            loader = HistoryLoader(request.exchange, client.market, store)
            hub = FeedHub(FeedSource(client.market, client.candle_feed, loader, client.clock))
            symbol, timeframe = info.coin, info.timeframe
            first_ms = now_ms - request.source.data_limit * timeframe.milliseconds
            candles = hub.feed(symbol, timeframe, first_ms=first_ms)
            fine = None
            if timeframe is not Timeframe.M1:
                fine = hub.feed(symbol, Timeframe.M1, first_ms=timeframe.open_of(now_ms))
            async with asyncio.TaskGroup() as tasks:
                running = tasks.create_task(hub.run())
                history = await candles.history()
                terms = replace(request.terms, rules=rules)
                name = request.source.script.name
                paper = PaperRun(PaperDesk(worker, info, history, candles, fine, terms, name))
                try:
                    yield paper, paper.run
                finally:
                    running.cancel()
    finally:
        await client.close()


async def _first_answer(exchange: str, market: MarketData) -> int:
    """Return the exchange's time; where nobody answers, say what to do."""
    try:
        return await market.fetch_server_time()
    except ExchangeError as error:
        raise ConfigurationError(
            f"{exchange} does not answer ({error}): check the network and the address,"
            " 'milobot doctor' looks at each part"
        ) from error


async def _rules_of(symbol: str, market: MarketData) -> SymbolRules:
    """Return the rules of a symbol.

    Raises:
        ConfigurationError: It is not traded there; the sentence names the nearest that are.
    """
    known = await market.fetch_all_rules()
    if symbol in known:
        return known[symbol]
    nearest = get_close_matches(symbol, known, n=3)
    hint = f": did you mean {', '.join(nearest)}?" if nearest else ""
    raise ConfigurationError(f"{symbol} is not traded there as a USDT perpetual{hint}")
