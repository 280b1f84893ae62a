"""The demo: candles replayed through the paper venue, with a live page.

Candles arrive as they would from an exchange, a few at a time; the script sees each when it
has closed, the engine and the venue are those of the back-test. What comes out is therefore
the back-test of the same candles, to the last digit.
"""

import asyncio
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from milobot.app.backtests import decisions_of, describe_settings, funding_warnings
from milobot.app.happenings import JournalReader
from milobot.app.markets import Market
from milobot.app.pages import Served, serve_beside
from milobot.app.preparation import Source, find_market, prepare, worker_for
from milobot.app.run_page import RunPage, Standing
from milobot.backtest.core import Session
from milobot.backtest.result import BacktestResult
from milobot.backtest.runner import PaperAccount, Terms, collect, open_account
from milobot.backtest.timeline import TimelineBuilder, align
from milobot.domain.market import CandleSeries
from milobot.domain.timeframes import Timeframe
from milobot.errors import ScriptError
from milobot.marketdata.generated import generate_candles
from milobot.marketdata.replay import ReplayFeed
from milobot.scripting.client import ScriptWorker
from milobot.scripting.results import Code, Evaluation, ScriptInfo
from milobot.web.server import open_listener, page_address
from milobot.web.state import ChartState, Heading

GENERATED_DAYS = 120
SCRIPT_CANDLES_PER_S = 2.0
HISTORY = 480
_HISTORY_CHUNK = 2000
_MINUTES_PER_DAY = 1440


@dataclass(frozen=True, slots=True)
class DemoRequest:
    """What to replay and how fast.

    Attributes:
        speed: Candles of the data a second; 0 as fast as possible; None two candles of
            the script's timeframe a second.
        history: Script candles that are played at once at the start; None a good part.
    """

    source: Source
    terms: Terms = field(default_factory=Terms)
    speed: float | None = None
    history: int | None = None


