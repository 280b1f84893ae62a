"""Positions move by fills only."""

from decimal import Decimal

from tests.support.trading import LONG, SHORT, dec, decs

from milobot.domain.intents import PositionSide, Side
from milobot.domain.orders import Fill
from milobot.domain.positions import Position, apply_fill

FLAT = Position("BTCUSDT")


def fill(side: Side, quantity: str, price: str, fee: str = "0") -> Fill:
    """Return one execution."""
    return Fill("f", "milo1", "BTCUSDT", side, dec(quantity), dec(price), dec(fee), 0)


def after(*fills: Fill) -> Position:
    """Return the position that begins flat and sees the fills."""
    position = FLAT
    for one in fills:
        position = apply_fill(position, one)
    return position


def test_a_first_fill_opens() -> None:
    """Quantity, cost and direction come from the fill alone."""
    held = after(fill(Side.SELL, "2", "100", "0.1"))

    assert held.side is SHORT
    assert (held.quantity, held.cost, held.fees) == decs(2, 200, "0.1")
    assert held.entry_price == 100
    assert held.unrealized_pnl(dec("90")) == 20


def test_a_second_fill_averages() -> None:
    """The cost is kept, so that the average is exact."""
    held = after(fill(Side.BUY, "1", "100"), fill(Side.BUY, "2", "103"))

    assert held.entry_price == 102
    assert held.unrealized_pnl(dec("101")) == -3


def test_a_reduction_books_its_share() -> None:
    """Half of the position, half of the cost."""
    held = after(fill(Side.BUY, "2", "100", "1"), fill(Side.SELL, "1", "110", "1"))

    assert (held.quantity, held.cost, held.realized_pnl, held.fees) == decs(1, 100, 10, 2)
    assert held.net_pnl == 8


def test_thirds_add_up_exactly() -> None:
    """What rounding takes from one third stays in the rest: no cent is lost or made."""
    third = fill(Side.SELL, "1", "100.01")
    held = after(fill(Side.BUY, "3", "33.33333333333"), third, third, third)

    assert held.is_flat
    assert held.cost == 0
    # 300.03 - 99.99999999999, rounded once to 1e-8
    assert held.realized_pnl == dec("200.03000000")


def test_a_flat_position_keeps_its_side_and_has_no_price() -> None:
    """The side of a round trip is read after it ended."""
    held = after(fill(Side.SELL, "1", "100"), fill(Side.BUY, "1", "90"))

    assert held.is_flat
    assert held.side is SHORT
    assert held.entry_price == 0
    assert held.unrealized_pnl(dec("500")) == 0
    assert held.realized_pnl == 10


def test_a_fill_beyond_flat_opens_the_other_side() -> None:
    """One-way mode: the excess is a new position at the fill's price."""
    held = after(fill(Side.BUY, "1", "100"), fill(Side.SELL, "3", "90"))

    assert held.side is SHORT
    assert (held.quantity, held.cost) == decs(2, 180)
    assert held.realized_pnl == -10


def test_longs_and_shorts_mirror_each_other() -> None:
    """The same move is one's gain and the other's loss."""
    bought = after(fill(Side.BUY, "2", "100"), fill(Side.SELL, "2", "107"))
    sold = after(fill(Side.SELL, "2", "100"), fill(Side.BUY, "2", "107"))

    assert bought.realized_pnl == -sold.realized_pnl == 14


def test_funding_and_fees_lower_the_net() -> None:
    """The sign: paid is positive."""
    held = Position(
        "X", PositionSide.LONG, realized_pnl=dec("10"), fees=dec("1"), funding=dec("-2")
    )

    assert held.side is LONG
    assert held.net_pnl == Decimal(11)
