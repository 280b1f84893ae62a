"""Shows on the page what engine and script do: the one place where both meet."""

from collections import deque
from collections.abc import Iterable, Sequence
from decimal import Decimal

from milobot.backtest.executions import Execution
from milobot.backtest.report import round_trip_to_json
from milobot.domain.decisions import Decision, Outcome
from milobot.domain.intents import PositionSide
from milobot.domain.market import CandleSeries, Floats
from milobot.domain.money import decimal_from_float, format_decimal
from milobot.domain.orders import OrderPurpose
from milobot.domain.positions import Position, apply_fill
from milobot.domain.round_trips import RoundTrip
from milobot.domain.times import format_time
from milobot.scripting.results import IndicatorUse
from milobot.web.state import ChartState
from milobot.web.studies import IndicatorCall, Studies
from milobot.web.views import FillView, SignalView

_REMEMBERED = 1_000  # fills of other symbols, for when one of them gets the chart
_SIDES = {"long": PositionSide.LONG, "short": PositionSide.SHORT}


class Presenter:
    """Translates decisions, fills and round trips into what the page shows."""

    def __init__(self, state: ChartState, symbol: str) -> None:
        """Begin with an empty page."""
        self.state = state
        self._symbol = symbol
        self._positions: dict[str, Position] = {}
        self._fills: deque[tuple[str, FillView]] = deque(maxlen=_REMEMBERED)
        self._calls: tuple[IndicatorCall, ...] = ()
        self._studies = Studies(())

    def take_over(self, position: Position) -> None:
        """Begin with a position that was opened before the page was."""
        self._positions[position.symbol] = position

    def follow(self, symbol: str, timeframe: str) -> None:
        """Give the chart to another symbol, with its fills as far as they are remembered."""
        self._symbol = symbol
        self._calls, self._studies = (), Studies(())
        self.state.set_market(symbol, timeframe)
        for filled, view in self._fills:
            if filled == symbol:
                self.state.add_fill(view)

    def show_studies(self, uses: Iterable[IndicatorUse], candles: CandleSeries) -> None:
        """Draw the indicators that a script asks for, over all candles since the anchor."""
        found = tuple(dict.fromkeys((*self._calls, *map(_call, uses))))
        if found != self._calls:
            self._calls = found
            self._studies = Studies(found)
        if found:
            self.state.set_studies(self._studies.update(candles))

    def show_decisions(self, decisions: Iterable[Decision], close: dict[int, float]) -> None:
        """Mark accepted intents hollow at their candle; log those denied.

        Args:
            decisions: In order of time; ignored ones are left out.
            close: Close of each candle by its open time.
        """
        for decision in decisions:
            if decision.outcome is Outcome.ACCEPTED:
                price = decimal_from_float(close[decision.time_ms])
                self.state.add_signal(
                    SignalView(decision.time_ms, _SIDES.get(decision.action), price, "")
                )
            elif decision.outcome is Outcome.DENIED:
                text = f"{decision.action} denied, {decision.code}: {decision.reason}"
                self.state.add_log(decision.time_ms, "warning", text)

    def show_executions(self, executions: Iterable[Execution]) -> None:
        """Mark executions solid at their price, with what each realized.

        Those of other symbols are remembered: one of them may get the chart.
        """
        for execution in executions:
            symbol, view = execution.fill.symbol, self._booked(execution)
            self._fills.append((symbol, view))
            if symbol == self._symbol:
                self.state.add_fill(view)

    def _booked(self, execution: Execution) -> FillView:
        fill, purpose = execution
        before = self._positions.get(fill.symbol) or Position(fill.symbol)
        after = self._positions[fill.symbol] = apply_fill(before, fill)
        gain = after.realized_pnl - before.realized_pnl - fill.fee
        return FillView(
            fill.time_ms,
            fill.side,
            fill.price,
            fill.quantity,
            str(purpose.value),
            None if purpose is OrderPurpose.ENTRY else gain,
        )

    def show_round_trips(self, trips: Iterable[RoundTrip]) -> None:
        """List finished round trips, and log each in one line."""
        for trip in trips:
            self.state.add_round_trip({**round_trip_to_json(trip), "symbol": trip.symbol})
            text = (
                f"{trip.symbol} {trip.side.lower()} closed by {trip.exit_reason}, net"
                f" {format_decimal(round(trip.pnl, 2))} USDT"
            )
            self.state.add_log(trip.exit_time_ms, "info", text)

    def show_equity(self, times: Sequence[int], values: Sequence[Decimal]) -> None:
        """Append the equity curve."""
        for time_ms, value in zip(times, values, strict=True):
            self.state.add_equity(time_ms, value)

    def show_prints(self, prints: Iterable[tuple[int, str]]) -> None:
        """Append what the script printed to the log."""
        for time_ms, text in prints:
            self.state.add_log(time_ms, "script", text)


def closes_by_time(candles: CandleSeries) -> dict[int, float]:
    """Return the close of each candle by its open time."""
    closes: Floats = candles.close
    return dict(zip(candles.time.tolist(), closes.tolist(), strict=True))


def reach_of(candles: CandleSeries) -> str:
    """Return how far candles reach, for status lines."""
    return f"up to {format_time(int(candles.time[-1]))} UTC" if len(candles) else "no candle yet"


def _call(use: IndicatorUse) -> IndicatorCall:
    settings = (int(n) if float(n).is_integer() else n for n in use.settings)
    return use.name, tuple(settings)
