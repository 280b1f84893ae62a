"""Listen keys: who has one, how long it lives, and what its end means for open sockets."""

import hashlib
import itertools
from collections.abc import Callable

from milobot.local_exchange.core.accounts import Account
from milobot.local_exchange.core.timing import Agenda, ServerTime
from milobot.local_exchange.streams import Connection, Hub
from milobot.local_exchange.wire import Json

KEY_LIFE_MS = 60 * 60_000


class ListenKeys:
    """Keys of user streams: one per account, sixty minutes each time it is asked for."""

    def __init__(self, clock: ServerTime) -> None:
        """Start without keys."""
        self._clock = clock
        self._keys: dict[str, tuple[Account, int]] = {}
        self._count = itertools.count(1)

    def create(self, account: Account) -> str:
        """Return the account's key, the same as before while that lives, and extend it."""
        for key, (owner, _) in self._keys.items():
            if owner is account and self.find(key) is not None:
                self.extend(key)
                return key
        seed = f"{account.key}/{next(self._count)}".encode()
        key = hashlib.sha256(seed).hexdigest()
        self._keys[key] = (account, self._clock.timer_ms() + KEY_LIFE_MS)
        return key

    def extend(self, key: str) -> bool:
        """Give a key another sixty minutes; False when there is none."""
        found = self.find(key)
        if found is None:
            return False
        self._keys[key] = (found, self._clock.timer_ms() + KEY_LIFE_MS)
        return True

    def find(self, key: str) -> Account | None:
        """Return whose key it is; None when it is unknown or has expired."""
        account, until = self._keys.get(key, (None, 0))
        return account if self._clock.timer_ms() < until else None

    def of(self, account: Account) -> list[str]:
        """Return the account's keys that are on record, expired or not."""
        return [key for key, (owner, _) in self._keys.items() if owner is account]

    def expired(self) -> list[str]:
        """Return keys on record whose time is over."""
        return [key for key in self._keys if self.find(key) is None]

    def drop(self, key: str) -> None:
        """Forget a key."""
        self._keys.pop(key, None)


class KeyService:
    """Hands keys out, and tells the sockets that use one when it is over."""

    def __init__(
        self,
        clock: ServerTime,
        hub: Hub,
        agenda: Agenda,
        put: Callable[[Connection, Json], None],
    ) -> None:
        """Start without keys.

        Args:
            clock: Tells when a key is over.
            hub: The sockets of the dialect.
            agenda: Wakes this up when a key is over.
            put: Sends a message over a socket, as the dialect packs it.
        """
        self._keys = ListenKeys(clock)
        self._clock = clock
        self._hub = hub
        self._agenda = agenda
        self._put = put

    def find(self, key: str) -> Account | None:
        """Return whose key it is; None when it is unknown or has expired."""
        return self._keys.find(key)

    def living(self, account: Account) -> list[str]:
        """Return the account's keys that have not expired."""
        return [key for key in self._keys.of(account) if self.find(key) is not None]

    def create(self, account: Account) -> str:
        """Return the account's key, good for sixty minutes."""
        key = self._keys.create(account)
        self._agenda.schedule(KEY_LIFE_MS + 1, self._expire_old)
        return key

    def extend(self, key: str) -> bool:
        """Give a key another sixty minutes; False when there is none."""
        if not self._keys.extend(key):
            return False
        self._agenda.schedule(KEY_LIFE_MS + 1, self._expire_old)
        return True

    def drop(self, key: str) -> None:
        """Forget a key and close the sockets that use it."""
        for connection in self._hub.of([key]):
            connection.close()
        self._keys.drop(key)

    def expire(self, account: Account) -> None:
        """Let the account's keys expire, and say so on their sockets."""
        for key in self._keys.of(account):
            self._expire_key(key)

    def _expire_old(self) -> None:
        for key in self._keys.expired():
            self._expire_key(key)

    def _expire_key(self, key: str) -> None:
        self._keys.drop(key)
        event = {"e": "listenKeyExpired", "E": self._clock.now_ms(), "listenKey": key}
        for connection in self._hub.of([key]):
            self._put(connection, event)
            connection.listen_key = ""
