"""The governor's memory: days, marks, transfers, halts, and what ends them."""

from dataclasses import replace

import pytest
from tests.support.trading import dec

from milobot.domain.governor import (
    GovernorLimits,
    GovernorState,
    HaltKind,
    Mark,
    Transfer,
    format_state,
    parse_state,
)
from milobot.domain.reports import Income, IncomeKind
from milobot.domain.timeframes import DAY_MS, MINUTE_MS
from milobot.errors import DataError
from milobot.execution.governor import Governor, observe, transfers_of

LIMITS = GovernorLimits()
MIDNIGHT = 20_000 * DAY_MS
NOON = MIDNIGHT + DAY_MS // 2
FRESH = GovernorState("binance:default")


def seen(state: GovernorState, equity: str, now_ms: int, *transfers: Transfer) -> GovernorState:
    """Return the state after a reading."""
    return observe(state, LIMITS, equity=dec(equity), now_ms=now_ms, transfers=transfers)


def kinds(state: GovernorState) -> list[HaltKind]:
    """Return what blocks entries."""
    return [halt.kind for halt in state.halts]


def moved(amount: str, time_ms: int, name: str = "t1") -> Transfer:
    """Return money that came or went."""
    return Transfer(name, dec(amount), time_ms)


START = seen(FRESH, "10000", NOON)


def test_the_first_reading_sets_the_marks() -> None:
    """Nothing can have been lost before anything was seen."""
    mark = Mark(dec(10_000), NOON)

    assert GovernorState("binance:default", MIDNIGHT, mark, mark, mark) == START


@pytest.mark.parametrize(
    ("equity", "expected"),
    [
        ("9500.01", []),
        ("9500", [HaltKind.DAILY_LOSS]),
        ("8000.01", [HaltKind.DAILY_LOSS]),
        ("8000", [HaltKind.DAILY_LOSS, HaltKind.DRAWDOWN]),
    ],
)
def test_losses_trip_where_they_reach_the_limit(equity: str, expected: list[HaltKind]) -> None:
    """5 % of 10,000 is 500: the edge counts as reached."""
    assert kinds(seen(START, equity, NOON + 1)) == expected


def test_a_daily_loss_stays_until_midnight_though_the_loss_is_won_back() -> None:
    """A day that was bad enough is over; a bounce is no reason to go on."""
    state = seen(START, "9400", NOON + 1)
    state = seen(state, "10500", NOON + 2)
    assert kinds(seen(state, "10500", MIDNIGHT + DAY_MS - 1)) == [HaltKind.DAILY_LOSS]

    assert kinds(seen(state, "10500", MIDNIGHT + DAY_MS)) == []


def test_the_reason_says_what_ends_the_halt() -> None:
    """Who is halted at night wants to know until when."""
    state = seen(START, "7900", NOON + 1)

    day, drawdown = (halt.reason for halt in state.halts)

    assert day == (
        "equity 7900.00 USDT is 21.00% below the day's start, 10000.00:"
        " entries pass again at 00:00 UTC"
    )
    assert drawdown == (
        "equity 7900.00 USDT is 21.00% below its highest, 10000.00:"
        " milobot resume lets entries pass again"
    )


def test_a_drawdown_adds_up_over_days_and_waits_for_resume() -> None:
    """Four losses of 4.9 % never trip a day; together with a fifth they are too much."""
    state, equity = START, dec(10_000)
    for day in range(1, 6):
        equity *= dec("0.951")
        state = seen(state, str(equity), NOON + day * DAY_MS)
        state = seen(state, str(equity), MIDNIGHT + day * DAY_MS + DAY_MS - 1)
    assert kinds(state) == [HaltKind.DRAWDOWN]

    governor = Governor(seen(state, str(equity), NOON + 40 * DAY_MS))
    assert kinds(governor.state) == [HaltKind.DRAWDOWN]
    assert kinds(governor.resume()) == []
    assert kinds(governor.observe(equity, NOON + 40 * DAY_MS + 1)) == []


def test_after_resume_the_next_drawdown_is_measured_anew() -> None:
    """Resuming is a decision to risk another drawdown from here, not to have none."""
    governor = Governor(seen(START, "8000", NOON + DAY_MS * 2))
    governor.resume()

    assert kinds(governor.observe(dec(6401), NOON + DAY_MS * 5)) == []
    assert kinds(governor.observe(dec(6400), NOON + DAY_MS * 5 + 1)) == [HaltKind.DRAWDOWN]


