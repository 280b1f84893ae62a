"""A client of an exchange, as far as the exchanges have it alike."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, Protocol, Self, TypeVar

from milobot.domain.market import CandleSeries
from milobot.domain.timeframes import Timeframe
from milobot.exchanges.candle_feed import CandleFeed, Series
from milobot.exchanges.connection import Connection
from milobot.exchanges.gateway import Gateway
from milobot.exchanges.latest import LatestPrices, PriceFeed
from milobot.exchanges.market_channel import MarketChannel
from milobot.exchanges.user_feed import UserFeed
from milobot.exchanges.wire import Priority
from milobot.ports import ExchangeAccount, MarketData


class PublicData(MarketData, Protocol):
    """Public data of which candles may be asked for ahead of downloads."""

    async def fetch_candles(
        self,
        symbol: str,
        timeframe: Timeframe,
        *,
        first_ms: int | None,
        limit: int,
        priority: Priority = Priority.DOWNLOAD,
    ) -> CandleSeries:
        """Return up to ``limit`` closed candles from ``first_ms`` on; None: the latest ones."""
        ...


M = TypeVar("M", bound=PublicData)
A = TypeVar("A", bound=ExchangeAccount)


class CandleChannels(Protocol):
    """A dialect's way to subscribe candles."""

    def __call__(self, series: Iterable[Series], feed: CandleFeed) -> Sequence[MarketChannel]:
        """Return the connections that bring the candles of all series to a feed."""
        ...


class PriceChannels(Protocol):
    """A dialect's way to subscribe prices."""

    def __call__(self, symbols: Sequence[str], latest: LatestPrices) -> Sequence[MarketChannel]:
        """Return the connections that bring mark prices and best bids and asks."""
        ...


@dataclass(frozen=True, slots=True)
class ClientParts(Generic[M, A]):
    """What a client is made of.

    Attributes:
        name: The exchange as logs call it.
        market: Public data.
        account: The account of the key; calls without one raise ``AuthenticationError``.
    """

    name: str
    connection: Connection
    gateway: Gateway
    market: M
    account: A
    candle_channels: CandleChannels
    price_channels: PriceChannels


class Client(ABC, Generic[M, A]):
    """One connection to an exchange: market data, an account if there is a key, streams.

    Attributes:
        market: Public data.
        account: The account of the key; calls without one raise ``AuthenticationError``.
        clock: The exchange's time.
    """

    def __init__(self, parts: ClientParts[M, A]) -> None:
        """Take the parts; nothing is sent before the first call."""
        self._parts = parts
        self.gateway = parts.gateway
        self.market = parts.market
        self.account = parts.account
        self.clock = parts.connection.clock
        self.limiter = parts.connection.limiter
        self.breaker = parts.connection.breaker
        self.pulses = parts.connection.pulses

    async def __aenter__(self) -> Self:
        """Return the client."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all connections."""
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._parts.connection.close()

    def candle_feed(self, since: Mapping[Series, int | None]) -> CandleFeed:
        """Return a stream of closed candles.

        Args:
            since: The series, each with the open time of the candle that comes next; None
                begins with the first that closes.
        """
        connection = self._parts.connection
        fetch = partial(self.market.fetch_candles, priority=Priority.QUERY)
        feed = CandleFeed(since, fetch, self.clock, sleep=connection.options.sleep)
        channels = self._parts.candle_channels(since, feed)
        feed.over(connection.streams(f"{self._parts.name} candles", channels))
        return feed

    def price_feed(self, symbols: Sequence[str]) -> PriceFeed:
        """Return a stream of mark prices and best bids and asks."""
        feed = PriceFeed()
        channels = self._parts.price_channels(symbols, feed)
        feed.over(self._parts.connection.streams(f"{self._parts.name} prices", channels))
        return feed

    @abstractmethod
    def user_feed(self) -> UserFeed:
        """Return the stream of the account's news."""
