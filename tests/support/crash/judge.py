"""The judge of the crash proof: four laws over what the exchange knows and what the bot wrote down.

Each law is a pure function that returns the sentences of what breaks it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from tests.support.crash.exposure import Exposure
from tests.support.crash.marks import ASKED, CALLED, SHOWN, STARVED, Mark
from tests.support.crash.spans import Span, common, length, surely_within, without

from milobot.domain.money import ZERO
from milobot.domain.orders import FINAL, OrderStatus

PROMISE_MS = 2_000
TWICE, STATELESS, EXPOSED, DRIFTED = "twice", "stateless", "exposed", "drifted"
LAWS = (TWICE, STATELESS, EXPOSED, DRIFTED)


@dataclass(frozen=True, slots=True)
class TheirOrder:
    """An order as the exchange has it; ``filled`` is the quantity that was executed."""

    client_id: str
    symbol: str
    quantity: Decimal
    filled: Decimal
    reduces: bool


@dataclass(frozen=True, slots=True)
class Execution:
    """One fill; ``side`` is BUY or SELL."""

    fill_id: str
    symbol: str
    side: str
    quantity: Decimal
    price: Decimal
    fee: Decimal


@dataclass(frozen=True, slots=True)
class Truth:
    """What the exchange's ledger says.

    Attributes:
        positions: Signed quantity by symbol, what is flat left out.
        resting: Client ids, or ids of its own, of what rests, counted.
        outages: Times in which it did not take orders or did not answer, as (first, last).
        stalls: Times in which its process looked at no socket.
    """

    orders: tuple[TheirOrder, ...] = ()
    fills: tuple[Execution, ...] = ()
    positions: Mapping[str, Decimal] = field(default_factory=dict)
    resting: frozenset[str] = frozenset()
    exposures: tuple[Exposure, ...] = ()
    outages: tuple[Span, ...] = ()
    stalls: tuple[Span, ...] = ()
    ended_ms: int = 0

    def lines(self) -> list[str]:
        """Return it all, one thing a line."""
        things = (*self.orders, *self.fills, *self.exposures)
        stalls = [f"outages {self.outages}", f"stalls {self.stalls}"]
        return [*map(str, things), *stalls, f"{self.positions}", f"{self.resting}"]


@dataclass(frozen=True, slots=True)
class OurOrder:
    """An order as our database has it."""

    client_id: str
    exchange_id: str
    intent_key: str
    symbol: str
    purpose: str
    status: str
    filled: Decimal


@dataclass(frozen=True, slots=True)
class OurDecision:
    """The latest decision about an intent."""

    intent_key: str
    outcome: str
    code: str
    action: str


@dataclass(frozen=True, slots=True)
class Records:
    """What our database says.

    Attributes:
        intents: Keys of those that were taken.
        slots: Each slot as it is kept, to be read by a person.
    """

    intents: frozenset[str] = frozenset()
    orders: tuple[OurOrder, ...] = ()
    fills: tuple[Execution, ...] = ()
    positions: Mapping[str, Decimal] = field(default_factory=dict)
    decisions: tuple[OurDecision, ...] = ()
    slots: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return it all, one thing a line."""
        return [
            *map(str, (*self.decisions, *self.orders, *self.fills, *self.slots)),
            f"{self.positions}",
        ]


@dataclass(frozen=True, slots=True)
class Life:
    """When a process lived, by the exchange's clock."""

    number: int
    born_ms: int
    died_ms: int


def executed_twice(truth: Truth, wished: Mapping[str, tuple[str, Decimal]]) -> list[str]:
    """Return every intent that led to more than one entry, and every entry of no intent.

    Args:
        truth: The exchange's ledger.
        wished: Symbol and quantity of each intent that wants an entry; no two are alike.
    """
    owners = {wish: key for key, wish in wished.items()}
    entries = [o for o in truth.orders if not o.reduces and o.filled > 0]
    counts = Counter((o.symbol, o.quantity) for o in entries)
    wrong = [
        f"{owners[wish]} was executed {count} times"
        for wish, count in counts.items()
        if count > 1 and wish in owners
    ]
    strange = [o for o in entries if (o.symbol, o.quantity) not in owners]
    return wrong + [f"nobody wished {o.quantity} of {o.symbol} ({o.client_id})" for o in strange]


def without_final_state(records: Records, asked: Iterable[str]) -> list[str]:
    """Return every intent that was asked or taken and has no recorded final state."""
    decisions = {d.intent_key: d for d in records.decisions}
    wrong = [
        f"{key} was asked and there is no decision"
        for key in sorted({*asked, *records.intents} - decisions.keys())
    ]
    entries = {o.intent_key: o for o in records.orders if o.purpose == "entry"}
    for key, decision in decisions.items():
        if decision.outcome == "accepted" and decision.action != "close" and key not in entries:
            wrong.append(f"{key} was accepted and has no entry")
    final = {status.value for status in FINAL}
    # Stops and targets rest for as long as their position is open.
    allowed = {"stop", "target"}
    for order in records.orders:
        rests = order.purpose in allowed and order.status == OrderStatus.SUBMITTED
        if order.status not in final and not rests:
            wrong.append(f"the {order.purpose} {order.client_id} is still {order.status}")
    return wrong


