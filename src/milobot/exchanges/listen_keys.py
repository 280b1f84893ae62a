"""The life of a listen key: fetched for each connection, extended, replaced when it is gone."""

from dataclasses import dataclass
from typing import Protocol

from milobot.errors import ExchangeError
from milobot.exchanges.streams import SupervisedStream
from milobot.exchanges.times import Sleep
from milobot.telemetry import get_logger

_RETRY_S = 60.0
# A key lives for 60 minutes at both exchanges: half of that, so that one failure does not end it.
_EXTEND_EVERY_S = 1800.0


@dataclass(frozen=True, slots=True)
class ListenKeyExpired:
    """The listen key is gone: no event comes any more until there is a new one."""


class ListenKeys(Protocol):
    """Calls about listen keys; they raise ``ExchangeError``."""

    async def fetch(self) -> str:
        """Return a key that is valid now, the present one or a new one."""
        ...

    async def extend(self, key: str) -> bool:
        """Make a key last longer; return False when the exchange knows it no more."""
        ...


class ListenKeyKeeper:
    """Holds the key of one user stream."""

    def __init__(self, keys: ListenKeys, *, sleep: Sleep, every_s: float = _EXTEND_EVERY_S) -> None:
        """Hold no key yet.

        Args:
            keys: The calls.
            sleep: Waits some seconds.
            every_s: How often the key is extended.
        """
        self._keys = keys
        self._every_s = every_s
        self._sleep = sleep
        self._key = ""

    async def fetch(self) -> str:
        """Return a key for a new connection."""
        self._key = await self._keys.fetch()
        return self._key

    async def run(self, stream: SupervisedStream) -> None:
        """Extend the key until cancelled; where it is gone, the stream gets a new one."""
        wait_s = self._every_s
        while True:
            await self._sleep(wait_s)
            wait_s = self._every_s
            if not self._key:
                continue
            try:
                is_known = await self._keys.extend(self._key)
            except ExchangeError as failed:
                get_logger().warning("listen_key_not_extended", reason=str(failed))
                wait_s = min(_RETRY_S, self._every_s)
                continue
            if not is_known:
                self._key = ""
                await stream.reconnect("the listen key is gone")
