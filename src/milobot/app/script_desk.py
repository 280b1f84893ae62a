"""A script's desk: each closed candle is shown to the script, and what it wants is asked for."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

import numpy as np

from milobot.domain.decisions import Decision
from milobot.domain.intents import Action, Close, DoNothing, Enter, TradeIntent
from milobot.domain.market import COLUMNS, CandleSeries
from milobot.domain.money import decimal_from_float
from milobot.errors import ScriptError
from milobot.indicators.series import ATR_PERIOD, atr
from milobot.ports import MarketFeed
from milobot.scripting.history import History
from milobot.scripting.results import Code, Evaluation, Fault, ScriptInfo

Evaluate = Callable[[CandleSeries], Awaitable[Evaluation]]


class Trades(Protocol):
    """Who trades an account; ``AccountTrader`` does."""

    async def submit(self, intent: TradeIntent) -> Decision:
        """Return what was decided about an intent."""
        ...

    async def candle_closed(self, symbol: str, close: Decimal) -> None:
        """Let moving stops follow a closed candle."""
        ...


class DeskWatcher(Protocol):
    """Who wants to see what happens at a desk, such as a page."""

    def evaluated(self, evaluation: Evaluation, candles: CandleSeries) -> None:
        """See what a script said about the last of the candles since the anchor."""
        ...

    def decided(self, decision: Decision) -> None:
        """See what became of what it wanted."""
        ...


@dataclass(frozen=True, slots=True)
class DeskPlan:
    """Who sits at a desk.

    Attributes:
        owner: Owner of the slot and first part of every intent's key: the same after a
            restart, so that no candle is traded twice.
        feed: Closed candles of the script's timeframe, following on the history.
    """

    owner: str
    info: ScriptInfo
    feed: MarketFeed


class ScriptDesk:
    """Lets one script decide about each closed candle; only the newest one may trade.

    Attributes:
        is_closing: Whether nothing new is to be asked for, as before the end of a run.
        dealt_with_ms: Open time of the last candle that was decided about and carried out.
    """

    def __init__(
        self,
        plan: DeskPlan,
        evaluate: Evaluate,
        trader: Trades,
        watcher: DeskWatcher,
        history: CandleSeries,
    ) -> None:
        """Prepare.

        Args:
            plan: Who sits here.
            evaluate: Shows newly closed candles to the script.
            trader: Who is asked for what it wants.
            watcher: Who sees it.
            history: Candles from the anchor on that the script has seen; none is traded.
        """
        self._plan = plan
        self._evaluate = evaluate
        self._trader = trader
        self._watcher = watcher
        self._history = History()
        self._take(history)
        self.is_closing = False
        self.dealt_with_ms = 0

    @property
    def info(self) -> ScriptInfo:
        """Return what its script says about itself."""
        return self._plan.info

    @property
    def candles(self) -> CandleSeries:
        """Return the candles since the anchor."""
        return self._history.series()

    async def run(self) -> None:
        """Decide about each candle as it closes, until the feed ends or the run is cancelled."""
        async for fresh in self._plan.feed.candles():
            await self.closed(fresh)

    async def closed(self, fresh: CandleSeries) -> Decision | None:
        """Take in candles that have closed; return what was decided about the newest.

        Moving stops come first: they belong to the position that the candle closed on.
        """
        decision = await self._decide(fresh)
        self.dealt_with_ms = int(fresh.time[-1])
        return decision

    async def _decide(self, fresh: CandleSeries) -> Decision | None:
        info = self._plan.info
        self._take(fresh)
        evaluation = await self._evaluated(fresh)
        self._watcher.evaluated(evaluation, self.candles)
        await self._trader.candle_closed(info.coin, decimal_from_float(float(fresh.close[-1])))
        action = action_of(info, int(evaluation.codes[-1]))
        if isinstance(action, DoNothing) or self.is_closing:
            return None
        decision = await self._trader.submit(self._intent(action))
        self._watcher.decided(decision)
        return decision

    def _take(self, candles: CandleSeries) -> None:
        self._history.append({name: getattr(candles, name) for name in COLUMNS})

    async def _evaluated(self, fresh: CandleSeries) -> Evaluation:
        try:
            return await self._evaluate(fresh)
        except ScriptError as error:
            first = len(self._history) - len(fresh)
            failed = np.full(len(fresh), Code.FAILED, dtype=np.uint8)
            fault = Fault(len(self._history) - 1, error.line, error.column, error.reason)
            return Evaluation(first, failed, (fault,), (), 0, ())

    def _intent(self, action: Close | Enter) -> TradeIntent:
        candles, owner = self.candles, self._plan.owner
        value = float(atr(candles.high, candles.low, candles.close, ATR_PERIOD)[-1])
        time_ms = int(candles.time[-1])
        return TradeIntent(
            key=f"{owner}|{time_ms}",
            owner=owner,
            symbol=self._plan.info.coin,
            time_ms=time_ms,
            action=action,
            reference_price=decimal_from_float(float(candles.close[-1])),
            atr=None if np.isnan(value) else decimal_from_float(value),
            due_ms=self._plan.info.timeframe.next_open(time_ms),
        )


def action_of(info: ScriptInfo, code: int) -> Action:
    """Return what a script's answer about a candle asks for."""
    match code:
        case Code.TRUE:
            return info.action_if_true
        case Code.FALSE:
            return info.action_if_false
        case _:
            return DoNothing()
