"""The executions behind orders, from listings only.

BingX's events name no execution, so a fill is told by a listing and nowhere else: with two
sources and one name nobody could tell whether both mean the same.
"""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from functools import partial
from weakref import WeakValueDictionary

from milobot.domain.money import ZERO
from milobot.domain.orders import Fill, OrderStatus
from milobot.domain.reports import OrderReport
from milobot.errors import ExchangeError
from milobot.exchanges.bingx import mapping, requests
from milobot.exchanges.bingx.fill_board import FillBoard
from milobot.exchanges.gateway import Gateway
from milobot.exchanges.order_news import sum_of
from milobot.exchanges.times import Sleep
from milobot.exchanges.urgency import vital

_Turns = WeakValueDictionary[str, asyncio.Lock]

# A fill is told by the order before it is listed among the executions.
_TRIES = 4
_WAIT_S = 0.15
# Our picture of BingX's clock must not cut off what has just happened.
_AHEAD_MS = 60_000
_MOST_KNOWN = 200
# Older ones would make the listing of all symbols long.
_LATELY_MS = 10_000
_HAS_FILLS = {OrderStatus.FILLED, OrderStatus.PARTIALLY_FILLED}


class BingxFills:
    """Lists executions of one account."""

    def __init__(self, gateway: Gateway, sleep: Sleep) -> None:
        """Ask through a gateway."""
        self._gateway = gateway
        self._sleep = sleep
        self._board = FillBoard(gateway, sleep)
        self._turns: _Turns = WeakValueDictionary()
        self._known: dict[str, list[Fill]] = {}

    async def fetch(
        self, symbol: str, *, first_ms: int | None, exchange_order_id: str = ""
    ) -> list[Fill]:
        """Return executions since ``first_ms``, oldest first; None: of the last seven days.

        Raises:
            ExchangeError: They cannot be had.
        """
        last_ms = await self._gateway.measure_clock() + _AHEAD_MS
        start_ms = last_ms - requests.MOST_SPAN_MS + 1 if first_ms is None else first_ms
        found: dict[str, Fill] = {}
        while start_ms <= last_ms:
            end_ms = min(start_ms + requests.MOST_SPAN_MS - 1, last_ms)
            for fill in await self._span(symbol, start_ms, end_ms, exchange_order_id):
                found.setdefault(fill.fill_id, fill)
            start_ms = end_ms + 1
        return sorted(found.values(), key=lambda f: (f.time_ms, len(f.fill_id), f.fill_id))

    async def of_order(
        self,
        symbol: str,
        exchange_order_id: str,
        *,
        quantity: Decimal,
        since_ms: int,
        changed_ms: int = 0,
    ) -> list[Fill]:
        """Return the executions of one order, as far as they are listed.

        Whoever sent it and who hears of its execution ask at the same moment: it is asked once.

        Args:
            symbol: Where.
            exchange_order_id: BingX's id of the order.
            quantity: How much it has executed, or should have; 0 for not known.
            since_ms: Since when, where that is lately: while the listing of a symbol has no room,
                that of all symbols may answer. 0 asks this one alone.
            changed_ms: When the order was changed last; 0 for not known.
        """
        turn = self._turns.setdefault(exchange_order_id, asyncio.Lock())
        async with turn:
            known = self._known.get(exchange_order_id, [])
            if known and quantity and sum_of(known) >= quantity:
                return known
            fills = await self._of_order(
                symbol, exchange_order_id, changed_ms=changed_ms, since_ms=since_ms
            )
            self._known[exchange_order_id] = fills
            if len(self._known) > _MOST_KNOWN:
                del self._known[next(iter(self._known))]
        return fills

    async def _of_order(
        self, symbol: str, exchange_order_id: str, *, changed_ms: int, since_ms: int
    ) -> list[Fill]:
        last_ms = max(self._gateway.clock.now_ms(), changed_ms) + _AHEAD_MS
        first_ms = last_ms - requests.MOST_SPAN_MS + 1
        with vital():  # what is not known to be filled is not protected
            if since_ms and not self._has_room(symbol, exchange_order_id):
                found = await self._board.of_order(exchange_order_id, since_ms=since_ms)
                if found is not None:
                    return found
            fills = await self._span(symbol, first_ms, last_ms, exchange_order_id)
        self._board.learn(fills, exchange_order_id)
        return fills

    async def of_report(self, report: OrderReport) -> list[Fill]:
        """Return the executions that a report promises, as far as they come to be listed soon."""
        if report.filled_quantity == ZERO and report.status not in _HAS_FILLS:
            return []
        return await self._until(report.filled_quantity, partial(self._listed, report))

    async def of_promise(
        self, symbol: str, exchange_order_id: str, *, quantity: Decimal, since_ms: int
    ) -> list[Fill]:
        """Return the executions of an order that was just told to be filled by a quantity."""

        async def listed(attempt: int) -> list[Fill]:
            since = 0 if _is_last(attempt) else since_ms
            return await self.of_order(symbol, exchange_order_id, quantity=quantity, since_ms=since)

        return await self._until(quantity, listed)

    async def _until(
        self, quantity: Decimal, ask: Callable[[int], Awaitable[list[Fill]]]
    ) -> list[Fill]:
        """Return executions once they come to a quantity, or what there is after some tries."""
        fills: list[Fill] = []
        for attempt in range(_TRIES):
            if attempt:
                await self._sleep(_WAIT_S)
            try:
                fills = await ask(attempt)
            except ExchangeError:
                break  # the user stream or the next look brings them
            if fills and sum_of(fills) >= quantity:
                break
        return fills

    async def _listed(self, report: OrderReport, attempt: int) -> list[Fill]:
        is_late = report.time_ms < self._gateway.clock.now_ms() - _LATELY_MS
        found: list[Fill] = []
        for exchange_id in (report.exchange_order_id, report.child_order_id):
            if exchange_id and not found:
                found = await self.of_order(
                    report.symbol,
                    exchange_id,
                    quantity=report.filled_quantity,
                    since_ms=0 if is_late or _is_last(attempt) else report.time_ms,
                    changed_ms=report.time_ms,
                )
        return found

    def _has_room(self, symbol: str, exchange_order_id: str) -> bool:
        call = requests.fetch_fills(
            symbol, first_ms=0, last_ms=0, exchange_order_id=exchange_order_id
        )
        return self._gateway.has_room(call)

    async def _span(
        self, symbol: str, first_ms: int, last_ms: int, exchange_order_id: str
    ) -> list[Fill]:
        found: list[Fill] = []
        page = 1
        while True:
            call = requests.fetch_fills(
                symbol,
                first_ms=first_ms,
                last_ms=last_ms,
                exchange_order_id=exchange_order_id,
                page=page,
            )
            rows = mapping.parse_fills(await self._gateway.read(call))
            found += rows
            if len(rows) < requests.MOST_ROWS:
                return found
            page += 1


def _is_last(attempt: int) -> bool:
    """Return whether nothing is tried after this: then the listing of the symbol has the word."""
    return attempt == _TRIES - 1
