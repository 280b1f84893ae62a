"""How far the wallet has moved away from what our books explain: a number to look at.

Deposits, withdrawals and what others trade on the account move it too, so nothing is decided
by it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from milobot.domain.money import ZERO
from milobot.domain.slots import Slot


@dataclass(frozen=True, slots=True)
class WalletMark:
    """What the wallet held and what our books had booked at the same moment, in USDT."""

    wallet: Decimal
    booked: Decimal


def booked_total(slots: Iterable[Slot]) -> Decimal:
    """Return what every slot has gained so far: price gains less fees and funding, in USDT."""
    return sum((slot.position.net_pnl for slot in slots), ZERO)


def wallet_drift(mark: WalletMark, wallet: Decimal, slots: Iterable[Slot]) -> Decimal:
    """Return by how much more the wallet has grown since the mark than our books, in USDT."""
    return (wallet - mark.wallet) - (booked_total(slots) - mark.booked)
