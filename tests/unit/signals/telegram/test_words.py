"""Telethon's words in our own: messages, chats and errors."""

import asyncio
import datetime as dt
import re
from typing import Any

import pytest
from telethon import errors
from telethon.tl import types

from milobot.errors import (
    ConfigurationError,
    MilobotError,
    TelegramAwayError,
    TelegramChatError,
    TelegramLoginError,
    TelegramWaitError,
)
from milobot.signals.telegram.ports import ChatKind
from milobot.signals.telegram.telethon_errors import translated
from milobot.signals.telegram.telethon_posts import to_chat, to_post

ME, ANN = 888, 5
DATE = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)


def message(peer: Any, **fields: Any) -> types.Message:
    """Return a message."""
    return types.Message(id=1, peer_id=peer, date=DATE, message="hello", **fields)


@pytest.mark.parametrize(
    ("said", "sender", "is_own"),
    [
        (message(types.PeerUser(ANN), from_id=types.PeerUser(ANN)), ANN, False),
        (message(types.PeerUser(ANN)), ANN, False),
        (message(types.PeerUser(ANN), from_id=types.PeerUser(ME), out=True), ME, True),
        (message(types.PeerUser(ME), from_id=types.PeerUser(ME), out=True), ME, False),
        (message(types.PeerChannel(7), out=True, post=True), None, False),
        (message(types.PeerChannel(7), from_id=types.PeerChannel(7)), None, False),
        (message(types.PeerChat(7), from_id=types.PeerUser(ANN)), ANN, False),
    ],
    ids=["private", "old form", "own", "saved", "own post", "anonymous admin", "group"],
)
def test_who_wrote_it(said: types.Message, sender: int | None, is_own: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """A command counts for whoever wrote it; what we wrote ourselves is no signal."""
    post = to_post(said, ME)

    assert (post.sender, post.is_own) == (sender, is_own)
    assert post.posted_ms == 1_767_312_000_000


def test_a_forward_without_a_place_has_no_origin() -> None:
    """People may hide where they forward from; then nothing is guessed."""
    hidden = types.MessageFwdHeader(date=DATE, from_name="Ann")

    post = to_post(message(types.PeerChannel(7), fwd_from=hidden), ME)

    assert post.origin is None
    assert post.metadata["forwarded_from"] == "Ann"


def test_a_reply_into_another_chat_is_no_reply_here() -> None:
    """Its number means something else there."""
    header = types.MessageReplyHeader(reply_to_msg_id=3, reply_to_peer_id=types.PeerChannel(9))

    assert to_post(message(types.PeerChannel(7), reply_to=header), ME).reply_to is None


def test_kinds_of_chats() -> None:
    """The kind decides how messages are numbered."""
    photo = types.ChatPhotoEmpty()
    channel = types.Channel(id=7, title="Calls", photo=photo, date=DATE)
    group = types.Channel(id=8, title="Talk", photo=photo, date=DATE, megagroup=True)
    small = types.Chat(id=9, title="Few", photo=photo, participants_count=2, date=DATE, version=1)
    ann = types.User(id=ANN, first_name="Ann")

    found = [to_chat(one) for one in (channel, group, small, ann)]

    assert [(one.kind, one.chat_id, one.has_own_ids) for one in found] == [
        (ChatKind.CHANNEL, -1_000_000_000_007, True),
        (ChatKind.SUPERGROUP, -1_000_000_000_008, True),
        (ChatKind.BASIC_GROUP, -9, False),
        (ChatKind.PRIVATE, ANN, False),
    ]


@pytest.mark.parametrize(
    ("raised", "kind", "sentence"),
    [
        (errors.FloodWaitError(None, 7), TelegramWaitError, "a pause of 7 s"),
        (errors.SlowModeWaitError(None, 9), TelegramWaitError, "a pause of 9 s"),
        (errors.SessionRevokedError(None), TelegramLoginError, "milobot telegram login"),
        (errors.AuthKeyDuplicatedError(None), TelegramLoginError, "AuthKeyDuplicated"),
        (errors.UserDeactivatedBanError(None), TelegramLoginError, "UserDeactivatedBan"),
        (errors.ChannelPrivateError(None), TelegramChatError, "refuses the chat (ChannelPrivate)"),
        (ValueError("Could not find"), TelegramChatError, "knows nothing of the chat"),
        (ConnectionRefusedError(111, "Connection refused"), TelegramAwayError, "refused"),
        (TimeoutError(), TelegramAwayError, "TimeoutError"),
        (EOFError(), TelegramAwayError, "EOFError"),
        (errors.RpcCallFailError(None), TelegramAwayError, "cannot be reached"),
        (KeyError("a fault"), TelegramAwayError, "failed in Telegram's library (Key)"),
        (ConfigurationError("ours"), ConfigurationError, "ours"),
    ],
)
def test_errors_say_what_to_do_next(
    raised: Exception, kind: type[MilobotError], sentence: str
) -> None:
    """The class decides between waiting, connecting again and calling a person."""
    with pytest.raises(kind, match=re.escape(sentence)), translated("the chat"):
        raise raised


async def test_only_cancellations_of_the_library_are_a_lost_connection() -> None:
    """Our own must end the task; Telethon's, of what waited for an answer, must not."""

    async def ask(answer: asyncio.Future[None]) -> None:
        with translated("the chat"):
            await answer

    theirs = asyncio.get_running_loop().create_future()
    theirs.cancel()
    with pytest.raises(TelegramAwayError, match="connection to Telegram ended"):
        await ask(theirs)

    ours: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await ask(ours)
