"""BingX's user stream: its listen key, its connection, its events."""

from collections.abc import Sequence

from milobot.errors import ProtocolError, RequestRefusedError
from milobot.exchanges.bingx import requests
from milobot.exchanges.bingx.events import FollowOrder, UserEvents, UserNews
from milobot.exchanges.bingx.follow import BingxUserFeed
from milobot.exchanges.bingx.frames import event_of, heartbeat_reply
from milobot.exchanges.bingx.hosts import BingxHosts
from milobot.exchanges.bingx.orders import BingxOrders
from milobot.exchanges.gateway import Gateway
from milobot.exchanges.listen_keys import ListenKeyKeeper
from milobot.exchanges.user_channel import UserChannel
from milobot.ports import News


class BingxListenKeys:
    """The calls about listen keys."""

    def __init__(self, gateway: Gateway) -> None:
        """Send through a gateway."""
        self._gateway = gateway

    async def fetch(self) -> str:
        """Return a key that is good for an hour."""
        data = await self._gateway.demand(requests.create_listen_key(), is_trading=False)
        key = data.get("listenKey") if isinstance(data, dict) else None
        if not isinstance(key, str) or not key:
            inner = data.get("data") if isinstance(data, dict) else None
            key = inner.get("listenKey") if isinstance(inner, dict) else None
        if not isinstance(key, str) or not key:
            raise ProtocolError("the listen key is missing in the answer")
        return key

    async def extend(self, key: str) -> bool:
        """Make a key last for another hour; False when BingX does not know it (404, or 204)."""
        call = requests.extend_listen_key(key)
        judgement = await self._gateway.write(call, is_complete=lambda _: True, is_trading=False)
        if judgement.error is None:
            return True
        if issubclass(judgement.error, RequestRefusedError):
            return False
        raise judgement.as_error()


class BingxUserChannel(UserChannel[News | FollowOrder]):
    """Has executed orders looked up."""

    def __init__(
        self, hosts: BingxHosts, orders: BingxOrders, feed: BingxUserFeed, keeper: ListenKeyKeeper
    ) -> None:
        """Bring an account's events to a feed, and what they tell of orders to its order path."""
        super().__init__(hosts.stream, feed, keeper)
        self._events = UserEvents(orders.ids, hosts.assets, orders.attached.awaited.hear)
        self._follower = feed.follower

    def reply_to(self, frame: str | bytes) -> str | None:
        """Return the answer to BingX's heartbeat."""
        return heartbeat_reply(frame)

    def _read(self, frame: str | bytes) -> Sequence[UserNews]:
        event = event_of(frame)
        return () if event is None else self._events.parse(event)

    def _take(self, news: News | FollowOrder) -> None:
        if isinstance(news, FollowOrder):
            self._follower.follow(news)
        else:
            self._feed.put(news)
