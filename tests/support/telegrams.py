"""A listener with a real client, a real ledger and a server of our own."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.support.mtproto.handshake import ServerKey
from tests.support.mtproto.login import TOKEN
from tests.support.mtproto.server import TelegramServer

from milobot.domain.alerts import Alert
from milobot.errors import LedgerUnavailableError
from milobot.exchanges.times import SteadyClock
from milobot.signals.door import Incoming, Receipt, SignalHistory, SignalState
from milobot.signals.telegram.account import ServerAddress, SessionStore, TelegramAccount
from milobot.signals.telegram.cursors import Cursors
from milobot.signals.telegram.figures import Terms
from milobot.signals.telegram.listener import TelegramListener, World
from milobot.signals.telegram.sessions import NoSession
from milobot.signals.telegram.telethon_wire import TelethonWire
from milobot.storage.ledger import Ledger, open_ledger

CALLS, OTHER = 42, 43
"""Channels of the server."""
QUICK = Terms(
    beat_s=0.1,
    answer_s=1.0,
    probe_s=0.3,
    patience_s=0.5,
    first_pause_s=0.02,
    longest_pause_s=0.1,
    login_pause_s=0.1,
)
_PATIENCE_S = 20.0


class RecordingDoor:
    """Knows what it was given before, as the real one does.

    Attributes:
        handled: Source, message id, version and text of everything that was new, in order.
        at_ms: When each of them came, monotonic milliseconds.
        incoming: Everything that was new, whole.
        repeats: How often something known came again.
        deleted: Source and message id of what was deleted, each once.
        is_away: Whether the ledger behind it takes nothing.
    """

    def __init__(self) -> None:
        """Know nothing."""
        self.incoming: list[Incoming] = []
        self.at_ms: list[float] = []
        self.repeats = 0
        self.deleted: list[tuple[str, str]] = []
        self.is_away = False

    @property
    def handled(self) -> list[tuple[str, str, int, str]]:
        """Return what was new, in short."""
        return [(one.source, one.message_id, one.version, one.text) for one in self.incoming]

    @property
    def texts(self) -> list[str]:
        """Return the texts of what was new."""
        return [one.text for one in self.incoming]

    async def receive(self, incoming: Incoming) -> Receipt:
        """Take a message or a version in."""
        await asyncio.sleep(0)
        self._check()
        versions = [
            one.version
            for one in self.incoming
            if (one.source, one.message_id) == (incoming.source, incoming.message_id)
        ]
        is_known = bool(versions) and max(versions) >= incoming.version
        if is_known:
            self.repeats += 1
        else:
            self.incoming.append(incoming)
            self.at_ms.append(time.monotonic() * 1000)
        return Receipt(len(self.incoming), SignalState.WAITING, is_known=is_known)

    async def delete(self, source: str, message_id: str) -> Receipt | None:
        """Take in that a message is gone."""
        self._check()
        if not any((one.source, one.message_id) == (source, message_id) for one in self.incoming):
            return None
        if (source, message_id) not in self.deleted:
            self.deleted.append((source, message_id))
        return Receipt(0, SignalState.CANCELLED)

    async def history(self, signal_id: int) -> SignalHistory | None:
        """Know no histories."""
        return None

    async def latest(self, limit: int) -> tuple[SignalHistory, ...]:
        """Know no histories."""
        return ()

    def _check(self) -> None:
        if self.is_away:
            raise LedgerUnavailableError("the ledger is away")


@dataclass
class KeptSession:
    """Keeps a session in memory."""

    content: str = ""

    def load(self) -> str:
        """Return it."""
        return self.content

    def save(self, session: str) -> None:
        """Keep it."""
        self.content = session


@dataclass
class Scene:
    """What a test plays with."""

    server: TelegramServer
    ledger: Ledger
    door: RecordingDoor = field(default_factory=RecordingDoor)
    alerts: list[Alert] = field(default_factory=list)
    chats: frozenset[int] = frozenset()
    people: frozenset[int] = frozenset()
    token: str = TOKEN
    session: SessionStore = field(default_factory=NoSession)
    terms: Terms = QUICK

    def account(self) -> TelegramAccount:
        """Return how to log in."""
        pem = self.server.key.public.save_pkcs1()
        place = ServerAddress("127.0.0.1", self.server.port, pem)
        return TelegramAccount(1, "hash", self.token, self.session, place)

    def listener(self) -> TelegramListener:
        """Return a listener that has not begun."""
        account = self.account()
        clock = SteadyClock()
        world = World(clock, Cursors(self.ledger.database, clock), self.alerts.append)
        return TelegramListener(
            lambda hear: TelethonWire(account, hear), self.chats, self.people, world, self.terms
        )

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[TelegramListener]:
        """Listen for a while, from when the listener has looked into each chat."""
        listener = self.listener()
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(listener.run(self.door))
            try:
                await until(lambda: listener.state.is_connected)
                await until(lambda: listener.state.chats.keys() >= self.chats)
                yield listener
            finally:
                running.cancel()
                with suppress(asyncio.CancelledError):
                    await running

    def sentences(self, *, is_over: bool = False) -> list[str]:
        """Return what a person was told."""
        return [alert.sentence for alert in self.alerts if alert.is_over is is_over]


@cache
def server_key() -> ServerKey:
    """Return a key for all servers of this process: making one takes its time."""
    return ServerKey()


@asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[Scene]:
    """Serve two channels, the first of them on the listener's list."""
    server = await TelegramServer(server_key()).start()
    calls = server.world.add_channel(CALLS, "Calls")
    server.world.add_channel(OTHER, "Chatter")
    async with await open_ledger(f"sqlite:///{folder / 'ledger.db'}") as ledger:
        try:
            yield Scene(server, ledger, chats=frozenset({calls}))
        finally:
            await server.stop()


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(_PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - the server has no event to wait for
            await asyncio.sleep(0.005)
