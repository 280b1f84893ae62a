"""One connection with market streams, in whichever dialect."""

from collections.abc import Callable, Sequence
from typing import Any

from milobot.exchanges.sockets import SocketAddress

Read = Callable[[str | bytes], tuple[str, Any] | None]
"""Returns what a frame is about and what it says; None for one that says nothing.

Raises ``ProtocolError`` where it makes no sense.
"""


class MarketChannel:
    """Subscribes market streams and passes on what they bring."""

    def __init__(
        self,
        url: str,
        greetings: Sequence[str],
        *,
        read: Read,
        take: Callable[[str, Any], None],
        opened: Callable[[], None],
        reply_to: Callable[[str | bytes], str | None] = lambda _: None,
    ) -> None:
        """Carry some streams.

        Args:
            url: Where.
            greetings: The texts that subscribe them.
            read: Reads a frame.
            take: Gets what every event is about, and what it says.
            opened: Called when the subscriptions are sent.
            reply_to: Returns the answer to a ping in a data frame; None for other frames.
        """
        self._url = url
        self._greetings = greetings
        self._read = read
        self._take = take
        self._opened = opened
        self._reply_to = reply_to

    async def address(self) -> SocketAddress:
        """Return where to connect."""
        return SocketAddress(self._url)

    def greetings(self) -> Sequence[str]:
        """Return the subscriptions."""
        return self._greetings

    def reply_to(self, frame: str | bytes) -> str | None:
        """Return the answer to a ping in a data frame; None for every other frame."""
        return self._reply_to(frame)

    async def opened(self, *, is_first: bool) -> None:
        """Pass on that the subscriptions are sent."""
        self._opened()

    async def received(self, frame: str | bytes) -> None:
        """Pass on an event."""
        event = self._read(frame)
        if event is not None:
            self._take(*event)
