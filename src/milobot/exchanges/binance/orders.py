"""Placing, cancelling and asking for orders at Binance: every way ends in a known outcome."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any

from milobot.domain.orders import Fill, Order, OrderStatus, OrderUpdate, Refusal
from milobot.domain.reports import OrderReport
from milobot.errors import ExchangeError, ProtocolError
from milobot.exchanges.binance import mapping, requests
from milobot.exchanges.binance.outcomes import NO_SUCH_ORDER_CODES
from milobot.exchanges.binance.resting import RestingOrders
from milobot.exchanges.binance.told_fills import ToldFills, united
from milobot.exchanges.gateway import Gateway
from milobot.exchanges.order_news import (
    in_doubt,
    not_taken,
    of_order,
    quietly,
    read_if_known,
    sum_of,
)
from milobot.exchanges.outcomes import Judgement, Outcome
from milobot.exchanges.times import Sleep
from milobot.exchanges.urgency import vital
from milobot.exchanges.wire import Call

# The stream tells an execution within some milliseconds of the answer that shows it.
_TOLD_LOOKS = 8
_TOLD_APART_S = 0.02
# A fill is told by the order before it is listed among the executions.
_FILL_TRIES = 4
_FILL_WAIT_S = 0.15


class BinanceOrders:
    """The order path of one account.

    Attributes:
        fee_prices: USDT per unit of an asset that fees are paid in, such as BNB.
        told: Executions that the user stream has told, which are not asked for once more.
        resting: Where orders may rest.
    """

    def __init__(self, gateway: Gateway, sleep: Sleep) -> None:
        """Send through a gateway."""
        self.fee_prices: dict[str, Decimal] = {}
        self.told = ToldFills()
        self.resting = RestingOrders(gateway.clock)
        self._gateway = gateway
        self._sleep = sleep

    async def place_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Send an order once, not after its time, and return what became of it."""
        self.resting.touch(order.symbol)
        reading = _Reading(order)
        judgement = await self._gateway.write(
            requests.place_order(order),
            is_complete=reading.is_own,
            not_after_ms=order.send_before_ms or None,
        )
        if judgement.outcome is Outcome.ACCEPTED and reading.report is not None:
            return (await self._news_of(order, reading.report),)
        if judgement.refusal is Refusal.DUPLICATE_ID:
            return (await self._look(order, judgement),)
        was_sent = judgement.refusal is Refusal.NOTHING_TO_REDUCE
        found = await self._executed_before(order) if was_sent else None
        return (found or not_taken(order, judgement, time_ms=self._now_ms()),)

    async def cancel_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Withdraw an order; UNKNOWN unless that is confirmed, or its end was found by asking."""
        reading = _Reading(order)
        judgement = await self._gateway.write(
            requests.cancel_order(order), is_complete=reading.confirms_cancel
        )
        if judgement.outcome is Outcome.ACCEPTED:
            if reading.report is not None:
                return (await self._news_of(order, reading.report),)
            status = OrderStatus.CANCELLED
            return (OrderUpdate(order.client_order_id, order.symbol, status, self._now_ms()),)
        if judgement.refusal is Refusal.NOT_RESTING:
            return (await self._look(order, judgement),)
        return (in_doubt(order, judgement, time_ms=self._now_ms()),)

    async def fetch_order(self, order: Order) -> OrderReport | None:
        """Return Binance's view of an order; None when it knows none.

        Of a conditional order that was triggered it is the child order's fate that counts.
        """
        self.resting.touch(order.symbol)
        data = await self._ask(requests.fetch_order(order))
        if data is None:
            return None
        if not order.type.is_conditional:
            return mapping.parse_order(data)
        report = mapping.parse_algo_order(data)
        if not report.child_order_id:
            return report
        return await self._with_child(report)

    async def fetch_update(self, order: Order) -> OrderUpdate | None:
        """Return news of an order as it stands, with its fills; None when Binance knows none."""
        report = await self.fetch_order(order)
        return None if report is None else await self._news_of(order, report)

    async def follow(self, symbol: str, client_order_id: str, child_id: str) -> OrderUpdate | None:
        """Return news of a triggered order from the order it became; None while that is not there."""
        data = await self._ask(requests.fetch_order_by_id(symbol, child_id))
        if data is None:
            return None
        child = mapping.parse_order(data)
        return await self._update(client_order_id, child, child_id)

    async def fetch_stranger(self, symbol: str, exchange_order_id: str) -> OrderUpdate | None:
        """Return news of an order by Binance's id, named as Binance names it."""
        data = await self._ask(requests.fetch_order_by_id(symbol, exchange_order_id))
        if data is None:
            return None
        report = mapping.parse_order(data)
        name = mapping.identity_of(report.client_order_id, exchange_order_id)
        return await self._update(name, report, exchange_order_id)

    async def fetch_open_orders(self, symbol: str | None = None) -> list[OrderReport]:
        """Return what rests, plain and conditional; of all symbols where it may."""
        if symbol is not None:
            return await self._listing(symbol)
        where = self.resting.where()
        if where is not None:
            parts = await asyncio.gather(*(self._listing(one) for one in where))
            return [report for part in parts for report in part]
        asked_ms = self._gateway.clock.local_ms()
        found = await self._listing(None)
        if self.told.is_live:
            self.resting.listed(asked_ms, found)
        return found

    async def _listing(self, symbol: str | None) -> list[OrderReport]:
        found: list[OrderReport] = []
        for is_conditional in (False, True):
            call = requests.fetch_open_orders(symbol, is_conditional=is_conditional)
            data = await self._gateway.read(call)
            found += mapping.parse_orders(data, is_conditional=is_conditional)
        return found

    async def fetch_fills(
        self, symbol: str, *, first_ms: int | None = None, exchange_order_id: str = ""
    ) -> list[Fill]:
        """Return executions, oldest first, at most 1,000 from ``first_ms`` on."""
        call = requests.fetch_fills(symbol, first_ms=first_ms, exchange_order_id=exchange_order_id)
        data = await self._gateway.read(call)
        return mapping.parse_fills(data, client_order_id="", prices=self.fee_prices)

    async def _with_child(self, report: OrderReport) -> OrderReport:
        data = await self._ask(requests.fetch_order_by_id(report.symbol, report.child_order_id))
        if data is None:
            return report
        child = mapping.parse_order(data)
        return replace(
            report,
            status=report.status if child.status is OrderStatus.SUBMITTED else child.status,
            quantity=child.quantity,
            filled_quantity=child.filled_quantity,
            average_price=child.average_price,
            time_ms=child.time_ms,
        )

    async def _news_of(self, order: Order, report: OrderReport) -> OrderUpdate:
        filled_by = report.child_order_id or report.exchange_order_id
        return await self._update(order.client_order_id, report, filled_by)

    async def _update(
        self, client_order_id: str, report: OrderReport, filled_by: str
    ) -> OrderUpdate:
        """Return news with the executions behind it.

        A status that promises more fills than are listed is not told yet: whoever hears
        FILLED must have the position.
        """
        fills = await self._fills_of(client_order_id, report, filled_by)
        is_whole = sum_of(fills) >= report.filled_quantity
        status = report.status if is_whole else _status_so_far(report, has_fills=bool(fills))
        return OrderUpdate(
            client_order_id=client_order_id,
            symbol=report.symbol,
            status=status,
            time_ms=report.time_ms,
            fills=fills,
            reason=report.reason,
            purpose=mapping.purpose_of(client_order_id),
            exchange_order_id=report.exchange_order_id,
        )

    async def _fills_of(
        self, client_order_id: str, report: OrderReport, filled_by: str
    ) -> tuple[Fill, ...]:
        if not report.filled_quantity:
            return ()
        fills = await self._told_fills(report, filled_by)
        for attempt in range(_FILL_TRIES):
            if sum_of(fills) >= report.filled_quantity:
                break
            if attempt:
                await self._sleep(_FILL_WAIT_S)
            try:
                with vital():
                    listed = await self.fetch_fills(report.symbol, exchange_order_id=filled_by)
            except ExchangeError:
                break  # the user stream or the next look brings them
            fills = united((*fills, *listed))
        return of_order(fills, client_order_id)

    async def _told_fills(self, report: OrderReport, filled_by: str) -> tuple[Fill, ...]:
        """Return what the stream tells of an order; while it is open, that is waited for briefly."""
        fills = self.told.of(filled_by)
        for _ in range(_TOLD_LOOKS):
            if sum_of(fills) >= report.filled_quantity or not self.told.is_live:
                break
            await self._sleep(_TOLD_APART_S)
            fills = self.told.of(filled_by)
        return fills

    async def _executed_before(self, order: Order) -> OrderUpdate | None:
        """Return what an order has executed that another process sent before it was ended.

        An exit leaves although the ledger does not answer. Whoever leads next sends it under
        the same id, which Binance holds against resting orders only.
        """
        with vital():
            found = await quietly(self.fetch_update(order))
        return found if found is not None and found.fills else None

    async def _look(self, order: Order, judgement: Judgement) -> OrderUpdate:
        """Return what an order is that is said to be there already, or not to rest any more."""
        found = await quietly(self.fetch_update(order))
        return found or in_doubt(order, judgement, time_ms=self._now_ms())

    async def _ask(self, call: Call) -> Any:
        return await read_if_known(self._gateway, call, no_such_codes=NO_SUCH_ORDER_CODES)

    def _now_ms(self) -> int:
        return self._gateway.clock.now_ms()


