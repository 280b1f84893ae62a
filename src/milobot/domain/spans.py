"""Stretches of candles on a timeframe's grid, named by the open times of their ends."""

from collections.abc import Iterable
from dataclasses import dataclass

from milobot.domain.timeframes import Timeframe


@dataclass(frozen=True, slots=True, order=True)
class CandleSpan:
    """The candles from one open time to another, both included; at least one."""

    first_ms: int
    last_ms: int


def count_candles(span: CandleSpan, timeframe: Timeframe) -> int:
    """Return how many candles of a timeframe a span on its grid holds.

    >>> count_candles(CandleSpan(0, 7_200_000), Timeframe.H1)
    3
    """
    if not timeframe.is_calendar:
        return (span.last_ms - span.first_ms) // timeframe.milliseconds + 1
    count, at = 1, span.first_ms
    while at < span.last_ms:
        at = timeframe.next_open(at)
        count += 1
    return count


def step_open(open_ms: int, steps: int, timeframe: Timeframe) -> int:
    """Return the open time ``steps`` candles after the one that opens at ``open_ms``, or before it.

    >>> step_open(7_200_000, -2, Timeframe.H1)
    0
    """
    if not timeframe.is_calendar:
        return open_ms + steps * timeframe.milliseconds
    for _ in range(abs(steps)):
        open_ms = timeframe.next_open(open_ms) if steps > 0 else timeframe.open_of(open_ms - 1)
    return open_ms


def first_open_from(time_ms: int, timeframe: Timeframe) -> int:
    """Return the open time of the first candle that does not open before ``time_ms``."""
    opened = timeframe.open_of(time_ms)
    return opened if opened == time_ms else timeframe.next_open(opened)


def last_closed(now_ms: int, timeframe: Timeframe) -> int:
    """Return the open time of the newest candle that has closed by ``now_ms``."""
    return timeframe.open_of(timeframe.open_of(now_ms) - 1)


def without(
    span: CandleSpan, known: Iterable[CandleSpan], timeframe: Timeframe
) -> tuple[CandleSpan, ...]:
    """Return what is left of a span when other spans, in any order, are taken out."""
    left: list[CandleSpan] = []
    at = span.first_ms
    for hole in sorted(known):
        if hole.last_ms < at or hole.first_ms > span.last_ms:
            continue
        if hole.first_ms > at:
            left.append(CandleSpan(at, timeframe.open_of(hole.first_ms - 1)))
        at = timeframe.next_open(hole.last_ms)
    if at <= span.last_ms:
        left.append(CandleSpan(at, span.last_ms))
    return tuple(left)
