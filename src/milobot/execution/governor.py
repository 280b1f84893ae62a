"""The governor: what blocks entries on an account, whatever happens to the process. Pure.

It blocks entries only. Exits, stops and closes never ask it.

Losses are measured on equity with open gains, fees and funding, and without transfers: money
that comes or goes scales the marks so that the fraction lost stays what it was. News of a
transfer may be late, by one reading, without anything being measured wrongly afterwards;
until it comes a withdrawal looks like a loss, and the halt that follows ends with the news.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal

from milobot.domain.decisions import Gate
from milobot.domain.governor import (
    EntryRequest,
    GovernorLimits,
    GovernorState,
    Halt,
    HaltKind,
    Mark,
    Transfer,
)
from milobot.domain.money import ZERO
from milobot.domain.reports import Income, IncomeKind
from milobot.domain.timeframes import DAY_MS, MINUTE_MS
from milobot.execution.governor_gates import check_halts, check_loss, check_request


def transfers_of(income: Iterable[Income]) -> tuple[Transfer, ...]:
    """Return the transfers of USDT among an account's bookings."""
    return tuple(
        Transfer(booking.income_id, booking.amount, booking.time_ms)
        for booking in income
        if booking.kind is IncomeKind.TRANSFER and booking.asset == "USDT"
    )


def observe(
    state: GovernorState,
    limits: GovernorLimits,
    *,
    equity: Decimal,
    now_ms: int,
    transfers: Iterable[Transfer] = (),
) -> GovernorState:
    """Return the state after a reading of the account.

    A day begins with the first reading in it. When the reading before was of the day
    before, the higher of both counts: what was lost while nobody looked is not forgiven.
    A clock that goes back is taken to stand still.

    Args:
        state: What was known.
        limits: What trips.
        equity: Of the whole account, with the gains and losses of open positions.
        now_ms: When it was read.
        transfers: Those known of today, in any order; known ones change nothing, and what
            is later than the reading is left for the next.
    """
    reading = Mark(equity, max(now_ms, state.last.time_ms if state.last else 0))
    told = _with_transfers(state, [t for t in transfers if t.time_ms <= reading.time_ms])
    state = replace(told, halts=tuple(_confirmed(state.halts, told.halts, limits)))
    state = _with_day(replace(state, high_water=_high_water(state, reading)), reading)
    state = replace(state, last=reading)
    marks = ((HaltKind.DAILY_LOSS, state.day_start), (HaltKind.DRAWDOWN, state.high_water))
    for kind, mark in marks:
        if mark is None or state.halt_of(kind) is not None:
            continue
        if mark.loss(equity) >= _limit(kind, limits):
            state = replace(state, halts=(*state.halts, _tripped(kind, mark, reading)))
    return state


def halt(
    state: GovernorState, reason: str, *, now_ms: int, kind: HaltKind = HaltKind.MANUAL
) -> GovernorState:
    """Return the state with entries blocked; what blocks them already stays as it is."""
    if state.halt_of(kind) is not None:
        return state
    return replace(state, halts=(*state.halts, Halt(kind, reason, now_ms)))


def resume(state: GovernorState) -> GovernorState:
    """Return the state without halts by hand and by drawdown; others end by themselves.

    After a drawdown the highest equity is counted anew from the last reading: otherwise the
    next one would halt again.
    """
    kept = _without(state.halts, HaltKind.MANUAL, HaltKind.DRAWDOWN)
    had_drawdown = state.halt_of(HaltKind.DRAWDOWN) is not None
    return replace(state, halts=kept, high_water=state.last if had_drawdown else state.high_water)


class Governor:
    """Limits and state of one account, for the engine that trades it.

    Attributes:
        state: As it has to be on record.
    """

    def __init__(
        self,
        state: GovernorState,
        limits: GovernorLimits | None = None,
        *,
        entered_ms: Iterable[int] = (),
    ) -> None:
        """Take over what is on record.

        Args:
            state: From the ledger, or a new one.
            limits: What the user allows; the defaults without.
            entered_ms: When entries were made in the last minute, before a restart.
        """
        self.state = state
        self._limits = limits or GovernorLimits()
        self._entered = deque(sorted(entered_ms))

    def check_open(self, gates: list[Gate]) -> None:
        """Refuse any entry while halted; asked before the exchange is.

        Raises:
            OrderDeniedError: Entries are blocked.
        """
        check_halts(self.state, gates)

    def check_entry(self, request: EntryRequest, gates: list[Gate]) -> None:
        """Let an entry pass, and count it, or say why not.

        Between this call and what makes the entry part of the next request's exposures
        nothing may be awaited: two entries would count on the same room.

        Args:
            request: The entry and the facts.
            gates: Filled with the checks made, also when one fails.

        Raises:
            OrderDeniedError: A limit is reached; its code names which.
        """
        if self.state.halts:  # since ``check_open``: what it saw then is on record already
            check_halts(self.state, gates)
        check_loss(self.state, self._limits, request.equity, gates)
        self._forget_before(request.now_ms - MINUTE_MS)
        check_request(request, self._limits, len(self._entered), gates)
        self._entered.append(request.now_ms)

    def observe(
        self, equity: Decimal, now_ms: int, transfers: Iterable[Transfer] = ()
    ) -> GovernorState:
        """Take in a reading of the account; commit what is returned."""
        self.state = observe(
            self.state, self._limits, equity=equity, now_ms=now_ms, transfers=transfers
        )
        return self.state

    def halt(self, reason: str, now_ms: int, kind: HaltKind = HaltKind.MANUAL) -> GovernorState:
        """Block entries; commit what is returned."""
        self.state = halt(self.state, reason, now_ms=now_ms, kind=kind)
        return self.state

    def resume(self) -> GovernorState:
        """Let entries pass again as far as a user may decide that; commit what is returned."""
        self.state = resume(self.state)
        return self.state

    def _forget_before(self, time_ms: int) -> None:
        while self._entered and self._entered[0] <= time_ms:
            self._entered.popleft()


