"""Binance's user stream: its listen key, its connection, its events."""

from collections.abc import Sequence
from functools import partial
from urllib.parse import quote

from milobot.errors import RequestRefusedError
from milobot.exchanges.binance import requests
from milobot.exchanges.binance.account import BinanceAccount
from milobot.exchanges.binance.events import Follow, ListenKeyExpired, UserEvents
from milobot.exchanges.binance.hosts import BinanceHosts
from milobot.exchanges.binance.orders import BinanceOrders
from milobot.exchanges.binance.outcomes import LISTEN_KEY_GONE_CODES
from milobot.exchanges.binance.stream import event_of
from milobot.exchanges.fields import Fields
from milobot.exchanges.gateway import Gateway
from milobot.exchanges.listen_keys import ListenKeyKeeper
from milobot.exchanges.sockets import SocketAddress
from milobot.exchanges.user_feed import UserFeed

# A key lives for 60 minutes.
EXTEND_EVERY_S = 1800.0


class BinanceListenKeys:
    """The calls about listen keys."""

    def __init__(self, gateway: Gateway) -> None:
        """Send through a gateway."""
        self._gateway = gateway

    async def fetch(self) -> str:
        """Return the active key, good for another hour, or a new one."""
        data = await self._gateway.demand(requests.create_listen_key())
        return Fields(data, "the listen key").text("listenKey")

    async def extend(self, key: str) -> bool:
        """Make the active key last for another hour; False when there is none (-1125)."""
        try:
            await self._gateway.demand(requests.extend_listen_key())
        except RequestRefusedError as refused:
            if refused.code in LISTEN_KEY_GONE_CODES:
                return False
            raise
        return True


class UserChannel:
    """The connection of a user stream."""

    def __init__(
        self,
        hosts: BinanceHosts,
        account: BinanceAccount,
        orders: BinanceOrders,
        feed: UserFeed,
        keeper: ListenKeyKeeper,
    ) -> None:
        """Bring an account's events to a feed."""
        self.events = UserEvents(prices=orders.fee_prices)
        self._hosts = hosts
        self._account = account
        self._orders = orders
        self._feed = feed
        self._keeper = keeper

    async def address(self) -> SocketAddress:
        """Return where to connect, with a fresh key."""
        await self._account.learn_fee_prices()
        key = quote(await self._keeper.fetch(), safe="")
        return SocketAddress(f"{self._hosts.stream}/private/ws?listenKey={key}")

    def greetings(self) -> Sequence[str]:
        """Return nothing: the key is the subscription."""
        return ()

    def reply_to(self, frame: str | bytes) -> str | None:
        """Return None: Binance pings with ping frames."""
        return None

    async def opened(self, *, is_first: bool) -> None:
        """Pass on that events may have been missed."""
        self._feed.opened(is_first=is_first)

    async def received(self, frame: str | bytes) -> None:
        """Pass on what an event says; follow triggered orders to what they became."""
        event = event_of(frame)
        if event is None:
            return
        for news in self.events.parse(event):
            match news:
                case ListenKeyExpired():
                    await self._feed.renew("the listen key has expired")
                case Follow(symbol, client_id, order_id):
                    if order_id:
                        question = partial(self._orders.follow, symbol, client_id, order_id)
                        self._feed.ask(question)
                case _:
                    self._feed.put(news)
