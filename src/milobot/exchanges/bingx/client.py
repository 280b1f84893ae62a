"""Everything of BingX put together; the one place that knows all its parts."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Self

from milobot.domain.orders import Refusal
from milobot.exchanges.bingx import market_mapping, market_requests, requests
from milobot.exchanges.bingx.account import BingxAccount
from milobot.exchanges.bingx.follow import BingxUserFeed
from milobot.exchanges.bingx.hosts import BingxHosts
from milobot.exchanges.bingx.market import BingxMarket
from milobot.exchanges.bingx.orders import BingxOrders
from milobot.exchanges.bingx.outcomes import DIALECT
from milobot.exchanges.bingx.signing import BingxSigner, Credentials
from milobot.exchanges.bingx.stream import MarketChannel, candle_channels, price_channels
from milobot.exchanges.bingx.usage import LearningTransport
from milobot.exchanges.bingx.user_stream import EXTEND_EVERY_S, BingxListenKeys, UserChannel
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
from milobot.exchanges.wire import Priority


class BingxClient:
    """One connection to BingX: market data, an account if there is a key, streams.

    Attributes:
        market: Public data.
        account: The account of the key; calls without one raise ``AuthenticationError``.
        clock: BingX's time.
    """

    def __init__(
        self,
        hosts: BingxHosts,
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
            "BingX", self._local, requests.LIMITS, pace=options.pace, sleep=options.sleep
        )
        self.breaker = CircuitBreaker("BingX", self._local)
        self.gateway = Gateway(
            GatewayParts(
                dialect=DIALECT,
                transport=LearningTransport(self._transport, self.limiter, self.clock),
                limiter=self.limiter,
                breaker=self.breaker,
                clock=self.clock,
                sign=BingxSigner(hosts, credentials),
                usage=lambda _: (),  # an answer does not say which interface's headers it has
                is_clock_error=_is_clock_error,
                clock_call=market_requests.fetch_server_time(),
                read_time=market_mapping.parse_server_time,
                sleep=options.sleep,
                timeouts=options.timeouts,
            )
        )
        self.market = BingxMarket(self.gateway)
        self._orders = BingxOrders(self.gateway, options.sleep)
        self.account = BingxAccount(hosts, self.gateway, self.market, self._orders)

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
        feed.over(self._streams("bingx candles", candle_channels(self._hosts, since, feed)))
        return feed

    def price_feed(self, symbols: Sequence[str]) -> PriceFeed:
        """Return a stream of mark prices and best bids and asks."""
        feed = PriceFeed()
        feed.over(self._streams("bingx prices", price_channels(self._hosts, symbols, feed)))
        return feed

    def user_feed(self) -> BingxUserFeed:
        """Return the stream of the account's news."""
        feed = BingxUserFeed(self.clock, self._options.sleep, self._orders.follow)
        keeper = ListenKeyKeeper(
            BingxListenKeys(self.gateway), every_s=EXTEND_EVERY_S, sleep=self._options.sleep
        )
        channel = UserChannel(self._hosts, self._orders.ids, feed, keeper)
        feed.over(self._stream("bingx user", channel), keeper)
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
    return judgement.refusal is Refusal.CLOCK
