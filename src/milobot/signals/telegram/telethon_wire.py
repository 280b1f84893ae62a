"""The connection to Telegram, by Telethon.

What is not left to it: connecting again (it gives up, and does not ask for what was missed),
flood waits (it sleeps where others could go on) and knowing what was handled.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from telethon import TelegramClient, events, utils
from telethon.crypto import rsa
from telethon.sessions import StringSession
from telethon.tl import functions, types

from milobot.errors import (
    KeystoreError,
    TelegramAwayError,
    TelegramChatError,
    TelegramLoginError,
)
from milobot.signals.telegram.account import TelegramAccount
from milobot.signals.telegram.ports import Changed, ChatInfo, Deleted, Event, Post
from milobot.signals.telegram.telethon_errors import translated
from milobot.signals.telegram.telethon_posts import to_chat, to_post

_DATA_CENTER = 2
_TIMEOUT_S = 10
_TRIES = 2
"""Beside the first: one key in 256 that is agreed on is of no use, and is made anew."""


def make_client(account: TelegramAccount, session: str) -> Any:
    """Return a client of Telethon's that is not connected yet."""
    stored = StringSession(session)
    if account.server is not None:
        rsa.add_key(account.server.public_key, old=False)
        stored.set_dc(_DATA_CENTER, account.server.host, account.server.port)
    return TelegramClient(
        stored,
        account.api_id,
        account.api_hash,
        timeout=_TIMEOUT_S,
        connection_retries=_TRIES,
        retry_delay=0,
        request_retries=2,
        auto_reconnect=False,
        sequential_updates=True,
        flood_sleep_threshold=0,
        raise_last_call_error=True,
        device_model="milobot",
        base_logger=_quiet_logger(),
    )


