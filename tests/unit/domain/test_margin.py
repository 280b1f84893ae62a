"""Margin, brackets and liquidation, against numbers worked out by hand."""

from decimal import Decimal

import pytest
from tests.support.shared_data import shared_file
from tests.support.trading import BRACKETS, LONG, SHORT, bracket, dec, load_brackets

from milobot.domain.intents import PositionSide
from milobot.domain.margin import (
    bankruptcy_price,
    bracket_of,
    brackets_are_continuous,
    initial_margin,
    liquidation_price,
    maintenance_margin,
    max_leverage,
)
from milobot.domain.market import LeverageBracket

RECORDED = "raw_json/leverageBracket_um_2024-10-24.json.gz"


def liquidation(
    side: PositionSide,
    quantity: str,
    entry: str,
    leverage: int,
    brackets: tuple[LeverageBracket, ...],
) -> Decimal | None:
    """Return the liquidation price of a position with its initial margin."""
    cost = dec(quantity) * dec(entry)
    return liquidation_price(
        side=side,
        quantity=dec(quantity),
        cost=cost,
        margin=initial_margin(cost, leverage),
        brackets=brackets,
    )


@pytest.mark.parametrize(
    ("side", "quantity", "entry", "leverage", "expected"),
    [
        # -9000 over -0.996
        (LONG, "1", "10000", 10, "9036.144578"),
        # 11000 over 1.004
        (SHORT, "1", "10000", 10, "10956.175299"),
        # 95427 USDT at liquidation, in the second row: -94950 over 10 * -0.995
        (LONG, "10", "10000", 20, "9542.713568"),
        # Entered in the second row, liquidated in the first: 46800 over 5.2 * 0.996
        (LONG, "5.2", "10000", 10, "9036.144578"),
        # Entered in the first row, liquidated in the second: 57650 over 4.8 * 1.005
        (SHORT, "4.8", "10000", 5, "11950.663350"),
    ],
)
def test_liquidation_price_by_hand(
    side: PositionSide, quantity: str, entry: str, leverage: int, expected: str
) -> None:
    """The bracket is that of the notional at liquidation, not at entry."""
    price = liquidation(side, quantity, entry, leverage, BRACKETS)

    assert price is not None
    assert round(price, 6) == dec(expected)


def test_without_brackets_the_rate_is_two_fifths_of_a_percent() -> None:
    """A bare file knows no table; the assumption is the majors' lowest rate."""
    assert liquidation(LONG, "1", "10000", 10, ()) == liquidation(
        LONG, "1", "10000", 10, BRACKETS[:1]
    )


def test_a_long_at_1x_has_no_liquidation_price() -> None:
    """All of its cost is margin: no price above zero takes more."""
    assert liquidation(LONG, "1", "10000", 1, BRACKETS) is None
    assert liquidation(LONG, "1", "10000", 1, ()) is None


def test_a_short_at_1x_has_one() -> None:
    """A price that doubles takes a short's whole margin."""
    price = liquidation(SHORT, "1", "10000", 1, ())

    assert price is not None
    assert round(price, 2) == dec("19920.32")


def test_past_the_last_cap_its_rate_goes_on() -> None:
    """A short whose loss outgrows the table is liquidated, not immortal."""
    price = liquidation(SHORT, "200", "10000", 1, BRACKETS)

    # 2,000,000 + 3,050 + 2,000,000 over 200 * 1.01; 3,963,416 USDT in all
    assert price is not None
    assert round(price, 4) == dec("19817.0792")


def test_liquidation_exactly_at_a_cap_is_found() -> None:
    """A solution on the border of two brackets must fall through neither."""
    # Long 1 @ 60000 with margin 10200: at 50000 the margin left is 200, as is 0.004 * 50000.
    price = liquidation_price(
        side=LONG,
        quantity=dec("1"),
        cost=dec("60000"),
        margin=dec("10200"),
        brackets=BRACKETS,
    )

    assert price == dec("50000")


@pytest.mark.parametrize(
    ("notional", "rate"),
    [("0", "0.004"), ("50000", "0.004"), ("50000.01", "0.005"), ("3000000", "0.01")],
)
def test_caps_belong_to_their_own_bracket(notional: str, rate: str) -> None:
    """The cap is inclusive: 50,000 USDT still takes 125x."""
    found = bracket_of(dec(notional), BRACKETS)

    assert found is not None
    assert found.maintenance_margin_rate == dec(rate)


def test_nothing_may_be_opened_past_the_last_cap() -> None:
    """No bracket, no leverage: such an entry is denied whatever it asks for."""
    assert bracket_of(dec("3000000.01"), BRACKETS) is None
    assert max_leverage(dec("3000000.01"), BRACKETS) == 0


def test_leverage_falls_with_the_notional() -> None:
    """The table that the leverage gate reads."""
    assert max_leverage(dec("50000"), BRACKETS) == 125
    assert max_leverage(dec("600000"), BRACKETS) == 100
    assert max_leverage(dec("10"), ()) == 125


def test_maintenance_margin_by_hand() -> None:
    """100000 * 0.005 - 50; past the table its last row counts."""
    assert maintenance_margin(dec("100000"), BRACKETS) == dec("450")
    assert maintenance_margin(dec("4000000"), BRACKETS) == dec("36950")
    assert maintenance_margin(dec("1000"), ()) == dec("4")


def test_bankruptcy_is_where_the_margin_is_gone() -> None:
    """Entry less margin per unit for a long, plus for a short, never below zero."""
    margin = initial_margin(dec("20000"), 10)

    assert bankruptcy_price(side=LONG, quantity=dec("2"), cost=dec("20000"), margin=margin) == dec(
        "9000"
    )
    assert bankruptcy_price(side=SHORT, quantity=dec("2"), cost=dec("20000"), margin=margin) == dec(
        "11000"
    )
    assert (
        bankruptcy_price(side=LONG, quantity=dec("2"), cost=dec("20000"), margin=dec("30000")) == 0
    )


def test_the_recurrence_holds_in_every_recorded_table() -> None:
    """The liquidation formula rests on it: a jump would make a price ambiguous."""
    tables = load_brackets(shared_file(RECORDED))

    assert len(tables) > 100
    assert [s for s, table in tables.items() if not brackets_are_continuous(table)] == []


@pytest.mark.parametrize(
    "broken",
    [
        (BRACKETS[0], bracket("50000", "600000", 100, "0.005", "49")),
        (BRACKETS[0], bracket("50001", "600000", 100, "0.005", "50.001")),
    ],
)
def test_a_jump_or_a_hole_is_seen(broken: tuple[LeverageBracket, ...]) -> None:
    """A table that was misread must not pass."""
    assert not brackets_are_continuous(broken)


def test_a_table_of_one_row_is_continuous() -> None:
    """There is nothing to jump to."""
    assert brackets_are_continuous(BRACKETS[:1])
    assert brackets_are_continuous(())
