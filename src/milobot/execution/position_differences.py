"""Positions compared: what others took off ours, what they hold beside it, what they changed."""

from collections.abc import Sequence
from decimal import Decimal

from milobot.domain.ids import is_ours
from milobot.domain.money import ZERO
from milobot.domain.orders import Fill, Order, OrderPurpose, OrderStatus, OrderUpdate
from milobot.domain.reports import MarginMode, OrderReport
from milobot.execution.attribution import (
    Unbooked,
    reductions,
    unbooked,
    unexplained,
    with_fills,
)
from milobot.execution.findings import BLOCKING, Code, booked_quantity, signed
from milobot.execution.forced import book_forced
from milobot.execution.look import CLOCK_SLACK_MS, Look

_HOUR_MS = 3_600_000
_MOST_ASKED = 10
_POSITION = "position|"


def compare_position(look: Look) -> Code | None:
    """Compare what is held with our books; return why entries have to wait, if they have to."""
    if _difference(look) == 0:
        return None
    is_stale = _is_stale(look)
    if look.has_open_question or is_stale:
        look.wait()
        look.remember(_POSITION)
        if is_stale and look.has_excess and not look.has_open_question:
            _book_ours(look)  # what an old picture shows proves nothing, what was executed does
        return None
    _book_ours(look)
    if look.slot.early:
        look.wait()  # an exit's fills wait for those of its entry: they are being asked for
        return None
    if not look.has_to_ask():
        _book_forced(look)
        _book_reduction(look)
    return None if look.has_to_ask() or _is_reducible(look) else _excess(look)


def compare_settings(look: Look) -> None:
    """Tell the reader when somebody changed leverage or margin mode of a position of ours."""
    theirs, setup = look.theirs, look.slot.setup
    if theirs is None or setup is None or look.slot.position.is_flat:
        return
    if theirs.leverage not in {None, setup.action.leverage}:
        look.note(
            Code.SETTINGS_CHANGED,
            f"leverage is {theirs.leverage}x now, the entry was made with"
            f" {setup.action.leverage}x: the liquidation price has moved, the stop has not",
        )
    if theirs.margin_mode is MarginMode.CROSS:
        look.note(
            Code.SETTINGS_CHANGED,
            "margin mode is CROSS now: a loss is not limited to the position's margin any more",
        )


def block(look: Look, code: Code | None, foreign: Sequence[OrderReport]) -> None:
    """Say whether entries in the symbol are to be blocked or let pass again."""
    if foreign:
        look.note(Code.FOREIGN_ORDERS, _foreign_orders(foreign))
        code = code or Code.FOREIGN_ORDERS
    now = look.slot.blocked
    if now and now not in BLOCKING:
        return  # blocked for somebody else's reason, who also ends it
    if code is not None:
        has_worse = now == Code.POSITION_LARGER and not look.is_decided
        if now != code and not has_worse:
            look.blocked = code
    elif now and look.is_decided and look.is_seen_twice("clear"):
        look.blocked = ""


def _difference(look: Look) -> Decimal:
    return signed(look.theirs) - booked_quantity(look.slot)


def _is_stale(look: Look) -> bool:
    """Return whether the exchange shows the position as it was before a fill that we know."""
    theirs = look.theirs
    is_older = theirs is not None and theirs.time_ms < look.ours.filled_ms
    return is_older and not look.is_settled


def _book_ours(look: Look) -> None:
    """Book what orders of ours have executed unheard: facts, whatever else is open."""
    _ask_ended(look)
    is_known = look.slot.position.is_flat and look.slot.blocked == Code.FOREIGN_POSITION
    if not is_known:
        _book_executions(look)


def _ask_ended(look: Look) -> None:
    """Ask for orders of ours that ended without having filled: they may have after all."""
    since_ms = look.snapshot.asked_ms - _HOUR_MS
    suspects = [o for o in look.ours.ended if _may_have_filled(o, since_ms)]
    for order in sorted(suspects, key=lambda o: -o.created_ms)[:_MOST_ASKED]:
        _, update = look.answer_about(order)
        if update is not None and update.fills and look.tell(update):
            look.note(Code.ORDER_NEWS, f"order {order.client_order_id} had filled before it ended")


def _may_have_filled(order: Order, since_ms: int) -> bool:
    # Closes are refused again and again where there is nothing to close: asking takes its time.
    is_refused = order.purpose is OrderPurpose.CLOSE and order.status is OrderStatus.REJECTED
    if is_refused or order.filled_quantity >= order.quantity:
        return False
    return order.status.is_final and order.created_ms > since_ms


