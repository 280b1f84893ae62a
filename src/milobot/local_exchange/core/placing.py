"""Placing and cancelling: what the exchange checks before it lets an order in."""

from decimal import Decimal

from milobot.domain.intents import Side
from milobot.domain.margin import initial_margin, max_leverage
from milobot.domain.money import ZERO, round_down
from milobot.local_exchange.core.accounts import Account
from milobot.local_exchange.core.events import ConditionalEvent, SettingEvent
from milobot.local_exchange.core.orders import (
    Conditional,
    Kind,
    Refusal,
    RefusedError,
    Status,
    Ticket,
    Trigger,
    VenueOrder,
)
from milobot.local_exchange.core.terms import NO_FAULT, PlaceFault
from milobot.local_exchange.core.venue import Venue


def place(
    venue: Venue, account: Account, ticket: Ticket, fault: PlaceFault = NO_FAULT
) -> VenueOrder | Conditional:
    """Let an order in; a market order has filled when this returns.

    Raises:
        RefusedError: A rule of the exchange says no; nothing has happened.
    """
    check_client_id(account, ticket)
    if ticket.trigger is not None:
        return _rest(venue, account, ticket, ticket.trigger, fault)
    if venue.is_stale(ticket.symbol):
        raise RefusedError(Refusal.NO_PRICE, "there is no price that is fresh enough to fill at")
    quantity = ticket.quantity or venue.reducible(account, ticket)
    _check_grid(venue, ticket, quantity)
    _check_reduce_only(venue, account, ticket)
    bid, ask = venue.quote(ticket.symbol)
    takes = _takes(ticket, bid, ask)
    if takes and ticket.time_in_force == "GTX":
        raise RefusedError(Refusal.WOULD_TAKE, "a post-only order would take")
    price = ticket.price or (ask if ticket.side is Side.BUY else bid)
    _check_notional(venue, ticket, quantity, price)
    _check_margin(venue, account, ticket, quantity, price)
    order = venue.enter(account, ticket, quantity)
    _attach(venue, account, order, fault)
    if takes:
        venue.take(account, order, venue.tape(ticket.symbol).last_price, fault)
    elif ticket.time_in_force in {"IOC", "FOK"}:
        venue.end(account, order, Status.EXPIRED)
    return order


def cancel(venue: Venue, account: Account, order: VenueOrder | Conditional) -> None:
    """Withdraw an order.

    Raises:
        RefusedError: It is not open any more.
    """
    if not order.is_open:
        raise RefusedError(Refusal.NOT_OPEN, "the order is not open")
    if isinstance(order, Conditional):
        venue.end_conditional(account, order, Status.CANCELED)
        return
    venue.end(account, order, Status.CANCELED)
    for conditional in list(account.live_conditionals.values()):
        if conditional.entry_id == order.id and not conditional.is_armed:
            conditional.status = Status.CANCELED


def set_leverage(venue: Venue, account: Account, symbol: str, leverage: int) -> None:
    """Set the leverage of a symbol; an open position takes it over.

    Raises:
        RefusedError: Out of range, or lower than that of an open isolated position.
    """
    contract = venue.contract(symbol)
    if not 1 <= leverage <= contract.max_leverage:
        raise RefusedError(Refusal.LEVERAGE, f"leverage {leverage} is not valid")
    book = venue.book(account, symbol)
    if not book.position.is_flat and leverage < book.leverage:
        raise RefusedError(Refusal.LEVERAGE_REDUCTION, "a position is open")
    account.leverages[symbol] = leverage
    book.change_leverage(leverage)
    venue.emit(account, SettingEvent(symbol, leverage))


def set_margin_mode(venue: Venue, account: Account, symbol: str, mode: str) -> None:
    """Set ISOLATED or CROSSED for a symbol.

    Raises:
        RefusedError: It is set already, or a position or an order is open.
    """
    venue.tape(symbol)
    if account.margin_mode(symbol) == mode:
        raise RefusedError(Refusal.NO_CHANGE, "the margin mode is set already")
    if not venue.book(account, symbol).position.is_flat:
        raise RefusedError(Refusal.HAS_POSITION, "a position is open")
    if any(o.ticket.symbol == symbol for o in account.open_orders):
        raise RefusedError(Refusal.HAS_ORDERS, "orders are open")
    account.margin_modes[symbol] = mode


def check_client_id(account: Account, ticket: Ticket) -> None:
    """Refuse a client id that is taken: by an open order, or, where ids stay unique, by any."""
    if not ticket.client_id:
        return
    if not ticket.may_repeat_id:
        taken = ticket.client_id in account.used_client_ids
    elif ticket.trigger is not None:
        taken = any(c.ticket.client_id == ticket.client_id for c in account.open_conditionals)
    else:
        taken = any(o.ticket.client_id == ticket.client_id for o in account.open_orders)
    if taken:
        raise RefusedError(Refusal.DUPLICATE_ID, "the client order id is taken")


