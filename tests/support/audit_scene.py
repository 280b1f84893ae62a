"""Small channels and markets for audits, with results that can be worked out by hand."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from milobot.domain.market import Candle, CandleSeries
from milobot.domain.timeframes import Timeframe
from milobot.signals.audit.audit import audit, read_export
from milobot.signals.audit.desk import DeskTerms
from milobot.signals.audit.messages import Export, PostedMessage
from milobot.signals.audit.outcomes import Result
from milobot.signals.audit.report import AuditReport
from milobot.signals.audit.tracks import CandleSource, Track, build_tracks

MINUTE_MS = 60_000
START_MS = 1_704_067_200_000  # 2024-01-01 00:00 UTC
FREE = DeskTerms(fee=Decimal(0))
Prices = tuple[float, float, float, float]


def minute(number: float) -> int:
    """Return a time so many minutes after the start of the candles."""
    return START_MS + round(number * MINUTE_MS)


def source(
    rows: Sequence[Prices],
    *,
    symbol: str = "BTCUSDT",
    first: int = 0,
    timeframe: Timeframe = Timeframe.M1,
) -> CandleSource:
    """Return candles (open, high, low, close), one after the other from minute ``first`` on."""
    candles = [
        Candle(minute(first) + n * timeframe.milliseconds, *row, 1.0) for n, row in enumerate(rows)
    ]
    return CandleSource(symbol, CandleSeries.from_candles(candles), timeframe, f"{symbol}.csv")


def tracks(*sources: CandleSource) -> dict[str, Track]:
    """Return the tracks of some candles, of an hour at the most."""
    return build_tracks(sources, Timeframe.H1)


def say(text: str, at: float | None = 0.0, *, number: int = 1, reply_to: str = "") -> PostedMessage:
    """Return a message of a minute; it counts from the next candle on."""
    time_ms = None if at is None else minute(at)
    return PostedMessage(number, str(number), text, time_ms, reply_to)


def audited(
    messages: Sequence[PostedMessage],
    *sources: CandleSource,
    terms: DeskTerms = FREE,
) -> AuditReport:
    """Return the audit of some messages over some candles, without fees unless told so."""
    export = Export("channel", tuple(messages))
    return audit(export, read_export(export, terms), tracks(*sources), terms)


def played(text: str, rows: Sequence[Prices], *replies: PostedMessage, **changes: object) -> Result:
    """Return what became of one set-up, posted as the first candle opens."""
    terms = replace(FREE, **changes)  # type: ignore[arg-type] # fields of the terms by name
    report = audited([say(text), *replies], source(rows), terms=terms)
    (result,) = report.played
    return result
