"""Everything of Binance put together; the one place that knows all its parts."""

from functools import partial

from milobot.exchanges.binance import market_mapping, requests
from milobot.exchanges.binance.account import BinanceAccount
from milobot.exchanges.binance.hosts import BinanceHosts
from milobot.exchanges.binance.market import BinanceMarket
from milobot.exchanges.binance.orders import BinanceOrders
from milobot.exchanges.binance.outcomes import CLOCK_CODES, DIALECT
from milobot.exchanges.binance.signing import BinanceSigner, Credentials
from milobot.exchanges.binance.stream import candle_channels, price_channels
from milobot.exchanges.binance.user_stream import BinanceListenKeys, BinanceUserChannel
from milobot.exchanges.client import Client, ClientParts
from milobot.exchanges.connection import Connection
from milobot.exchanges.gateway import Gateway, GatewayParts
from milobot.exchanges.listen_keys import ListenKeyKeeper
from milobot.exchanges.options import ClientOptions
from milobot.exchanges.user_feed import UserFeed


class BinanceClient(Client[BinanceMarket, BinanceAccount]):
    """One connection to Binance: market data, an account if there is a key, streams."""

    def __init__(
        self,
        hosts: BinanceHosts,
        credentials: Credentials | None = None,
        options: ClientOptions | None = None,
    ) -> None:
        """Put the parts together; nothing is sent before the first call."""
        self._hosts = hosts
        self._connection = Connection("Binance", requests.LIMITS, options or ClientOptions())
        gateway = _gateway(self._connection, BinanceSigner(hosts, credentials))
        market = BinanceMarket(gateway, self._connection.limiter)
        self._orders = BinanceOrders(gateway, self._connection.options.sleep)
        account = BinanceAccount(
            gateway, market, self._orders, tells_rights=hosts.rights is not None
        )
        super().__init__(
            ClientParts(
                name="binance",
                connection=self._connection,
                gateway=gateway,
                market=market,
                account=account,
                candle_channels=partial(candle_channels, hosts),
                price_channels=partial(price_channels, hosts),
            )
        )

    def user_feed(self) -> UserFeed:
        """Return the stream of the account's news."""
        sleep = self._connection.options.sleep
        feed = UserFeed(self.clock, sleep)
        keeper = ListenKeyKeeper(BinanceListenKeys(self.gateway), sleep=sleep)
        channel = BinanceUserChannel(self._hosts, self.account, self._orders, feed, keeper)
        feed.over(self._connection.stream("binance user", channel), keeper)
        return feed


def _gateway(connection: Connection, sign: BinanceSigner) -> Gateway:
    return Gateway(
        GatewayParts(
            dialect=DIALECT,
            transport=connection.transport,
            limiter=connection.limiter,
            breaker=connection.breaker,
            clock=connection.clock,
            sign=sign,
            usage=market_mapping.parse_usage,
            is_clock_error=lambda judgement: judgement.code in CLOCK_CODES,
            clock_call=requests.fetch_server_time(),
            read_time=market_mapping.parse_server_time,
            sleep=connection.options.sleep,
            timeouts=connection.options.timeouts,
            signing_deadline=connection.options.signing_deadline,
        )
    )
