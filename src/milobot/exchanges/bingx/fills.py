"""The executions behind orders, from listings only.

BingX's events name no execution, so a fill is told by a listing and nowhere else: with two
sources and one name nobody could tell whether both mean the same.
"""

from milobot.domain.money import ZERO
from milobot.domain.orders import Fill, OrderStatus
from milobot.domain.reports import OrderReport
from milobot.errors import ExchangeError
from milobot.exchanges.bingx import mapping, requests
from milobot.exchanges.gateway import Gateway
from milobot.exchanges.order_news import sum_of
from milobot.exchanges.times import Sleep
from milobot.exchanges.urgency import vital

# A fill is told by the order before it is listed among the executions.
_TRIES = 4
_WAIT_S = 0.15
# Our picture of BingX's clock must not cut off what has just happened.
_AHEAD_MS = 60_000
_HAS_FILLS = {OrderStatus.FILLED, OrderStatus.PARTIALLY_FILLED}


class BingxFills:
    """Lists executions of one account."""

    def __init__(self, gateway: Gateway, sleep: Sleep) -> None:
        """Ask through a gateway."""
        self._gateway = gateway
        self._sleep = sleep

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
        self, symbol: str, exchange_order_id: str, *, changed_ms: int = 0
    ) -> list[Fill]:
        """Return the executions of one order that was changed last at ``changed_ms``."""
        last_ms = max(self._gateway.clock.now_ms(), changed_ms) + _AHEAD_MS
        first_ms = last_ms - requests.MOST_SPAN_MS + 1
        with vital():  # what is not known to be filled is not protected
            return await self._span(symbol, first_ms, last_ms, exchange_order_id)

    async def of_report(self, report: OrderReport) -> list[Fill]:
        """Return the executions that a report promises, as far as they come to be listed soon."""
        if report.filled_quantity == ZERO and report.status not in _HAS_FILLS:
            return []
        fills: list[Fill] = []
        for attempt in range(_TRIES):
            if attempt:
                await self._sleep(_WAIT_S)
            try:
                fills = await self._listed(report)
            except ExchangeError:
                break  # the user stream or the next look brings them
            if fills and sum_of(fills) >= report.filled_quantity:
                break
        return fills

    async def _listed(self, report: OrderReport) -> list[Fill]:
        found: list[Fill] = []
        for exchange_id in (report.exchange_order_id, report.child_order_id):
            if exchange_id and not found:
                found = await self.of_order(report.symbol, exchange_id, changed_ms=report.time_ms)
        return found

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
