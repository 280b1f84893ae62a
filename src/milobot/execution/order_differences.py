"""Orders compared: ours that rest, ours that do not any more, ours that should not, others'."""

from dataclasses import replace

from milobot.domain.orders import Order, OrderPurpose, OrderStatus, OrderUpdate
from milobot.domain.reports import OrderReport
from milobot.domain.slots import PositionState, position_state
from milobot.execution.attribution import unbooked, with_fills
from milobot.execution.doubt import is_in_doubt
from milobot.execution.findings import Code, booked_quantity, signed
from milobot.execution.listing import (
    Listing,
    adopt,
    is_altered,
    is_nameless_exit,
    resting,
    sort_listing,
)
from milobot.execution.look import Look

_RESTING = frozenset({OrderStatus.SUBMITTED, OrderStatus.PARTIALLY_FILLED})
_NOT_KNOWN_TO_REST = frozenset({OrderStatus.PENDING, OrderStatus.UNKNOWN})


def compare_orders(look: Look) -> tuple[OrderReport, ...]:
    """Compare what rests with our orders; return what rests and is not ours."""
    live = look.ours.slot.orders
    listing = sort_listing(look.reports, live, look.orders.values(), look.slot.attached)
    _ask_what_came_along(look, listing)
    for order in live:
        report = listing.live.get(order.client_order_id)
        if report is None:
            _missing(look, order)
        else:
            _resting(look, order, report)
    for order, report in listing.late:
        _rests_after_its_end(look, order, report)
    for report in listing.lost:
        _lost(look, report)
    return tuple(listing.foreign)


def _ask_what_came_along(look: Look, listing: Listing) -> None:
    """Ask for exits that were given up, before one of them is called another's.

    It may have begun to rest since, and the process that gave it up may have died. What came
    with an entry is known by the entry, and what was placed by itself by the exchange's id.
    """
    nameless = [report for report in listing.foreign if is_nameless_exit(report)]
    if not nameless:
        return
    known = look.orders.keys() | look.snapshot.records.keys()
    names = (*look.slot.attached, *(report.exchange_order_id for report in nameless))
    unknown = [name for name in names if name and name not in known]
    if unknown:
        look.ask_records.extend(unknown)
        look.is_decided = False


def _resting(look: Look, order: Order, report: OrderReport) -> None:
    """Take over what a listing tells of an order of ours."""
    if is_altered(order, report):
        what = f"altered|{order.client_order_id}|{report.side}|{report.trigger_price}"
        if look.is_seen_twice(what):
            look.withdraw.append(order)
            look.note(Code.ORDER_ALTERED, _altered(order, report))
    elif report.filled_quantity > order.filled_quantity:
        _ask(look, order)
    elif order.status in _NOT_KNOWN_TO_REST:
        look.tell(resting(order, report, look.slot.attached))
    elif report.exchange_order_id != order.exchange_order_id:
        # Nothing new but their name of it, which our books may lack.
        look.tell(replace(resting(order, report, ()), status=order.status))
    now = look.orders[order.client_order_id]
    if now.status in _RESTING and now.filled_quantity == report.filled_quantity:
        look.shown.add(order.client_order_id)


def _missing(look: Look, order: Order) -> None:
    """Find out what became of an order of ours that is not listed."""
    look.has_missing = True
    if is_in_doubt(order):
        look.is_decided = False  # it is being asked for anyway, and sooner than from here
        return
    has_answer, update = look.answer_about(order)
    if not has_answer:
        return
    if update is not None:
        look.has_missing = False
        if look.tell(update):
            look.note(Code.ORDER_NEWS, f"the {_name(order)} is {update.status} by now")
        return
    visible_ms = order.created_ms + look.terms.engine_delay_ms
    if look.snapshot.asked_ms <= visible_ms:
        look.wait()
    elif look.is_seen_twice(f"gone|{order.client_order_id}|{order.status}|{order.filled_quantity}"):
        _vanished(look, order)


def _vanished(look: Look, order: Order) -> None:
    """End an order that is neither listed nor found, with what was executed of it."""
    fills = look.fills()
    if fills is None:
        return
    look.has_missing = False
    own = unbooked(fills, look.booked, look.orders.values()).own.get(order.client_order_id)
    if own:
        look.tell(with_fills(order, own))
    order = look.orders[order.client_order_id]
    if order.is_live:
        status, asked_ms = OrderStatus.CANCELLED, look.snapshot.asked_ms
        reason = "neither listed nor found any more: it counts as cancelled"
        look.tell(OrderUpdate(order.client_order_id, order.symbol, status, asked_ms, (), reason))
    look.note(Code.ORDER_VANISHED, f"the {_name(order)} is not at the exchange any more")


def _rests_after_its_end(look: Look, order: Order, report: OrderReport) -> None:
    """Bring an order back that was given up too soon; see to it that any other goes."""
    if order.status is OrderStatus.NOT_EXECUTED:
        if report.filled_quantity > order.filled_quantity:
            _ask(look, order)
        else:
            look.tell(resting(order, report, look.slot.attached))
        if order.purpose.is_sent_once:
            look.withdraw.append(look.orders[order.client_order_id])
        look.note(Code.ORDER_NEWS, f"the {_name(order)}, which counted as not executed, rests")
    elif look.is_settled and look.is_seen_twice(f"rests|{order.client_order_id}"):
        # Nameless twins may have been mistaken for each other: it is this one that rests.
        their_id = report.exchange_order_id or order.exchange_order_id
        look.withdraw.append(replace(order, exchange_order_id=their_id))
        look.note(Code.ORDER_ORPHANED, f"the {_name(order)} rests although it has ended")


def _lost(look: Look, report: OrderReport) -> None:
    """Deal with an order under an id of ours that no books know."""
    if report.client_order_id not in look.snapshot.records:
        look.ask_records.append(report.client_order_id)
        look.is_decided = False
        return
    order = adopt(report)
    is_needed = order.purpose is not OrderPurpose.ENTRY and not _is_safe_without(look)
    sentence = f"the {_name(order)} carries an id of ours, but is in no ledger here"
    look.note(Code.ORDER_ORPHANED, sentence + (": it stays" if is_needed else ": it is withdrawn"))
    if is_needed or not look.is_seen_twice(f"lost|{report.client_order_id}"):
        return
    update: OrderUpdate | None = resting(order, report, ())
    if report.filled_quantity:
        _, update = look.answer_about(order)
    if update is not None:
        look.adopt(order)
        look.tell(update)
        look.withdraw.append(look.orders[order.client_order_id])


def _is_safe_without(look: Look) -> bool:
    """Return whether nothing is held that an exit of unknown origin may protect."""
    held, ours = signed(look.theirs), booked_quantity(look.slot)
    is_protected = position_state(look.slot) is PositionState.PROTECTED
    return held == ours and (held == 0 or is_protected)


def _ask(look: Look, order: Order) -> None:
    """Take over what the exchange answers about an order, with its fills."""
    _, update = look.answer_about(order)
    if update is not None and look.tell(update):
        look.note(Code.ORDER_NEWS, f"the {_name(order)} has filled further than was told")


def _altered(order: Order, report: OrderReport) -> str:
    return (
        f"the {_name(order)} rests as {report.side} at {report.trigger_price} instead of"
        f" {order.side} at {order.trigger_price}: it is withdrawn and placed anew"
    )


def _name(order: Order) -> str:
    return f"{order.purpose} order {order.client_order_id}"
