"""Random days of an account: what halts it depends on what it lost, and on nothing else."""

from dataclasses import dataclass, replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from milobot.domain.governor import (
    GovernorLimits,
    GovernorState,
    HaltKind,
    Transfer,
    format_state,
    parse_state,
)
from milobot.domain.money import ONE, ZERO
from milobot.domain.timeframes import DAY_MS
from milobot.execution.governor import observe, resume

RUNS = settings(max_examples=60, deadline=None)
LIMITS = GovernorLimits()
MIDNIGHT = 20_000 * DAY_MS
FRESH = GovernorState("binance:default")
_DIGITS = Decimal("1e-12")


@dataclass(frozen=True)
class Turn:
    """What happens between two readings.

    Attributes:
        gain: Factor on the equity.
        moved: Money in or out as a multiple of the equity then; 0 for none.
        wait_ms: Time since the reading before.
        is_late: Whether the news of the transfer comes one reading late.
    """

    gain: Decimal
    moved: Decimal
    wait_ms: int
    is_late: bool


def decimals(low: str, high: str) -> st.SearchStrategy[Decimal]:
    """Return decimals with four places."""
    return st.decimals(low, high, places=4)


turns = st.lists(
    st.builds(
        Turn,
        gain=decimals("0.85", "1.15"),
        moved=st.one_of(st.just(ZERO), decimals("-0.9", "5")),
        wait_ms=st.sampled_from([10, 60_000, 7 * 3_600_000, DAY_MS]),
        is_late=st.booleans(),
    ),
    min_size=1,
    max_size=15,
)


def kinds(state: GovernorState) -> set[HaltKind]:
    """Return what blocks entries."""
    return {halt.kind for halt in state.halts}


def play(market: list[Turn], *, moves: bool = False, restarts: bool = False) -> list[GovernorState]:
    """Return the states after each reading; gains come first, then the money moves."""
    equity, now_ms = Decimal(10_000), MIDNIGHT
    state = observe(FRESH, LIMITS, equity=equity, now_ms=now_ms)
    states, transfers, late = [state], list[Transfer](), list[Transfer]()
    for number, turn in enumerate(market):
        now_ms += turn.wait_ms
        equity *= turn.gain
        state = observe(state, LIMITS, equity=equity, now_ms=now_ms - 5, transfers=transfers)
        transfers += late
        late.clear()
        if moves and turn.moved:
            amount = equity * turn.moved
            equity += amount
            told = late if turn.is_late else transfers
            told.append(Transfer(f"t{number}", amount, now_ms - 3))
        state = observe(state, LIMITS, equity=equity, now_ms=now_ms, transfers=transfers)
        if late:  # the money is there, the news comes with the next reading
            transfers += late
            late.clear()
            state = observe(state, LIMITS, equity=equity, now_ms=now_ms + 1, transfers=transfers)
        if restarts:
            state = parse_state(format_state(state))
        states.append(state)
    return states


@RUNS
@given(turns)
def test_transfers_never_change_what_was_lost(market: list[Turn]) -> None:
    """Money in and out, told at once or late: the fractions lost are those without it."""
    for plain, moved in zip(play(market), play(market, moves=True), strict=True):
        for mark in ("day_start", "high_water"):
            losses = []
            for state in (plain, moved):
                found = getattr(state, mark)
                assert state.last is not None
                losses.append(found.loss(state.last.equity))
            assert abs(losses[0] - losses[1]) < _DIGITS


@RUNS
@given(turns)
def test_a_restart_changes_nothing(market: list[Turn]) -> None:
    """Whatever was known is on record, to the last digit."""
    assert play(market, moves=True) == play(market, moves=True, restarts=True)


@RUNS
@given(turns)
def test_telling_again_changes_nothing(market: list[Turn]) -> None:
    """The same reading twice is one reading."""
    for state in play(market, moves=True):
        assert state.last is not None
        again = observe(
            state,
            LIMITS,
            equity=state.last.equity,
            now_ms=state.last.time_ms,
            transfers=state.transfers,
        )
        assert replace(again, high_water=None) == replace(state, high_water=None)


