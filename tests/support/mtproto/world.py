"""What there is on the server: an account, its channels and private chats, and their histories."""

import datetime as dt
from dataclasses import dataclass, field

from telethon.tl import types

from milobot.exchanges.times import SteadyClock

CLOCK = SteadyClock()
BOT_ID, TRADER_ID, ALICE_ID = 777, 888, 5


def now() -> dt.datetime:
    """Return the server's time; Telegram counts whole seconds."""
    return dt.datetime.fromtimestamp(CLOCK.now_ms() // 1000, dt.UTC)


@dataclass
class Room:
    """A channel, or the box that all private chats of the account share.

    Attributes:
        channel: What clients are shown of it; None for the box.
        pts: How many changes there were.
        log: Each change with its number and when it was.
        messages: What is still there, by id.
        is_open: Whether the account may look inside.
    """

    channel: types.Channel | None = None
    pts: int = 1
    log: list[tuple[int, dt.datetime, object]] = field(default_factory=list)
    messages: dict[int, types.Message] = field(default_factory=dict)
    last_id: int = 0
    is_open: bool = True

    def note(self, update: object) -> None:
        """Keep a change for who was not there."""
        self.log.append((self.pts, now(), update))

    def since(self, pts: int) -> list[object]:
        """Return the changes after one that a client knows of."""
        return [update for number, _, update in self.log if number > pts]


class World:
    """Everything that survives a restart of the server."""

    def __init__(self) -> None:
        """Begin with an account, one acquaintance and no channel."""
        self.bot = types.User(
            id=BOT_ID,
            is_self=True,
            bot=True,
            bot_info_version=1,
            access_hash=1,
            first_name="signals",
            username="sigbot",
        )
        self.trader = types.User(
            id=TRADER_ID, is_self=True, access_hash=2, first_name="Tess", phone="15550100"
        )
        self.alice = types.User(id=ALICE_ID, access_hash=55, first_name="Alice", username="alice")
        self.box = Room(last_id=100)
        self.rooms: dict[int, Room] = {}

    def add_channel(self, channel_id: int, title: str) -> int:
        """Make a channel that the account sees. Return the id that clients know it by."""
        channel = types.Channel(
            id=channel_id,
            title=title,
            photo=types.ChatPhotoEmpty(),
            date=now(),
            access_hash=channel_id * 7,
            broadcast=True,
        )
        self.rooms[channel_id] = Room(channel)
        return marked(channel_id)

    def post(self, channel_id: int, text: str, **fields: object) -> tuple[int, object]:
        """Post in a channel. Return the message's id and the change that clients are told."""
        room = self.rooms[channel_id]
        room.last_id += 1
        message = types.Message(
            id=room.last_id,
            peer_id=types.PeerChannel(channel_id),
            date=now(),
            message=text,
            post=True,
            **fields,
        )
        return self._put(room, message)

    def pin(self, channel_id: int) -> tuple[int, object]:
        """Let something happen in a channel that is no message of anybody."""
        room = self.rooms[channel_id]
        room.last_id += 1
        service = types.MessageService(
            id=room.last_id,
            peer_id=types.PeerChannel(channel_id),
            date=now(),
            action=types.MessageActionPinMessage(),
        )
        return self._put(room, service)

    def edit(self, channel_id: int, message_id: int, text: str) -> object:
        """Change a post. Return the change that clients are told."""
        room = self.rooms[channel_id]
        message = room.messages[message_id]
        changed = max(now(), (message.edit_date or message.date) + dt.timedelta(seconds=1))
        message.message, message.edit_date = text, changed
        room.pts += 1
        update = types.UpdateEditChannelMessage(message, room.pts, 1)
        room.note(update)
        return update

    def delete(self, channel_id: int, message_ids: list[int]) -> object:
        """Take posts away. Return the change that clients are told."""
        room = self.rooms[channel_id]
        for message_id in message_ids:
            room.messages.pop(message_id, None)
        room.pts += len(message_ids)
        update = types.UpdateDeleteChannelMessages(
            channel_id, message_ids, room.pts, len(message_ids)
        )
        room.note(update)
        return update

    def say(self, text: str, sender: int = ALICE_ID) -> tuple[int, object]:
        """Write to the account in private. Return the id and the change that clients are told."""
        box = self.box
        box.last_id += 1
        box.pts += 1
        person = types.PeerUser(sender)
        message = types.Message(
            id=box.last_id, peer_id=person, from_id=person, date=now(), message=text
        )
        box.messages[message.id] = message
        update = types.UpdateNewMessage(message, box.pts, 1)
        box.note(update)
        return message.id, update

    def unsay(self, message_ids: list[int]) -> object:
        """Take private messages away. Return the change: it names no chat."""
        box = self.box
        for message_id in message_ids:
            box.messages.pop(message_id, None)
        box.pts += len(message_ids)
        update = types.UpdateDeleteMessages(message_ids, box.pts, len(message_ids))
        box.note(update)
        return update

    def _put(self, room: Room, message: types.Message) -> tuple[int, object]:
        room.messages[message.id] = message
        room.pts += 1
        update = types.UpdateNewChannelMessage(message, room.pts, 1)
        room.note(update)
        return message.id, update


def marked(channel_id: int) -> int:
    """Return the id that clients give a channel: -100 and its number."""
    return -1_000_000_000_000 - channel_id
