"""Paper trading on live candles: the script's own candles decide, finer ones fill.

The exchange sends candles of two timeframes over separate ways, and either may come first.
A fine candle is therefore played only once the script has seen every candle that closed
before it opened; so a decision is carried out at the very next open, as in a back-test.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import numpy as np

from milobot.app.backtests import decisions_of
from milobot.app.happenings import JournalReader
from milobot.app.run_page import RunPage, Standing
from milobot.backtest.core import Session
from milobot.backtest.runner import PaperAccount, Terms, open_account
from milobot.backtest.timeline import Timeline
from milobot.domain.market import CandleSeries
from milobot.errors import ScriptError
from milobot.ports import MarketFeed
from milobot.scripting.client import ScriptWorker
from milobot.scripting.results import Code, Evaluation, ScriptInfo
from milobot.web.state import ChartState, Heading


@dataclass(frozen=True, slots=True)
class PaperDesk:
    """What a paper run works with.

    Attributes:
        worker: With the script loaded.
        history: Closed candles from the anchor to the start; evaluated, never traded.
        candles: Feed of the script's timeframe, beginning right after the history.
        fine: Feed of what fills are tested on, beginning where ``candles`` does; None when
            the script's own candles are the finest there are.
    """

    worker: ScriptWorker
    info: ScriptInfo
    history: CandleSeries
    candles: MarketFeed
    fine: MarketFeed | None
    terms: Terms
    script: str


class PaperRun:
    """One script on a simulated account over live candles."""

    def __init__(self, desk: PaperDesk) -> None:
        """Open the account; nothing is evaluated yet."""
        self._desk = desk
        self._session = Session(f"paper:{desk.script}", desk.info.coin, desk.info.timeframe)
        self._account: PaperAccount = open_account(self._session, desk.terms, skips=False)
        self._all = desk.history
        self._fine = CandleSeries.empty()
        history, timeframe = desk.history, desk.info.timeframe
        # What fills belong to a candle of the history are not ours to trade.
        self._begins = timeframe.next_open(int(history.time[-1])) if len(history) else None
        self._codes = np.empty(0, dtype=np.uint8)
        heading = Heading("paper", desk.info.coin, str(timeframe.value), desk.script)
        reader = JournalReader(self._account.journal)
        self._page = RunPage(heading, self._account.engine.slots, reader)

    @property
    def state(self) -> ChartState:
        """Return the page's model."""
        return self._page.state

    @property
    def account(self) -> PaperAccount:
        """Return the simulated account."""
        return self._account

    async def run(self) -> None:
        """Trade until both feeds end or the run is cancelled."""
        await self.begin()
        # Candles of both feeds are taken one after the other: the loop owns the engine.
        turn = asyncio.Lock()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow(self._desk.candles, turn, is_fine=False))
            if self._desk.fine is not None:
                tasks.create_task(self._follow(self._desk.fine, turn, is_fine=True))

    async def begin(self) -> None:
        """Evaluate and show the history."""
        history = self._desk.history
        if len(history):
            evaluation = await self._evaluate(history, 0)
            self._codes = evaluation.codes
            self._page.show_warnings(int(history.time[-1]), evaluation.warnings)
        self._show(history)

    async def take(self, candles: CandleSeries, *, is_fine: bool) -> None:
        """Take in candles that have closed, of the script's timeframe or finer ones."""
        fresh = CandleSeries.empty()
        if not is_fine:
            fresh = candles
            self._all = self._all.joined(fresh)
            evaluation = await self._evaluate(fresh, len(self._codes))
            self._codes = np.append(self._codes, evaluation.codes)
        if is_fine or self._desk.fine is None:
            self._fine = self._fine.joined(candles.between(self._begins, None))
        await self._play()
        self._show(fresh)

    async def _follow(self, feed: MarketFeed, turn: asyncio.Lock, *, is_fine: bool) -> None:
        source: AsyncIterator[CandleSeries] = feed.candles()
        async for candles in source:
            async with turn:
                await self.take(candles, is_fine=is_fine)

    async def _play(self) -> None:
        """Play the fine candles whose script candle may be traded already."""
        start = len(self._desk.history)
        live = self._all.part(start, len(self._all))
        decisions = decisions_of(self._desk.info, self._all, self._codes).part(
            start, len(self._all)
        )
        await self._account.replay.play(self._timeline(live), decisions)

    def _timeline(self, live: CandleSeries) -> Timeline:
        timeframe = self._desk.info.timeframe
        if not len(self._fine):
            return Timeline(live.part(0, 0), self._fine, np.zeros(1, dtype=np.intp))
        forming = timeframe.next_open(int(live.time[-1])) if len(live) else None
        first = int(self._fine.time[0]) if forming is None else forming
        playable = self._fine.between(None, timeframe.next_open(timeframe.open_of(first)) - 1)
        # A script candle counts as complete here once its own fine candles are all there.
        ends = np.searchsorted(playable.time, live.time)
        seen = live.part(0, int(np.count_nonzero(live.time <= playable.time[-1])))
        end = timeframe.next_open(int(seen.time[-1])) if len(seen) else int(playable.time[0])
        last = int(np.searchsorted(playable.time, end))
        return Timeline(seen, playable, np.append(ends[: len(seen)], last))

    async def _evaluate(self, fresh: CandleSeries, first: int) -> Evaluation:
        try:
            evaluation = await self._desk.worker.evaluate_async(fresh)
        except ScriptError as error:
            self._page.log(int(fresh.time[-1]), "error", str(error))
            failed = np.full(len(fresh), Code.FAILED, dtype=np.uint8)
            return Evaluation(first, failed, (), (), 0, ())
        self._page.show_evaluation(evaluation, self._all)
        return evaluation

    def _show(self, fresh: CandleSeries) -> None:
        account = self._account
        book = account.venue.book(self._session.symbol)
        equity = account.venue.wallet + book.unrealized_pnl
        standing = Standing(
            start=self._desk.terms.equity,
            equity=equity,
            unrealized_pnl=book.unrealized_pnl,
            liquidation=book.liquidation,
        )
        points = [(int(fresh.time[-1]), equity)] if len(fresh) else []
        self._page.show(self._all, fresh, points, standing)
        self._page.publish(self._all, running=True, what="paper trading,")