def _book_executions(look: Look) -> None:
    """Book executions of our own orders that were never told."""
    fills = look.fills()
    if fills is None:
        return
    for name, own in _unbooked(look, fills).own.items():
        if look.tell(with_fills(look.orders[name], own)):
            look.note(Code.ORDER_NEWS, f"order {name} had an execution that was never told")
    if _difference(look) == 0:
        return
    # What is left is others' or of an order of ours whose name there we do not know.
    strangers = look.snapshot.strangers
    for name in dict.fromkeys(fill.client_order_id for fill in _unbooked(look, fills).foreign):
        if is_ours(name):
            _ask_record(look, name)
        elif name not in strangers:
            look.ask_strangers.append(name)
            look.is_decided = False
        else:
            told = strangers[name]
            _ask_record(look, told.client_order_id if told else "")


def _ask_record(look: Look, name: str) -> None:
    """Look up an order that carries an id of ours and is not at hand."""
    if is_ours(name) and name not in look.snapshot.records and name not in look.ask_records:
        look.ask_records.append(name)
        look.is_decided = False


def _unbooked(look: Look, fills: Sequence[Fill]) -> Unbooked:
    return unbooked(fills, look.booked, look.orders.values(), look.snapshot.strangers)


def _missing(look: Look) -> Decimal:
    """Return how much of our position is not at the exchange any more."""
    held, ours = signed(look.theirs), signed(look.slot.position)
    left = min(abs(held), abs(ours)) if held * ours > 0 else ZERO
    return abs(ours) - left


def _is_reducible(look: Look) -> bool:
    return _missing(look) > 0


def _book_forced(look: Look) -> None:
    """Book what the exchange took off a position of ours before it showed it."""
    fills = look.snapshot.fills.get(look.symbol)
    # What would only take something off ours has to be seen twice, like all that does.
    is_turned = signed(look.theirs) * signed(look.slot.position) < 0
    if fills is not None and (is_turned or not _is_reducible(look)):
        book_forced(look, _unbooked(look, fills).foreign, _difference(look))


def _book_reduction(look: Look) -> None:
    """Book what others took off our position, once it was seen twice."""
    missing = _missing(look)
    if missing == 0:
        return
    held, ours = signed(look.theirs), signed(look.slot.position)
    difference = f"{_POSITION}{ours}|{held}"
    if not look.is_seen_twice(difference):
        return
    found = _reductions(look, missing)
    if found is None:
        return
    rest = missing - sum((_taken_by(update) for update in found), ZERO)
    if rest > 0 and not look.is_seen_long(difference):
        return  # executions may be told late
    if rest > 0 and _may_be_unlisted(look, difference):
        rest = ZERO
    _book_missing(look, found, rest)


def _book_missing(look: Look, found: Sequence[OrderUpdate], rest: Decimal) -> None:
    """Book what executions explain, and the rest at mark price."""
    price = _mark_price(look) if rest > 0 else ZERO
    if price is None:
        return
    for update in found:
        look.tell(update)
        look.note(Code.POSITION_REDUCED, f"{_taken_by(update)} {update.reason}")
    if rest > 0:
        _book_unexplained(look, rest, price)


def _may_be_unlisted(look: Look, difference: str) -> bool:
    """Return whether what is missing may be there, and say so.

    A fill that was told is a fact, and its position ends by another one. A listing of positions
    that is silent, or of an earlier moment, proves nothing by itself: taken at its word, it
    would take the stop away from what is held.
    """
    if _tells_of_last_fill(look):
        return False
    # Where others trade, too, they may have held what ours was taken off from.
    is_shared = bool(_unbooked(look, look.snapshot.fills[look.symbol]).foreign)
    bound_ms = look.terms.give_up_ms if is_shared else look.terms.unlisted_ms
    if look.is_seen_for(difference, bound_ms):
        return False
    look.is_decided = False
    look.note(
        Code.POSITION_UNLISTED,
        f"{signed(look.slot.position)} was filled, the exchange lists {signed(look.theirs)} and"
        " no execution that explains it: ours counts as held and its stop stays. What is not"
        f" listed for {bound_ms // 1000} s counts as gone",
    )
    return True


def _tells_of_last_fill(look: Look) -> bool:
    """Return whether a listing is of no earlier moment than the last fill, by their own clock."""
    tally, theirs = look.slot.tally, look.theirs
    filled_ms = max(look.ours.filled_ms, tally.last_time_ms if tally else 0)
    return theirs is not None and theirs.time_ms >= filled_ms