class Demo:
    """One run of a script over candles that arrive bit by bit."""

    def __init__(self, worker: ScriptWorker, request: DemoRequest) -> None:
        """Load script and candles; nothing is played yet.

        Raises:
            MilobotError: The script, the candles or a flag is wrong.
        """
        source = request.source
        self._request = request
        self._worker = worker
        prepared = prepare(worker, source, _market_of)
        self._info: ScriptInfo = prepared.info
        self._prepared = prepared
        market = prepared.market
        # What lies outside complete script candles is left out, as a back-test does.
        self._fine = align(market.candles, market.timeframe, self._info.timeframe).fine
        self._builder = TimelineBuilder(market.timeframe, self._info.timeframe)
        self._session = Session(f"demo:{source.script.name}", self._info.coin, self._info.timeframe)
        self._account: PaperAccount = open_account(self._session, request.terms, skips=False)
        self._codes = np.empty(0, dtype=np.uint8)
        self._timeline = self._builder.extend(CandleSeries.empty())
        self._equity_shown = 0
        self._warm_up: tuple[str, ...] = ()
        self._told: set[str] = set()
        heading = Heading(
            "demo", self._info.coin, str(self._info.timeframe.value), source.script.name
        )
        reader = JournalReader(self._account.journal)
        self._page = RunPage(heading, self._account.engine.slots, reader)

    @property
    def state(self) -> ChartState:
        """Return the page's model."""
        return self._page.state

    @property
    def title(self) -> str:
        """Return in one line what is played."""
        market = self._prepared.market
        return (
            f"{self._request.source.script.name} on {self._info.coin} {self._info.timeframe},"
            f" {len(self._fine)} candles of {market.timeframe} from {market.origin}"
        )

    @property
    def has_candles(self) -> bool:
        """Return whether a script candle has been played."""
        return bool(len(self._timeline.candles))

    @property
    def per_candle(self) -> int:
        """Return how many candles of the data make one of the script, about."""
        step = self._info.timeframe.milliseconds
        return max(1, step // self._prepared.market.timeframe.milliseconds)

    async def run(self) -> None:
        """Play everything, the first part at once and the rest at the request's speed."""
        total = len(self._fine)
        ahead = self._history_length(total)
        self._page.show_warnings(int(self._fine.time[0]), self._market_warnings())
        quick = ReplayFeed(self._fine.part(0, ahead), speed=0, chunk=_HISTORY_CHUNK)
        async for chunk in quick.candles():
            await self.feed(chunk)
        self._show_warm_up()
        speed = self._request.speed
        if speed is None:
            speed = SCRIPT_CANDLES_PER_S * self.per_candle
        paced = ReplayFeed(self._fine.part(ahead, total), speed=speed)
        async for chunk in paced.candles():
            await self.feed(chunk)
        await self.finish()

    async def feed(self, chunk: CandleSeries) -> None:
        """Take in candles that have closed: evaluate, trade, show."""
        timeline = self._builder.extend(chunk)
        known = len(self._codes)
        fresh = timeline.candles.part(known, len(timeline.candles))
        if len(fresh):
            evaluation = await self._evaluate(fresh)
            self._codes = np.append(self._codes, evaluation.codes)
            self._warm_up = evaluation.warnings if evaluation.indicators else self._warm_up
            self._page.show_evaluation(evaluation, timeline.candles)
        self._timeline = timeline
        await self._account.replay.play(
            timeline, decisions_of(self._info, timeline.candles, self._codes)
        )
        self._show(fresh)
        self._page.publish(timeline.candles, running=True, what="replaying,")

    async def finish(self) -> None:
        """Close what is open at the last close and say that the replay is over."""
        await self._account.replay.finish(self._timeline)
        self._show(CandleSeries.empty())
        self._show_warm_up()
        self._page.publish(self._timeline.candles, running=False, what="replay finished:")

    def result(self) -> BacktestResult:
        """Return what was traded so far, as a back-test would.

        Before the end a position may be open: the equity then counts what it has gained or
        lost, the round trips do not hold it.
        """
        candles = self._timeline.candles
        decisions = decisions_of(self._info, candles, self._codes)
        played = collect(self._account, decisions)
        return BacktestResult(
            script=self._request.source.script.name,
            symbol=self._info.coin,
            timeframe=self._info.timeframe,
            candles=candles,
            settings=describe_settings(self._request.terms, self._prepared),
            start_equity=self._request.terms.equity,
            end_equity=self._equity(),
            equity=played.equity,
            round_trips=played.round_trips,
            executions=played.executions,
            decisions=played.decisions,
            repeated=played.repeated,
            prints=(),
            warm_up=int(np.count_nonzero(self._codes == Code.WARM_UP)),
            warnings=(*self._market_warnings(), *self._warm_up),
        )

    async def _evaluate(self, fresh: CandleSeries) -> Evaluation:
        """Let the script decide; where it fails it wants nothing, and the page says why."""
        first = len(self._codes)
        try:
            return await self._worker.evaluate_async(fresh)
        except ScriptError as error:
            self._page.log(int(fresh.time[-1]), "error", str(error))
            failed = np.full(len(fresh), Code.FAILED, dtype=np.uint8)
            return Evaluation(first, failed, (), (), 0, ())

    def _show(self, fresh: CandleSeries) -> None:
        account, candles = self._account, self._timeline.candles
        start, shown = self._request.terms.equity, self._equity_shown
        values = account.replay.equity.exact(candles.close, start, first=shown)
        book = account.venue.book(self._session.symbol)
        standing = Standing(
            start=start,
            equity=self._equity(),
            unrealized_pnl=book.unrealized_pnl,
            liquidation=book.liquidation,
        )
        points = zip(candles.time[shown:].tolist(), values, strict=True)
        self._page.show(candles, fresh, points, standing)
        self._equity_shown = len(candles)

    def _show_warm_up(self) -> None:
        """Show which indicators needed more history than was there, as of the last candle."""
        fresh = [warning for warning in self._warm_up if warning not in self._told]
        self._told.update(fresh)
        if fresh:
            self._page.show_warnings(int(self._timeline.candles.time[-1]), fresh)

    def _market_warnings(self) -> tuple[str, ...]:
        funding = self._request.terms.funding
        return (*self._prepared.market.warnings, *funding_warnings(funding, self._fine))

    def _equity(self) -> Decimal:
        """Return the balance and what an open position has gained or lost at the last price."""
        venue = self._account.venue
        return venue.wallet + venue.book(self._session.symbol).unrealized_pnl

    def _history_length(self, total: int) -> int:
        if self._request.history is not None:
            return min(total, self._request.history * self.per_candle)
        return min(HISTORY * self.per_candle, total // 2)


def _market_of(source: Source, info: ScriptInfo) -> Market:
    if source.data is not None:
        return find_market(source, info)
    candles = generate_candles(info.coin, minutes=GENERATED_DAYS * _MINUTES_PER_DAY)
    return Market(candles, Timeframe.M1, "generated market")


def run_demo(
    request: DemoRequest, *, port: int, stays: bool, say: Callable[[str], None]
) -> BacktestResult | None:
    """Run a demo with its page; returns after the replay, or after Ctrl-C or SIGTERM.

    Args:
        request: What to replay.
        port: Of the page, on this machine only.
        stays: Go on serving the page after the last candle.
        say: Tells the user where the page is and how it goes.

    Returns:
        What was traded; None when nothing was played yet.

    Raises:
        MilobotError: The port is taken, or script, candles or a flag is wrong.
    """
    listener = open_listener("127.0.0.1", port)
    with closing(listener), worker_for(request.source) as worker:
        demo = Demo(worker, request)

        async def play() -> None:
            say(f"demo: {demo.title}")
            say(f"chart: {page_address(listener)}  (Ctrl-C ends it)")
            await demo.run()
            say("replay finished" + (", the page stays until Ctrl-C" if stays else ""))

        asyncio.run(serve_beside(play, Served(demo.state, listener), stays=stays))
        return demo.result() if demo.has_candles else None
