"""Playing the market: what a candle does to every account, by the matching of the simulation."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from milobot.domain.intents import PositionSide
from milobot.domain.market import Candle
from milobot.domain.money import ZERO
from milobot.domain.orders import Order, OrderPurpose, OrderType
from milobot.local_exchange.core.accounts import Account
from milobot.local_exchange.core.events import BalanceEvent
from milobot.local_exchange.core.market import Step, Tape
from milobot.local_exchange.core.orders import (
    Conditional,
    Kind,
    Origin,
    Status,
    Ticket,
    VenueOrder,
)
from milobot.local_exchange.core.terms import DELEVERAGED, LIQUIDATED, MADE, NO_FAULT
from milobot.local_exchange.core.venue import Venue, plain
from milobot.simulation.book import Book
from milobot.simulation.matching import Bar, Hit, Phase, next_hit

_LAST_MS = 1


@dataclass(frozen=True, slots=True)
class Played:
    """What one step of the market did.

    Attributes:
        step: Which part of the candle was played; None when the data have ended.
        closed: By symbol, the candle that closed with this step.
    """

    step: Step | None
    time_ms: int
    closed: dict[str, Candle]


def advance(venues: list[Venue], *, triggers_at_open: bool) -> Played:
    """Play the next step of the market, which the venues share.

    Args:
        venues: Every exchange on this market.
        triggers_at_open: Whether resting orders meet the open with the open; else they do
            with the rest of the candle, after clients have acted on the open, which is the
            order in which a back-test plays a candle.
    """
    first = venues[0]
    market, clock = first.market, first.clock
    if market.is_over:
        return Played(None, clock.now_ms(), {})
    if market.next_step is Step.OPEN:
        return _open(venues, triggers_at_open=triggers_at_open)
    market.next_step = Step.OPEN
    forming = market.first.forming
    if forming is not None:
        clock.move_market(market.timeframe.next_open(forming.time) - _LAST_MS)
    for tape in market.tapes.values():
        bar = Bar.from_candle(tape.play_rest())
        start = Phase.ADVERSE if triggers_at_open else Phase.OPEN
        for venue in venues:
            play(venue, tape.symbol, bar, start)
    return Played(Step.REST, clock.now_ms(), {})


def _open(venues: list[Venue], *, triggers_at_open: bool) -> Played:
    market, clock = venues[0].market, venues[0].clock
    market.next_step = Step.REST
    before, now = market.first.edge_ms, market.first.next_open_ms
    clock.move_market(now)
    if market.first.forming is not None:
        before = market.first.forming.time
    closed = {}
    for tape in market.tapes.values():
        for venue in venues:
            _charge_funding(venue, tape, before, now)
        done = tape.open_next()
        if done is not None:
            closed[tape.symbol] = done
        if triggers_at_open:
            price = tape.last_price
            for venue in venues:
                play(venue, tape.symbol, Bar(now, price, price, price, price), Phase.OPEN)
    return Played(Step.OPEN, clock.now_ms(), closed)


def move_price(venues: list[Venue], symbol: str, price: Decimal) -> None:
    """Let the market trade at ``price``, with all that this triggers on the way."""
    tape = venues[0].tape(symbol)
    last = tape.last_price
    tape.move(price)
    bar = Bar(venues[0].clock.now_ms(), last, max(last, price), min(last, price), price)
    for venue in venues:
        play(venue, symbol, bar, Phase.ADVERSE)


def liquidate(venue: Venue, account: Account, symbol: str) -> None:
    """Take a position over at bankruptcy: its whole margin is lost, its orders are gone."""
    book = venue.book(account, symbol)
    for order in [o for o in account.open_orders if o.ticket.symbol == symbol]:
        venue.end(account, order, Status.CANCELED, "liquidation")
    for conditional in [c for c in account.open_conditionals if c.ticket.symbol == symbol]:
        venue.end_conditional(account, conditional, Status.EXPIRED, "liquidation")
    price = book.bankruptcy()
    name = f"autoclose-{venue.clock.now_ms()}-{symbol.lower()}"
    order = _exit_order(venue, account, symbol, name, Origin.LIQUIDATION)
    venue.fill(account, order, order.quantity, price, LIQUIDATED)


def close_by_hand(
    venue: Venue,
    account: Account,
    symbol: str,
    *,
    quantity: Decimal | None = None,
    origin: Origin = Origin.MANUAL,
) -> VenueOrder:
    """Close a position as its owner would elsewhere, or as auto-deleveraging would."""
    names = {Origin.ADL: "adl_autoclose", Origin.MANUAL: f"web_{venue.clock.now_ms()}"}
    order = _exit_order(venue, account, symbol, names[origin], origin, quantity)
    if origin is Origin.ADL:
        price = venue.tape(symbol).last_price
        venue.fill(account, order, order.quantity, price, DELEVERAGED)
    else:
        venue.take(account, order, venue.tape(symbol).last_price, NO_FAULT)
    return order


def _exit_order(
    venue: Venue,
    account: Account,
    symbol: str,
    name: str,
    origin: Origin,
    quantity: Decimal | None = None,
) -> VenueOrder:
    held = venue.book(account, symbol).position
    amount = held.quantity if quantity is None else min(quantity, held.quantity)
    ticket = Ticket(
        symbol=symbol,
        side=held.side.exit,
        kind=Kind.MARKET,
        quantity=amount,
        client_id=name,
        type_name="LIQUIDATION" if origin is Origin.LIQUIDATION else "MARKET",
        reduce_only=True,
    )
    return venue.enter(account, ticket, amount, origin=origin)


def play(venue: Venue, symbol: str, bar: Bar, start: Phase) -> None:
    """Let a bar of a symbol meet what rests on every account, from a phase of it on."""
    last = start if start is Phase.OPEN and bar.high == bar.low else Phase.FAVOURABLE
    for account in venue.accounts.values():
        for order in account.open_orders:  # the rest of a market order filled in part
            if order.ticket.symbol == symbol and order.ticket.kind is Kind.MARKET:
                venue.take(account, order, bar.open, NO_FAULT)
        _play_account(venue, account, symbol, bar, start, last)


def _play_account(
    venue: Venue, account: Account, symbol: str, bar: Bar, start: Phase, last: Phase
) -> None:
    book = venue.book(account, symbol)
    phase = start
    while phase <= last:
        held = book.position
        side = PositionSide.LONG if held.is_flat else held.side
        resting = dict(_resting(account, symbol, side))
        liquidation = None if held.is_flat else book.liquidation
        hit = next_hit(phase, bar, side, (order for order, _ in resting.values()), liquidation)
        if hit is None:
            phase = Phase(phase + 1)
            continue
        _carry_out(venue, account, symbol, hit, resting)
        if phase > Phase.ADVERSE and book.position.side is not side and not book.position.is_flat:
            phase = Phase.ADVERSE  # the other side's adverse extreme may still come
    book.mark_price = bar.close


def _resting(
    account: Account, symbol: str, side: PositionSide
) -> Iterator[tuple[str, tuple[Order, VenueOrder | Conditional]]]:
    """Yield what the candle may touch, in the terms of the simulation's matching."""
    for conditional in account.open_conditionals:
        if conditional.ticket.symbol == symbol:
            trigger = conditional.trigger
            falls = trigger.is_falling(conditional.ticket.side)
            proxy = _proxy(conditional.id, conditional.ticket, trigger.price, side, falls=falls)
            yield proxy.client_order_id, (proxy, conditional)
    for order in account.open_orders:
        price = order.ticket.price
        if order.ticket.symbol == symbol and price is not None:
            falls = order.ticket.side.value == "BUY"
            proxy = _proxy(order.id, order.ticket, price, side, falls=falls)
            yield proxy.client_order_id, (proxy, order)


