"""The page of a run that goes on: what the journal gained since the last look."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from milobot.app.presenter import Presenter, closes_by_time, reach_of
from milobot.backtest.runner import executions
from milobot.domain.market import CandleSeries
from milobot.domain.money import ZERO, format_decimal
from milobot.execution.engine import ExecutionEngine
from milobot.scripting.results import Evaluation, IndicatorUse
from milobot.storage.memory import MemoryJournal
from milobot.web.state import ChartState, Heading


@dataclass(frozen=True, slots=True)
class Seen:
    """How much of each journal list the page has."""

    decisions: int = 0
    updates: int = 0
    round_trips: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """How the account stands.

    Attributes:
        start: Equity at the start of the run, in USDT.
        equity: Equity now.
        unrealized_pnl: Open gain of the position.
        liquidation: Its liquidation price; None without one.
    """

    start: Decimal
    equity: Decimal
    unrealized_pnl: Decimal = ZERO
    liquidation: Decimal | None = None


class RunPage:
    """Shows a run on the page, bit by bit."""

    def __init__(self, heading: Heading, engine: ExecutionEngine, journal: MemoryJournal) -> None:
        """Begin with an empty page."""
        self.state = ChartState(heading)
        self._presenter = Presenter(self.state, heading.symbol)
        self._engine = engine
        self._journal = journal
        self._seen = Seen()
        self._uses: tuple[IndicatorUse, ...] = ()

    def log(self, time_ms: int, level: str, text: str) -> None:
        """Append a log line."""
        self.state.add_log(time_ms, level, text)

    def show_evaluation(self, evaluation: Evaluation, candles: CandleSeries) -> None:
        """Show what a script printed and where it failed.

        Args:
            evaluation: Of the last candles.
            candles: All since the anchor.
        """
        self._uses = evaluation.indicators or self._uses
        self._presenter.show_prints(
            (int(candles.time[line.index]), line.text) for line in evaluation.prints
        )
        for fault in evaluation.errors[:1]:
            place = f"line {fault.line}, column {fault.column}"
            when = int(candles.time[fault.index])
            self.log(when, "error", f"{place}: {fault.reason}; nothing was done")

    def show_warnings(self, time_ms: int, warnings: Iterable[str]) -> None:
        """Show sentences that the user has to know before trusting a run.

        Args:
            time_ms: Candle that they are shown at.
            warnings: Such as that an indicator needs more history than there is.
        """
        for warning in warnings:
            self.log(time_ms, "warning", warning)

    def show(
        self,
        candles: CandleSeries,
        fresh: CandleSeries,
        equity: Iterable[tuple[int, Decimal]],
        standing: Standing,
    ) -> None:
        """Show candles and everything that happened since the last call.

        Args:
            candles: All since the anchor, ``fresh`` being their end.
            fresh: Those not shown yet.
            equity: Points of the equity curve not shown yet.
            standing: Of the account now.
        """
        presenter, journal, seen = self._presenter, self._journal, self._seen
        self.state.add_candles(fresh)
        # A decision is carried out on the candle after its own.
        recent = candles.part(max(0, len(candles) - len(fresh) - 2), len(candles))
        presenter.show_decisions(journal.decisions[seen.decisions :], closes_by_time(recent))
        presenter.show_executions(executions(journal, seen.updates))
        presenter.show_round_trips(journal.round_trips[seen.round_trips :])
        for time_ms, value in equity:
            self.state.add_equity(time_ms, value)
        self._seen = Seen(len(journal.decisions), len(journal.updates), len(journal.round_trips))
        for slot, state in self._engine.slots():
            presenter.show_position(slot, state, standing.unrealized_pnl, standing.liquidation)
        self._show_summary(standing)
        if len(fresh):
            presenter.show_studies(self._uses, candles)

    def publish(self, candles: CandleSeries, *, running: bool, what: str) -> None:
        """Say what the run is doing and make all of it visible."""
        self.state.set_status(running=running, text=f"{what} {reach_of(candles)}")
        self.state.publish()

    def _show_summary(self, standing: Standing) -> None:
        trips = self._journal.round_trips
        won = sum(trip.pnl > 0 for trip in trips)
        change = (standing.equity / standing.start - 1) * 100 if standing.start else ZERO
        self.state.set_summary(
            {
                "Equity": f"{standing.equity:,.2f} USDT",
                "Return": f"{change:+.2f} %",
                "Round trips": str(len(trips)),
                "Won": f"{100 * won / len(trips):.0f} %" if trips else "-",
                "Fees": f"{sum((t.fees for t in trips), ZERO):,.2f} USDT",
                "Start": f"{format_decimal(standing.start)} USDT",
            }
        )
