"""Whose is what rests: orders of a listing sorted into ours, ours of old, and others'.

Our id names an order; where an exchange takes none (stops of BingX), its own id does, once
told; where it was never told, symbol, side, kind and trigger price do. What came with an entry
is made by the exchange, so its quantity may be another than that of the entry.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace

from milobot.domain.ids import is_ours
from milobot.domain.orders import Order, OrderPurpose, OrderStatus, OrderType, OrderUpdate
from milobot.domain.reports import OrderReport

# What an order serves that no plan of ours knows: nothing that fills of it is planned.
_LOST_INTENT = "lost"
# What rested before an entry left did not come with it; an exchange's clock may be off by this.
_CLOCK_SLACK_MS = 2_000

_IsSame = Callable[[OrderReport, Order], bool]


@dataclass(slots=True)
class Listing:
    """What rests in one symbol.

    Attributes:
        live: Our live orders that rest, by our id.
        late: Our ended orders that rest all the same, with what is told of them.
        lost: Orders that carry an id of ours, which no order at hand has.
        foreign: Everything else.
    """

    live: dict[str, OrderReport] = field(default_factory=dict)
    late: list[tuple[Order, OrderReport]] = field(default_factory=list)
    lost: list[OrderReport] = field(default_factory=list)
    foreign: list[OrderReport] = field(default_factory=list)


def sort_listing(
    reports: Iterable[OrderReport],
    live: Iterable[Order],
    ended: Iterable[Order],
    attached: Collection[str] = (),
) -> Listing:
    """Return the orders that rest in a symbol, sorted by whose they are.

    Args:
        reports: What rests.
        live: Our orders that may rest.
        ended: Those that should not any more.
        attached: Our ids of exits that came with an entry, lately.
    """
    found = Listing()
    alive = list(live)
    gone = [order for order in ended if order not in alive]
    unnamed = []
    for report in reports:
        order = _by_name(report, alive)
        old = _by_name(report, gone)
        if order is not None:
            found.live[order.client_order_id] = report
        elif old is not None:
            found.late.append((old, report))
        elif is_ours(report.client_order_id):
            found.lost.append(report)
        else:
            unnamed.append(report)
    for is_same in (_is_twin, _does_the_same):
        unnamed = [r for r in unnamed if not _is_sorted_in(found, r, alive, gone, is_same)]
    alive = [order for order in alive if order.client_order_id in attached]
    gone = [order for order in gone if order.client_order_id in attached]
    found.foreign = [r for r in unnamed if not _is_sorted_in(found, r, alive, gone, _does_its_part)]
    return found


def is_nameless_exit(report: OrderReport) -> bool:
    """Return whether an order that rests may be one of ours that the exchange keeps no id of."""
    is_conditional = report.type is not None and report.type.is_conditional
    return is_conditional and not report.client_order_id


def adopt(report: OrderReport, intent_key: str = _LOST_INTENT) -> Order:
    """Return a record of an order of ours that has none, from what the exchange tells of it.

    It belongs to no plan: what fills of an entry is flattened as a late fill.
    """
    return Order(
        client_order_id=report.client_order_id,
        intent_key=intent_key,
        symbol=report.symbol,
        side=report.side,
        type=report.type or OrderType.MARKET,
        purpose=_purpose_of(report),
        quantity=report.quantity,
        created_ms=report.time_ms,
        reduce_only=report.reduce_only or report.close_position,
        close_position=report.close_position,
        price=report.price,
        trigger_price=report.trigger_price,
        status=OrderStatus.UNKNOWN,
        reason="found at the exchange under an id of ours, without a record here",
        exchange_order_id=report.exchange_order_id,
    )


def resting(order: Order, report: OrderReport, attached: Collection[str]) -> OrderUpdate:
    """Return the news that an order of ours rests; of what came with an entry, over how much.

    Args:
        order: The order as our books have it.
        report: What is listed of it.
        attached: Our ids of exits that came with an entry.
    """
    update = OrderUpdate(
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        status=OrderStatus.SUBMITTED,
        time_ms=report.time_ms,
        exchange_order_id=report.exchange_order_id,
    )
    is_other = order.client_order_id in attached and report.quantity not in {order.quantity, 0}
    return replace(update, quantity=report.quantity) if is_other else update


def is_altered(order: Order, report: OrderReport) -> bool:
    """Return whether an order of ours rests as we never sent it: changed by somebody's hand.

    Quantities are no sign: exchanges cut reduce-only orders to what is left to reduce.
    """
    if report.side is not order.side:
        return True
    told, sent = report.trigger_price, order.trigger_price
    return None not in {told, sent} and told != sent


def _by_name(report: OrderReport, orders: Iterable[Order]) -> Order | None:
    for order in orders:
        if report.client_order_id == order.client_order_id:
            return order
        if report.exchange_order_id and report.exchange_order_id == order.exchange_order_id:
            return order
    return None


def _is_sorted_in(
    found: Listing, report: OrderReport, alive: list[Order], gone: list[Order], is_same: _IsSame
) -> bool:
    """Sort in an order without a name of ours; each of ours can be one of those only."""
    taken = set(found.live) | {order.client_order_id for order, _ in found.late}
    for order in (*alive, *gone):
        if order.client_order_id in taken or not is_same(report, order):
            continue
        if order in alive:
            found.live[order.client_order_id] = report
        else:
            found.late.append((order, report))
        return True
    return False


def _is_twin(report: OrderReport, order: Order) -> bool:
    """Return whether an order that was never named does just what a report shows."""
    return report.close_position == order.close_position and _does_the_same(report, order)


def _does_the_same(report: OrderReport, order: Order) -> bool:
    """Return whether an order that was never named may be what a report shows."""
    is_same_size = report.close_position or report.quantity == order.quantity
    return is_same_size and _is_in_its_place(report, order)


def _does_its_part(report: OrderReport, order: Order) -> bool:
    """Return whether an exit that came with an entry may rest like this, over another quantity."""
    # Asked for before its entry had filled it may have been missed, and counted as ended.
    is_later = report.time_ms >= order.created_ms - _CLOCK_SLACK_MS
    is_new = is_later and order.status is not OrderStatus.FILLED
    return is_new and not report.close_position and _is_where(report, order)


def _is_in_its_place(report: OrderReport, order: Order) -> bool:
    may_rest = order.is_live or order.status is OrderStatus.NOT_EXECUTED
    return may_rest and _is_where(report, order)


def _is_where(report: OrderReport, order: Order) -> bool:
    """Return whether what nobody has named has the side, the kind and the trigger of an order."""
    if report.client_order_id or order.exchange_order_id:
        return False
    if not order.type.is_conditional or report.type is not order.type:
        return False
    return not is_altered(order, report)


def _purpose_of(report: OrderReport) -> OrderPurpose:
    if not (report.reduce_only or report.close_position):
        return OrderPurpose.ENTRY
    if report.type is OrderType.STOP_MARKET:
        return OrderPurpose.STOP
    is_target = report.type is OrderType.TAKE_PROFIT_MARKET
    return OrderPurpose.TARGET if is_target else OrderPurpose.CLOSE
