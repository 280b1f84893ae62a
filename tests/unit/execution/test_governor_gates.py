"""The governor's gates: each passes at its limit, refuses a hair beyond, and says so."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.support.trading import LONG, SHORT, SYMBOL, dec

from milobot.domain.decisions import Gate
from milobot.domain.governor import (
    EntryRequest,
    GovernorLimits,
    GovernorState,
    Halt,
    HaltKind,
    Mark,
)
from milobot.domain.intents import PositionSide, Size, SizeKind
from milobot.domain.reports import BookTicker
from milobot.errors import OrderDeniedError
from milobot.execution.governor import Governor
from milobot.execution.governor_gates import check_halts, check_request, estimate_slippage

NOW_MS = 1_700_000_000_000
LIMITS = GovernorLimits()
REQUEST = EntryRequest(
    symbol=SYMBOL,
    side=LONG,
    leverage=10,
    quantity=dec(10),
    last_price=dec(100),
    reference_price=dec(100),
    equity=dec(10_000),
    now_ms=NOW_MS,
    due_ms=NOW_MS,
)


def book(bid: str, ask: str, *, bids: str = "100", asks: str = "100") -> BookTicker:
    """Return a best bid and ask."""
    return BookTicker(SYMBOL, dec(bid), dec(bids), dec(ask), dec(asks), NOW_MS)


def others(count: int, notional: int = 1) -> dict[str, Decimal]:
    """Return the notional of some other symbols."""
    return {f"S{number}USDT": dec(notional) for number in range(count)}


EDGES = {
    "leverage_limit": (replace(REQUEST, leverage=20), replace(REQUEST, leverage=21)),
    "notional_limit": (
        replace(REQUEST, quantity=dec(500)),
        replace(REQUEST, quantity=dec("500.001")),
    ),
    "position_limit": (
        replace(REQUEST, exposures=others(19)),
        replace(REQUEST, exposures=others(20)),
    ),
    "data_stale": (
        replace(REQUEST, price_ms=NOW_MS - 10_000),
        replace(REQUEST, price_ms=NOW_MS - 10_001),
    ),
    "account_unreadable": (
        replace(REQUEST, account_ms=NOW_MS - 90_000),
        replace(REQUEST, account_ms=NOW_MS - 90_001),
    ),
    "intent_stale": (
        replace(REQUEST, due_ms=NOW_MS - 30_000),
        replace(REQUEST, due_ms=NOW_MS - 30_001),
    ),
    "price_drifted": (
        replace(REQUEST, last_price=dec(105)),
        replace(REQUEST, last_price=dec("105.01")),
    ),
    "spread_too_wide": (
        replace(REQUEST, book=book("399", "401")),
        replace(REQUEST, book=book("399", "401.01")),
    ),
    "slippage_too_high": (
        replace(REQUEST, quantity=dec(200), book=book("99.9", "100.1", bids="40", asks="40")),
        replace(REQUEST, quantity=dec("200.1"), book=book("99.9", "100.1", bids="40", asks="40")),
    ),
}


def refusal(request: EntryRequest, entries: int = 0) -> tuple[OrderDeniedError, list[Gate]]:
    """Return why a request is refused and what was checked."""
    gates: list[Gate] = []
    with pytest.raises(OrderDeniedError) as caught:
        check_request(request, LIMITS, entries, gates)
    return caught.value, gates


@pytest.mark.parametrize("code", EDGES)
def test_a_limit_passes_at_its_edge_and_not_beyond(code: str) -> None:
    """A limit of 20 means that 20 is fine; a wrong comparison shows only here."""
    at_limit, beyond = EDGES[code]
    passed: list[Gate] = []

    check_request(at_limit, LIMITS, 0, passed)
    denied, failed = refusal(beyond)

    assert all(gate.is_passed for gate in passed)
    assert denied.code == code
    assert [gate.is_passed for gate in failed].count(False) == 1
    assert not failed[-1].is_passed
    assert "\n" not in str(denied)


def test_a_price_that_moved_in_favour_has_drifted_too() -> None:
    """The plan's levels were measured from a price that is gone, whichever way it went."""
    assert refusal(replace(REQUEST, last_price=dec("94.99")))[0].code == "price_drifted"


def test_a_decision_from_the_future_is_not_stale() -> None:
    """A clock set back makes a decision look early; that is no reason to lose it."""
    check_request(replace(REQUEST, due_ms=NOW_MS + 60_000), LIMITS, 0, [])


def test_all_positions_together_have_a_limit() -> None:
    """Many small positions are one large one when the market falls as a whole."""
    check_request(replace(REQUEST, exposures=others(3, 33_000)), LIMITS, 0, [])

    denied, _ = refusal(replace(REQUEST, exposures=others(3, 33_001)))

    assert denied.code == "notional_limit"
    assert "100003.00 USDT, above the 100000.00 (1000% of the equity)" in str(denied)


def test_a_notional_limit_may_be_an_amount() -> None:
    """Who thinks in USDT writes USDT: the equity has no part in it then."""
    limits = GovernorLimits(max_position_notional=Size(SizeKind.QUOTE, dec(1000)))
    check_request(
        replace(REQUEST, equity=dec(1)),
        replace(limits, max_total_notional=Size(SizeKind.QUOTE, dec(1000))),
        0,
        [],
    )

    with pytest.raises(OrderDeniedError, match=r"above the 1000\.00 \(1000 USDT\) that you allow"):
        check_request(replace(REQUEST, quantity=dec("10.01")), limits, 0, [])