def _rest(
    venue: Venue, account: Account, ticket: Ticket, trigger: Trigger, fault: PlaceFault
) -> Conditional:
    _check_price(venue, ticket.symbol, trigger.price)
    if ticket.quantity is not None:
        _check_grid(venue, ticket, ticket.quantity)
    if ticket.close_position:
        _check_close_position(venue, account, ticket, trigger)
    _check_reduce_only(venue, account, ticket)
    last = venue.tape(ticket.symbol).last_price
    is_beyond = last <= trigger.price if trigger.is_falling(ticket.side) else last >= trigger.price
    if is_beyond:
        raise RefusedError(Refusal.WOULD_TRIGGER, "the order would trigger at once")
    conditional = _conditional(venue, ticket, trigger)
    account.add(conditional)
    if fault.child:
        venue.rejections[conditional.id] = fault.child
    venue.emit(account, ConditionalEvent(conditional, Status.NEW))
    return conditional


def _conditional(
    venue: Venue, ticket: Ticket, trigger: Trigger, entry: VenueOrder | None = None
) -> Conditional:
    now = venue.clock.now_ms()
    return Conditional(
        id=venue.next_id(),
        ticket=ticket,
        trigger=trigger,
        quantity=ticket.quantity,
        created_ms=now,
        updated_ms=now,
        entry_id=entry.id if entry else 0,
        is_armed=entry is None,
    )


def _attach(venue: Venue, account: Account, entry: VenueOrder, fault: PlaceFault) -> None:
    if fault.attached == "drop":
        return
    for ticket in entry.ticket.attached:
        if ticket.trigger is not None:
            conditional = _conditional(venue, ticket, ticket.trigger, entry)
            if fault.attached == "resized":
                step = venue.contract(ticket.symbol).rules.quantity_step
                conditional.quantity = round_down((ticket.quantity or ZERO) / 2, step)
            conditional.is_nameless = fault.attached == "nameless"
            account.add(conditional)
            if fault.child:
                venue.rejections[conditional.id] = fault.child


def _takes(ticket: Ticket, bid: Decimal, ask: Decimal) -> bool:
    if ticket.kind is Kind.MARKET or ticket.price is None:
        return True
    return ticket.price >= ask if ticket.side is Side.BUY else ticket.price <= bid


def _check_grid(venue: Venue, ticket: Ticket, quantity: Decimal) -> None:
    contract = venue.contract(ticket.symbol)
    rules = contract.rules
    if ticket.reduce_only and quantity == 0:
        return  # nothing is open: refused for that, by its own name
    if quantity <= 0 or quantity < rules.min_quantity:
        raise RefusedError(Refusal.BELOW_MIN_QUANTITY, "the quantity is below the minimum")
    if quantity % rules.quantity_step:
        raise RefusedError(Refusal.QUANTITY_STEP, "the quantity is not on the grid")
    most = contract.max_quantity
    if ticket.kind is Kind.MARKET and rules.max_market_quantity is not None:
        most = rules.max_market_quantity
    if quantity > most:
        raise RefusedError(Refusal.ABOVE_MAX_QUANTITY, "the quantity is above the maximum")
    if ticket.price is not None:
        _check_price(venue, ticket.symbol, ticket.price)


def _check_price(venue: Venue, symbol: str, price: Decimal) -> None:
    if price <= 0 or price % venue.contract(symbol).tick_size:
        raise RefusedError(Refusal.PRICE_TICK, "the price is not on the grid")


def _check_reduce_only(venue: Venue, account: Account, ticket: Ticket) -> None:
    if ticket.reduce_only and venue.reducible(account, ticket) == 0:
        raise RefusedError(Refusal.REDUCE_ONLY, "nothing is open to reduce")


def _check_close_position(venue: Venue, account: Account, ticket: Ticket, trigger: Trigger) -> None:
    for other in account.open_conditionals:
        if (
            other.ticket.close_position
            and other.ticket.symbol == ticket.symbol
            and other.ticket.side is ticket.side
            and other.trigger.kind is trigger.kind
        ):
            raise RefusedError(
                Refusal.SECOND_CLOSE_POSITION, "such an order closes the position already"
            )
    if venue.reducible(account, ticket) == 0:
        raise RefusedError(Refusal.NO_POSITION, "no position is open")


def _check_notional(venue: Venue, ticket: Ticket, quantity: Decimal, price: Decimal) -> None:
    least = venue.contract(ticket.symbol).rules.min_notional
    if not ticket.reduce_only and quantity * price < least:
        raise RefusedError(Refusal.MIN_NOTIONAL, f"the notional is below {least}")


def _check_margin(
    venue: Venue, account: Account, ticket: Ticket, quantity: Decimal, price: Decimal
) -> None:
    """Refuse what the wallet cannot carry; only what opens something needs margin."""
    if ticket.reduce_only:
        return
    book = venue.book(account, ticket.symbol)
    held = book.position
    opening = max(ZERO, quantity - venue.reducible(account, ticket))
    if opening == 0:
        return
    leverage = account.leverage(ticket.symbol)
    same = ZERO if held.is_flat or ticket.side is held.side.exit else held.quantity
    if leverage > max_leverage((opening + same) * price, book.rules.brackets):
        raise RefusedError(Refusal.LEVERAGE, "the position is too large for the leverage")
    fee = quantity * price * venue.terms.taker_fee
    if initial_margin(opening * price, leverage) + fee > account.available:
        raise RefusedError(Refusal.MARGIN, "the margin is insufficient")
