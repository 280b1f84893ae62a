"""What the crash proof tries: databases x dialects x faults x places to die x seeds."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from tests.support.crash.points import END, INSTANT, START, KillPoint, parse_point

DIALECTS = ("binance", "bingx")
DATABASES = ("sqlite", "postgres")
NO_FAULT = "none"
# Faults as the local exchange takes them; several joined by +. Each keeps what is assumed about
# exchanges: visible within ENGINE_DELAY (1 s here), nothing taken after the receive window.
FAULTS = (
    NO_FAULT,
    "drop_before:times=2",
    "drop_after:times=2",
    "timeout_after_accept:seconds=3",
    "timeout_before_accept:seconds=3",
    "late_execution:seconds=2",
    "invisible:seconds=0.8,times=2",
    "cut_body:times=2",
    "empty_body:times=2",
    "http_error:times=2",
    "unknown_503:times=2",
    "timeout_1007:executed=0,times=2",
    "overload_503:times=3",
    "rate_limited:on=place*,times=2",
    "partial_fill:fraction=0.4,times=3",
    "partial_fill:fraction=0.4,rest=expires,times=3",
    "events_missing:times=6",
    "events_late:seconds=1,times=10",
    "events_twice:times=0",
    "events_out_of_order:times=4",
    "stream_dropped:on=stream.user,times=2",
    "stale_positions:seconds=0.8,times=4",
    "latency:on=*,times=0,p50_ms=20,p95_ms=120",
    "drop_after:on=cancel*,times=2",
    "child_rejected:times=1",
)
# How far each call may be counted before a life is over, roughly as often as it comes.
_MOST = {
    "commit": 60,
    "find_order": 2,
    "find_decision": 6,
    "load": 1,
    "booked_fills": 3,
    "place_order": 24,
    "cancel_order": 6,
    "fetch_update": 8,
    "fetch_open_orders": 3,
    "fetch_positions": 4,
    "fetch_fills": 3,
    "prepare_symbol": 3,
    "fetch_account": 2,
    "fetch_rules": 3,
}
# What comes only when there is something to find out: after a death with an order under way.
_AFTER_A_DEATH = {"find_order", "find_decision", "booked_fills", "fetch_fills"}
# Where a second death meets the restart: what reconciliation and its consequences call.
_MOST_AGAIN = {
    "load": 1,
    "commit": 12,
    "fetch_open_orders": 2,
    "fetch_positions": 2,
    "fetch_update": 4,
    "fetch_fills": 2,
    "place_order": 5,
    "cancel_order": 3,
    "booked_fills": 2,
}
_SECOND_DEATH, _INSTANTS = 0.4, 120
_LAST_INSTANT_MS = 1_600


@dataclass(frozen=True, slots=True)
class Case:
    """One run; its name is all that is needed to repeat it.

    Attributes:
        kills: Where each process dies, in order; the one after the last lives on.
    """

    dialect: str
    database: str
    fault: str
    kills: tuple[KillPoint, ...]
    seed: int

    @property
    def name(self) -> str:
        """Return what ``parse_case`` takes."""
        kills = "+".join(str(kill) for kill in self.kills)
        return f"{self.dialect}/{self.database}/{self.fault}/{kills}/{self.seed}"

    @property
    def account(self) -> str:
        """Return a name that no other run of a database has."""
        return f"{self.dialect}:r{self.seed}"


def parse_case(name: str) -> Case:
    """Return the case of a name."""
    dialect, database, fault, kills, seed = name.split("/")
    return Case(dialect, database, fault, tuple(map(parse_point, kills.split("+"))), int(seed))


def all_points() -> Iterator[KillPoint]:
    """Yield the start and the end of every call by its number, and instants."""
    for call, most in _MOST.items():
        for number in range(1, most + 1):
            yield KillPoint(call, number, START)
            yield KillPoint(call, number, END)
    for number in range(_INSTANTS):
        yield KillPoint(INSTANT, 20 + number * _LAST_INSTANT_MS // _INSTANTS)


def all_cases(count: int, *, first_seed: int = 1) -> list[Case]:
    """Return ``count`` cases; every place to die comes before any comes again."""
    points = list(all_points())
    random.Random(first_seed).shuffle(points)  # noqa: S311 - repeatable on purpose, guards nothing
    return [_case(points[n % len(points)], first_seed + n) for n in range(count)]


def _case(point: KillPoint, seed: int) -> Case:
    dice = random.Random(f"case {seed}")  # noqa: S311 - as above
    kills = [point]
    if point.call in _AFTER_A_DEATH:
        kills.insert(0, KillPoint("place_order", dice.randint(1, 8), END))
    elif dice.random() < _SECOND_DEATH:
        call = dice.choice(tuple(_MOST_AGAIN))
        again = KillPoint(call, dice.randint(1, _MOST_AGAIN[call]), dice.choice((START, END)))
        kills.append(again)
    return Case(
        dialect=DIALECTS[seed % 2],
        database=DATABASES[seed // 2 % 2],
        fault=FAULTS[seed // 4 % len(FAULTS)],
        kills=tuple(kills),
        seed=seed,
    )
