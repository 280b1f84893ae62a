"""Everything of BingX put together; the one place that knows all its parts."""

from functools import partial

from milobot.domain.orders import Refusal
from milobot.exchanges.bingx import market_mapping, market_requests, requests
from milobot.exchanges.bingx.account import BingxAccount
from milobot.exchanges.bingx.follow import BingxUserFeed
from milobot.exchanges.bingx.hosts import BingxHosts
from milobot.exchanges.bingx.market import BingxMarket
from milobot.exchanges.bingx.orders import BingxOrders
from milobot.exchanges.bingx.outcomes import DIALECT
from milobot.exchanges.bingx.signing import BingxSigner, Credentials
from milobot.exchanges.bingx.stream import candle_channels, price_channels
from milobot.exchanges.bingx.usage import LearningTransport
from milobot.exchanges.bingx.user_stream import BingxListenKeys, BingxUserChannel
from milobot.exchanges.client import Client, ClientParts
from milobot.exchanges.connection import Connection
from milobot.exchanges.gateway import Gateway, GatewayParts
from milobot.exchanges.listen_keys import ListenKeyKeeper
from milobot.exchanges.options import ClientOptions


class BingxClient(Client[BingxMarket, BingxAccount]):
    """One connection to BingX: market data, an account if there is a key, streams."""

    def __init__(
        self,
        hosts: BingxHosts,
        credentials: Credentials | None = None,
        options: ClientOptions | None = None,
    ) -> None:
        """Put the parts together; nothing is sent before the first call."""
        self._hosts = hosts
        self._connection = Connection("BingX", requests.LIMITS, options or ClientOptions())
        gateway = _gateway(self._connection, BingxSigner(hosts, credentials))
        market = BingxMarket(gateway)
        self._orders = BingxOrders(gateway, self._connection.options.sleep)
        super().__init__(
            ClientParts(
                name="bingx",
                connection=self._connection,
                gateway=gateway,
                market=market,
                account=BingxAccount(hosts, gateway, market, self._orders),
                candle_channels=partial(candle_channels, hosts),
                price_channels=partial(price_channels, hosts),
            )
        )

    def user_feed(self) -> BingxUserFeed:
        """Return the stream of the account's news."""
        sleep = self._connection.options.sleep
        feed = BingxUserFeed(self.clock, sleep, self._orders.follow)
        keeper = ListenKeyKeeper(BingxListenKeys(self.gateway), sleep=sleep)
        channel = BingxUserChannel(self._hosts, self._orders, feed, keeper)
        feed.over(self._connection.stream("bingx user", channel), keeper)
        return feed


def _gateway(connection: Connection, sign: BingxSigner) -> Gateway:
    learning = LearningTransport(connection.transport, connection.limiter, connection.clock)
    return Gateway(
        GatewayParts(
            dialect=DIALECT,
            transport=learning,
            limiter=connection.limiter,
            breaker=connection.breaker,
            clock=connection.clock,
            sign=sign,
            usage=lambda _: (),  # an answer does not say which interface's headers it has
            is_clock_error=lambda judgement: judgement.refusal is Refusal.CLOCK,
            clock_call=market_requests.fetch_server_time(),
            read_time=market_mapping.parse_server_time,
            sleep=connection.options.sleep,
            timeouts=connection.options.timeouts,
            signing_deadline=connection.options.signing_deadline,
        )
    )
