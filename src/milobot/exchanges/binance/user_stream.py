"""Binance's user stream: its listen key, its connection, its events."""

from collections.abc import Sequence
from functools import partial

from milobot.errors import RequestRefusedError
from milobot.exchanges.binance import requests
from milobot.exchanges.binance.account import BinanceAccount
from milobot.exchanges.binance.events import Follow, UserEvents, UserNews
from milobot.exchanges.binance.hosts import BinanceHosts
from milobot.exchanges.binance.orders import BinanceOrders
from milobot.exchanges.binance.outcomes import LISTEN_KEY_GONE_CODES
from milobot.exchanges.binance.stream import event_of
from milobot.exchanges.fields import Fields
from milobot.exchanges.gateway import Gateway
from milobot.exchanges.listen_keys import ListenKeyKeeper
from milobot.exchanges.sockets import SocketAddress
from milobot.exchanges.urgency import vital
from milobot.exchanges.user_channel import UserChannel
from milobot.exchanges.user_feed import UserFeed
from milobot.ports import News


class BinanceListenKeys:
    """The calls about listen keys."""

    def __init__(self, gateway: Gateway) -> None:
        """Send through a gateway."""
        self._gateway = gateway

    async def fetch(self) -> str:
        """Return the active key, good for another hour, or a new one."""
        data = await self._gateway.demand(requests.create_listen_key(), is_trading=False)
        return Fields(data, "the listen key").text("listenKey")

    async def extend(self, key: str) -> bool:
        """Make the active key last for another hour; False when there is none (-1125)."""
        try:
            await self._gateway.demand(requests.extend_listen_key(), is_trading=False)
        except RequestRefusedError as refused:
            if refused.code in LISTEN_KEY_GONE_CODES:
                return False
            raise
        return True


class BinanceUserChannel(UserChannel[News | Follow]):
    """Follows triggered orders to what they became."""

    def __init__(
        self,
        hosts: BinanceHosts,
        account: BinanceAccount,
        orders: BinanceOrders,
        feed: UserFeed,
        keeper: ListenKeyKeeper,
    ) -> None:
        """Bring an account's events to a feed."""
        super().__init__(f"{hosts.stream}/private/ws", feed, keeper)
        self._events = UserEvents(orders.fee_prices, orders.told, orders.resting.touch)
        self._account = account
        self._orders = orders

    async def address(self) -> SocketAddress:
        """Return where to connect; fees that events tell in BNB can be booked from now on."""
        self._orders.told.is_live = False  # the connection before this one is gone
        self._orders.resting.doubt()
        with vital():  # nobody hears of fills before
            await self._account.learn_fee_prices()
        return await super().address()

    async def opened(self, *, is_first: bool) -> None:
        """Rely on the stream for orders and executions from now on."""
        self._orders.told.is_live = True
        self._orders.resting.doubt()
        await super().opened(is_first=is_first)

    def _read(self, frame: str | bytes) -> Sequence[UserNews]:
        event = event_of(frame)
        return () if event is None else self._events.parse(event)

    def _take(self, news: News | Follow) -> None:
        if not isinstance(news, Follow):
            self._feed.put(news)
        elif news.exchange_order_id:
            look = self._orders.follow
            self._feed.ask(partial(look, news.symbol, news.client_order_id, news.exchange_order_id))