@pytest.mark.parametrize("prices", [("0", "100"), ("100", "0"), ("100.1", "100")])
def test_a_book_without_two_sides_is_no_market(prices: tuple[str, str]) -> None:
    """An empty or crossed book is what an exchange in trouble shows."""
    denied, gates = refusal(replace(REQUEST, book=book(*prices)))

    assert denied.code == "spread_too_wide"
    assert gates[-1].value == "no book of two sides"


@pytest.mark.parametrize(
    ("side", "quantity", "expected"),
    [
        (LONG, "4", "0.001"),  # within the best ask: half the spread
        (SHORT, "6", "0.001"),  # within the best bid
        (LONG, "9", "0.0021111111"),  # 5 of 9 fill one spread behind
        (LONG, "14", "0.0031428571"),  # 10 of 14 fill one and two spreads behind
        (SHORT, "16", "0.002875"),  # likewise 10 of 16
    ],
)
def test_slippage_is_estimated_from_the_book(
    side: PositionSide, quantity: str, expected: str
) -> None:
    """Worked out by hand: a level holds the mean of 4 and 6, and a spread is 0.2 %."""
    thin = book("999", "1001", bids="6", asks="4")

    estimated = estimate_slippage(thin, side, dec(quantity))

    assert estimated is not None
    assert round(estimated, 10) == dec(expected)


def test_nothing_offered_is_too_much_slippage() -> None:
    """A price without a quantity cannot fill anything."""
    denied, gates = refusal(replace(REQUEST, book=book("99.9", "100", asks="0")))

    assert denied.code == "slippage_too_high"
    assert gates[-1].value == "nothing offered"


def test_entries_are_counted_by_the_minute() -> None:
    """A script that enters and is stopped in turns is held up, and let on a minute later."""
    governor = Governor(
        GovernorState("binance:default"),
        GovernorLimits(max_entries_per_minute=2),
        entered_ms=[NOW_MS - 90_000, NOW_MS - 30_000],
    )

    governor.check_entry(REQUEST, [])
    with pytest.raises(OrderDeniedError) as caught:
        governor.check_entry(REQUEST, [])

    assert caught.value.code == "order_rate"
    later = NOW_MS + 30_000
    governor.check_entry(replace(REQUEST, now_ms=later, due_ms=later), [])


def test_a_refused_entry_is_not_counted() -> None:
    """What never left does not use up the minute."""
    governor = Governor(GovernorState("a:b"), GovernorLimits(max_entries_per_minute=1))
    for _ in range(3):
        with pytest.raises(OrderDeniedError):
            governor.check_entry(replace(REQUEST, leverage=100), [])

    governor.check_entry(REQUEST, [])


def test_every_check_of_an_entry_is_on_record() -> None:
    """Why it was traded is a query: each gate with value and threshold."""
    marks = Mark(dec(10_100), NOW_MS)
    state = GovernorState("a:b", day_start=marks, high_water=marks, last=marks)
    gates: list[Gate] = []
    governor = Governor(state)

    governor.check_open(gates)
    governor.check_entry(replace(REQUEST, book=book("99.99", "100.01")), gates)

    assert [(g.name, g.value, g.threshold) for g in gates] == [
        ("halt", "none", "none"),
        ("daily_loss", "0.99%", "below 5.00%"),
        ("drawdown", "0.99%", "below 20.00%"),
        ("account_age", "0 s", "90 s"),
        ("price_age", "0 s", "10 s"),
        ("intent_age", "0 s", "30 s"),
        ("price_drift", "0.0000%", "5.0000%"),
        ("leverage_limit", "10", "20"),
        ("notional", "1000.00", "50000.00"),
        ("total_notional", "1000.00", "100000.00"),
        ("open_positions", "1", "20"),
        ("entries_per_minute", "1", "30"),
        ("spread", "0.0200%", "0.5000%"),
        ("slippage", "0.0100%", "0.5000%"),
    ]


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (HaltKind.DAILY_LOSS, "governor_daily_loss"),
        (HaltKind.DRAWDOWN, "governor_drawdown"),
        (HaltKind.MANUAL, "governor_halted"),
        (HaltKind.ACCOUNT_UNREADABLE, "account_unreadable"),
    ],
)
def test_a_halt_refuses_with_its_code_and_reason(kind: HaltKind, code: str) -> None:
    """Programs look at the code, people at the reason."""
    gates: list[Gate] = []
    state = GovernorState("binance:main", halts=(Halt(kind, "because I say so", 5),))

    with pytest.raises(OrderDeniedError) as caught:
        check_halts(state, gates)

    assert caught.value.code == code
    assert str(caught.value) == "binance:main is halted, nothing enters: because I say so"
    assert gates == [Gate("halt", kind.value, "none", is_passed=False)]


def test_a_halt_that_comes_between_refuses_too() -> None:
    """An entry waits for the exchange while it is planned; the account may be halted meanwhile."""
    governor = Governor(GovernorState("a:b"))
    governor.check_open([])
    governor.halt("a flood", NOW_MS)

    with pytest.raises(OrderDeniedError, match="a flood"):
        governor.check_entry(REQUEST, [])


@pytest.mark.parametrize(
    ("equity", "code"), [("9500", "governor_daily_loss"), ("9600", "governor_drawdown")]
)
def test_an_entry_sees_a_loss_before_the_next_reading(equity: str, code: str) -> None:
    """Equity is read every minute; an entry brings its own and is refused at once."""
    state = GovernorState(
        "a:b",
        day_start=Mark(dec(10_000), 0),
        high_water=Mark(dec(12_000), 0),
        last=Mark(dec(10_000), 0),
    )
    governor = Governor(state)
    governor.check_entry(replace(REQUEST, equity=dec("9600.01")), [])

    with pytest.raises(OrderDeniedError) as caught:
        governor.check_entry(replace(REQUEST, equity=dec(equity)), [])

    assert caught.value.code == code
    assert governor.state == state
