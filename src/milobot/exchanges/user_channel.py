"""The connection of a user stream, as far as both dialects have it alike."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar
from urllib.parse import quote

from milobot.exchanges.listen_keys import ListenKeyExpired, ListenKeyKeeper
from milobot.exchanges.sockets import SocketAddress
from milobot.exchanges.user_feed import UserFeed

N = TypeVar("N")


class UserChannel(ABC, Generic[N]):
    """Connects with a listen key; a dialect says what its frames mean.

    Its news are those of the account, and hints at what has to be asked for.
    """

    def __init__(self, url: str, feed: UserFeed, keeper: ListenKeyKeeper) -> None:
        """Bring an account's events to a feed.

        Args:
            url: Where, without the key.
            feed: Takes the news.
            keeper: Has the key.
        """
        self._url = url
        self._feed = feed
        self._keeper = keeper

    async def address(self) -> SocketAddress:
        """Return where to connect, with a fresh key."""
        key = quote(await self._keeper.fetch(), safe="")
        return SocketAddress(f"{self._url}?listenKey={key}")

    def greetings(self) -> Sequence[str]:
        """Return nothing: the key is the subscription."""
        return ()

    def reply_to(self, frame: str | bytes) -> str | None:
        """Return the answer to a ping in a data frame; None for every other frame."""
        return None

    async def opened(self, *, is_first: bool) -> None:
        """Pass on that events may have been missed."""
        self._feed.opened(is_first=is_first)

    async def received(self, frame: str | bytes) -> None:
        """Pass on what an event says."""
        for news in self._read(frame):
            if isinstance(news, ListenKeyExpired):
                await self._feed.renew("the listen key has expired")
            else:
                self._take(news)

    @abstractmethod
    def _read(self, frame: str | bytes) -> Sequence[N | ListenKeyExpired]:
        """Return what a frame says; raise ``ProtocolError`` if it makes no sense."""

    @abstractmethod
    def _take(self, news: N) -> None:
        """Pass news on, and follow a hint."""