class TelethonWire:
    """A ``Wire`` over one account."""

    def __init__(self, account: TelegramAccount, hear: Callable[[Event], None]) -> None:
        """Connect to nothing yet; ``hear`` is told what happens, in order."""
        self._account = account
        self._hear = hear
        self._client: Any = None
        self._lost: asyncio.Future[None] | None = None
        self._saved = ""
        self._self_id = 0
        self._knows_chats = False
        self.name = ""
        self.is_bot = bool(account.bot_token)

    async def connect(self) -> None:
        """Connect and make sure that the account is logged in."""
        if self._client is None:
            await self._load_session()
            self._client = self._make()
        try:
            with translated("connecting", TelegramLoginError):
                async with asyncio.timeout(2 * _TIMEOUT_S):
                    await self._client.connect()
                    me = await self._client.get_me() or await self._log_in()
                    self._lost = self._client.disconnected  # a login may lead to another server
        except TelegramLoginError:
            await self._forget()
            raise
        except BaseException:
            await self.disconnect()
            raise
        self._self_id = me.id
        self.name = utils.get_display_name(me) + (f" (@{me.username})" if me.username else "")
        await self._keep_session()
        await self._learn_chats()

    async def disconnect(self) -> None:
        """End the connection; the client keeps what it knows for the next one."""
        if self._client is not None:
            await self._client.disconnect()
        if self._lost is not None and self._lost.done() and not self._lost.cancelled():
            self._lost.exception()  # or asyncio complains that nobody looked at it
        self._lost = None

    async def wait_lost(self, timeout_s: float) -> bool:
        """Return True when the connection is lost, False when it lasted that long."""
        if self._lost is None:
            return True
        done, _ = await asyncio.wait({self._lost}, timeout=timeout_s)
        return bool(done)

    async def check(self) -> None:
        """Ask for the state, which needs a login, and have Telethon fetch what it missed."""
        client = self._connected()
        with translated("asking for news"):
            await client(functions.updates.GetStateRequest())
            await client.catch_up()

    async def open_chat(self, chat_id: int) -> ChatInfo:
        """Return what a chat is."""
        client = self._connected()
        with translated(f"the chat {chat_id}"):
            entity = await client.get_entity(chat_id)
        moved = getattr(entity, "migrated_to", None)
        if moved is not None:
            raise TelegramChatError(
                f"the group {chat_id} has become {utils.get_peer_id(moved)}: put that id into"
                " TELEGRAM_CHATS in its place"
            )
        return to_chat(entity)

    async def chats(self) -> list[ChatInfo]:
        """Return the chats of a person."""
        client = self._connected()
        with translated("the list of chats"):
            return [to_chat(dialog.entity) for dialog in await client.get_dialogs()]

    async def by_ids(self, chat: ChatInfo, message_ids: Sequence[int]) -> dict[int, Post | None]:
        """Return messages of a chat by id."""
        client = self._connected()
        wanted = [types.InputMessageID(one) for one in message_ids]
        with translated(f"the chat {chat.chat_id}"):
            if chat.has_own_ids:
                channel = utils.get_input_channel(await client.get_input_entity(chat.chat_id))
                found = await client(functions.channels.GetMessagesRequest(channel, wanted))
            else:
                found = await client(functions.messages.GetMessagesRequest(wanted))
        return dict(self._sorted(chat, found.messages))

    async def history(self, chat: ChatInfo, *, after: int, limit: int) -> list[Post]:
        """Return the newest messages after an id, oldest first."""
        client = self._connected()
        with translated(f"the chat {chat.chat_id}"):
            found = await client.get_messages(chat.chat_id, limit=limit, min_id=after)
        return [to_post(message, self._self_id) for message in reversed(found)]

    async def send(self, person: int, text: str) -> None:
        """Send a person a plain text."""
        client = self._connected()
        with translated(f"a message to {person}"):
            await client.send_message(person, text, parse_mode=None, link_preview=False)

    def _connected(self) -> Any:
        if self._client is None or self._lost is None or self._lost.done():
            raise TelegramAwayError("Telegram is not connected")
        return self._client

    def _make(self) -> Any:
        client = make_client(self._account, self._saved)
        client.add_event_handler(self._on_message, events.NewMessage())
        client.add_event_handler(self._on_message, events.MessageEdited())
        client.add_event_handler(self._on_deleted, events.MessageDeleted())
        client.add_event_handler(self._on_change, events.Raw(types.UpdateChannel))
        return client

    async def _log_in(self) -> Any:
        """Log in a bot; a person has done so before, or has to."""
        if not self._account.bot_token:
            raise TelegramLoginError(
                "nobody is logged in to Telegram: run `milobot telegram login`, or set"
                " TELEGRAM_BOT_TOKEN"
            )
        return await self._client.sign_in(bot_token=self._account.bot_token)

    async def _load_session(self) -> None:
        try:
            self._saved = await asyncio.to_thread(self._account.session.load)
        except KeystoreError as error:
            raise TelegramLoginError(str(error)) from error

    async def _keep_session(self) -> None:
        session = self._client.session.save()
        if session != self._saved:
            await asyncio.to_thread(self._account.session.save, session)
            self._saved = session

    async def _learn_chats(self) -> None:
        """Have Telethon see the chats once: it cannot address others. A bot needs no such thing."""
        if not self.is_bot and not self._knows_chats:
            with translated("the list of chats"):
                await self._client.get_dialogs()
            self._knows_chats = True

    async def _forget(self) -> None:
        """Begin anew next time, with the session that is on disk then."""
        await self.disconnect()
        self._client, self._knows_chats = None, False
        if self.is_bot and self._saved:  # a new session can be had by the token
            await asyncio.to_thread(self._account.session.save, "")

    def _sorted(self, chat: ChatInfo, messages: Sequence[Any]) -> "list[tuple[int, Post | None]]":
        found: list[tuple[int, Post | None]] = []
        for message in messages:
            if isinstance(message, types.MessageEmpty):
                found.append((message.id, None))
            else:
                post = to_post(message, self._self_id)
                if post.chat_id == chat.chat_id:
                    found.append((post.message_id, post))
        return found

    async def _on_message(self, event: Any) -> None:
        self._hear(to_post(event.message, self._self_id))

    async def _on_deleted(self, event: Any) -> None:
        self._hear(Deleted(tuple(event.deleted_ids), event.chat_id))

    async def _on_change(self, update: Any) -> None:
        self._hear(Changed(utils.get_peer_id(types.PeerChannel(update.channel_id))))


def _quiet_logger() -> logging.Logger:
    """Return a logger that nobody reads: what matters of it, we say ourselves."""
    logger = logging.getLogger("milobot.telethon")
    logger.propagate = False
    logger.setLevel(logging.CRITICAL)
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    return logger