@dataclass(frozen=True, slots=True)
class Unprotected:
    """How long a position had no stop while a process knew of it, in ms; the longest in one.

    Attributes:
        raw: From when it was first shown until it was protected or the process died.
        served: Of that, while the exchange took orders and answered: what the promise is about.
        judged: Of that, without what surely was the machine's: see ``unprotected``.
    """

    raw: int = 0
    served: int = 0
    judged: int = 0


def unprotected(
    exposure: Exposure, truth: Truth, lives: Iterable[Life], marks: Iterable[Mark]
) -> Unprotected:
    """Return how long a position had no stop.

    The time counts in each process from the moment it was first shown the position: by a
    stream, an answer or, after a restart, its first look. The machine's are the times in which
    the exchange's process looked at no socket while this bot waited for an answer of it, and
    those in which the kernel had the bot's main thread wait for a processor, as far as they
    must lie within.
    """
    marks = list(marks)
    end_ms = truth.ended_ms if exposure.end_ms is None else exposure.end_ms
    spent = [Unprotected()]
    for life in lives:
        own = [m for m in marks if m.life == life.number]
        first, last = max(exposure.start_ms, life.born_ms), min(end_ms, life.died_ms)
        shown = [
            m.time_ms
            for m in own
            if (m.kind, m.about) == (SHOWN, exposure.symbol) and first <= m.time_ms <= last
        ]
        if shown:
            spent.append(_unprotected_in((min(shown), last), truth, own))
    return Unprotected(
        max(s.raw for s in spent), max(s.served for s in spent), max(s.judged for s in spent)
    )


def _unprotected_in(span: Span, truth: Truth, marks: Iterable[Mark]) -> Unprotected:
    marks = list(marks)
    served = without([span], truth.outages)
    waiting = [(int(m.about), m.time_ms) for m in marks if m.kind == CALLED]
    running = without(served, common(truth.stalls, waiting))
    starved = [((int(m.about), m.time_ms), int(m.said)) for m in marks if m.kind == STARVED]
    judged = length(running) - surely_within(running, starved)
    return Unprotected(length([span]), length(served), judged)


def unprotected_too_long(
    truth: Truth, lives: Iterable[Life], marks: Iterable[Mark], promise_ms: int = PROMISE_MS
) -> list[str]:
    """Return every position that was unprotected for longer than is promised."""
    lives, marks = list(lives), list(marks)
    return [
        f"{e.symbol} was {spent.judged} ms without a stop from {e.start_ms} on (raw {spent.raw} ms)"
        for e in truth.exposures
        if (spent := unprotected(e, truth, lives, marks)).judged > promise_ms
    ]


def differences(truth: Truth, records: Records) -> list[str]:
    """Return every way in which our books are not the exchange's ledger."""
    wrong = [f"the fill {f.fill_id} of {f.symbol} is not in our books as it was" for f in truth.fills
             if f not in set(records.fills)]  # fmt: skip
    known = {(f.symbol, f.fill_id) for f in truth.fills}
    wrong += [
        f"our books have the fill {f.fill_id} of {f.symbol}, which never was"
        for f in records.fills
        if (f.symbol, f.fill_id) not in known
    ]
    for symbol in sorted({*truth.positions, *records.positions}):
        theirs, ours = truth.positions.get(symbol, ZERO), records.positions.get(symbol, ZERO)
        if theirs != ours:
            wrong.append(f"{symbol}: the exchange holds {theirs}, our books {ours}")
    return wrong + _order_differences(truth, records)


def _order_differences(truth: Truth, records: Records) -> list[str]:
    theirs = {o.client_id: o for o in truth.orders if o.client_id}
    wrong = [
        f"{o.client_id} filled {theirs[o.client_id].filled}, in our books {o.filled}"
        for o in records.orders
        if o.client_id in theirs and theirs[o.client_id].filled != o.filled
    ]
    ours = {name for o in records.orders for name in (o.client_id, o.exchange_id)
            if o.status == OrderStatus.SUBMITTED}  # fmt: skip
    wrong += [f"{name} rests and is not in our books" for name in sorted(truth.resting - ours)]
    for order in records.orders:
        rests = order.status == OrderStatus.SUBMITTED
        if rests and not {order.client_id, order.exchange_id} & truth.resting:
            wrong.append(f"{order.client_id} rests in our books only")
    return wrong


def asked_keys(marks: Iterable[Mark]) -> set[str]:
    """Return the keys of the intents that a process asked for."""
    return {m.about for m in marks if m.kind == ASKED}
