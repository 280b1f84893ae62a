"""Fills the candle database from an exchange: rules, brackets and candles of some symbols.

Only what is missing is asked for, and every page is stored as it comes; so a download that
was interrupted goes on where it was.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from milobot.app.exchanges import (
    TITLES,
    ExchangeClient,
    environment_name,
    key_from_environment,
    open_client,
    with_production_data,
)
from milobot.domain.market import SymbolRules
from milobot.domain.spans import CandleSpan, count_candles, first_open_from, last_closed, step_open
from milobot.domain.timeframes import Timeframe
from milobot.errors import AuthenticationError, ConfigurationError, ExchangeUnavailableError
from milobot.exchanges.names import unknown_symbol
from milobot.marketdata.history import EARLIEST_MS, HistoryLoader
from milobot.ports import MarketData
from milobot.settings import Settings
from milobot.storage.candles import SqliteCandleStore
from milobot.telemetry import get_logger

Report = Callable[[str, int, int], None]
"""Hears what is going on, how many candles are done, and of how many."""


class RulesAccount(Protocol):
    """An account that tells rules with leverage brackets."""

    async def fetch_rules(self, symbol: str) -> SymbolRules:
        """Return the rules of a symbol; raise ``AuthenticationError`` without a key."""
        ...


class DownloadClient(Protocol):
    """What a download needs of an exchange."""

    @property
    def market(self) -> MarketData:
        """Return the public data."""
        ...

    @property
    def account(self) -> RulesAccount:
        """Return the account of the key."""
        ...


@dataclass(frozen=True, slots=True)
class DownloadRequest:
    """What to fetch.

    Attributes:
        limit: Candles of each timeframe, the newest.
        batch: Candles in one request.
        parallel: Series that are fetched at a time.
    """

    exchange: str
    symbols: tuple[str, ...]
    timeframes: tuple[Timeframe, ...]
    limit: int
    batch: int = 1000
    parallel: int = 5

    def __post_init__(self) -> None:
        """Check what can be checked at once.

        Raises:
            ConfigurationError: Nothing is named, or no candle is wanted.
        """
        if not self.symbols:
            raise ConfigurationError("name at least one symbol, such as BTCUSDT")
        if self.limit < 1:
            raise ConfigurationError(f"--limit {self.limit} loads nothing: use 1 or more")


@dataclass(frozen=True, slots=True)
class SeriesOutcome:
    """What is there of one series after a download.

    Attributes:
        wanted: The newest candles that were asked for; None before the first has closed.
        new: Candles that this download brought.
        unborn: Candles before the first that the exchange has: the symbol was not listed.
        gaps: What the exchange lacks between candles that it has.
        missing: What is neither there nor known to lack; the next download asks again.
        is_empty: Whether there is no candle at all; that is no gap.
    """

    symbol: str
    timeframe: Timeframe
    wanted: CandleSpan | None
    new: int
    unborn: int = 0
    gaps: tuple[CandleSpan, ...] = ()
    missing: tuple[CandleSpan, ...] = ()
    is_empty: bool = False

    @property
    def stored(self) -> int:
        """Return how many of the wanted candles are there."""
        if self.wanted is None or self.is_empty:
            return 0
        lacking = sum(count_candles(s, self.timeframe) for s in (*self.gaps, *self.missing))
        return count_candles(self.wanted, self.timeframe) - self.unborn - lacking


@dataclass(frozen=True, slots=True)
class DownloadResult:
    """What a download brought.

    Attributes:
        source: Under which the candles are stored.
        without_brackets: Whether leverage brackets are lacking, which need a key.
    """

    source: str
    series: tuple[SeriesOutcome, ...]
    without_brackets: bool


def open_for_download(settings: Settings, exchange: str) -> ExchangeClient:
    """Return a client of the real market, or of the address that the settings name.

    A key for the demo hosts is of no use at the real ones, and does not go there.
    """
    venue = settings.venue(exchange)
    has_use = venue.base_url is not None or not venue.is_testnet
    key = key_from_environment(settings, exchange) if has_use else None
    return open_client(with_production_data(settings, exchange), exchange, key)


def download_source(settings: Settings, exchange: str) -> str:
    """Return the source under which downloaded candles are stored."""
    return environment_name(with_production_data(settings, exchange), exchange)


async def download(
    request: DownloadRequest,
    client: DownloadClient,
    database: Path,
    *,
    source: str,
    report: Report,
) -> DownloadResult:
    """Fetch what is missing of the symbols' candles, and their rules.

    The database is made once the exchange has answered.

    Raises:
        ConfigurationError: The exchange does not answer at all.
        DataError: A symbol is not traded there; nothing was fetched.
        ExchangeError: The exchange stopped answering; what came before is stored.
    """
    report("rules", 0, 0)
    rules = await _fetch_rules(request, client)
    now_ms = await client.market.fetch_server_time()
    parts = [
        _Part(symbol, timeframe, _wanted(timeframe, now_ms, request.limit))
        for symbol in request.symbols
        for timeframe in request.timeframes
    ]
    with SqliteCandleStore(database) as store:
        for one in rules:
            await asyncio.to_thread(store.save_rules, source, one)
        loader = HistoryLoader(source, client.market, store, batch=request.batch)
        outcomes = await _Job(loader, report, request.parallel).run(parts)
    return DownloadResult(source, outcomes, not all(one.brackets for one in rules))


async def fetch_series(
    settings: Settings, exchange: str, symbol: str, timeframe: Timeframe, database: Path
) -> str:
    """Fetch what is missing of the last DATA_LIMIT candles of one series; return their source.

    Raises:
        DataError: The symbol is not traded there.
        ExchangeError: The exchange did not answer.
    """
    source = download_source(settings, exchange)
    batch = settings.klines_batch_size
    request = DownloadRequest(exchange, (symbol,), (timeframe,), settings.data_limit, batch)
    async with open_for_download(settings, exchange) as client:
        await download(request, client, database, source=source, report=lambda *_: None)
    return source


@dataclass(frozen=True, slots=True)
class _Part:
    symbol: str
    timeframe: Timeframe
    wanted: CandleSpan | None
    missing: tuple[CandleSpan, ...] = ()


class _Job:
    """One download under way."""

    def __init__(self, loader: HistoryLoader, report: Report, parallel: int) -> None:
        self._loader = loader
        self._report = report
        self._parallel = parallel
        self._done = 0
        self._total = 0

    async def run(self, parts: Sequence[_Part]) -> tuple[SeriesOutcome, ...]:
        """Fetch all parts, the total known before the first request."""
        planned = [await self._plan(part) for part in parts]
        self._total = sum(
            count_candles(span, part.timeframe) for part in planned for span in part.missing
        )
        turns = asyncio.Semaphore(self._parallel)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._fetch(part, turns)) for part in planned]
        return tuple(task.result() for task in tasks)

    async def _plan(self, part: _Part) -> _Part:
        if part.wanted is None:
            return part
        missing = await self._loader.missing(part.symbol, part.timeframe, part.wanted)
        return replace(part, missing=missing)

    async def _fetch(self, part: _Part, turns: asyncio.Semaphore) -> SeriesOutcome:
        name = f"{part.symbol} {part.timeframe}"

        def advance(count: int) -> None:
            self._done += count
            self._report(name, self._done, self._total)

        async with turns:
            fetched = await self._loader.fetch(
                part.symbol, part.timeframe, part.missing, progress=advance
            )
            return await self._outcome(part, len(fetched.candles))

    async def _outcome(self, part: _Part, new: int) -> SeriesOutcome:
        symbol, timeframe, wanted = part.symbol, part.timeframe, part.wanted
        if wanted is None:
            return SeriesOutcome(symbol, timeframe, None, new)
        known = await self._loader.known_gaps(symbol, timeframe, wanted)
        unborn, gaps = _split(known, wanted, timeframe)
        missing = await self._loader.missing(symbol, timeframe, wanted)
        if unborn + sum(count_candles(s, timeframe) for s in missing) == count_candles(
            wanted, timeframe
        ):
            return SeriesOutcome(symbol, timeframe, wanted, new, is_empty=True)
        return SeriesOutcome(symbol, timeframe, wanted, new, unborn, gaps, missing)


async def _fetch_rules(request: DownloadRequest, client: DownloadClient) -> list[SymbolRules]:
    """Return the rules of the symbols, with brackets where there is a key that may see them."""
    title = TITLES[request.exchange]
    try:
        known = await client.market.fetch_all_rules()
    except ExchangeUnavailableError as error:
        raise ConfigurationError(
            f"{title} does not answer ({error}): check the network and the address;"
            " 'milobot doctor' looks at each part"
        ) from error
    for symbol in request.symbols:
        if symbol not in known:
            raise unknown_symbol(symbol, title, known)
    try:
        return [await client.account.fetch_rules(symbol) for symbol in request.symbols]
    except AuthenticationError as refused:
        get_logger().info("brackets_need_a_key", exchange=request.exchange, reason=str(refused))
        return [known[symbol] for symbol in request.symbols]


def _wanted(timeframe: Timeframe, now_ms: int, limit: int) -> CandleSpan | None:
    """Return the newest closed candles, none of them before 2019."""
    newest_ms = last_closed(now_ms, timeframe)
    earliest_ms = first_open_from(EARLIEST_MS, timeframe)
    if newest_ms < earliest_ms:
        return None
    most = count_candles(CandleSpan(earliest_ms, newest_ms), timeframe)
    return CandleSpan(step_open(newest_ms, 1 - min(limit, most), timeframe), newest_ms)


def _split(
    known: Sequence[CandleSpan], wanted: CandleSpan, timeframe: Timeframe
) -> tuple[int, tuple[CandleSpan, ...]]:
    """Tell how much lies before the first candle there is from gaps between candles."""
    at = wanted.first_ms
    gaps = list(known)
    while gaps and gaps[0].first_ms <= at:
        at = max(at, timeframe.next_open(gaps.pop(0).last_ms))
    if at == wanted.first_ms:
        return 0, tuple(gaps)
    return count_candles(CandleSpan(wanted.first_ms, at), timeframe) - 1, tuple(gaps)
