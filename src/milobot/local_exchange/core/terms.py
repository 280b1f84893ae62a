"""What trading costs, how a fill came about, and what goes wrong with an order on purpose."""

from dataclasses import dataclass
from decimal import Decimal

from milobot.domain.money import ZERO


@dataclass(frozen=True, slots=True)
class Terms:
    """What trading costs.

    Attributes:
        taker_fee: Fraction of the notional, of a fill that took.
        maker_fee: The same, of a fill that rested.
        spread: Distance of best bid and ask as a fraction of the price.
        slippage: Adverse fraction on every market fill.
    """

    taker_fee: Decimal = Decimal("0.0005")
    maker_fee: Decimal = Decimal("0.0002")
    spread: Decimal = ZERO
    slippage: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class PlaceFault:
    """What goes wrong inside the exchange with one order.

    Attributes:
        fill_fraction: Share of the order that fills; None fills all.
        rest_expires: Whether the rest expires; else it rests until the market moves.
        attached: ``drop`` forgets attached exits, ``nameless`` lists them without an id,
            ``resized`` makes them over half of the quantity.
        child: A sentence with which the child of this conditional order is rejected.
    """

    fill_fraction: Decimal | None = None
    rest_expires: bool = False
    attached: str = ""
    child: str = ""


NO_FAULT = PlaceFault()


@dataclass(frozen=True, slots=True)
class FillKind:
    """How a fill came about.

    Attributes:
        is_maker: Whether the order rested.
        is_free: Whether no fee is taken.
        reason: What the account is told about its changed balance.
    """

    is_maker: bool = False
    is_free: bool = False
    reason: str = "ORDER"


TAKEN = FillKind()
MADE = FillKind(is_maker=True)
LIQUIDATED = FillKind(is_free=True, reason="LIQUIDATION")
DELEVERAGED = FillKind(is_free=True)
