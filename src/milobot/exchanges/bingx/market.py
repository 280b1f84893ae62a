"""BingX's public data, as the ``MarketData`` port."""

from collections.abc import Mapping
from decimal import Decimal

from milobot.domain.market import CandleSeries, SymbolRules
from milobot.domain.reports import BookTicker, FundingRate, MarkPrice
from milobot.domain.timeframes import Timeframe
from milobot.exchanges.bingx import market_mapping, market_requests
from milobot.exchanges.bingx.market_mapping import Contract
from milobot.exchanges.bingx.requests import MOST_ROWS
from milobot.exchanges.closed_candles import list_closed
from milobot.exchanges.gateway import Gateway
from milobot.exchanges.symbol_list import Brackets, SymbolList
from milobot.exchanges.wire import Priority

# Funding is paid once an hour at most: a thousand rates fill no less than this.
_FUNDING_SPAN_MS = MOST_ROWS * 3_600_000 - 1


class BingxMarket:
    """Prices, candles and rules; needs no key."""

    def __init__(self, gateway: Gateway) -> None:
        """Know no rules yet."""
        self._gateway = gateway
        self._contracts: dict[str, Contract] = {}
        self._symbols = SymbolList("BingX", gateway.clock, self._list_rules)

    async def fetch_server_time(self) -> int:
        """Return BingX's clock; ours is set by it on the way."""
        return await self._gateway.measure_clock()

    async def fetch_all_rules(self) -> dict[str, SymbolRules]:
        """Return the rules of every symbol that may be traded, with brackets as far as known."""
        return await self._symbols.fetch_all()

    async def fetch_rules(self, symbol: str) -> SymbolRules:
        """Return the rules of a symbol, at most an hour old.

        Raises:
            DataError: It is not traded; the message names the nearest that are.
            ExchangeError: The rules cannot be had.
        """
        return await self._symbols.fetch(symbol)

    def listed_leverage(self, symbol: str) -> int:
        """Return the highest leverage that the contracts name for a symbol; 0 when they do not."""
        known = self._contracts.get(symbol)
        return known.max_leverage if known else 0

    def learn_brackets(self, brackets: Mapping[str, Brackets]) -> None:
        """Take over leverage brackets of some symbols; their rules carry them from now on."""
        self._symbols.learn_brackets(brackets)

    async def fetch_candles(
        self,
        symbol: str,
        timeframe: Timeframe,
        *,
        first_ms: int | None,
        limit: int,
        priority: Priority = Priority.DOWNLOAD,
    ) -> CandleSeries:
        """Return up to ``limit`` (at most 1,440) closed candles.

        Args:
            symbol: The symbol.
            timeframe: Their timeframe.
            first_ms: Open time of the first; None for the latest.
            limit: The most wanted; one that still forms is asked for but left out.
            priority: QUERY for candles that somebody waits for.
        """
        call = market_requests.fetch_candles(
            symbol,
            timeframe,
            first_ms=first_ms,
            limit=min(limit, market_requests.MOST_CANDLES),
            priority=priority,
        )

        async def list_all() -> CandleSeries:
            listed = market_mapping.parse_candles(await self._gateway.read(call))
            return listed.between(first_ms, None)

        return await list_closed(self._gateway, timeframe, list_all)

    async def fetch_funding_rates(
        self, symbol: str, *, first_ms: int, last_ms: int
    ) -> list[FundingRate]:
        """Return the rates paid in [first_ms, last_ms], oldest first."""
        found: dict[int, FundingRate] = {}
        while first_ms <= last_ms:
            end_ms = min(first_ms + _FUNDING_SPAN_MS, last_ms)
            call = market_requests.fetch_funding_rates(symbol, first_ms=first_ms, last_ms=end_ms)
            rates = market_mapping.parse_funding_rates(await self._gateway.read(call))
            found |= {rate.time_ms: rate for rate in rates if first_ms <= rate.time_ms <= end_ms}
            first_ms = end_ms + 1
        return list(found.values())

    async def fetch_book_ticker(self, symbol: str) -> BookTicker:
        """Return best bid and ask."""
        data = await self._gateway.read(market_requests.fetch_book_ticker(symbol))
        return market_mapping.parse_book_ticker(data, now_ms=self._gateway.clock.now_ms())

    async def fetch_mark_price(self, symbol: str) -> MarkPrice:
        """Return mark price and the coming funding."""
        data = await self._gateway.read(market_requests.fetch_mark_price(symbol))
        return market_mapping.parse_mark_price(data, now_ms=self._gateway.clock.now_ms())

    async def fetch_last_price(self, symbol: str) -> Decimal:
        """Return the price of the latest trade."""
        data = await self._gateway.read(market_requests.fetch_last_price(symbol))
        return market_mapping.parse_last_price(data)

    async def _list_rules(self) -> dict[str, SymbolRules]:
        data = await self._gateway.read(market_requests.fetch_contracts())
        self._contracts = market_mapping.parse_contracts(data)
        return {symbol: contract.rules for symbol, contract in self._contracts.items()}