def test_resume_leaves_a_daily_loss_and_other_marks_alone() -> None:
    """Only the next day ends a daily loss; a halt by hand says nothing about the highest equity."""
    governor = Governor(seen(START, "9400", NOON + 1))
    governor.halt("going on holiday", NOON + 2)
    before = governor.state

    state = governor.resume()

    assert kinds(before) == [HaltKind.DAILY_LOSS, HaltKind.MANUAL]
    assert kinds(state) == [HaltKind.DAILY_LOSS]
    assert state.high_water == before.high_water


def test_a_halt_by_hand_survives_midnight_and_keeps_its_first_reason() -> None:
    """Two commands in a row are one halt; and no day ends what a person began."""
    governor = Governor(START)
    governor.halt("news", NOON)
    governor.halt("again", NOON + 1)

    state = governor.observe(dec(10_000), NOON + DAY_MS)

    assert [(halt.reason, halt.since_ms) for halt in state.halts] == [("news", NOON)]


def test_an_unreadable_account_is_released_by_the_next_reading() -> None:
    """What blocked was that nobody could look; now somebody has."""
    governor = Governor(START)
    governor.halt("no answer for 2 min", NOON, HaltKind.ACCOUNT_UNREADABLE)

    assert kinds(governor.state) == [HaltKind.ACCOUNT_UNREADABLE]
    assert kinds(governor.observe(dec(10_000), NOON + 1)) == []


def test_a_day_begins_with_its_first_reading() -> None:
    """Today's loss is today's: what was won or lost before counts for the drawdown only."""
    state = seen(START, "9600", MIDNIGHT + DAY_MS - 1)

    state = seen(state, "9700", MIDNIGHT + DAY_MS + 30_000)

    assert state.day_start == Mark(dec(9700), MIDNIGHT + DAY_MS + 30_000)