def _with_transfers(state: GovernorState, transfers: Iterable[Transfer]) -> GovernorState:
    oldest = state.day_ms - DAY_MS
    known = {t.transfer_id for t in state.transfers}
    for transfer in sorted(transfers, key=lambda t: (t.time_ms, t.transfer_id)):
        if transfer.transfer_id in known or transfer.time_ms < oldest:
            continue
        known.add(transfer.transfer_id)
        state = _with_transfer(state, transfer)
    return state


def _with_transfer(state: GovernorState, transfer: Transfer) -> GovernorState:
    if state.last is None:  # the first reading holds it already
        return replace(state, transfers=(*state.transfers, transfer))
    is_late = transfer.time_ms <= state.last.time_ms
    after = state.last.equity if is_late else state.last.equity + transfer.amount
    before = after - transfer.amount

    def scaled(mark: Mark | None) -> Mark | None:
        if mark is None or transfer.time_ms <= mark.time_ms:
            return mark
        if before <= 0:  # nothing was left to scale by: the amount lost stays as it is
            return replace(mark, equity=max(ZERO, mark.equity + transfer.amount))
        return replace(mark, equity=max(ZERO, mark.equity * after / before))

    return replace(
        state,
        day_start=scaled(state.day_start),
        high_water=scaled(state.high_water),
        last=replace(state.last, equity=after),
        transfers=(*state.transfers, transfer),
        halts=tuple(
            # What was read after the transfer has to be held against marks after it.
            replace(h, mark=scaled(h.mark)) if transfer.time_ms <= h.since_ms else h
            for h in state.halts
        ),
    )


def _confirmed(
    before: tuple[Halt, ...], after: tuple[Halt, ...], limits: GovernorLimits
) -> Iterator[Halt]:
    """Yield the halts that the news of transfers has not explained."""
    for old, new in zip(before, after, strict=True):
        is_explained = (
            new.mark is not None
            and new.mark != old.mark
            and new.mark.loss(new.equity) < _limit(new.kind, limits)
        )
        if not is_explained:
            yield new


def _high_water(state: GovernorState, reading: Mark) -> Mark:
    """Return the highest equity but for the newest: that may hold a deposit not told yet."""
    if state.high_water is None or state.last is None:
        return reading
    return max(state.high_water, state.last, key=lambda mark: mark.equity)


def _with_day(state: GovernorState, reading: Mark) -> GovernorState:
    day_ms = reading.time_ms - reading.time_ms % DAY_MS
    if state.day_start is not None and day_ms <= state.day_ms:
        return replace(state, halts=_without(state.halts, HaltKind.ACCOUNT_UNREADABLE))
    start = reading
    if state.last is not None and day_ms - state.day_ms == DAY_MS:
        start = max(reading, state.last, key=lambda mark: mark.equity)
    return replace(
        state,
        day_ms=day_ms,
        day_start=start,
        transfers=tuple(t for t in state.transfers if t.time_ms >= day_ms - DAY_MS),
        halts=_without(state.halts, HaltKind.ACCOUNT_UNREADABLE, HaltKind.DAILY_LOSS),
    )


def _without(halts: tuple[Halt, ...], *kinds: HaltKind) -> tuple[Halt, ...]:
    return tuple(h for h in halts if h.kind not in kinds)


def _limit(kind: HaltKind, limits: GovernorLimits) -> Decimal:
    return limits.daily_loss if kind is HaltKind.DAILY_LOSS else limits.max_drawdown


def _tripped(kind: HaltKind, mark: Mark, reading: Mark) -> Halt:
    lost = f"equity {reading.equity:.2f} USDT is {mark.loss(reading.equity):.2%} below"
    if kind is HaltKind.DAILY_LOSS:
        reason = f"{lost} the day's start, {mark.equity:.2f}: entries pass again at 00:00 UTC"
    else:
        reason = f"{lost} its highest, {mark.equity:.2f}: milobot resume lets entries pass again"
    return Halt(kind, reason, reading.time_ms, mark, reading.equity)
