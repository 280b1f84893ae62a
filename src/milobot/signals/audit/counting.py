"""Counting: from what became of each set-up to the figures of the report."""

from collections import Counter
from collections.abc import Callable, Sequence

from milobot.domain.times import format_time
from milobot.signals.audit.desk import DeskTerms
from milobot.signals.audit.figures import (
    bootstrap_mean,
    drawdown,
    longest_losing_streak,
    mean,
    median,
    profit_factor,
    trades_needed,
    wilson,
)
from milobot.signals.audit.outcomes import Result, SetUpShape
from milobot.signals.audit.report import (
    GroupLine,
    Lateness,
    Portfolio,
    Shapes,
    TargetLine,
    Trades,
    fate_of,
)

_MONTH_LENGTH = len("2024-01")


def trades_of(results: Sequence[Result]) -> Trades:
    """Return the figures of the set-ups that entered."""
    filled = sorted((r for r in results if r.r is not None), key=lambda r: (r.exit_ms, r.number))
    values = tuple(r.r for r in filled if r.r is not None)
    wins = [v for v in values if v > 0]
    return Trades(
        results=values,
        expectancy=mean(values),
        interval=bootstrap_mean(values),
        needed=trades_needed(values),
        win_rate=len(wins) / len(values) if values else None,
        win_interval=wilson(len(wins), len(values)),
        average_win=mean(wins),
        average_loss=mean([v for v in values if v < 0]),
        profit_factor=profit_factor(values),
        drawdown=drawdown(values),
        longest_losing_streak=longest_losing_streak(values),
        exposure=_exposure(filled),
        in_doubt=sum(r.is_in_doubt for r in filled),
        as_posted=mean([r.as_posted for r in filled if r.as_posted is not None]),
        fees=mean([r.fees for r in filled if r.fees is not None]),
        targets=target_lines([(r.shape, r.hits) for r in filled]),
        by_side=_groups(filled, lambda r: r.shape.side.lower()),
        by_symbol=_groups(filled, lambda r: r.shape.symbol),
        by_month=tuple(sorted(_groups(filled, _month), key=lambda g: g.name)),
        by_exit=_groups(filled, lambda r: r.exit_reason),
    )


def target_lines(rows: Sequence[tuple[SetUpShape, Sequence[int]]]) -> tuple[TargetLine, ...]:
    """Return a line for each number of target that any of the set-ups has."""
    most = max((len(shape.targets) for shape, _ in rows), default=0)
    lines = []
    for number in range(1, most + 1):
        having = [(shape, hits) for shape, hits in rows if len(shape.targets) >= number]
        hit = sum(number in hits for _, hits in having)
        lines.append(
            TargetLine(
                number,
                len(having),
                hit,
                wilson(hit, len(having)),
                mean([shape.chances()[number - 1] for shape, _ in having]),
                mean([shape.targets[number - 1] / shape.stop for shape, _ in having]),
            )
        )
    return tuple(lines)


def lateness_of(results: Sequence[Result]) -> Lateness:
    """Return how far the market had gone when a follower could act first."""
    known = [(r, r.drift) for r in results if r.drift is not None]
    gone = [(r, drift) for r, drift in known if drift > 0]
    return Lateness(
        count=len(known),
        gone=len(gone),
        gone_for_good=sum(r.r is None for r, _ in gone),
        median=median([drift for _, drift in gone]),
        median_r=median([drift / r.shape.stop for r, drift in gone]),
    )


def shapes_of(shapes: Sequence[SetUpShape], terms: DeskTerms) -> Shapes:
    """Return what set-ups have in common before anything happens."""
    aimed = [s for s in shapes if s.targets]
    return Shapes(
        count=len(shapes),
        stop=median([s.stop for s in shapes]),
        first_reward=median([s.targets[0] / s.stop for s in aimed]),
        last_reward=median([s.targets[-1] / s.stop for s in aimed]),
        first_chance=mean([s.chances()[0] for s in aimed]),
        cost=median([s.cost(terms.fee, terms.slippage) for s in shapes]),
        no_stop=sum(not s.has_stop for s in shapes),
        liquidated=sum(s.stop * s.leverage >= 1 for s in shapes),
        longs=sum(s.side.sign > 0 for s in shapes),
        median_leverage=median([float(s.leverage) for s in shapes if s.leverage > 1]),
    )


def portfolio_of(
    results: Sequence[Result], equity: Sequence[tuple[int, float]], terms: DeskTerms
) -> Portfolio:
    """Return how all set-ups went together on one account."""
    start = float(terms.equity)
    path = [start, *(value for _, value in equity)]
    fall, fall_r, peak = 0.0, 0.0, start
    for value in path:
        peak = max(peak, value)
        fall = max(fall, (peak - value) / peak)
        fall_r = max(fall_r, (peak - value) / (start * float(terms.risk)))
    return Portfolio(
        trades=sum(r.r is not None for r in results),
        total_return=path[-1] / start - 1,
        drawdown=fall,
        drawdown_r=fall_r,
        fates=dict(Counter(fate_of(r) for r in results).most_common()),
    )


def _groups(results: Sequence[Result], name: Callable[[Result], str]) -> tuple[GroupLine, ...]:
    """Return the trades by a name, the most frequent first."""
    found: dict[str, list[float]] = {}
    for result in results:
        if result.r is not None:
            found.setdefault(name(result), []).append(result.r)
    lines = [GroupLine(n, len(v), sum(x > 0 for x in v), sum(v)) for n, v in found.items()]
    return tuple(sorted(lines, key=lambda g: (-g.count, g.name)))


def _month(result: Result) -> str:
    return format_time(result.time_ms)[:_MONTH_LENGTH]


def _exposure(results: Sequence[Result]) -> float | None:
    """Return the fraction of the time with at least one trade open."""
    if not results:
        return None
    first = min(r.time_ms for r in results)
    last = max(r.exit_ms for r in results)
    covered, until = 0, 0
    for begin, end in sorted((r.entry_ms, r.exit_ms) for r in results):
        covered += max(0, end - max(begin, until))
        until = max(until, end)
    return covered / (last - first) if last > first else None
