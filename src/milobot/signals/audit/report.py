"""The report: what an export holds, how its set-ups went, and how much that says."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from milobot.domain.times import format_time
from milobot.signals.audit.claims import Claims
from milobot.signals.audit.desk import DeskTerms
from milobot.signals.audit.figures import (
    Interval,
    bootstrap_mean,
    drawdown,
    longest_losing_streak,
    mean,
    median,
    profit_factor,
    trades_needed,
    wilson,
)
from milobot.signals.audit.messages import Export
from milobot.signals.audit.outcomes import Result, SetUpShape
from milobot.signals.audit.setups import Conversation

_MONTH_LENGTH = len("2024-01")


@dataclass(frozen=True, slots=True)
class TargetLine:
    """How often one target was reached.

    Attributes:
        number: From 1.
        count: Set-ups that entered and have such a target.
        chance: Mean share of hits that a market without direction would give.
        reward: Mean distance of the target in R.
    """

    number: int
    count: int
    hits: int
    interval: Interval | None
    chance: float | None
    reward: float | None


@dataclass(frozen=True, slots=True)
class GroupLine:
    """Trades with something in common.

    Attributes:
        wins: Those above zero.
        total_r: Sum of their results.
    """

    name: str
    count: int
    wins: int
    total_r: float


@dataclass(frozen=True, slots=True)
class Trades:
    """The set-ups that entered, each alone with the same risk.

    Attributes:
        results: Net, in R, in order of the exits.
        expectancy: Mean of them; None without a trade.
        needed: How many trades it takes for such a mean to stand out from zero.
        as_posted: Mean of the same exits counted from the posted entry, without cost.
        fees: Mean fees in R.
        exposure: Fraction of the time from the first post to the last exit with a trade open.
        in_doubt: Trades whose stop and next target lie within one candle.
    """

    results: tuple[float, ...]
    expectancy: float | None
    interval: Interval | None
    needed: int | None
    win_rate: float | None
    win_interval: Interval | None
    average_win: float | None
    average_loss: float | None
    profit_factor: float | None
    drawdown: float
    longest_losing_streak: int
    exposure: float | None
    in_doubt: int
    as_posted: float | None
    fees: float | None
    targets: tuple[TargetLine, ...]
    by_side: tuple[GroupLine, ...]
    by_symbol: tuple[GroupLine, ...]
    by_month: tuple[GroupLine, ...]
    by_exit: tuple[GroupLine, ...]


@dataclass(frozen=True, slots=True)
class Lateness:
    """Where the market stood when a follower could act first.

    Attributes:
        count: Set-ups that were played.
        gone: Those whose entry the market had left in the direction of the trade.
        gone_for_good: Of these, those that never entered.
        median: Median distance of those, as a fraction of the entry.
        median_r: The same in R.
    """

    count: int
    gone: int
    gone_for_good: int
    median: float | None
    median_r: float | None


@dataclass(frozen=True, slots=True)
class Shapes:
    """What the set-ups ask for, all of them, candles or not.

    Attributes:
        stop: Median distance of the stop as a fraction of the entry.
        first_reward: Median distance of the first target in R; ``last_reward`` of the last.
        first_chance: Mean share of first targets that a market without direction reaches.
        cost: Median cost of entry and exit in R.
        no_stop: Set-ups that name none.
        liquidated: Set-ups whose leverage would liquidate before their stop.
    """

    count: int
    stop: float | None
    first_reward: float | None
    last_reward: float | None
    first_chance: float | None
    cost: float | None
    no_stop: int
    liquidated: int
    longs: int
    median_leverage: float | None


@dataclass(frozen=True, slots=True)
class Portfolio:
    """All set-ups together in order of time on one account.

    Attributes:
        total_return: As a fraction of the start.
        drawdown: Largest fall of equity from its peak, at midnights and after each event.
        drawdown_r: The same in units of the risk per set-up at the start.
        fates: What became of the set-ups, with the reason where one was denied.
    """

    trades: int
    total_return: float
    drawdown: float
    drawdown_r: float
    fates: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RehearsalLine:
    """The tries of one set-up.

    Attributes:
        first: Tries that reached the first target.
        chance: How often the first target comes before the stop by chance; None without one.
        mean_r: Mean result, in R.
    """

    message_id: str
    symbol: str
    side: str
    entry: Decimal | None
    tries: int
    first: int
    chance: float | None
    mean_r: float


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Set-ups without a time, tried wherever the market stood at their entry.

    Attributes:
        setups: How many could be tried.
        tries: How often altogether.
        expectancy: Mean over set-ups of the mean result of their tries, in R.
        lines: One for each set-up.
        no_place: Set-ups that could not be tried: no candles of their symbol, or the market
            never opened a candle at their entry.
    """

    setups: int
    tries: int
    expectancy: float | None
    interval: Interval | None
    targets: tuple[TargetLine, ...]
    lines: tuple[RehearsalLine, ...]
    no_place: int = 0


@dataclass(frozen=True, slots=True)
class AuditReport:
    """Everything that an audit found.

    Attributes:
        played: Set-ups that were played, and what became of each.
        not_played: How many were not, for each reason.
        missing: For each symbol without candles, how many set-ups it has.
        candles: For each symbol that was played, which candles there are.
    """

    export: Export
    conversation: Conversation
    terms: DeskTerms
    shapes: Shapes
    played: tuple[Result, ...]
    not_played: Mapping[str, int]
    missing: Mapping[str, int]
    trades: Trades
    lateness: Lateness
    claims: Claims
    portfolio: Portfolio | None
    rehearsal: Rehearsal | None
    candles: Mapping[str, str]
    notes: tuple[str, ...] = ()

    @property
    def fates(self) -> Mapping[str, int]:
        """Return how many of the played set-ups ended in each way."""
        return dict(Counter(_fate(result) for result in self.played).most_common())


def _fate(result: Result) -> str:
    is_told = result.code in {"", result.fate}
    return result.fate if is_told else f"{result.fate}: {result.code}"


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
        fates=dict(Counter(_fate(r) for r in results).most_common()),
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