def _status_so_far(report: OrderReport, *, has_fills: bool) -> OrderStatus:
    """Return what may be said of an order whose executions are not all listed yet."""
    if report.status in {OrderStatus.CANCELLED, OrderStatus.EXPIRED, OrderStatus.REJECTED}:
        return OrderStatus.UNKNOWN
    if has_fills:
        return OrderStatus.PARTIALLY_FILLED
    return OrderStatus.TRIGGERED if report.is_conditional else OrderStatus.SUBMITTED


def _read_own(order: Order, data: Any) -> OrderReport | None:
    if not order.type.is_conditional:
        return mapping.parse_own(data, order)
    report = mapping.parse_algo_order(data)
    is_own = (report.client_order_id, report.symbol) == (order.client_order_id, order.symbol)
    return report if is_own else None


class _Reading:
    """Reads the answer to a request about one order, once.

    Attributes:
        report: The order as told; None when the answer lacks its id or is another order's.
    """

    def __init__(self, order: Order) -> None:
        self.report: OrderReport | None = None
        self._order = order

    def is_own(self, data: Any) -> bool:
        """Return whether a payload is this order, with everything that was promised."""
        try:
            self.report = _read_own(self._order, data)
        except ProtocolError:
            return False
        return self.report is not None

    def confirms_cancel(self, data: Any) -> bool:
        """Return whether a payload is this order or, for a conditional one, the word success."""
        is_word = isinstance(data, dict) and data.get("code") in {200, "200"}
        return (is_word and self._order.type.is_conditional) or self.is_own(data)
