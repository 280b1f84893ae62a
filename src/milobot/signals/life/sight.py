"""What a signal sees of its slot."""

from decimal import Decimal

from milobot.domain.money import ZERO, round_down
from milobot.domain.slots import Setup, Slot, Tally
from milobot.signals.life.happenings import SlotView


def view_of(slot: Slot) -> SlotView:
    """Return what signals want to know of a slot."""
    wanted = (slot.setup.intent if slot.setup else None, slot.queued)
    tally = slot.tally
    return SlotView(
        keys=frozenset(intent.key for intent in wanted if intent is not None),
        on_its_way=frozenset(o.intent_key for o in slot.orders if o.purpose.is_sent_once),
        held=slot.held,
        entry_price=_mean(tally) if tally else None,
        exit_quantity=tally.exit_quantity if tally else ZERO,
        targets_hit=targets_hit(slot.setup, tally) if slot.setup and tally else 0,
    )


def _mean(tally: Tally) -> Decimal | None:
    return tally.entry_cost / tally.entry_quantity if tally.entry_quantity else None


def targets_hit(setup: Setup, tally: Tally) -> int:
    """Return how many targets have taken their share of what was entered."""
    step, share, count = setup.rules.quantity_step, ZERO, 0
    for number, target in enumerate(setup.levels.targets, start=1):
        share += target.share
        end = round_down(tally.entry_quantity * share, step)
        if 0 < end <= tally.target_quantity:
            count = number
    return count
