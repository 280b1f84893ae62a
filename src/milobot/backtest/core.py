"""The replay: candles and decisions played through the engine and the simulated venue.

A decision on the close of a candle is carried out at the open of the next one. Candles on
which nothing can happen are skipped: nothing is due, no resting level is touched and no
decision would change anything. Playing them would leave the same state, and a test holds
both ways against each other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from milobot.backtest.equity import EquityCurve
from milobot.backtest.timeline import ENTRIES, Decisions, Timeline
from milobot.domain.decisions import Decision
from milobot.domain.intents import DoNothing, PositionSide, TradeIntent
from milobot.domain.market import CandleSeries, Floats, Times
from milobot.domain.money import decimal_from_float
from milobot.domain.orders import OrderType
from milobot.domain.timeframes import Timeframe
from milobot.execution.engine import ExecutionEngine
from milobot.simulation.clock import ReplayClock
from milobot.simulation.matching import Bar
from milobot.simulation.venue import SimulatedVenue

# Levels are compared as floats when looking for a candle that may touch one; the margin
# keeps a candle in doubt in, and the exact comparison is made when it is played.
_DOUBT = 1e-12
_FIRST_LOOK = 256


@dataclass(frozen=True, slots=True)
class Funding:
    """Funding rates in order of time; a positive rate is paid by longs."""

    time: Times
    rate: Floats


NO_FUNDING = Funding(np.empty(0, dtype=np.int64), np.empty(0))


@dataclass(frozen=True, slots=True)
class Session:
    """Whose intents a replay makes.

    Attributes:
        owner: Owner of the slot, and the first part of every intent's key.
        timeframe: Of the deciding candles: a decision is due when its candle ends. None where
            nothing depends on that.
    """

    owner: str
    symbol: str
    timeframe: Timeframe | None = None

    def due_ms(self, time_ms: int) -> int:
        """Return when a decision about the candle that opens at a time was due; 0: not known."""
        return self.timeframe.next_open(time_ms) if self.timeframe is not None else 0


class Replay:
    """Plays one symbol. Candles may be added while it runs, as a feed brings them.

    Attributes:
        equity: The equity curve so far.
        on_progress: Called after each event with the fraction of the candles done.
    """

    def __init__(
        self,
        session: Session,
        engine: ExecutionEngine,
        venue: SimulatedVenue,
        clock: ReplayClock,
        *,
        funding: Funding = NO_FUNDING,
        skips: bool = True,
    ) -> None:
        """Prepare; ``skips=False`` plays every candle, as a live feed would."""
        self.equity = EquityCurve()
        self.on_progress: Callable[[float], None] | None = None
        self._session = session
        self._engine = engine
        self._venue = venue
        self._clock = clock
        self._funding = funding
        self._skips = skips
        self._next = 0
        self._closed = 0  # script candles whose close the engine has seen

    async def play(self, timeline: Timeline, decisions: Decisions) -> None:
        """Play what the timeline holds beyond what was played before.

        Both arguments begin at the anchor and only ever grow from call to call.
        """
        total = len(timeline.fine)
        index = self._next
        while index < total:
            found = self._next_event(index, timeline, decisions) if self._skips else index
            if found > index:
                self._jump(timeline, found - 1)
            if found < total:
                await self._play_candle(found, timeline, decisions)
            index = found + 1
            if self.on_progress is not None:
                self.on_progress(min(index, total) / total)
        self._next = total

    async def finish(self, timeline: Timeline) -> None:
        """Close what is open at the last close."""
        await self._engine.close_position(self._session.symbol, "end_of_data")
        self._note(len(timeline.candles) - 1)

    async def _play_candle(self, index: int, timeline: Timeline, decisions: Decisions) -> None:
        fine, symbol = timeline.fine, self._session.symbol
        bar = Bar.from_candle(fine[index])
        await self._close_candles(timeline, index)
        self._clock.time_ms = bar.time_ms
        await self._charge_funding(index, fine)
        self._venue.open_bar(symbol, bar)
        if (ruin := self._venue.liquidate_at_open(symbol)) is not None:
            await self._engine.apply(ruin)
        script = int(np.searchsorted(timeline.starts, index, side="right")) - 1
        if script > 0 and timeline.starts[script] == index:
            await self._carry_out(script - 1, timeline.candles, decisions)
        while (update := self._venue.next_update(symbol)) is not None:
            await self._engine.apply(update)
        self._venue.close_bar(symbol)
        await self._close_candles(timeline, index + 1)
        self._note(script)

    async def _close_candles(self, timeline: Timeline, end: int) -> None:
        """Tell the engine of script candles that lie wholly before fine candle ``end``."""
        while self._closed < len(timeline.candles) and timeline.starts[self._closed + 1] <= end:
            close = decimal_from_float(float(timeline.candles.close[self._closed]))
            self._closed += 1
            await self._engine.candle_closed(self._session.symbol, close)

    async def _carry_out(
        self, index: int, candles: CandleSeries, decisions: Decisions
    ) -> Decision | None:
        """Let the engine have the intent that a script candle decided at its close."""
        action = decisions.at(index)
        if isinstance(action, DoNothing):
            return None
        atr = float(decisions.atr[index])
        time_ms = int(candles.time[index])
        intent = TradeIntent(
            key=f"{self._session.owner}|{time_ms}",
            owner=self._session.owner,
            symbol=self._session.symbol,
            time_ms=time_ms,
            action=action,
            reference_price=decimal_from_float(float(candles.close[index])),
            atr=None if np.isnan(atr) else decimal_from_float(atr),
            due_ms=self._session.due_ms(time_ms),
        )
        return await self._engine.accept(intent)

    async def _charge_funding(self, index: int, fine: CandleSeries) -> None:
        since = int(fine.time[index - 1]) if index else int(fine.time[0]) - 1
        first, stop = np.searchsorted(self._funding.time, [since, fine.time[index]], side="right")
        for due in range(int(first), int(stop)):
            update = self._venue.charge_funding(
                self._session.symbol,
                decimal_from_float(float(self._funding.rate[due])),
                int(self._funding.time[due]),
            )
            if update is not None:
                await self._engine.apply(update)

    def _jump(self, timeline: Timeline, index: int) -> None:
        """Stand at the close of a candle that was skipped."""
        bar = Bar.from_candle(timeline.fine[index])
        self._clock.time_ms = bar.time_ms
        self._venue.skip_bar(self._session.symbol, bar)
        # Only moving stops need closes, and with one of those no close is skipped.
        self._closed = int(np.searchsorted(timeline.starts, index + 1, side="right")) - 1

    def _note(self, script: int) -> None:
        slot = self._engine.slot(self._session.symbol)
        held = slot.position
        sign = held.side.sign
        self.equity.note(script, self._venue.wallet, sign * held.quantity, sign * held.cost)

    def _next_event(self, index: int, timeline: Timeline, decisions: Decisions) -> int:
        """Return the first fine candle from ``index`` on where something may happen."""
        slot = self._engine.slot(self._session.symbol)
        total = len(timeline.fine)
        if slot.position.is_flat:
            return (
                index if slot.orders else self._next_decision(index, ENTRIES, timeline, decisions)
            )
        setup = slot.setup
        if slot.closing or setup is None:
            return index
        opposite = slot.position.side.opposite.value
        found = min(
            total,
            self._next_decision(index, (opposite, "close"), timeline, decisions),
            self._next_funding(index, timeline.fine),
        )
        if setup.levels.trail is not None or setup.levels.break_even is not None:
            found = min(found, timeline.next_end(index))
        return self._next_touch(index, found, timeline.fine, slot.position.side)

    def _next_decision(
        self, index: int, kinds: tuple[str, ...], timeline: Timeline, decisions: Decisions
    ) -> int:
        # The candle that carries a decision out is the first one of the next script candle.
        script = max(1, int(np.searchsorted(timeline.starts, index)))
        found = decisions.next_of(kinds, script - 1)
        if found < 0 or found + 1 >= len(timeline.candles):
            return len(timeline.fine)
        return int(timeline.starts[found + 1])

    def _next_funding(self, index: int, fine: CandleSeries) -> int:
        since = int(fine.time[index - 1]) if index else int(fine.time[0]) - 1
        due = int(np.searchsorted(self._funding.time, since, side="right"))
        if due >= len(self._funding.time):
            return len(fine)
        return int(np.searchsorted(fine.time, self._funding.time[due]))

    def _next_touch(self, index: int, stop: int, fine: CandleSeries, side: PositionSide) -> int:
        below, above = self._touch_bounds(side)
        first, look = index, _FIRST_LOOK
        while first < stop:
            end = min(first + look, stop)
            touched = (fine.low[first:end] <= below) | (fine.high[first:end] >= above)
            place = int(np.argmax(touched))
            if touched[place]:
                return first + place
            first, look = end, look * 2
        return stop

    def _touch_bounds(self, side: PositionSide) -> tuple[float, float]:
        """Return prices between which no resting order and no liquidation is reached."""
        book = self._venue.book(self._session.symbol)
        below: list[Decimal] = []
        above: list[Decimal] = []
        for order in book.orders.values():
            if order.trigger_price is not None:
                is_stop = order.type is OrderType.STOP_MARKET
                falls = is_stop == (side is PositionSide.LONG)
                (below if falls else above).append(order.trigger_price)
        if book.liquidation is not None:
            (below if side is PositionSide.LONG else above).append(book.liquidation)
        return (
            float(max(below)) * (1 + _DOUBT) if below else -np.inf,
            float(min(above)) * (1 - _DOUBT) if above else np.inf,
        )
