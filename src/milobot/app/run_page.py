"""The page of a run that goes on: what has happened since the last look."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from milobot.app.happenings import Happened, Happenings
from milobot.app.held import held_view
from milobot.app.presenter import Presenter, closes_by_time, reach_of
from milobot.domain.decisions import Decision, Outcome
from milobot.domain.market import CandleSeries
from milobot.domain.money import ZERO, format_decimal
from milobot.domain.round_trips import RoundTrip
from milobot.domain.slots import PositionState, Slot
from milobot.scripting.results import Evaluation, IndicatorUse
from milobot.web.state import ChartState, Heading
from milobot.web.views import PositionView

Slots = Callable[[], Iterable[tuple[Slot, PositionState]]]
_DECIDED_WITHIN = 50


@dataclass(slots=True)
class Sums:
    """What the round trips so far came to."""

    count: int = 0
    won: int = 0
    fees: Decimal = ZERO

    def add(self, trips: Iterable[RoundTrip]) -> None:
        """Count further round trips."""
        for trip in trips:
            self.count += 1
            self.won += trip.pnl > 0
            self.fees += trip.fees


@dataclass(frozen=True, slots=True)
class Standing:
    """How the account stands.

    Attributes:
        start: Equity at the start of the run, in USDT.
        equity: Equity now.
        unrealized_pnl: Open gain of the position on the chart.
        liquidation: Its liquidation price; None without one.
        holds_shown: Whether what is held is shown elsewhere, with gains of its own.
    """

    start: Decimal
    equity: Decimal
    unrealized_pnl: Decimal = ZERO
    liquidation: Decimal | None = None
    holds_shown: bool = False


class RunPage:
    """Shows a run on the page, bit by bit."""

    def __init__(self, heading: Heading, slots: Slots, happenings: Happenings) -> None:
        """Begin with an empty page.

        Args:
            heading: Whose symbol has the chart.
            slots: Tells what is held now.
            happenings: Tells what has happened since it was asked last.
        """
        self.state = ChartState(heading)
        self._symbol = heading.symbol
        self._presenter = Presenter(self.state, heading.symbol)
        self._slots = slots
        self._happenings = happenings
        self._sums = Sums()
        self._uses: tuple[IndicatorUse, ...] = ()

    def log(self, time_ms: int, level: str, text: str) -> None:
        """Append a log line."""
        self.state.add_log(time_ms, level, text)

    def take_over(self) -> None:
        """Begin with what is held now; what has happened before that is not shown any more."""
        self._happenings.take()
        for slot, _ in self._slots():
            self._presenter.take_over(slot.position)

    def follow(self, symbol: str, timeframe: str) -> None:
        """Give the chart to another symbol; its candles come with ``show``."""
        self._symbol = symbol
        self._presenter.follow(symbol, timeframe)

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
        presenter, happened = self._presenter, self._happenings.take()
        self.state.add_candles(fresh)
        # A decision is carried out on the candle after its own, a reversal's entry later.
        first = max(0, len(candles) - len(fresh) - _DECIDED_WITHIN)
        closes = closes_by_time(candles.part(first, len(candles)))
        self._show_happened(happened, closes)
        for time_ms, value in equity:
            self.state.add_equity(time_ms, value)
        if not standing.holds_shown:
            self.state.set_positions(self._held(standing))
        self._show_summary(standing)
        if len(fresh):
            presenter.show_studies(self._uses, candles)

    def show_elsewhere(self, happened: Happened) -> None:
        """Show what has no place on the chart: decisions in the log, and round trips."""
        for decision in happened.decisions:
            if decision.outcome is not Outcome.IGNORED:
                self.log(decision.time_ms, _level(decision), describe_decision(decision))
        self._presenter.show_round_trips(happened.round_trips)
        self._sums.add(happened.round_trips)

    def publish(self, candles: CandleSeries | None, *, running: bool, what: str) -> None:
        """Say what the run is doing, and how far its candles reach; make all of it visible."""
        text = what.removesuffix(",") if candles is None else f"{what} {reach_of(candles)}"
        self.state.set_status(running=running, text=text)
        self.state.publish()

    def _held(self, standing: Standing) -> list[PositionView]:
        """Return what is held; gains are told of the symbol on the chart."""
        views = []
        for slot, state in self._slots():
            is_here = slot.symbol == self._symbol
            view = held_view(
                slot,
                state,
                unrealized_pnl=standing.unrealized_pnl if is_here else None,
                liquidation=standing.liquidation if is_here else None,
                on_chart=is_here,
            )
            views += [view] if view is not None else []
        return views

    def _show_happened(self, happened: Happened, closes: dict[int, float]) -> None:
        """Show on the chart what belongs to its symbol, and in the log what does not."""
        here = [d for d in happened.decisions if d.symbol == self._symbol and d.time_ms in closes]
        self._presenter.show_decisions(here, closes)
        self._presenter.show_executions(happened.executions)
        elsewhere = tuple(d for d in happened.decisions if d not in here)
        self.show_elsewhere(replace(happened, decisions=elsewhere))

    def _show_summary(self, standing: Standing) -> None:
        sums = self._sums
        change = (standing.equity / standing.start - 1) * 100 if standing.start else ZERO
        self.state.set_summary(
            {
                "Equity": f"{standing.equity:,.2f} USDT",
                "Return": f"{change:+.2f} %",
                "Round trips": str(sums.count),
                "Won": f"{100 * sums.won / sums.count:.0f} %" if sums.count else "-",
                "Fees": f"{sums.fees:,.2f} USDT",
                "Start": f"{format_decimal(standing.start)} USDT",
            }
        )


def describe_decision(decision: Decision) -> str:
    """Return a decision in one line, with its symbol."""
    text = f"{decision.symbol} {decision.action} {decision.outcome}"
    if decision.outcome is Outcome.ACCEPTED:
        return text
    return f"{text}, {decision.code}: {decision.reason}"


def _level(decision: Decision) -> str:
    return "warning" if decision.outcome is Outcome.DENIED else "info"
