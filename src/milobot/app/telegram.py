"""Telegram in this process: one replica listens, the others stand by.

Nothing of Telegram's library is loaded before there is an account to log in with.
"""

from collections.abc import Callable

from milobot.app.leader import Leader, new_holder
from milobot.app.telegram_plan import TelegramPlan
from milobot.domain.alerts import Alert
from milobot.errors import ConfigurationError
from milobot.exchanges.times import Sleep, SteadyClock, real_sleep
from milobot.ports import Clock
from milobot.signals.door import SignalDoor
from milobot.signals.talk.ports import Chat
from milobot.signals.telegram.account import TelegramAccount
from milobot.signals.telegram.cursors import Cursors
from milobot.signals.telegram.figures import ListenerState
from milobot.signals.telegram.listener import TelegramListener, World
from milobot.signals.telegram.ports import Event, Wire
from milobot.storage.database import Database
from milobot.storage.leases import Lease

LEASE = "telegram"
"""Name of the lease; whoever holds it listens."""


def connect_by(account: TelegramAccount) -> Callable[[Callable[[Event], None]], Wire]:
    """Return what makes a connection that is not open yet.

    Raises:
        ConfigurationError: The library for it is not installed.
    """
    try:
        from milobot.signals.telegram.telethon_wire import TelethonWire  # noqa: PLC0415 - takes 20 MB
    except ImportError:
        raise ConfigurationError(
            "Telegram needs the library Telethon: install it with `pip install milobot[telegram]`"
        ) from None
    return lambda hear: TelethonWire(account, hear)


class Telegram:
    """Listens while the lease is ours.

    Attributes:
        listener: The listener itself.
    """

    def __init__(
        self,
        plan: TelegramPlan,
        database: Database,
        tell: Callable[[Alert], None],
        clock: Clock | None = None,
        sleep: Sleep = real_sleep,
    ) -> None:
        """Connect to nothing yet.

        Raises:
            ConfigurationError: The library for it is not installed.
        """
        clock = clock or SteadyClock()
        world = World(clock, Cursors(database, clock), tell, sleep)
        self.listener = TelegramListener(
            connect_by(plan.account), plan.chats, plan.people, world, plan.terms
        )
        lease = Lease(database, clock, name=LEASE, holder=new_holder())
        self._leader = Leader(
            "the Telegram session", lease, clock, tell, sleep, purpose="listened to"
        )

    @property
    def chat(self) -> Chat:
        """Return the messenger for talking back."""
        return self.listener.chat

    @property
    def state(self) -> ListenerState:
        """Return where it stands, with its counters."""
        return self.listener.state

    async def run(self, door: SignalDoor) -> None:
        """Hand in the messages of the chats until cancelled, whenever the lease is ours."""
        try:
            await self._leader.run(lambda: self.listener.run(door))
        finally:
            self.listener.chat.close()
