"""What the fault matrix tries: every fault of the plan, on every order call, in both dialects."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from milobot.local_exchange.fault_kinds import KINDS, family
from milobot.local_exchange.faults import FaultRule, parse_rule

DIALECTS = ("binance", "bingx")
MARKET, STOP, TARGET, CANCEL, QUERY = "market", "stop", "target", "cancel", "query"
CALLS = (MARKET, STOP, TARGET, CANCEL, QUERY)
CODES = {
    "binance": (
        -1000, -1001, -1003, -1006, -1007, -1008, -1015, -1021, -2010, -2011, -2013, -2019,
        -2021, -2022, -4046, -4059, -4061, -4116, -4118, -4120, -4130, -4131, -4161, -4509,
    ),
    "bingx": (
        80012, 80014, 80016, 80019, 100001, 100410, 100421, 100500, 101204, 101209, 101400,
        101481, 101500, 109201, 109400, 109414, 109421, 109429,
    ),
}  # fmt: skip
# What the exchange does with the order itself; for a cancel or a query it strikes the order's
# placing, and the call that is judged meets its result.
INSIDE = {
    "attached_stop_dropped",
    "attached_stop_nameless",
    "attached_stop_resized",
    "child_rejected",
    "partial_fill",
    "client_id_reused",
    "client_id_dropped",
}
STREAMS = {"event", "stream"}
# An exchange that refuses and executes: no client can be right, so the matrix leaves it out.
LIE = "lie"
_LIES = {"binance": "-2019", "bingx": "101204"}
# Nothing was done and the answer says so: there is no excuse for UNKNOWN.
_CLEAR = {
    "binance": {"rate_limited", "banned", "unavailable_503", "overload_503", "internal_503"},
    "bingx": {"rate_limited", "banned"},
}
_CLEAR_CODES = {
    "binance": {-1003, -1008, -1015, -1021, -2010, -2019, -2021, -2022, -4061, -4118, -4120,
                -4130, -4131, -4161, -4509},
    "bingx": {80014, 100001, 100410, 100421, 101204, 101400, 109400, 109429},
}  # fmt: skip
_PATTERNS = {MARKET: "place", STOP: "place*", TARGET: "place*", CANCEL: "cancel*", QUERY: "query*"}
_STATUSES = (500, 502, 503, 504, 520)


@dataclass(frozen=True, slots=True)
class Case:
    """One run; its name is all that is needed to repeat it.

    Attributes:
        fault: A kind of fault, or an error code as text.
    """

    dialect: str
    call: str
    fault: str
    seed: int

    @property
    def name(self) -> str:
        """Return what ``parse_case`` takes."""
        return f"{self.dialect}/{self.call}/{self.fault}/{self.seed}"

    @property
    def is_code(self) -> bool:
        """Return whether the fault is a refusal with an error code."""
        return self.fault.lstrip("-").isdigit()

    @property
    def is_clear(self) -> bool:
        """Return whether the answer leaves no doubt that nothing was done."""
        if self.is_code:
            return int(self.fault) in _CLEAR_CODES[self.dialect]
        return self.fault in _CLEAR[self.dialect]

    @property
    def strikes_before(self) -> bool:
        """Return whether the fault strikes while the run prepares what it asks about."""
        return self.fault in INSIDE and self.call in {CANCEL, QUERY}

    @property
    def needs_stream(self) -> bool:
        """Return whether it strikes a user stream, which then has to be open."""
        return self.fault in KINDS and family(KINDS[self.fault].on) in STREAMS

    def chance(self) -> random.Random:
        """Return the dice of this run, the same every time."""
        return random.Random(self.name)  # noqa: S311 - repeatable on purpose, guards nothing

    def rule(self, dice: random.Random) -> FaultRule:
        """Return the fault with parameters drawn by ``dice``."""
        if self.fault == LIE:
            return parse_rule({"fault": _LIES[self.dialect], "on": "place*", "executed": 1})
        fields: dict[str, Any] = {"fault": self.fault, **_parameters(self.fault, dice)}
        kind = None if self.is_code else KINDS[self.fault]
        if kind is None or (family(kind.on) == "call" and kind.on not in {"time", "positions"}):
            fields["on"] = "place*" if self.strikes_before else _PATTERNS[self.call]
        if self.call == QUERY and not self.strikes_before:
            fields["times"] = dice.choice((1, 2, 9))  # once, twice, longer than anybody asks
        return parse_rule(fields)


def all_cases(seeds: int) -> Iterator[Case]:
    """Yield every fault x call x dialect, ``seeds`` times each."""
    for seed in range(seeds):
        for dialect in DIALECTS:
            faults = [name for name in KINDS if name != "reject"] + [str(c) for c in CODES[dialect]]
            for fault in faults:
                for call in CALLS:
                    yield Case(dialect, call, fault, seed)


def parse_case(name: str) -> Case:
    """Return the case of a name."""
    dialect, call, fault, seed = name.split("/")
    return Case(dialect, call, fault, int(seed))


def _parameters(fault: str, dice: random.Random) -> dict[str, Any]:
    """Return settings within what each kind means, some of them extreme."""
    executed = {"executed": dice.choice((0, 1))}
    table: dict[str, dict[str, Any]] = {
        "latency": {"p50_ms": dice.choice((5, 20)), "p95_ms": dice.choice((40, 250))},
        "late_execution": {"seconds": dice.choice((0.5, 3, 9))},
        "invisible": {"seconds": dice.choice((0.2, 3, 9))},
        "stale_orders": {"seconds": dice.choice((1, 5, 60))},
        "stale_positions": {"seconds": dice.choice((1, 5, 60))},
        "http_error": {"status": dice.choice(_STATUSES), **executed},
        "unknown_503": executed,
        "unknown_1006": executed,
        "timeout_1007": executed,
        "rate_limited": {"seconds": dice.choice((1, 2, 30))},
        "banned": {"seconds": dice.choice((5, 120))},
        "huge_body": {"megabytes": dice.choice((1, 33))},
        "partial_fill": {
            "fraction": dice.choice((0.2, 0.5, 0.9)),
            "rest": dice.choice(("rests", "expires")),
        },
        "events_late": {"seconds": dice.choice((0.5, 2))},
        "clock_skew": {"ms": dice.choice((-10_000, -1500, 1500, 10_000))},
    }
    return table.get(fault, {})
