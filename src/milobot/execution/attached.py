"""Exits that travel with their entry: orders of ours from the start, which rest when it fills.

Where an exchange takes stop and target along with the entry (BingX), they are on record with
it as exits on their way. They count when they are seen resting, like every other exit; what is
not seen in time is placed separately. So a process that dies between the entry's fill and the
first look leaves a position that has its stop, and the next one knows it as its own. One that was
given up and shows up later is known by these names, after a restart and for later entries too. Pure.
"""

from dataclasses import replace

from milobot.domain.ids import client_order_id
from milobot.domain.orders import Order, OrderPurpose, OrderType
from milobot.domain.slots import Setup, Slot

# Those of the last four entries: an exchange shows what it has made within seconds.
_REMEMBERED = 8


def with_exits(slot: Slot, entry: Order, setup: Setup, account: str) -> tuple[Slot, Order]:
    """Return slot and entry with the exits that the entry carries, on their way in the slot.

    Args:
        slot: The slot, which counts the orders sent.
        entry: The entry; the slot does not have it yet.
        setup: Its plan. A position with several targets carries none of them: the exchange
            takes one, for all of it.
        account: Part of the exits' names.
    """
    exits: list[Order] = []
    wanted = [(OrderPurpose.STOP, OrderType.STOP_MARKET, setup.levels.stop)]
    if len(setup.levels.targets) == 1:
        target = setup.levels.target
        wanted.append((OrderPurpose.TARGET, OrderType.TAKE_PROFIT_MARKET, target))
    for purpose, kind, trigger_price in wanted:
        if trigger_price is not None:
            name = client_order_id(account, entry.intent_key, purpose, slot.revision)
            slot = replace(slot, revision=slot.revision + 1)
            exits.append(
                replace(
                    entry,
                    client_order_id=name,
                    side=setup.action.side.exit,
                    type=kind,
                    purpose=purpose,
                    reduce_only=True,
                    trigger_price=trigger_price,
                )
            )
    entry = replace(entry, attached=tuple(exits))
    names = (*(one.client_order_id for one in exits), *slot.attached)
    slot = replace(slot, attached=names[:_REMEMBERED])
    for order in (entry, *exits):
        slot = slot.with_order(order)
    return slot, entry


def is_attached(order: Order, slot: Slot) -> bool:
    """Return whether an order came with the entry that the slot's plan is about."""
    is_planned = slot.setup is not None and order.intent_key == slot.setup.intent.key
    return is_planned and order.client_order_id in slot.attached