def _reductions(look: Look, missing: Decimal) -> tuple[OrderUpdate, ...] | None:
    """Return what others' executions explain; None while that cannot be said."""
    everything = _unbooked(look, look.snapshot.fills[look.symbol]).foreign
    # An order of ours whose fate is open may be the one behind an execution without a name,
    # and the listing of positions may or may not show one that is later than it.
    is_open = look.has_missing or any(_may_be_later(look, fill) for fill in everything)
    foreign = None if is_open else _shown_in(look, everything, missing)
    if foreign is None:
        look.wait()
        return None
    forced = _forced(look, foreign)
    if forced:
        foreign, missing = forced, missing + abs(signed(look.theirs))
    return reductions(
        look.slot,
        foreign,
        missing,
        account=look.account,
        strangers=look.snapshot.strangers,
    )


def _shown_in(look: Look, foreign: tuple[Fill, ...], missing: Decimal) -> tuple[Fill, ...] | None:
    """Return the executions that the position shown is made of; None while it may be an old one.

    What was executed after it last changed is to come: booked for what was before it, it would
    leave a rest that nothing explains.
    """
    theirs = look.theirs
    if theirs is None or not theirs.time_ms:
        return foreign
    exit_side = look.slot.position.side.exit
    shown = tuple(f for f in foreign if f.time_ms <= theirs.time_ms + CLOCK_SLACK_MS)
    if sum((fill.quantity for fill in shown if fill.side is exit_side), ZERO) >= missing:
        return shown
    since_ms = look.snapshot.asked_ms - look.terms.give_up_ms
    is_recent = any(fill.time_ms > since_ms for fill in foreign if fill not in shown)
    return None if is_recent else foreign


def _may_be_later(look: Look, fill: Fill) -> bool:
    """Return whether the listing of positions may be older than an execution.

    Counted for what was missing before it, it would leave as much of that unexplained for ever.
    """
    asked_ms, theirs = look.snapshot.asked_ms, look.theirs
    if theirs is None or not theirs.time_ms or asked_ms > fill.time_ms + look.terms.engine_delay_ms:
        return fill.time_ms > asked_ms
    return fill.time_ms > theirs.time_ms + CLOCK_SLACK_MS


def _forced(look: Look, foreign: Sequence[Fill]) -> tuple[Fill, ...]:
    """Return the exchange's own executions where they explain a position turned against ours.

    A liquidation never turns a position. Where it seems to, it was of a fill of ours that
    nobody had seen then: all of it counts, and not only what our books hold now.
    """
    held, ours = signed(look.theirs), signed(look.slot.position)
    if held * ours >= 0:
        return ()
    told = look.snapshot.strangers
    forced = {n for n, one in told.items() if one and one.purpose is OrderPurpose.LIQUIDATION}
    found = tuple(f for f in foreign if f.client_order_id in forced)
    is_enough = sum((f.quantity for f in found), ZERO) >= abs(held) + abs(ours)
    return found if is_enough else ()


def _taken_by(update: OrderUpdate) -> Decimal:
    return sum((fill.quantity for fill in update.fills), ZERO)


def _book_unexplained(look: Look, quantity: Decimal, price: Decimal) -> None:
    update = unexplained(look.slot, quantity, price, look.snapshot.asked_ms, account=look.account)
    look.tell(update)
    look.note(Code.POSITION_UNEXPLAINED, f"{quantity} {update.reason} {price}")


def _mark_price(look: Look) -> Decimal | None:
    if look.theirs is not None:
        return look.theirs.mark_price
    price = look.snapshot.mark_prices.get(look.symbol)
    if price is None:
        look.asks_mark_price = True
        look.is_decided = False
    return price


def _excess(look: Look) -> Code | None:
    """Return why more is held than our books say, which blocks entries."""
    difference, ours = _difference(look), look.slot.position
    if difference == 0:
        return None
    held = signed(look.theirs)
    if ours.is_flat:
        look.note(
            Code.FOREIGN_POSITION,
            f"{held} is held that is not ours: it is left alone and nothing is entered here"
            " until it is gone",
        )
        return Code.FOREIGN_POSITION
    if not look.is_seen_twice(f"larger|{signed(ours)}|{held}"):
        return None
    look.note(
        Code.POSITION_LARGER,
        f"{held} is held, {signed(ours)} of it is ours: somebody added to it. Only ours is"
        " protected and closed, and nothing is entered here until both agree",
    )
    return Code.POSITION_LARGER


def _foreign_orders(orders: Sequence[OrderReport]) -> str:
    ids = ", ".join(order.exchange_order_id for order in orders[:3])
    more = f" and {len(orders) - 3} more" if len(orders) > 3 else ""  # noqa: PLR2004 - the first three are named
    return (
        f"orders rest that are not ours ({ids}{more}): they are left alone and nothing is"
        " entered here until they are gone"
    )
