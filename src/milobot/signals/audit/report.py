"""The report: what an export holds, how its set-ups went, and how much that says."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from milobot.signals.audit.claims import Claims
from milobot.signals.audit.desk import DeskTerms
from milobot.signals.audit.figures import Interval
from milobot.signals.audit.messages import Export
from milobot.signals.audit.outcomes import Result
from milobot.signals.audit.setups import Conversation


@dataclass(frozen=True, slots=True)
class TargetLine:
    """How often one target was reached.

    Attributes:
        number: From 1.
        count: Set-ups that entered and have such a target.
        interval: Of the share of hits; None where they are no independent observations.
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
        return dict(Counter(fate_of(result) for result in self.played).most_common())


def fate_of(result: Result) -> str:
    """Return what became of a set-up, with the reason where there is one beside it."""
    is_told = result.code in {"", result.fate}
    return result.fate if is_told else f"{result.fate}: {result.code}"
