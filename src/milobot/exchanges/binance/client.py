"""Everything of Binance put together; the one place that knows all its parts."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Self

from milobot.exchanges.binance import market_mapping, requests
from milobot.exchanges.binance.account import BinanceAccount
from milobot.exchanges.binance.hosts import BinanceHosts
from milobot.exchanges.binance.market import BinanceMarket
from milobot.exchanges.binance.orders import BinanceOrders
from milobot.exchanges.binance.outcomes import CLOCK_CODES, DIALECT
from milobot.exchanges.binance.signing import BinanceSigner, Credentials
from milobot.exchanges.binance.stream import MarketChannel, candle_channels, price_channels
from milobot.exchanges.binance.user_stream import EXTEND_EVERY_S, BinanceListenKeys, UserChannel
from milobot.exchanges.breaker import CircuitBreaker
from milobot.exchanges.candle_feed import CandleFeed, Series
from milobot.exchanges.gateway import Gateway, GatewayParts
from milobot.exchanges.latest import PriceFeed
from milobot.exchanges.limits import PriorityLimiter
from milobot.exchanges.listen_keys import ListenKeyKeeper
from milobot.exchanges.options import ClientOptions
from milobot.exchanges.outcomes import Judgement
from milobot.exchanges.sockets import HttpConnector
from milobot.exchanges.streams import Channel, SupervisedStream
from milobot.exchanges.times import ExchangeClock, SteadyClock
from milobot.exchanges.transport import HttpTransport
from milobot.exchanges.user_feed import UserFeed
from milobot.exchanges.wire import Priority


class BinanceClient:
    """One connection to Binance: market data, an account if there is a key, streams.

    Attributes:
        market: Public data.
        account: The account of the key; calls without one raise ``AuthenticationError``.
        clock: Binance's time.
    """

    def __init__(
        self,
        hosts: BinanceHosts,
        credentials: Credentials | None = None,
        options: ClientOptions | None = None,
    ) -> None:
        """Put the parts together; nothing is sent before the first call."""
        options = options or ClientOptions()
        self._hosts = hosts
        self._options = options
        self._local = options.clock or SteadyClock()
        self._transport = HttpTransport()
        self._connector = HttpConnector(self._transport.session)
        self.clock = ExchangeClock(self._local)
        self.limiter = PriorityLimiter(
            "Binance", self._local, requests.LIMITS, pace=options.pace, sleep=options.sleep
        )
        self.breaker = CircuitBreaker("Binance", self._local)
        self.gateway = Gateway(
            GatewayParts(
                dialect=DIALECT,
                transport=self._transport,
                limiter=self.limiter,
                breaker=self.breaker,
                clock=self.clock,
                sign=BinanceSigner(hosts, credentials),
                usage=market_mapping.parse_usage,
                is_clock_error=_is_clock_error,
                clock_call=requests.fetch_server_time(),
                read_time=market_mapping.parse_server_time,
                sleep=options.sleep,
                timeouts=options.timeouts,
            )
        )
        self.market = BinanceMarket(self.gateway, self.limiter)
        self._orders = BinanceOrders(self.gateway, options.sleep)
        self.account = BinanceAccount(
            self.gateway, self.market, self._orders, tells_rights=hosts.rights is not None
        )

    async def __aenter__(self) -> Self:
        """Return the client."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all connections."""
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.close()

    def candle_feed(self, since: Mapping[Series, int | None]) -> CandleFeed:
        """Return a stream of closed candles.

        Args:
            since: The series, each with the open time of the candle that comes next; None
                begins with the first that closes.
        """
        fetch = partial(self.market.fetch_candles, priority=Priority.QUERY)
        feed = CandleFeed(since, fetch, self.clock, sleep=self._options.sleep)
        channels = candle_channels(self._hosts, since, feed)
        feed.over(self._streams("binance candles", channels))
        return feed

    def price_feed(self, symbols: Sequence[str]) -> PriceFeed:
        """Return a stream of mark prices and best bids and asks."""
        feed = PriceFeed()
        feed.over(self._streams("binance prices", price_channels(self._hosts, symbols, feed)))
        return feed

    def user_feed(self) -> UserFeed:
        """Return the stream of the account's news."""
        feed = UserFeed(self.clock, self._options.sleep)
        keeper = ListenKeyKeeper(
            BinanceListenKeys(self.gateway), every_s=EXTEND_EVERY_S, sleep=self._options.sleep
        )
        channel = UserChannel(self._hosts, self.account, self._orders, feed, keeper)
        feed.over(self._stream("binance user", channel), keeper)
        return feed

    def _streams(self, name: str, channels: Sequence[MarketChannel]) -> list[SupervisedStream]:
        return [self._stream(f"{name} {at}", channel) for at, channel in enumerate(channels, 1)]

    def _stream(self, name: str, channel: Channel) -> SupervisedStream:
        return SupervisedStream(
            name,
            channel,
            self._connector,
            self._local,
            plan=self._options.plan,
            sleep=self._options.sleep,
        )


def _is_clock_error(judgement: Judgement) -> bool:
    return judgement.code in CLOCK_CODES
