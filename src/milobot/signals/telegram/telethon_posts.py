"""Telethon's messages in our own words."""

from typing import Any

from telethon import utils
from telethon.tl import types

from milobot.signals.telegram.ports import ChatInfo, ChatKind, Post


def to_post(message: Any, self_id: int) -> Post:
    """Return a message of Telegram's as a ``Post``.

    Args:
        message: ``Message`` or ``MessageService``.
        self_id: Who we are.
    """
    chat_id = utils.get_peer_id(message.peer_id)
    is_service = isinstance(message, types.MessageService)
    edited = None if is_service else message.edit_date
    to_self = chat_id == self_id
    return Post(
        chat_id=chat_id,
        message_id=message.id,
        text="" if is_service else (message.message or ""),
        posted_ms=_ms(message.date),
        edited_ms=_ms(edited),
        reply_to=_reply_to(getattr(message, "reply_to", None)),
        origin=_origin(getattr(message, "fwd_from", None)),
        sender=_sender(message, chat_id),
        is_private=chat_id > 0,
        is_own=bool(message.out) and not message.post and not to_self,
        is_service=is_service,
        metadata={} if is_service else _metadata(message),
    )


def to_chat(entity: Any) -> ChatInfo:
    """Return a user, group or channel of Telegram's as a ``ChatInfo``."""
    kind = ChatKind.PRIVATE
    if isinstance(entity, types.Channel):
        kind = ChatKind.SUPERGROUP if entity.megagroup else ChatKind.CHANNEL
    elif isinstance(entity, types.Chat):
        kind = ChatKind.BASIC_GROUP
    return ChatInfo(utils.get_peer_id(entity), utils.get_display_name(entity), kind)


def _ms(date: Any) -> int:
    return 0 if date is None else round(date.timestamp() * 1000)


def _reply_to(header: Any) -> int | None:
    """Return what a message answers; that it stands in a topic is no answer to its beginning."""
    if not isinstance(header, types.MessageReplyHeader) or header.reply_to_peer_id is not None:
        return None
    if header.forum_topic and header.reply_to_top_id is None:
        return None
    answered: int | None = header.reply_to_msg_id
    return answered


def _origin(forward: Any) -> str | None:
    if forward is None or forward.from_id is None or not forward.channel_post:
        return None
    return f"telegram:{utils.get_peer_id(forward.from_id)}|{forward.channel_post}"


def _sender(message: Any, chat_id: int) -> int | None:
    if isinstance(message.from_id, types.PeerUser):
        sender: int = message.from_id.user_id
        return sender
    is_theirs = message.from_id is None and chat_id > 0 and not message.out
    return chat_id if is_theirs else None


def _metadata(message: Any) -> dict[str, str]:
    forward = message.fwd_from
    told = {
        "author": message.post_author,
        "album": message.grouped_id,
        "media": None if message.media is None else type(message.media).__name__,
        "forwarded_from": forward and forward.from_name,
        "forwarded_posted_ms": forward and _ms(forward.date),
    }
    return {name: str(value) for name, value in told.items() if value}
