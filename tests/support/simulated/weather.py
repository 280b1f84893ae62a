"""What goes wrong in a history: how often each fault strikes, drawn from the seed."""

from collections import Counter
from dataclasses import dataclass, replace
from random import Random


@dataclass(frozen=True, slots=True)
class Weather:
    """How often each fault strikes, as a chance for each occasion, or as a number a history.

    Attributes:
        request_lost: A request never arrives; its answer is waited for in vain.
        answer_lost: A request is carried out and its answer is waited for in vain.
        request_slow: A request arrives late, within or after its receive window.
        signing_slow: A request waits for its turn before it is signed.
        refused: It is turned away at the door: NOT_EXECUTED.
        rejected: It is refused for a reason of the exchange's own.
        answer_early: An order is confirmed before it has filled.
        hidden: An order that was taken stays invisible to queries for up to ``hidden_ms``.
        stale: A query is answered from a picture up to ``stale_ms`` old.
        query_fails: A query is not answered.
        in_parts: An order fills in parts.
        cut_short: The rest of an order that fills in parts expires.
        child_refused: What a trigger leads to is refused.
        unseen: For up to four seconds after an entry its position counts as not there for stops.
        silent: Of an entry that was taken nothing is heard for up to nine seconds, in no way.
        news_lost: News of the user stream never comes.
        news_twice: It comes twice.
        news_late: It comes up to three seconds late, behind newer news.
        commit_fails: The ledger does not take a record and says so.
        commit_lies: The ledger takes a record and says that it did not.
        commit_slow: The ledger takes its time.
        gaps: How often the stream is away, with and without saying so afterwards.
        outages: How often the exchange is away for seconds.
        ledger_away: How often the ledger is away for seconds.
        crashes: How often the process is killed.
        freezes: How often it stands still for seconds.
        hand_trades: How often somebody closes or reduces a position by hand.
        hand_adds: How often somebody adds to one, or opens one.
        foreign_orders: How often somebody lets an order rest.
        liquidations: How often the exchange takes a position, or a part of it.
    """

    name: str = "calm"
    request_lost: float = 0.0
    answer_lost: float = 0.0
    request_slow: float = 0.0
    signing_slow: float = 0.0
    refused: float = 0.0
    rejected: float = 0.0
    answer_early: float = 0.3
    hidden: float = 0.0
    hidden_ms: int = 0
    stale: float = 0.0
    stale_ms: int = 0
    query_fails: float = 0.0
    in_parts: float = 0.15
    cut_short: float = 0.0
    child_refused: float = 0.0
    unseen: float = 0.0
    silent: float = 0.0
    news_lost: float = 0.0
    news_twice: float = 0.0
    news_late: float = 0.0
    commit_fails: float = 0.0
    commit_lies: float = 0.0
    commit_slow: float = 0.0
    gaps: int = 0
    outages: int = 0
    ledger_away: int = 0
    crashes: int = 0
    freezes: int = 0
    hand_trades: int = 0
    hand_adds: int = 0
    foreign_orders: int = 0
    liquidations: int = 0

    @property
    def is_broken(self) -> bool:
        """Return whether the exchange breaks the assumption on visibility."""
        return self.hidden_ms > ENGINE_DELAY_MS

    @property
    def has_strangers(self) -> bool:
        """Return whether somebody else holds something on the account."""
        return self.hand_adds > 0


# The engine is told to rely on this: what was taken is visible after it.
ENGINE_DELAY_MS = 10_000

CALM = Weather()
WIRE = Weather(
    name="wire",
    request_lost=0.02,
    answer_lost=0.03,
    request_slow=0.04,
    signing_slow=0.02,
    refused=0.03,
    rejected=0.02,
    hidden=0.15,
    hidden_ms=8_000,
    stale=0.15,
    stale_ms=4_000,
    query_fails=0.03,
    in_parts=0.3,
    cut_short=0.1,
    child_refused=0.15,
    unseen=0.12,
    silent=0.03,
    news_lost=0.05,
    news_twice=0.1,
    news_late=0.1,
    gaps=1,
)
PROCESS = Weather(
    name="process",
    answer_lost=0.01,
    news_lost=0.02,
    news_twice=0.02,
    news_late=0.03,
    commit_fails=0.01,
    commit_lies=0.01,
    commit_slow=0.01,
    ledger_away=1,
    crashes=3,
    freezes=2,
)
PEOPLE = Weather(
    name="people",
    news_lost=0.03,
    news_late=0.05,
    hidden=0.05,
    hidden_ms=3_000,
    stale=0.05,
    stale_ms=2_000,
    hand_trades=3,
    foreign_orders=1,
    liquidations=2,
    crashes=1,
)
STORM = replace(
    WIRE,
    name="storm",
    commit_fails=0.01,
    commit_lies=0.01,
    commit_slow=0.01,
    gaps=2,
    outages=1,
    ledger_away=1,
    crashes=3,
    freezes=1,
    hand_trades=1,
    liquidations=1,
)
BROKEN = replace(STORM, name="broken", hidden=0.12, hidden_ms=30_000, hand_trades=0, outages=0)
STRANGERS = replace(PEOPLE, name="strangers", hand_adds=2, crashes=1)

KINDS = (CALM, WIRE, WIRE, PROCESS, PROCESS, PEOPLE, STORM, STORM, STORM, BROKEN, STRANGERS)


def weather_of(dice: Random, name: str = "") -> Weather:
    """Return the weather of a history; ``name`` asks for a certain one."""
    found = [kind for kind in KINDS if kind.name == name]
    return found[0] if found else dice.choice(KINDS)


class Chance:
    """Draws what happens, and counts which faults have struck.

    Attributes:
        is_over: Whether no fault strikes any more.
        struck: How often each has.
    """

    def __init__(self, dice: Random, weather: Weather) -> None:
        """Draw from ``dice`` as often as the weather says."""
        self.dice = dice
        self.weather = weather
        self.is_over = False
        self.struck: Counter[str] = Counter()

    def strikes(self, fault: str) -> bool:
        """Return whether a fault strikes on this occasion."""
        chance: float = getattr(self.weather, fault)
        if self.is_over or chance <= 0 or self.dice.random() >= chance:
            return False
        self.struck[fault] += 1
        return True

    def between(self, least: float, most: float) -> float:
        """Return a number between two."""
        return least + (most - least) * self.dice.random()