@RUNS
@given(turns)
def test_halts_are_what_a_plain_account_of_the_days_says(market: list[Turn]) -> None:
    """A day halts from the reading that lost 5 % of its start; the drawdown for good."""
    equity, now_ms = Decimal(10_000), MIDNIGHT
    start = highest = equity
    day, day_halted, for_good = 0, False, False
    for turn, state in zip(market, play(market)[1:], strict=True):
        before, before_ms = equity, now_ms
        now_ms += turn.wait_ms
        equity *= turn.gain
        for at_ms in (now_ms - 5, now_ms):
            if (at_ms - MIDNIGHT) // DAY_MS > day:
                is_next = (at_ms - MIDNIGHT) // DAY_MS == day + 1
                last = before if at_ms == now_ms - 5 else equity
                day, day_halted = (at_ms - MIDNIGHT) // DAY_MS, False
                start = max(last, equity) if is_next else equity
            day_halted |= 1 - equity / start >= LIMITS.daily_loss
        highest = max(highest, equity)
        for_good |= 1 - equity / highest >= LIMITS.max_drawdown
        assert before_ms < now_ms
        assert (HaltKind.DAILY_LOSS in kinds(state)) == day_halted
        assert (HaltKind.DRAWDOWN in kinds(state)) == for_good


@RUNS
@given(
    loss=decimals("0.05", "0.95"),
    within=st.integers(0, DAY_MS - 1),
    looks=st.lists(st.integers(0, DAY_MS - 1), max_size=5),
)
def test_open_loss_alone_trips_and_the_next_day_alone_releases(
    loss: Decimal, within: int, looks: list[int]
) -> None:
    """Nothing was closed, the price moved; readings and restarts in the day end nothing."""
    state = observe(FRESH, LIMITS, equity=Decimal(10_000), now_ms=MIDNIGHT)
    equity = 10_000 * (ONE - loss)
    state = observe(state, LIMITS, equity=equity, now_ms=MIDNIGHT + within)
    for look in [*looks, DAY_MS - 1]:
        state = parse_state(format_state(resume(state)))
        state = observe(state, LIMITS, equity=Decimal(10_000), now_ms=MIDNIGHT + look)
        assert HaltKind.DAILY_LOSS in kinds(state)

    state = observe(state, LIMITS, equity=Decimal(10_000), now_ms=MIDNIGHT + DAY_MS)

    assert HaltKind.DAILY_LOSS not in kinds(state)


@RUNS
@given(st.lists(st.integers(1, 400), max_size=8), st.sampled_from([8000, 20_000]))
def test_only_resume_ends_a_drawdown(days: list[int], later: int) -> None:
    """Neither time, nor a recovery, nor a restart says that somebody has looked."""
    now_ms, equity = MIDNIGHT, Decimal(later)
    state = observe(FRESH, LIMITS, equity=Decimal(10_000), now_ms=now_ms)
    state = observe(state, LIMITS, equity=Decimal(8000), now_ms=now_ms)
    for day in days:
        now_ms += day * DAY_MS
        state = parse_state(format_state(observe(state, LIMITS, equity=equity, now_ms=now_ms)))
        assert HaltKind.DRAWDOWN in kinds(state)

    state = observe(resume(state), LIMITS, equity=equity, now_ms=now_ms)

    assert HaltKind.DRAWDOWN not in kinds(state)


@RUNS
@given(turns, turns)
def test_accounts_are_never_summed(live: list[Turn], demo: list[Turn]) -> None:
    """Readings of two accounts in turns leave in each what they leave in it alone."""
    alone = {"live": play(live)[-1], "demo": play(demo)[-1]}
    states = {name: replace(FRESH, account=name) for name in alone}
    readings = {name: readings_of(market) for name, market in (("live", live), ("demo", demo))}
    while any(readings.values()):
        for name, queue in readings.items():
            if queue:
                equity, now_ms = queue.pop(0)
                states[name] = observe(states[name], LIMITS, equity=equity, now_ms=now_ms)

    assert states == {name: replace(state, account=name) for name, state in alone.items()}


def readings_of(market: list[Turn]) -> list[tuple[Decimal, int]]:
    """Return the readings that ``play`` makes of a market without transfers."""
    equity, now_ms = Decimal(10_000), MIDNIGHT
    readings = [(equity, now_ms)]
    for turn in market:
        now_ms += turn.wait_ms
        equity *= turn.gain
        readings += [(equity, now_ms - 5), (equity, now_ms)]
    return readings
