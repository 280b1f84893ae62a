"""What an account has at stake by symbol, for the governor's limits. Pure."""

from collections.abc import Iterable
from decimal import Decimal

from milobot.domain.money import ZERO
from milobot.domain.orders import OrderPurpose
from milobot.domain.reports import PositionReport
from milobot.domain.slots import Setup, Slot


def exposures_of(
    symbol: str,
    *,
    slots: Iterable[Slot],
    promised: Iterable[Setup] = (),
    foreign: Iterable[PositionReport] = (),
) -> dict[str, Decimal]:
    """Return the notional of every other symbol that is open, opening or promised, in USDT.

    What is open counts at its entry price, what is on its way in full at the price it was
    planned at, and positions that are not ours at mark price.

    Args:
        symbol: The symbol that wants to enter; left out.
        slots: All slots of the account.
        promised: Plans that passed their gates and are not in their slots yet.
        foreign: Positions at the exchange; those of symbols that are in the slots are known.
    """
    found = {slot.symbol: _notional(slot) for slot in slots if not slot.is_idle}
    for setup in promised:
        held = found.get(setup.intent.symbol, ZERO)
        found[setup.intent.symbol] = max(held, _planned(setup))
    for position in foreign:
        found.setdefault(position.symbol, position.quantity * position.mark_price)
    found.pop(symbol, None)
    return found


def _notional(slot: Slot) -> Decimal:
    is_opening = bool(slot.live(OrderPurpose.ENTRY))
    planned = _planned(slot.setup) if slot.setup is not None and is_opening else ZERO
    return max(slot.position.cost, planned)


def _planned(setup: Setup) -> Decimal:
    return setup.quantity * setup.levels.reference
