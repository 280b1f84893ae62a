"""How an account of a run stands at a moment: what ``/ready``, ``/status`` and gauges show."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol, runtime_checkable

from milobot.app.account_status import Held
from milobot.app.health import AccountSight, Role
from milobot.app.live_account import LiveAccount
from milobot.app.live_run import LiveRun
from milobot.domain.governor import Halt
from milobot.domain.orders import OrderStatus
from milobot.domain.slots import PositionState
from milobot.exchanges.pulses import Pulse, TellsPulses
from milobot.exchanges.times import ExchangeClock
from milobot.execution.findings import Code, Findings

_IN_DOUBT = frozenset({OrderStatus.UNKNOWN, OrderStatus.PENDING, OrderStatus.TRIGGERED})


@dataclass(frozen=True, slots=True)
class Line:
    """A connection to an exchange.

    Attributes:
        streams: Those that run now.
        events: How often what happened to streams, since the start.
        budgets: How much of each request budget is used, and the most.
        rest: Why the exchange is given a rest; empty when it is not.
        clock_offset_ms: Its clock less ours.
        clock_uncertainty_ms: The most that this may be off by.
    """

    streams: tuple[Pulse, ...] = ()
    events: Mapping[str, int] = field(default_factory=dict)
    budgets: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    rest: str = ""
    clock_offset_ms: int = 0
    clock_uncertainty_ms: int = 0


@dataclass(frozen=True, slots=True)
class Books:
    """What is traded while the account is ours.

    Attributes:
        held: Every slot in which something is open, on its way or blocked.
        exposed_ms: Longest time that something held has had no resting stop; 0 when all have.
        doubtful: Orders whose end is not known.
        rounds: Comparisons since the account is ours.
        compared_age_ms: Since the last one; None before the first.
        findings: How many differences there are that do not end by themselves, by their code;
            every code is there.
        drift: USDT by which the wallet is off the books; None while unknown.
        halts: Why entries are blocked.
        candle_age_ms: Since the last candle's close, by symbol and timeframe of each script.
    """

    held: tuple[Held, ...] = ()
    exposed_ms: int = 0
    doubtful: int = 0
    rounds: int = 0
    is_compared: bool = False
    compared_age_ms: int | None = None
    findings: Mapping[Code, int] = field(default_factory=dict)
    drift: Decimal | None = None
    halts: tuple[Halt, ...] = ()
    candle_age_ms: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AccountFigures:
    """One account of the run.

    Attributes:
        leader: Who leads it, as far as the ledger tells.
        epoch: Number of the lead.
        line: None where the client does not show how its connection is.
        books: None while the account is not ours.
    """

    account: str
    role: Role
    leader: str = ""
    epoch: int = 0
    line: Line | None = field(default_factory=Line)
    books: Books | None = None

    @property
    def sight(self) -> AccountSight:
        """Return what readiness is judged by."""
        books = self.books or Books()
        return AccountSight(
            account=self.account,
            role=self.role,
            leader=self.leader,
            is_compared=books.is_compared,
            compared_age_ms=books.compared_age_ms,
            streams=None if self.line is None else self.line.streams,
            halt="" if self.line is None else self.line.rest,
        )


@runtime_checkable
class StandsOn(Protocol):
    """A client that is put together of others, such as the one of a paper account."""

    @property
    def beneath(self) -> tuple[object, ...]:
        """Return them, the one that the budgets are of first."""
        ...


def line_of(client: object, clock: ExchangeClock) -> Line | None:
    """Return how a client's connection is; None when it does not show that."""
    beneath = client.beneath if isinstance(client, StandsOn) else (client,)
    telling = [one for one in beneath if isinstance(one, TellsPulses)]
    if not telling:
        return None
    return Line(
        streams=tuple(pulse for one in telling for pulse in one.pulses.now()),
        events=sum((one.pulses.totals() for one in telling), Counter()),
        budgets=telling[0].limiter.standing(),
        rest="; ".join(one.breaker.reason for one in telling if one.breaker.reason),
        clock_offset_ms=clock.offset_ms,
        clock_uncertainty_ms=clock.uncertainty_ms,
    )


def books_of(run: LiveRun) -> Books | None:
    """Return what a run trades now; None while its account is not ours."""
    live = run.live
    if live is None:
        return None
    now_ms, reconciler = live.clock.now_ms(), live.reconciler
    slots = list(live.engine.slots())
    compared_ms = reconciler.compared_ms
    since = [slot.exposed_since_ms for slot, _ in slots if slot.exposed_since_ms is not None]
    return Books(
        held=tuple(
            Held(slot, state)
            for slot, state in sorted(slots, key=lambda found: found[0].symbol)
            if state is not PositionState.FLAT or slot.blocked
        ),
        exposed_ms=max((now_ms - ms for ms in since), default=0),
        doubtful=sum(o.status in _IN_DOUBT for slot, _ in slots for o in slot.orders),
        rounds=reconciler.rounds,
        is_compared=live.trader.is_ready,
        compared_age_ms=None if compared_ms is None else max(0, now_ms - compared_ms),
        findings=_differences(reconciler.last),
        drift=run.bot.drift,
        halts=live.governor.state.halts,
        candle_age_ms=_candle_ages(run, live),
    )


def _differences(last: Findings) -> dict[Code, int]:
    counted = Counter(notice.code for notice in last.lasting)
    return {code: counted[code] for code in Code}


def _candle_ages(run: LiveRun, live: LiveAccount) -> dict[str, int]:
    now_ms, ages = live.clock.now_ms(), {}
    for desk in run.desks:
        timeframe = desk.info.timeframe
        if len(desk.candles):
            closed_ms = timeframe.next_open(int(desk.candles.time[-1]))
            ages[f"{desk.info.coin} {timeframe.value}"] = max(0, now_ms - closed_ms)
    return ages
