"""Telegram in this process: one replica listens, the others stand by.

Nothing of Telegram's library is loaded before there is an account to log in with.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from milobot.app.keys import Ask, configured_password
from milobot.app.leader import Leader, new_holder
from milobot.domain.alerts import Alert
from milobot.errors import ConfigurationError
from milobot.exchanges.times import Sleep, SteadyClock, real_sleep
from milobot.ports import Clock
from milobot.settings import Settings
from milobot.signals.door import SignalDoor
from milobot.signals.talk.ports import Chat
from milobot.signals.telegram.account import ServerAddress, TelegramAccount
from milobot.signals.telegram.cursors import Cursors
from milobot.signals.telegram.figures import ListenerState, Terms
from milobot.signals.telegram.listener import TelegramListener, World
from milobot.signals.telegram.ports import Event, Wire
from milobot.signals.telegram.sessions import SessionFile
from milobot.storage.database import Database
from milobot.storage.leases import Lease

LEASE = "telegram"
"""Name of the lease; whoever holds it listens."""


@dataclass(frozen=True, slots=True)
class TelegramPlan:
    """What to listen to, as whom.

    Attributes:
        chats: Ids of the chats whose messages are signals.
        people: Ids of those who may give commands in private.
    """

    account: TelegramAccount
    chats: frozenset[int] = frozenset()
    people: frozenset[int] = frozenset()
    terms: Terms | None = None


def plan_telegram(settings: Settings, ask: Ask | None) -> TelegramPlan | None:
    """Return what the settings want; None when they want no Telegram.

    Raises:
        ConfigurationError: Something is missing.
    """
    if not settings.has_telegram:
        return None
    return TelegramPlan(
        telegram_account(settings, ask), settings.telegram_chats, settings.telegram_admins
    )


def telegram_account(settings: Settings, ask: Ask | None) -> TelegramAccount:
    """Return how to log in: as a bot by its token, else as the person whose session is kept.

    Raises:
        ConfigurationError: Something is missing.
    """
    if settings.telegram_api_id is None or settings.telegram_api_hash is None:
        raise ConfigurationError(
            "Telegram needs TELEGRAM_API_ID and TELEGRAM_API_HASH: make them at"
            " https://my.telegram.org, see docs/telegram.md"
        )
    token = settings.telegram_bot_token
    password = token.get_secret_value() if token else _password(settings, ask)
    return TelegramAccount(
        settings.telegram_api_id,
        settings.telegram_api_hash.get_secret_value(),
        token.get_secret_value() if token else "",
        SessionFile(settings.telegram_session_file, password),
        _server(settings.telegram_server, settings.telegram_server_pem),
    )


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


def _password(settings: Settings, ask: Ask | None) -> str:
    password = configured_password(settings) or (ask() if ask is not None else None)
    if not password:
        raise ConfigurationError(
            "the Telegram session is kept encrypted and there is no password: set"
            " KEYS_PASSWORD_FILE or KEYS_PASSWORD, or TELEGRAM_BOT_TOKEN to listen as a bot"
        )
    return password


def _server(place: str | None, public_key: Path | None) -> ServerAddress | None:
    if place is None or public_key is None:
        return None
    try:
        pem = public_key.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"TELEGRAM_SERVER_PEM={public_key} cannot be read ({error.strerror}): name the file"
            " with the server's public key"
        ) from error
    host, _, port = place.rpartition(":")
    return ServerAddress(host, int(port), pem)
