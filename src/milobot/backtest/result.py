"""What a back-test found, before anybody counts or draws it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from milobot.backtest.equity import EquityCurve
from milobot.backtest.executions import Execution
from milobot.domain.decisions import Decision
from milobot.domain.market import CandleSeries
from milobot.domain.round_trips import RoundTrip
from milobot.domain.timeframes import Timeframe
from milobot.scripting.results import IndicatorUse


@dataclass(frozen=True, slots=True)
class BacktestResult:
    """The outcome of one script over one stretch of candles.

    Attributes:
        script: Name of the script, as the user named it.
        candles: Candles of the script's timeframe; ``equity`` has one value for each.
        settings: Everything that the result depends on, as text, in the order to show it.
        start_equity: Balance at the start, in USDT.
        end_equity: Balance at the end, with everything closed.
        executions: Every fill in order of time.
        decisions: Every intent that the engine looked at. Entries in the direction held
            change nothing and are only counted, in ``repeated``.
        repeated: How many candles repeated the direction already held.
        prints: What the script printed last, each with the time of its candle.
        warm_up: Candles at the start on which the script could not decide yet.
        warnings: Sentences for the user, most important first.
        indicators: What the script computes, for drawing it.
        history: Candles since the anchor, ``candles`` being their end; None where both
            are the same.
    """

    script: str
    symbol: str
    timeframe: Timeframe
    candles: CandleSeries
    settings: Mapping[str, str]
    start_equity: Decimal
    end_equity: Decimal
    equity: EquityCurve
    round_trips: tuple[RoundTrip, ...]
    executions: tuple[Execution, ...]
    decisions: tuple[Decision, ...]
    repeated: int
    prints: tuple[tuple[int, str], ...]
    warm_up: int
    warnings: tuple[str, ...]
    indicators: tuple[IndicatorUse, ...] = ()
    history: CandleSeries | None = None