def test_a_loss_over_midnight_while_nobody_looked_is_not_forgiven() -> None:
    """A bot stopped in the evening and started in the morning counts from the evening."""
    state = seen(START, "9400", MIDNIGHT + DAY_MS + DAY_MS // 3)

    assert state.day_start == Mark(dec(10_000), NOON)
    assert kinds(state) == [HaltKind.DAILY_LOSS]


def test_a_loss_over_days_away_is_none_of_today() -> None:
    """After a week nobody can say what of it happened today; the drawdown still counts it."""
    state = seen(START, "7000", NOON + 7 * DAY_MS)

    assert kinds(state) == [HaltKind.DRAWDOWN]


def test_a_clock_that_goes_back_releases_and_trips_nothing() -> None:
    """Corrected clocks must not replay a day."""
    tripped = seen(START, "9400", NOON + 1)
    assert kinds(seen(tripped, "9400", NOON - DAY_MS)) == [HaltKind.DAILY_LOSS]

    released = seen(tripped, "9400", MIDNIGHT + DAY_MS)
    back = seen(released, "9300", NOON)

    assert kinds(back) == []
    assert back.day_ms == released.day_ms
    assert back.last == Mark(dec(9300), MIDNIGHT + DAY_MS)


@pytest.mark.parametrize("amount", ["-5000", "20000"])
def test_money_that_comes_or_goes_is_no_loss_and_no_cover(amount: str) -> None:
    """4 % were lost before; after a transfer they still are, and 1.1 % more trip."""
    state = seen(START, "9600", NOON + 1)
    state = seen(state, str(dec(9600) + dec(amount)), NOON + 3, moved(amount, NOON + 2))
    assert kinds(state) == []
    assert state.day_start is not None
    assert state.last is not None
    assert round(state.day_start.loss(state.last.equity), 12) == dec("0.04")

    left = state.last.equity * dec("0.989")

    assert kinds(seen(state, str(left), NOON + 4)) == [HaltKind.DAILY_LOSS]


def test_a_transfer_counts_once_however_often_it_is_told() -> None:
    """Each reading brings all transfers of the day."""
    transfer = moved("-5000", NOON + 2)
    state = seen(START, "5000", NOON + 3, transfer)

    again = seen(state, "5000", NOON + 4, transfer, transfer)

    assert (again.day_start, again.high_water) == (state.day_start, state.high_water)
    assert again.transfers == (transfer,)


def test_a_transfer_later_than_the_reading_waits_for_the_next() -> None:
    """The equity at hand does not hold it yet."""
    transfer = moved("-5000", NOON + 5)
    state = seen(START, "10000", NOON + 3, transfer)
    assert state.transfers == ()

    assert kinds(seen(state, "5000", NOON + 6, transfer)) == []


def test_late_news_of_a_withdrawal_ends_the_halt_that_it_caused() -> None:
    """Until the exchange lists it, a withdrawal looks like a loss; then it is explained."""
    state = seen(START, "5000", NOON + 3)
    assert kinds(state) == [HaltKind.DAILY_LOSS, HaltKind.DRAWDOWN]

    assert kinds(seen(state, "5000", NOON + 4, moved("-5000", NOON + 2))) == []


def test_late_news_does_not_excuse_a_real_loss() -> None:
    """600 of 10,000 were lost beside the 5,000 that went: that is 6 %."""
    state = seen(START, "4400", NOON + 3)

    told = seen(state, "4900", NOON + 4, moved("-5000", NOON + 2))

    assert kinds(told) == [HaltKind.DAILY_LOSS]


def test_late_news_of_a_deposit_does_not_hide_a_drawdown() -> None:
    """19 % were lost before the deposit was seen without its news; 1.3 % of the rest more is 20 %."""
    state = seen(START, "8100", NOON + 1)
    state = seen(state, "28100", NOON + 3)
    state = seen(state, "28100", NOON + 4, moved("20000", NOON + 2))

    assert state.high_water is not None
    assert round(state.high_water.loss(dec(28_100)), 12) == dec("0.19")


def test_marks_after_a_transfer_hold_it_already() -> None:
    """A highest equity read after a deposit includes it."""
    state = seen(START, "30000", NOON + 3, moved("20000", NOON + 2))
    state = seen(state, "40000", NOON + 4)
    state = seen(state, "39000", NOON + 5)

    told = seen(state, "39000", NOON + 6, moved("500", NOON + 1, "t0"))

    assert told.high_water == Mark(dec(40_000), NOON + 4)


def test_an_emptied_account_starts_anew() -> None:
    """After the last coin went nothing is left to measure a loss from."""
    state = seen(START, "0", NOON + 3, moved("-10000", NOON + 2))
    assert kinds(state) == []

    state = seen(state, "500", NOON + 5, moved("500", NOON + 4, "t2"))

    assert kinds(state) == []
    assert state.day_start == Mark(dec(500), NOON)


def test_transfers_are_forgotten_after_two_days_and_do_not_return() -> None:
    """The row must not grow for ever; what is that old was counted or is in every mark."""
    old = moved("-5000", NOON + 2)
    state = seen(START, "5000", NOON + 3, old)
    state = seen(state, "5000", NOON + 3 * DAY_MS, old)
    assert state.transfers == ()

    again = seen(state, "5000", NOON + 3 * DAY_MS + 1, old)

    assert again.transfers == ()
    assert again.day_start == state.day_start


def test_transfers_known_at_the_first_reading_are_in_it() -> None:
    """The day's listing holds what came before we looked for the first time."""
    transfer = moved("9000", NOON - MINUTE_MS)
    state = seen(FRESH, "10000", NOON, transfer)

    assert seen(state, "10000", NOON + 1, transfer).day_start == Mark(dec(10_000), NOON)


def test_only_transfers_of_usdt_are_transfers() -> None:
    """Funding and fees are part of the result; another asset is not in the equity."""

    def booking(name: str, kind: IncomeKind, asset: str) -> Income:
        return Income(name, kind, "", asset, dec(5), NOON)

    income = [
        booking("a", IncomeKind.TRANSFER, "USDT"),
        booking("b", IncomeKind.FUNDING, "USDT"),
        booking("c", IncomeKind.TRANSFER, "BNB"),
    ]

    assert transfers_of(income) == (Transfer("a", dec(5), NOON),)


def test_a_state_on_record_reads_back_as_it_was() -> None:
    """What a restart takes over is exact to the last digit."""
    state = seen(START, "7000.00000001", NOON + 3, moved("-1000.1", NOON + 2))
    state = Governor(state).halt('by hand: "quoted"', NOON + 4)

    assert parse_state(format_state(state)) == state
    assert parse_state(format_state(FRESH)) == FRESH


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        format_state(START).replace("10000", "many"),
        format_state(replace(START, account="x")).replace(
            '"halts":[]', '"halts":[["odd","",1,null,"0"]]'
        ),
    ],
)
def test_a_damaged_state_is_not_taken_for_a_new_one(text: str) -> None:
    """Starting afresh would forget a halt."""
    with pytest.raises(DataError, match="restore the ledger from a backup"):
        parse_state(text)
