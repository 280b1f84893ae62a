"""Placing, cancelling and asking for orders at BingX: every way ends in a known outcome."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from milobot.domain.ids import is_ours
from milobot.domain.money import ZERO
from milobot.domain.orders import (
    Fill,
    Order,
    OrderPurpose,
    OrderStatus,
    OrderType,
    OrderUpdate,
    Refusal,
)
from milobot.domain.reports import OrderReport
from milobot.errors import ExchangeError, ProtocolError
from milobot.exchanges.bingx import mapping, own_orders, requests
from milobot.exchanges.bingx.attached import AttachedExits, twin_of
from milobot.exchanges.bingx.awaited_exits import resized
from milobot.exchanges.bingx.events import FollowOrder
from milobot.exchanges.bingx.fills import BingxFills
from milobot.exchanges.bingx.ids import OrderIds
from milobot.exchanges.bingx.outcomes import NO_SUCH_ORDER_CODES
from milobot.exchanges.bingx.twins import Doubts, earliest_twin
from milobot.exchanges.gateway import Gateway
from milobot.exchanges.order_news import (
    in_doubt,
    not_taken,
    of_order,
    quietly,
    read_if_known,
    sum_of,
    unknown,
)
from milobot.exchanges.outcomes import Judgement, Outcome
from milobot.exchanges.shared_question import SharedQuestion
from milobot.exchanges.times import Sleep
from milobot.exchanges.urgency import vital
from milobot.exchanges.wire import Call
from milobot.telemetry import get_logger

# The answer to a cancel shows the order as it was before: its end has to be looked for.
_LOOKS = 4
_LOOK_WAIT_S = 0.15
_HISTORY_SLACK_MS = 60_000


class BingxOrders:
    """The order path of one account.

    Attributes:
        ids: Which of our ids belongs to which of BingX's.
        attached: The exits that travel with entries.
    """

    def __init__(self, gateway: Gateway, sleep: Sleep) -> None:
        """Send through a gateway."""
        self.ids = OrderIds()
        self._gateway = gateway
        self._sleep = sleep
        self._fills = BingxFills(gateway, sleep)
        self._doubts = Doubts()
        call = requests.fetch_open_orders(None)
        self._all = SharedQuestion(self.fetch_open_orders, lambda: gateway.has_room(call), sleep)
        self.attached = AttachedExits(self._resting_now, self.ids, sleep)

    async def place_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Send an order once, not after its time, and return what became of it.

        A stop or target that may be there already, of an earlier try, is looked for first: it
        takes no id of ours that would keep it from being placed twice. Those attached to an
        entry are looked for while its fills are asked for.
        """
        known = await self._known_already(order)
        if known is not None:
            return (known,)
        self.attached.expect(order)
        reading = _Reading(order)
        judgement = await self._gateway.write(
            requests.place_order(order),
            is_complete=reading.is_own,
            not_after_ms=order.send_before_ms or None,
        )
        self._doubts.note(order, judgement.outcome)
        if judgement.outcome is Outcome.ACCEPTED and reading.report is not None:
            return await self._taken_with_exits(order, reading.report)
        if judgement.refusal is Refusal.DUPLICATE_ID:
            found = await quietly(self.fetch_update(order))
            return (found or self._in_doubt(order, judgement),)
        news = not_taken(order, judgement, time_ms=self._now_ms())
        return (news, *self.attached.not_made(order, news))

    async def cancel_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Withdraw an order; UNKNOWN unless its end was found by asking.

        The id that it comes with is the one that rests, whatever was learnt of twins of it.
        """
        exchange_id = order.exchange_order_id or self._exchange_id(order)
        if order.type.is_conditional and not exchange_id:
            try:
                exchange_id = await self._find_id(order)
            except ExchangeError as failed:
                return (self._unknown(order, str(failed), Refusal.UNAVAILABLE),)
            if not exchange_id:
                reason = "BingX lists no such order, which has no other name there"
                return (self._unknown(order, reason, Refusal.NOT_RESTING),)
        call = requests.cancel_order(
            order.symbol, client_order_id=order.client_order_id, exchange_order_id=exchange_id
        )
        judgement = await self._gateway.write(call, is_complete=lambda d: isinstance(d, dict))
        if judgement.outcome is Outcome.ACCEPTED or judgement.refusal is Refusal.NOT_RESTING:
            end = await self._look_for_end(order, judgement)
            self.attached.unless_filled(order, end)
            return (end,)
        return (self._in_doubt(order, judgement),)

    async def fetch_order(self, order: Order) -> OrderReport | None:
        """Return BingX's view of an order; None when it knows none.

        A stop or target of which only we know is recognized by symbol, side, type and
        trigger price, first among what rests, then among what has ended.
        """
        exchange_id = self._exchange_id(order)
        if order.type.is_conditional and not exchange_id:
            exchange_id = await self._find_id(order)
            if not exchange_id:
                return None
        call = requests.fetch_order(
            order.symbol, client_order_id=order.client_order_id, exchange_order_id=exchange_id
        )
        data = await self._ask(call)
        if data is None:
            return None
        report = mapping.parse_order(data)
        self.ids.bind(order.client_order_id, report.exchange_order_id)
        return self._named(report)

    async def fetch_update(self, order: Order) -> OrderUpdate | None:
        """Return news of an order as it stands, with its fills; None when BingX knows none."""
        was_named = bool(self._exchange_id(order))
        report = await self.fetch_order(order)
        if report is None:
            return None
        update = await self._update(order.client_order_id, report)
        is_found = order.type.is_conditional and not was_named
        return resized(update, order, report) if is_found else update

    async def follow(self, named: FollowOrder) -> OrderUpdate | None:
        """Return news of an order that an event named; None while BingX does not know it.

        What the event says of an order of ours is not asked again: only its executions are, and
        the order where they do not come to what the event says.
        """
        name = self.ids.client_id(named.exchange_order_id)
        if not name and is_ours(named.client_order_id):
            name = named.client_order_id
        if not name:
            return await self.fetch_stranger(named.symbol, named.exchange_order_id)
        with vital():  # what ours has executed and nobody knows is not protected
            update = await self._as_told(name, named)
            return update or await self.fetch_stranger(named.symbol, named.exchange_order_id)

    async def _as_told(self, name: str, named: FollowOrder) -> OrderUpdate | None:
        """Return news as an event tells them, with the executions; None where those do not fit."""
        fills = await self._fills.of_promise(
            named.symbol,
            named.exchange_order_id,
            quantity=named.filled_quantity,
            since_ms=named.time_ms,
        )
        if not fills or sum_of(fills) != named.filled_quantity:
            return None
        status = named.status if named.status.is_final else OrderStatus.PARTIALLY_FILLED
        update = OrderUpdate(name, named.symbol, status, named.time_ms, of_order(fills, name))
        return replace(update, exchange_order_id=named.exchange_order_id)

    async def fetch_stranger(self, symbol: str, exchange_order_id: str) -> OrderUpdate | None:
        """Return news of an order by BingX's id, under our name where it is one of ours."""
        data = await self._ask(requests.fetch_order(symbol, exchange_order_id=exchange_order_id))
        if data is None:
            return None
        report = self._named(mapping.parse_order(data))
        update = await self._update(report.client_order_id or exchange_order_id, report)
        is_forced = mapping.is_forced(data)
        return replace(update, purpose=OrderPurpose.LIQUIDATION) if is_forced else update

    async def fetch_open_orders(self, symbol: str | None = None) -> list[OrderReport]:
        """Return what rests, conditional orders included."""
        data = await self._gateway.read(requests.fetch_open_orders(symbol))
        return [self._named(report) for report in mapping.parse_orders(data)]

    async def fetch_fills(
        self, symbol: str, *, first_ms: int | None = None, exchange_order_id: str = ""
    ) -> list[Fill]:
        """Return executions, oldest first; without ``first_ms`` those of the last seven days."""
        fills = await self._fills.fetch(
            symbol, first_ms=first_ms, exchange_order_id=exchange_order_id
        )
        return [self._owned(fill) for fill in fills]

    async def _resting_now(self, symbol: str) -> list[OrderReport]:
        """Return what rests in a symbol; while that has no room, all share one answer."""
        if self._gateway.has_room(requests.fetch_open_orders(symbol)):
            return await self.fetch_open_orders(symbol)
        return [one for one in await self._all.answer() if one.symbol == symbol]

    async def _taken_with_exits(self, order: Order, report: OrderReport) -> tuple[OrderUpdate, ...]:
        """Return news of an order that was accepted, and of the exits attached to it."""
        if not order.attached:
            return (await self._taken(order, report),)
        news, exits = await asyncio.gather(self._taken(order, report), self.attached.look(order))
        if exits is None:
            return (news,)
        return (news, *exits, *self.attached.not_made(order, news))

    async def _taken(self, order: Order, report: OrderReport) -> OrderUpdate:
        """Return news of an order that was accepted; the answer tells nothing of its fills."""
        if not report.client_order_id and not order.type.is_conditional:
            get_logger().warning("client_id_not_echoed", exchange="BingX", symbol=order.symbol)
        self.ids.bind(order.client_order_id, report.exchange_order_id)
        if not _executes_at_once(order):
            return self._plain_update(order, report, OrderStatus.SUBMITTED)
        try:
            fills = await self._fills.of_order(
                report.symbol,
                report.exchange_order_id,
                quantity=order.quantity,
                since_ms=order.created_ms,
            )
            if sum_of(fills) < order.quantity:
                with vital():  # a part that is not known to be filled is not protected
                    found = await self.fetch_order(order)
                return await self._update(order.client_order_id, found or report, fills)
        except ExchangeError:
            # It was taken: the user stream or the next look brings the rest.
            return self._plain_update(order, report, OrderStatus.SUBMITTED)
        news = self._plain_update(order, report, OrderStatus.FILLED)
        named = of_order(fills, order.client_order_id)
        return replace(news, fills=named, time_ms=fills[-1].time_ms)

    async def _update(
        self, client_order_id: str, report: OrderReport, fills: Sequence[Fill] = ()
    ) -> OrderUpdate:
        """Return news with the executions behind it, those that were listed before included.

        A status that promises more fills than are listed is not told yet: whoever hears
        FILLED must have the position.
        """
        if not fills or sum_of(fills) < report.filled_quantity:
            fills = await self._fills.of_report(report)
        status = report.status
        is_behind = bool(fills) and status is OrderStatus.SUBMITTED
        if is_behind or status is OrderStatus.FILLED or sum_of(fills) < report.filled_quantity:
            status = _told_by(fills, report)
        return OrderUpdate(
            client_order_id=client_order_id,
            symbol=report.symbol,
            status=status,
            time_ms=report.time_ms or self._now_ms(),
            fills=of_order(fills, client_order_id),
            reason=report.reason,
            exchange_order_id=report.exchange_order_id,
        )

    async def _look_for_end(self, order: Order, judgement: Judgement) -> OrderUpdate:
        """Return the end of an order whose cancel was taken; UNKNOWN while it still rests."""
        for attempt in range(_LOOKS):
            if attempt:
                await self._sleep(_LOOK_WAIT_S * 2**attempt)
            try:
                found = await self.fetch_update(order)
            except ExchangeError:
                break
            if found is not None and found.status.is_final:
                return found
        reason = judgement.reason or "BingX took the cancel, but does not show the order's end yet"
        return self._unknown(order, reason, judgement.refusal)

    async def _known_already(self, order: Order) -> OrderUpdate | None:
        """Return news of a stop or target that is there, or was: it is not sent twice."""
        if order.type.is_conditional and self.ids.exchange_id(order.client_order_id):
            reason = "BingX has taken this order before and does not show it now"
            found = await quietly(self.fetch_update(order))
            return found or self._unknown(order, reason, Refusal.DUPLICATE_ID)
        twin = await self._resting_twin(order) if order in self._doubts else None
        if twin is None:
            return None
        self.ids.bind(order.client_order_id, twin.exchange_order_id)
        return await self._update(order.client_order_id, twin)

    async def _resting_twin(self, order: Order) -> OrderReport | None:
        """Return what rests in an order's place; None where that cannot be told in time."""
        try:
            resting = await self.fetch_open_orders(order.symbol)
        except ExchangeError:
            return None  # an exit that may rest twice is better than none
        return earliest_twin(order, resting, self.ids)

    async def _find_id(self, order: Order) -> str:
        """Return BingX's id of a conditional order, found by what it does; empty for none."""
        listed = await self.fetch_open_orders(order.symbol)
        told = self.ids.exchange_id(order.client_order_id)
        if told:
            return told  # its own answer has come meanwhile: a twin of it is another's
        twin = twin_of(order, listed, self.ids)
        if twin is None:
            last_ms = await self._gateway.measure_clock() + _HISTORY_SLACK_MS
            first_ms = max(
                order.created_ms - _HISTORY_SLACK_MS, last_ms - requests.MOST_SPAN_MS + 1
            )
            call = requests.fetch_order_history(order.symbol, first_ms=first_ms, last_ms=last_ms)
            ended = mapping.parse_orders(await self._gateway.read(call))
            twin = earliest_twin(order, ended, self.ids)
        if twin is None:
            return ""
        self.ids.bind(order.client_order_id, twin.exchange_order_id)
        return twin.exchange_order_id

    async def _ask(self, call: Call) -> Any:
        return await read_if_known(self._gateway, call, no_such_codes=NO_SUCH_ORDER_CODES)

    def _exchange_id(self, order: Order) -> str:
        """Return BingX's id of an order as far as it is known here, or on record with it."""
        return self.ids.exchange_id(order.client_order_id) or order.exchange_order_id

    def _named(self, report: OrderReport) -> OrderReport:
        ours = self.ids.client_id(report.exchange_order_id)
        return replace(report, client_order_id=ours) if ours else report

    def _owned(self, fill: Fill) -> Fill:
        # Without an id of ours a listing names an execution by the order's.
        ours = self.ids.client_id(fill.client_order_id)
        return replace(fill, client_order_id=ours) if ours else fill

    def _plain_update(self, order: Order, report: OrderReport, status: OrderStatus) -> OrderUpdate:
        time_ms, exchange_id = report.time_ms or self._now_ms(), report.exchange_order_id
        return OrderUpdate(
            order.client_order_id, order.symbol, status, time_ms, exchange_order_id=exchange_id
        )

    def _in_doubt(self, order: Order, judgement: Judgement) -> OrderUpdate:
        return in_doubt(order, judgement, time_ms=self._now_ms())

    def _unknown(self, order: Order, reason: str, refusal: Refusal | None) -> OrderUpdate:
        return unknown(order, reason, refusal, time_ms=self._now_ms())

    def _now_ms(self) -> int:
        return self._gateway.clock.now_ms()


class _Reading:
    """Reads an answer to an order once, while it is judged.

    Attributes:
        report: What it says of our order; None when it does not.
    """

    def __init__(self, order: Order) -> None:
        self._order = order
        self.report: OrderReport | None = None

    def is_own(self, data: Any) -> bool:
        """Return whether an answer is about our order, and keep what it says."""
        try:
            self.report = own_orders.parse_own(data, self._order)
        except ProtocolError:
            return False
        return self.report is not None


def _executes_at_once(order: Order) -> bool:
    return order.type is OrderType.MARKET or (
        order.type is OrderType.LIMIT and requests.is_exit(order)
    )


def _told_by(fills: Sequence[Fill], report: OrderReport) -> OrderStatus:
    """Return the status that the listed executions bear out."""
    filled: Decimal = sum_of(fills)
    if filled and filled >= max(report.filled_quantity, report.quantity):
        return OrderStatus.FILLED
    if filled > ZERO:
        return OrderStatus.PARTIALLY_FILLED
    return OrderStatus.TRIGGERED if report.is_conditional else OrderStatus.SUBMITTED
