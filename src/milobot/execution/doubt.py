"""When "not found" counts: what to ask about an order in doubt, and what the answers mean.

An order is in doubt while nobody here knows how it ends: PENDING after a restart, UNKNOWN,
a cancel that was not confirmed, a trigger whose order has not come, a market order that was
taken and should have filled by now. Pure; whoever runs the account does the asking.

The rules:

- What an exchange shows of an order is true. It is applied whatever it says.
- An **entry** that is not found may still come. Not found counts only when its request can
  no longer be taken (``send_before_ms`` and the receive window are over) and what was taken
  must have become visible (``engine_delay_ms``, the one assumption made about exchanges), in
  two rounds some seconds apart over order, open orders, fills and position, all asked after
  that moment of the exchange's own clock.
- A **reduction** on somebody's wish is sent once, too: two would take off more than was asked.
- An execution that nobody else can have caused is the entry's own, even when the exchange has
  lost its name: same side, same quantity, of one order, within its time.
- Any other **exit** can only reduce what has to go, so it may be sent twice: not found once is enough, and for
  ``patience_ms`` when the exchange had shown it before.
- A **trigger** that leads to nothing within ``patience_ms`` has failed: expired.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from milobot.domain.intents import Side
from milobot.domain.money import ZERO
from milobot.domain.orders import (
    TRANSITIONS,
    Fill,
    Order,
    OrderPurpose,
    OrderStatus,
    OrderType,
    OrderUpdate,
    Refusal,
)
from milobot.domain.reports import OrderReport

_OPEN_QUESTIONS = frozenset(
    {
        OrderStatus.PENDING,
        OrderStatus.UNKNOWN,
        OrderStatus.CANCEL_PENDING,
        OrderStatus.TRIGGERED,
    }
)
_TAKEN = frozenset({OrderStatus.SUBMITTED, OrderStatus.PARTIALLY_FILLED})


@dataclass(frozen=True, slots=True)
class Terms:
    """What is assumed about an exchange, in milliseconds of its own clock.

    Attributes:
        receive_window_ms: How long after its timestamp a request is still taken.
        engine_delay_ms: How long what was taken may stay invisible. The one assumption that
            an exchange can break; then the fill that shows up later is booked and flattened.
        apart_ms: Least time between two looks that count as two.
        ask_every_ms: How often an order in doubt is asked for.
        ask_rest_every_ms: How often the rest of an entry that fills in parts is asked for: what
            it opens is told by its fills. The rest of an exit is asked for like a doubt.
        patience_ms: How long a trigger may lead to nothing, and an exit that was there be missed.
        give_up_ms: How long after the fence a position that nobody explains keeps an entry
            in doubt that no question finds.
        unlisted_ms: How long a position that was filled counts as held although no listing shows
            it and no execution ends it. Far longer than any delay: whoever takes it for gone
            takes its stop away. Where others trade, too, ``give_up_ms`` has to do.
    """

    receive_window_ms: int = 2_000
    engine_delay_ms: int = 10_000
    apart_ms: int = 2_000
    ask_every_ms: int = 500
    ask_rest_every_ms: int = 2_000
    patience_ms: int = 1_500
    give_up_ms: int = 60_000
    unlisted_ms: int = 600_000


@dataclass(frozen=True, slots=True)
class Doubt:
    """What asking for one order has come to so far; starts empty, ends with the order.

    Attributes:
        since_ms: When it was first asked for; 0 before.
        asked_ms: When it was last asked for; 0 before.
        missed_ms: When the first of the rounds that count found nothing; 0 without one.
        triggered_ms: When it was first seen triggered and not filled; 0 before.
    """

    since_ms: int = 0
    asked_ms: int = 0
    missed_ms: int = 0
    triggered_ms: int = 0


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one round of asking for an order found.

    The last five are known after a whole round only; ``is_whole`` says that all was asked
    and answered.

    Attributes:
        asked_ms: When the first question left, on the exchange's clock.
        update: The exchange's answer about the order itself; None: it knows none.
        is_whole: Whether open orders, fills and positions were asked too.
        listed: What rests in the symbol.
        fills: Executions of the symbol since the order was made.
        booked: Ids of those that are booked, under whatever order.
        held: What the exchange holds in the symbol, negative when short.
        ours: What our books hold there, negative when short.
    """

    asked_ms: int
    update: OrderUpdate | None = None
    is_whole: bool = False
    listed: Sequence[OrderReport] = ()
    fills: Sequence[Fill] = ()
    booked: frozenset[str] = frozenset()
    held: Decimal = ZERO
    ours: Decimal = ZERO


