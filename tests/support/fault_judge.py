"""The judge of the fault matrix: what may be said of an order, given what the ledger knows."""

from collections.abc import Iterable

from tests.support.fault_cases import Case

from milobot.domain.money import ZERO
from milobot.domain.orders import OrderStatus, OrderUpdate
from milobot.local_exchange.core.orders import Conditional, Status, VenueOrder

Item = VenueOrder | Conditional
S = OrderStatus
TAKEN = {S.SUBMITTED, S.PARTIALLY_FILLED, S.FILLED, S.TRIGGERED, S.CANCELLED, S.EXPIRED}
NOT_TAKEN = {S.REJECTED, S.NOT_EXECUTED}
NOT_FOUND, NO_ANSWER = "not found", "no answer"
# Longer than any delay or ban of the plan, and than the wait after which "not found" may be believed.
FENCE_S = 130.0
# What the exchange itself hides or shows as it was: to be told so is no mistake of the client.
HIDES = {"invisible", "stale_orders", "history_retention", "client_id_dropped"}


def judge_placing(case: Case, updates: tuple[OrderUpdate, ...], made: list[Item]) -> str:
    """Return what is wrong with an answer to an order, given what the order has made."""
    if len(made) > 1:
        return f"executed {len(made)} times"
    if len(updates) != 1:
        return f"{len(updates)} answers to one order"
    status = updates[0].status
    if status in NOT_TAKEN and made:
        return f"said {status} of an order that was executed"
    if status in TAKEN and not made:
        return f"said {status} of an order that is not there"
    if status is S.UNKNOWN and case.is_clear:
        return "said UNKNOWN although the answer was clear"
    return _judge_fills(updates[0], made)


def _judge_fills(update: OrderUpdate, made: Iterable[Item]) -> str:
    told = sum((fill.quantity for fill in update.fills), ZERO)
    true = sum((item.filled for item in made if isinstance(item, VenueOrder)), ZERO)
    if told > true:
        return f"told of {told} filled, true are {true}"
    is_full = any(isinstance(i, VenueOrder) and i.status is Status.FILLED for i in made)
    if update.status is S.FILLED and (told != true or not is_full):
        return f"said FILLED with {told} of {true}"
    return ""


def judge_cancel(case: Case, status: OrderStatus, item: Item) -> str:
    """Return what is wrong with an answer to a cancel of an order."""
    if status in {S.CANCELLED, S.EXPIRED, S.REJECTED, S.NOT_EXECUTED, S.FILLED} and is_open(item):
        return f"said {status} of an order that still rests"
    if status is S.CANCELLED and item.status not in {Status.CANCELED, Status.EXPIRED}:
        return f"said CANCELLED of an order that is {item.status}"
    if status is S.FILLED and item.status is not Status.FILLED:
        return f"said FILLED of an order that is {item.status}"
    if status is S.SUBMITTED and not is_open(item) and case.fault not in HIDES:
        return f"said SUBMITTED of an order that is {item.status}"
    return ""


def may_be_missing(case: Case) -> bool:
    """Return whether the exchange said in so many words that there is no such order."""
    return case.is_code and case.fault in {"-2013", "80016", "109421"}


def judge_query(case: Case, update: OrderUpdate, found: list[Item]) -> str:
    """Return what is wrong with news that a query brought."""
    if not found:
        return f"said {update.status} of an order that is not there"
    if case.fault in HIDES:
        return ""
    item = found[-1]
    said_open = update.status in {S.SUBMITTED, S.PARTIALLY_FILLED}
    if update.status is S.UNKNOWN:
        return "answered, and said UNKNOWN"
    if said_open and item.status is Status.FILLED and update.fills == ():
        return ""  # taken; its fills were not to be had
    if said_open is not is_open(item) and not (said_open and isinstance(item, VenueOrder)):
        return f"said {update.status} of an order that is {item.status}"
    return _judge_fills(update, found)


def is_open(item: Item) -> bool:
    """Return whether an order may still do something."""
    return item.is_open
