"""What a back-test found, before anybody counts or draws it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from milobot.backtest.equity import EquityCurve
from milobot.domain.decisions import Decision
from milobot.domain.market import CandleSeries
from milobot.domain.orders import Fill
from milobot.domain.round_trips import RoundTrip
from milobot.domain.timeframes import Timeframe


@dataclass(frozen=True, slots=True)
class BacktestResult:
    """The outcome of one script over one stretch of candles.

    Attributes:
        script: Name of the script, as the user named it.
        candles: Candles of the script's timeframe; ``equity`` has one value for each.
        settings: Everything that the result depends on, as text, in the order to show it.
        start_equity: Balance at the start, in USDT.
        end_equity: Balance at the end, with everything closed.
        fills: Every execution in order of time.
        decisions: Every intent that the engine looked at. Entries in the direction held
            change nothing and are only counted, in ``repeated``.
        repeated: How many candles repeated the direction already held.
        prints: What the script printed last, each with the time of its candle.
        warm_up: Candles at the start on which the script could not decide yet.
        warnings: Sentences for the user, most important first.
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
    fills: tuple[Fill, ...]
    decisions: tuple[Decision, ...]
    repeated: int
    prints: tuple[tuple[int, str], ...]
    warm_up: int
    warnings: tuple[str, ...]
