"""What ``milobot telegram`` does: logging in, listing chats, showing how far they were read."""

from dataclasses import dataclass

from milobot.app.keys import Ask
from milobot.app.presence import open_known_ledger
from milobot.app.telegram import LEASE, connect_by
from milobot.app.telegram_plan import telegram_account
from milobot.errors import TelegramChatError
from milobot.exchanges.times import SteadyClock
from milobot.settings import Settings
from milobot.signals.telegram.login_steps import Prompts
from milobot.signals.telegram.ports import ChatInfo, Event, Wire
from milobot.storage.account_records import list_cursors
from milobot.storage.leases import is_anybody_alive

_CURSORS = "telegram:"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a chat was handled.

    Attributes:
        last_id: Of the last message that has a receipt; 0 before the first.
        updated_ms: When that was; 0 before the first.
    """

    chat_id: int
    last_id: int = 0
    updated_ms: int = 0


@dataclass(frozen=True, slots=True)
class TelegramStatus:
    """What is on record of listening.

    Attributes:
        is_listening: Whether a process holds the lease now.
    """

    is_listening: bool
    chats: tuple[Progress, ...]


async def log_in(settings: Settings, ask: Ask | None, prompts: Prompts) -> str:
    """Log in as the settings say, and keep the session. Return what the account is called.

    A bot logs in by its token, which shows that the token is good; a person is asked.

    Raises:
        MilobotError: It did not work; the sentence says why.
    """
    account = telegram_account(settings, ask)
    make = connect_by(account)
    if not account.bot_token:
        from milobot.signals.telegram.login import log_in_person  # noqa: PLC0415 - loads Telethon

        return await log_in_person(account, prompts)
    wire = make(lambda _: None)
    try:
        await wire.connect()
        return wire.name
    finally:
        await wire.disconnect()


async def list_chats(settings: Settings, ask: Ask | None, wait_s: float) -> list[ChatInfo]:
    """Return the chats of a person; of a bot, those of the settings and those it hears from.

    Args:
        settings: Which account.
        ask: Asks for the password of the session.
        wait_s: How long to listen as a bot, which cannot list its chats.

    Raises:
        MilobotError: It did not work; the sentence says why.
    """
    account = telegram_account(settings, ask)
    heard = set(settings.telegram_chats)

    def hear(event: Event) -> None:
        if event.chat_id is not None:
            heard.add(event.chat_id)

    wire = connect_by(account)(hear)
    try:
        await wire.connect()
        if not wire.is_bot:
            return await wire.chats()
        await wire.wait_lost(wait_s)
        return [info for chat in sorted(heard) if (info := await _open(wire, chat))]
    finally:
        await wire.disconnect()


async def read_telegram_status(settings: Settings) -> TelegramStatus:
    """Return what the ledger has of listening.

    Raises:
        MilobotError: There is no ledger, or it cannot be read.
    """
    ledger = await open_known_ledger(settings.database_url.get_secret_value())
    async with ledger:
        now_ms = SteadyClock().now_ms()
        is_listening = await ledger.read(
            lambda connection: is_anybody_alive(connection, LEASE, now_ms=now_ms)
        )
        cursors = await ledger.read(lambda connection: list_cursors(connection, _CURSORS))
    known = {chat: Progress(chat) for chat in settings.telegram_chats}
    for name, position, updated_ms in cursors:
        chat = int(name.removeprefix(_CURSORS))
        known[chat] = Progress(chat, int(position.partition(" ")[2]), updated_ms)
    return TelegramStatus(is_listening, tuple(known[chat] for chat in sorted(known)))


async def _open(wire: Wire, chat_id: int) -> ChatInfo | None:
    try:
        return await wire.open_chat(chat_id)
    except TelegramChatError:
        return None