def _proxy(
    number: int, ticket: Ticket, level: Decimal, side: PositionSide, *, falls: bool
) -> Order:
    is_adverse = falls == (side is PositionSide.LONG)
    return Order(
        client_order_id=str(number),
        intent_key="",
        symbol=ticket.symbol,
        side=ticket.side,
        type=OrderType.STOP_MARKET if is_adverse else OrderType.TAKE_PROFIT_MARKET,
        purpose=OrderPurpose.STOP if is_adverse else OrderPurpose.TARGET,
        quantity=ticket.quantity or ZERO,
        created_ms=0,
        trigger_price=level,
    )


def _carry_out(
    venue: Venue,
    account: Account,
    symbol: str,
    hit: Hit,
    resting: dict[str, tuple[Order, VenueOrder | Conditional]],
) -> None:
    if hit.order is None:
        liquidate(venue, account, symbol)
        return
    found = resting[hit.order.client_order_id][1]
    if isinstance(found, Conditional):
        _trigger(venue, account, found, hit.price)
    else:
        _fill_resting(venue, account, found)


def _fill_resting(venue: Venue, account: Account, order: VenueOrder) -> None:
    quantity = venue.fillable(account, order)
    if quantity <= 0:
        venue.end(account, order, Status.EXPIRED, "nothing is open to reduce")
        return
    price = order.ticket.price or venue.tape(order.ticket.symbol).last_price
    venue.fill(account, order, quantity, price, MADE)
    if order.is_open and order.ticket.reduce_only:
        venue.end(account, order, Status.EXPIRED, "nothing is open to reduce")


def _trigger(venue: Venue, account: Account, conditional: Conditional, price: Decimal) -> None:
    conditional.triggered_ms = venue.clock.now_ms()
    ticket = plain(conditional.ticket)
    exits = ticket.reduce_only or ticket.close_position
    if exits and not ticket.reduce_only:
        ticket = replace(ticket, reduce_only=True)
    quantity = conditional.quantity or ZERO
    if exits:
        open_quantity = venue.reducible(account, ticket)
        quantity = min(quantity, open_quantity) if quantity else open_quantity
    reason = venue.rejections.pop(conditional.id, "")
    if not reason and quantity <= 0:
        reason = "Reduce Only reject"
    if reason:
        venue.end_conditional(account, conditional, Status.REJECTED, reason)
        return
    venue.end_conditional(account, conditional, Status.TRIGGERED)
    child = venue.enter(account, ticket, quantity, origin=Origin.TRIGGER, parent=conditional)
    conditional.child = child
    if ticket.kind is Kind.MARKET:
        venue.take(account, child, price, NO_FAULT)


def _charge_funding(venue: Venue, tape: Tape, after_ms: int, until_ms: int) -> None:
    for _, rate in tape.funding.between(after_ms, until_ms):
        for account in venue.accounts.values():
            book: Book = venue.book(account, tape.symbol)
            if not book.position.is_flat:
                paid = book.funding_payment(rate, tape.last_price)
                venue.credit(account, tape.symbol, "FUNDING_FEE", -paid)
                venue.emit(account, BalanceEvent("FUNDING_FEE", tape.symbol, -paid))
