"""Binance's public data, as the ``MarketData`` port."""

from collections.abc import Mapping
from decimal import Decimal

from milobot.domain.market import CandleSeries, SymbolRules
from milobot.domain.reports import BookTicker, FundingRate, MarkPrice
from milobot.domain.timeframes import Timeframe
from milobot.exchanges.binance import market_mapping, requests
from milobot.exchanges.closed_candles import list_closed
from milobot.exchanges.gateway import Gateway
from milobot.exchanges.limits import PriorityLimiter
from milobot.exchanges.symbol_list import Brackets, SymbolList
from milobot.exchanges.wire import Priority


class BinanceMarket:
    """Prices, candles and rules; needs no key."""

    def __init__(self, gateway: Gateway, limiter: PriorityLimiter) -> None:
        """Know no rules yet.

        Args:
            gateway: The way to Binance.
            limiter: Told the limits that exchangeInfo states.
        """
        self._gateway = gateway
        self._limiter = limiter
        self._symbols = SymbolList("Binance", gateway.clock, self._list_rules)

    async def fetch_server_time(self) -> int:
        """Return Binance's clock; ours is set by it on the way."""
        return await self._gateway.measure_clock()

    async def fetch_all_rules(self) -> dict[str, SymbolRules]:
        """Return the rules of every symbol that may be traded, with brackets once these are known."""
        return await self._symbols.fetch_all()

    async def fetch_rules(self, symbol: str) -> SymbolRules:
        """Return the rules of a symbol, at most an hour old.

        Raises:
            DataError: It is not traded; the message names the nearest that are.
            ExchangeError: The rules cannot be had.
        """
        return await self._symbols.fetch(symbol)

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
        """Return up to ``limit`` (at most 1,500) closed candles.

        Args:
            symbol: The symbol.
            timeframe: Their timeframe.
            first_ms: Open time of the first; None for the latest.
            limit: The most wanted; one that still forms is asked for but left out.
            priority: QUERY for candles that somebody waits for.
        """
        call = requests.fetch_candles(
            symbol,
            timeframe,
            first_ms=first_ms,
            limit=min(limit, requests.MOST_CANDLES),
            priority=priority,
        )

        async def list_all() -> CandleSeries:
            return market_mapping.parse_candles(await self._gateway.read(call))

        return await list_closed(self._gateway, timeframe, list_all)

    async def fetch_funding_rates(
        self, symbol: str, *, first_ms: int, last_ms: int
    ) -> list[FundingRate]:
        """Return the rates paid in [first_ms, last_ms], oldest first."""
        found: dict[int, FundingRate] = {}
        while True:
            call = requests.fetch_funding_rates(symbol, first_ms=first_ms, last_ms=last_ms)
            rates = market_mapping.parse_funding_rates(await self._gateway.read(call))
            found |= {rate.time_ms: rate for rate in rates}
            if len(rates) < requests.MOST_ROWS or rates[-1].time_ms <= first_ms:
                return list(found.values())
            first_ms = rates[-1].time_ms

    async def fetch_book_ticker(self, symbol: str) -> BookTicker:
        """Return best bid and ask."""
        data = await self._gateway.read(requests.fetch_book_ticker(symbol))
        return market_mapping.parse_book_ticker(data)

    async def fetch_mark_price(self, symbol: str) -> MarkPrice:
        """Return mark price and the coming funding."""
        data = await self._gateway.read(requests.fetch_mark_price(symbol))
        return market_mapping.parse_mark_price(data)

    async def fetch_last_price(self, symbol: str) -> Decimal:
        """Return the price of the latest trade."""
        data = await self._gateway.read(requests.fetch_last_price(symbol))
        return market_mapping.parse_last_price(data)

    async def _list_rules(self) -> dict[str, SymbolRules]:
        data = await self._gateway.read(requests.fetch_exchange_info())
        for limit in market_mapping.parse_limits(data):
            self._limiter.set_limit(limit)
        return market_mapping.parse_all_rules(data)
