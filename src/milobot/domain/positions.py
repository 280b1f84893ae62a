"""Positions: one-way, isolated margin, moved by fills only."""

from dataclasses import dataclass, replace
from decimal import Decimal

from milobot.domain.intents import PositionSide, Side
from milobot.domain.money import ZERO, to_money
from milobot.domain.orders import Fill


@dataclass(frozen=True, slots=True)
class Position:
    """What is held of one symbol.

    The cost, not the average price, is kept: sums of quantity * price stay exact,
    a quotient does not.

    Attributes:
        side: Direction while open; the last direction when flat.
        quantity: In the base asset, never negative; zero is flat.
        cost: Sum of quantity * price of what is open, in USDT.
        realized_pnl: Price gains booked so far, before fees and funding.
        fees: Fees paid so far, in USDT.
        funding: Funding paid so far, in USDT; negative when received.
    """

    symbol: str
    side: PositionSide = PositionSide.LONG
    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    realized_pnl: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO

    @property
    def is_flat(self) -> bool:
        """Return whether nothing is held."""
        return self.quantity == 0

    @property
    def entry_price(self) -> Decimal:
        """Return the average price of what is open; zero when flat."""
        return self.cost / self.quantity if self.quantity else ZERO

    @property
    def net_pnl(self) -> Decimal:
        """Return what was booked so far: price gains less fees and funding."""
        return self.realized_pnl - self.fees - self.funding

    def unrealized_pnl(self, price: Decimal) -> Decimal:
        """Return the price gain of what is open, valued at ``price``."""
        return to_money(self.side.sign * (self.quantity * price - self.cost))


def apply_fill(position: Position, fill: Fill) -> Position:
    """Return the position after a fill; a fill beyond flat opens the other side.

    Realized gains are rounded to 1e-8 once, and what rounding took from the released
    cost stays in the rest, so that the bookings of a round trip add up exactly.
    """
    position = replace(position, fees=position.fees + fill.fee)
    side = PositionSide.LONG if fill.side is Side.BUY else PositionSide.SHORT
    if position.is_flat or side is position.side:
        return replace(
            position,
            side=side,
            quantity=position.quantity + fill.quantity,
            cost=position.cost + fill.quantity * fill.price,
        )
    reduced = _reduce(position, min(fill.quantity, position.quantity), fill.price)
    excess = fill.quantity - position.quantity
    if excess <= 0:
        return reduced
    return replace(reduced, side=side, quantity=excess, cost=excess * fill.price)


def _reduce(position: Position, quantity: Decimal, price: Decimal) -> Position:
    if quantity == position.quantity:
        released = position.cost
    else:
        released = to_money(position.cost * quantity / position.quantity)
    gain = to_money(position.side.sign * (quantity * price - released))
    return replace(
        position,
        quantity=position.quantity - quantity,
        cost=position.cost - released,
        realized_pnl=position.realized_pnl + gain,
    )
