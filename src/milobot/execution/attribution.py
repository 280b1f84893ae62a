"""Whose is an execution: those that our books lack, and how much of them concerns us.

In one-way mode an account has one position per symbol, whoever trades in it. What others add
to ours is theirs; what they take off is theirs first, and ours once nothing of theirs is left.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from types import MappingProxyType

from milobot.domain.ids import client_order_id
from milobot.domain.money import ZERO, to_money
from milobot.domain.orders import Fill, Order, OrderPurpose, OrderStatus, OrderUpdate
from milobot.domain.slots import Slot

_NONE: Mapping[str, OrderUpdate | None] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Unbooked:
    """Executions that our books lack, by whose order they are.

    Attributes:
        own: Of orders of ours, by our id.
        foreign: Of others' orders, or of orders whose name we do not know, oldest first.
    """

    own: Mapping[str, tuple[Fill, ...]]
    foreign: tuple[Fill, ...]


def unbooked(
    fills: Iterable[Fill],
    booked: frozenset[str],
    orders: Collection[Order],
    strangers: Mapping[str, OrderUpdate | None] = _NONE,
) -> Unbooked:
    """Return the executions that are not booked, sorted by whose they are.

    Args:
        fills: The executions as listed, named by our id or the exchange's.
        booked: Ids of those that are booked.
        orders: Orders of ours.
        strangers: What the exchange told of orders by its own id: some turn out to be ours.
    """
    known = {order.client_order_id for order in orders}
    told = {name: one.client_order_id for name, one in strangers.items() if one is not None}
    names = {name: own for name, own in told.items() if own in known}
    names |= {o.exchange_order_id: o.client_order_id for o in orders if o.exchange_order_id}
    names |= {name: name for name in known}
    own: dict[str, list[Fill]] = {}
    foreign = []
    for fill in sorted(fills, key=lambda f: (f.time_ms, len(f.fill_id), f.fill_id)):
        if fill.fill_id in booked:
            continue
        name = names.get(fill.client_order_id)
        if name is None:
            foreign.append(fill)
        else:
            own.setdefault(name, []).append(replace(fill, client_order_id=name))
    return Unbooked({name: tuple(found) for name, found in own.items()}, tuple(foreign))


def with_fills(order: Order, fills: Sequence[Fill]) -> OrderUpdate:
    """Return the news that an order of ours has executions which our books lack."""
    filled = order.filled_quantity + sum((fill.quantity for fill in fills), ZERO)
    status = order.status
    if filled >= order.quantity > ZERO:
        status = OrderStatus.FILLED
    elif not status.is_final or status is OrderStatus.NOT_EXECUTED:
        status = OrderStatus.PARTIALLY_FILLED
    return OrderUpdate(
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        status=status,
        time_ms=fills[-1].time_ms,
        fills=tuple(fills),
        exchange_order_id=order.exchange_order_id,
    )


def reductions(
    slot: Slot,
    foreign: Iterable[Fill],
    quantity: Decimal,
    *,
    account: str,
    strangers: Mapping[str, OrderUpdate | None],
) -> tuple[OrderUpdate, ...]:
    """Return what others' executions took off our position, as news, one for each order.

    Args:
        slot: The slot; its position is open.
        foreign: Others' executions since shortly before the position was opened, oldest first.
        quantity: How much is missing; what older executions explain beyond it is left out.
        account: Part of the news' identities.
        strangers: What the exchange told of the orders behind, by its own id.
    """
    shares: dict[str, list[Fill]] = {}
    for fill, share in _latest(_shares(slot, foreign), quantity):
        shares.setdefault(fill.client_order_id, []).append(_share_of(fill, share))
    return tuple(
        _news_of(slot, exchange_id, fills, strangers.get(exchange_id), account)
        for exchange_id, fills in shares.items()
    )


def unexplained(
    slot: Slot, quantity: Decimal, price: Decimal, time_ms: int, *, account: str
) -> OrderUpdate:
    """Return news that takes off our position what is gone without an execution that tells why.

    Its identity comes from the position before and after, so that the same finding is
    booked once.
    """
    held = slot.position.quantity
    since_ms = slot.tally.entry_time_ms if slot.tally else 0
    gone = f"{slot.symbol}|{since_ms}|{slot.revision}|{held}|{held - quantity}"
    name = client_order_id(account, gone, "unexplained", 0)
    fill = Fill(
        fill_id=f"unexplained-{name}",
        client_order_id=name,
        symbol=slot.symbol,
        side=slot.position.side.exit,
        quantity=quantity,
        price=price,
        fee=ZERO,
        time_ms=time_ms,
    )
    return OrderUpdate(
        client_order_id=name,
        symbol=slot.symbol,
        status=OrderStatus.FILLED,
        time_ms=time_ms,
        fills=(fill,),
        reason="gone from the exchange without an execution that tells why; booked at mark price",
        purpose=OrderPurpose.EXTERNAL,
    )


def _shares(slot: Slot, foreign: Iterable[Fill]) -> list[tuple[Fill, Decimal]]:
    """Return how much of each execution reduced ours: what exceeds what they had added.

    What was executed before ours was opened took nothing off it.
    """
    found = []
    theirs, opened_ms = ZERO, slot.tally.entry_time_ms if slot.tally else 0
    for fill in foreign:
        if fill.side is not slot.position.side.exit:
            theirs += fill.quantity
            continue
        of_theirs = min(theirs, fill.quantity)
        theirs -= of_theirs
        if fill.quantity > of_theirs and fill.time_ms >= opened_ms:
            found.append((fill, fill.quantity - of_theirs))
    return found


def _latest(shares: list[tuple[Fill, Decimal]], quantity: Decimal) -> list[tuple[Fill, Decimal]]:
    """Return the last of some executions that add up to a quantity, oldest first."""
    found = []
    for fill, share in reversed(shares):
        if quantity > 0:
            found.append((fill, min(share, quantity)))
            quantity -= share
    return found[::-1]


def _share_of(fill: Fill, share: Decimal) -> Fill:
    if share == fill.quantity:
        return fill
    return replace(fill, quantity=share, fee=to_money(fill.fee * share / fill.quantity))


def _news_of(
    slot: Slot, exchange_id: str, fills: list[Fill], told: OrderUpdate | None, account: str
) -> OrderUpdate:
    purpose = (told.purpose if told is not None else None) or OrderPurpose.EXTERNAL
    name = client_order_id(account, f"{slot.symbol}|{exchange_id}", "external", 0)
    if told is not None and purpose is not OrderPurpose.EXTERNAL:
        name = told.client_order_id  # events of the exchange's own orders use it too
    by_hand = "closed or reduced by somebody else, by hand or by another program"
    by_exchange = "closed or reduced by the exchange: liquidation or auto-deleveraging"
    return OrderUpdate(
        client_order_id=name,
        symbol=slot.symbol,
        status=OrderStatus.FILLED,
        time_ms=fills[-1].time_ms,
        fills=tuple(replace(fill, client_order_id=name) for fill in fills),
        reason=by_hand if purpose is OrderPurpose.EXTERNAL else by_exchange,
        purpose=purpose,
        exchange_order_id=exchange_id,
    )