def is_in_doubt(order: Order) -> bool:
    """Return whether an order has to be asked for; not while a request of ours is under way."""
    if order.status in _OPEN_QUESTIONS:
        return True
    # What executes at once has either ended by now or its news was lost.
    executes = order.type is OrderType.MARKET or order.status is OrderStatus.PARTIALLY_FILLED
    return executes and order.type is not OrderType.LIMIT and order.status in _TAKEN


def fence_ms(order: Order, terms: Terms) -> int:
    """Return from when on, by the exchange's clock, an order that is not found is not there."""
    left_ms = order.send_before_ms or order.created_ms
    return left_ms + terms.receive_window_ms + terms.engine_delay_ms


def due_ms(order: Order, doubt: Doubt, terms: Terms) -> int:
    """Return when an order in doubt is to be asked for next; 0 for at once."""
    if not doubt.asked_ms:
        return 0
    if order.status in _TAKEN and order.filled_quantity and order.purpose is OrderPurpose.ENTRY:
        return doubt.asked_ms + terms.ask_rest_every_ms
    if doubt.missed_ms and order.purpose.is_sent_once:
        return max(doubt.missed_ms + terms.apart_ms, doubt.asked_ms + terms.ask_every_ms)
    return doubt.asked_ms + terms.ask_every_ms


def needs_whole_round(order: Order, now_ms: int, terms: Terms) -> bool:
    """Return whether open orders, fills and positions have to be asked for with the order."""
    return order.purpose.is_sent_once and now_ms > fence_ms(order, terms)


def lost_with_its_trigger(order: Order, now_ms: int) -> OrderUpdate:
    """Return the end of an exit that is not known when some trigger is told to have failed."""
    return OrderUpdate(
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        status=OrderStatus.EXPIRED,
        time_ms=now_ms,
        reason="the exchange refused what came of a trigger and does not know this order",
    )


def judge(
    order: Order, sighting: Sighting, doubt: Doubt, terms: Terms
) -> tuple[Doubt, OrderUpdate | None]:
    """Return what is known after a round of asking, and news of the order if there is any.

    Args:
        order: The order as our books have it.
        sighting: What was found.
        doubt: What earlier rounds came to.
        terms: What is assumed about the exchange.
    """
    asked_ms = sighting.asked_ms
    doubt = replace(doubt, since_ms=doubt.since_ms or asked_ms, asked_ms=asked_ms)
    if sighting.update is not None:
        return _judge_seen(order, sighting.update, replace(doubt, missed_ms=0), terms)
    if order.purpose.is_sent_once:
        return _judge_lost_entry(order, sighting, doubt, terms)
    return _judge_lost_exit(order, doubt, terms)


def _judge_lost_exit(order: Order, doubt: Doubt, terms: Terms) -> tuple[Doubt, OrderUpdate | None]:
    """Return the end of an exit that was not found: at once, or soon if it had been there."""
    doubt = replace(doubt, missed_ms=doubt.missed_ms or doubt.asked_ms)
    was_there = order.status is OrderStatus.TRIGGERED or order.status in _TAKEN
    if was_there and doubt.asked_ms - doubt.missed_ms < terms.patience_ms:
        return doubt, None
    reason = "the exchange does not know it: what is still needed of it is sent anew"
    return doubt, _vanished(order, doubt.asked_ms, reason)


def _judge_seen(
    order: Order, update: OrderUpdate, doubt: Doubt, terms: Terms
) -> tuple[Doubt, OrderUpdate | None]:
    """Return the news, unless it says for too long that a trigger has led to nothing."""
    has_filled = order.filled_quantity > 0 or bool(update.fills)
    if update.status is not OrderStatus.TRIGGERED or has_filled:
        return replace(doubt, triggered_ms=0), update
    doubt = replace(doubt, triggered_ms=doubt.triggered_ms or doubt.asked_ms)
    if doubt.asked_ms - doubt.triggered_ms < terms.patience_ms:
        return doubt, update
    reason = (
        f"it was triggered, and for {(doubt.asked_ms - doubt.triggered_ms) / 1000:g} s no order"
        " came of it: it counts as expired"
    )
    return doubt, replace(update, status=OrderStatus.EXPIRED, reason=reason)


