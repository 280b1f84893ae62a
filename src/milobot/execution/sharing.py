"""A position that is ours in part: somebody else has added to it, by hand or with another bot.

In one-way mode an exchange keeps one position per symbol. What closes all of it closes what is
theirs, so ours is guarded by its quantity for as long as they hold something beside it. Pure.
"""

from milobot.domain.orders import Order
from milobot.domain.slots import Slot
from milobot.execution.findings import Code


def is_shared(slot: Slot) -> bool:
    """Return whether a comparison has found more at the exchange than our books hold."""
    return slot.blocked == Code.POSITION_LARGER


def guards_ours(stop: Order, slot: Slot) -> bool:
    """Return whether a stop closes all that is ours, and nothing else."""
    if stop.close_position:
        return not is_shared(slot)
    return stop.quantity - stop.filled_quantity == slot.held
