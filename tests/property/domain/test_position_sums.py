"""Positions: what is booked adds up to the cash that changed hands."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from milobot.domain.intents import Side
from milobot.domain.orders import Fill
from milobot.domain.positions import Position, apply_fill

# Products of these have at most eight decimals, so that no booking is rounded.
FILLS = st.lists(
    st.tuples(
        st.sampled_from(Side),
        st.decimals("0.001", "50", places=3),
        st.decimals("0.01", "99999", places=2),
        st.decimals("0", "1", places=8),
    ),
    max_size=25,
)


def as_fill(number: int, side: Side, quantity: Decimal, price: Decimal, fee: Decimal) -> Fill:
    """Return one execution."""
    return Fill(f"f{number}", "milo1", "X", side, quantity, price, fee, number)


@given(FILLS)
def test_booked_and_open_gains_are_the_cash_that_changed_hands(
    rows: list[tuple[Side, Decimal, Decimal, Decimal]],
) -> None:
    """Over reductions and flips: cash out and in, plus what is held, is the gain. Exactly."""
    position, cash, held, fees = Position("X"), Decimal(0), Decimal(0), Decimal(0)
    for number, (side, quantity, price, fee) in enumerate(rows):
        position = apply_fill(position, as_fill(number, side, quantity, price, fee))
        sign = 1 if side is Side.BUY else -1
        cash -= sign * quantity * price
        held += sign * quantity
        fees += fee

        assert position.side.sign * position.quantity == held
        assert position.fees == fees
        open_cost = position.side.sign * position.cost
        assert position.realized_pnl == cash + open_cost
        assert position.realized_pnl + position.unrealized_pnl(price) == cash + held * price
        assert position.cost >= 0
        assert position.is_flat == (position.cost == 0)


@given(
    quantity=st.decimals("0.003", "50", places=3),
    entry=st.decimals("0.00000001", "99999", places=12),
    exits=st.lists(
        st.tuples(st.integers(1, 5), st.decimals("0.01", "99999", places=12)), max_size=6
    ),
    last=st.decimals("0.01", "99999", places=12),
)
def test_parts_add_up_to_the_whole(
    quantity: Decimal, entry: Decimal, exits: list[tuple[int, Decimal]], last: Decimal
) -> None:
    """Closing in parts books what closing by parts' prices is worth, within a rounding each."""
    position = apply_fill(Position("X"), as_fill(0, Side.BUY, quantity, entry, Decimal(0)))
    received = Decimal(0)
    for number, (share, price) in enumerate(exits, 1):
        part = (position.quantity * share / 10).quantize(Decimal("0.001"))
        if part:
            received += part * price
            position = apply_fill(position, as_fill(number, Side.SELL, part, price, Decimal(0)))
    received += position.quantity * last
    position = apply_fill(position, as_fill(99, Side.SELL, position.quantity, last, Decimal(0)))

    assert position.is_flat
    assert position.cost == 0
    bookings = len(exits) + 1
    assert abs(position.realized_pnl - (received - quantity * entry)) <= bookings * Decimal("5E-9")