def _judge_lost_entry(
    order: Order, sighting: Sighting, doubt: Doubt, terms: Terms
) -> tuple[Doubt, OrderUpdate | None]:
    """Return whether an entry that was not found by its name is there, gone, or still open."""
    own = _own_executions(order, sighting, terms)
    if own:
        return replace(doubt, missed_ms=0), _found_by_execution(order, own)
    fence = fence_ms(order, terms)
    if not sighting.is_whole or sighting.asked_ms <= fence:
        return replace(doubt, missed_ms=0), None
    gives_up = sighting.asked_ms > fence + terms.give_up_ms
    if _is_listed(order, sighting) or (_is_contested(order, sighting) and not gives_up):
        return replace(doubt, missed_ms=0), None
    if not doubt.missed_ms:
        return replace(doubt, missed_ms=sighting.asked_ms), None
    if sighting.asked_ms - doubt.missed_ms < terms.apart_ms:
        return doubt, None
    after_s = (sighting.asked_ms - (order.send_before_ms or order.created_ms)) / 1000
    reason = (
        f"{after_s:.0f} s after its last moment to be sent the exchange showed it neither as an"
        " order nor as a fill nor as a position, asked twice: it was not executed"
    )
    return doubt, _vanished(order, sighting.asked_ms, reason)


def _own_executions(order: Order, sighting: Sighting, terms: Terms) -> tuple[Fill, ...]:
    """Return the executions that can only be this order's, although nobody names it.

    An exchange that forgets ended orders, or drops the id it was given, still lists what was
    executed. All of it has to fit: side, quantity, time, one order, and the position has to
    be larger than our books by just as much.
    """
    sign = 1 if order.side is Side.BUY else -1
    missing = order.quantity - order.filled_quantity
    if not sighting.is_whole or (sighting.held - sighting.ours) * sign != missing:
        return ()
    last_ms = (order.send_before_ms or order.created_ms) + terms.receive_window_ms
    last_ms += terms.engine_delay_ms
    found = [
        fill
        for fill in sighting.fills
        if fill.fill_id not in sighting.booked
        and fill.side is order.side
        and order.created_ms <= fill.time_ms <= last_ms
    ]
    is_of_one = len({fill.client_order_id for fill in found}) == 1
    if not is_of_one or sum((f.quantity for f in found), ZERO) != missing:
        return ()
    return tuple(found)


def _found_by_execution(order: Order, fills: tuple[Fill, ...]) -> OrderUpdate:
    told = fills[-1].client_order_id
    return OrderUpdate(
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        status=OrderStatus.FILLED,
        time_ms=fills[-1].time_ms,
        fills=tuple(replace(fill, client_order_id=order.client_order_id) for fill in fills),
        reason="recognized by its execution: the exchange does not know it by our id",
        exchange_order_id="" if told == order.client_order_id else told,
    )


def _is_listed(order: Order, sighting: Sighting) -> bool:
    names = {order.client_order_id, order.exchange_order_id} - {""}
    return any(names & {r.client_order_id, r.exchange_order_id} for r in sighting.listed)


def _is_contested(order: Order, sighting: Sighting) -> bool:
    """Return whether more is held in the entry's direction than our books explain."""
    sign = 1 if order.side is Side.BUY else -1
    return (sighting.held - sighting.ours) * sign > 0


def _vanished(order: Order, asked_ms: int, reason: str) -> OrderUpdate:
    """Return the news that an order is not there: never was, or is no more."""
    allowed = TRANSITIONS[order.status]
    never_was = OrderStatus.NOT_EXECUTED in allowed and not order.filled_quantity
    return OrderUpdate(
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        status=OrderStatus.NOT_EXECUTED if never_was else _end(order),
        time_ms=asked_ms,
        reason=reason,
        refusal=None if order.purpose.is_sent_once else Refusal.UNAVAILABLE,
    )


def _end(order: Order) -> OrderStatus:
    """Return how an order that was there ends when it is not found any more.

    What was triggered and left nothing has failed; everything else was taken away.
    """
    is_triggered = order.status is OrderStatus.TRIGGERED
    return OrderStatus.EXPIRED if is_triggered else OrderStatus.CANCELLED
