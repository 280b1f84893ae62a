"""Answers to the requests that a listening client makes; anything else is refused by name."""

import datetime as dt
import inspect
from collections.abc import Sequence
from typing import Any

from telethon.tl import functions, types
from tests.support.mtproto.connection import RefusedError
from tests.support.mtproto.world import Room, World, now

_NO_SETTINGS = types.PeerNotifySettings()


class Answers:
    """The clerk: looks into the world and answers for the account that asks."""

    def __init__(self, world: World) -> None:
        """Answer for this world."""
        self.world = world
        self.is_forgetful = False
        """Whether it does not tell, when asked what changed, that there was news in channels."""
        self.sent: list[tuple[int, str]] = []

    def answer(self, request: Any, me: types.User) -> object:
        """Return the answer to a request of a client that is logged in."""
        handlers = {
            functions.users.GetUsersRequest: self._users,
            functions.updates.GetStateRequest: self._state,
            functions.updates.GetDifferenceRequest: self._difference,
            functions.updates.GetChannelDifferenceRequest: self._channel_difference,
            functions.channels.GetChannelsRequest: self._channels,
            functions.channels.GetMessagesRequest: self._channel_messages,
            functions.messages.GetMessagesRequest: self._messages,
            functions.messages.GetHistoryRequest: self._history,
            functions.messages.GetDialogsRequest: self._dialogs,
            functions.messages.SendMessageRequest: self._send,
        }
        handler = handlers.get(type(request))
        if handler is None:
            raise RefusedError(400, "METHOD_NOT_FOUND")
        return handler(request, me)

    def _users(self, request: Any, me: types.User) -> object:
        known = {me.id: me, self.world.alice.id: self.world.alice}
        ids = [getattr(one, "user_id", me.id) for one in request.id]
        return [known[one] for one in ids if one in known]

    def _state(self, _: Any, __: types.User) -> object:
        return types.updates.State(self.world.box.pts, 0, now(), 0, 0)

    def _difference(self, request: Any, me: types.User) -> object:
        changes = self.world.box.since(request.pts)
        changes += [] if self.is_forgetful else self._long(request.date)
        if not changes:
            return types.updates.DifferenceEmpty(now(), 0)
        messages = [one.message for one in changes if isinstance(one, types.UpdateNewMessage)]
        others = [one for one in changes if not isinstance(one, types.UpdateNewMessage)]
        rooms = [room.channel for room in self.world.rooms.values()]
        people = [me, self.world.alice]
        state = self._state(request, me)
        return types.updates.Difference(messages, [], others, rooms, people, state)

    def _long(self, since: dt.datetime) -> list[Any]:
        """Return for each channel with news that there are some, as the real server does."""
        return [
            types.UpdateChannelTooLong(channel_id)
            for channel_id, room in self.world.rooms.items()
            if room.log and room.log[-1][1] >= since
        ]

    def _channel_difference(self, request: Any, _: types.User) -> object:
        room = self._room(request.channel.channel_id)
        changes: list[Any] = room.since(request.pts)
        if not changes:
            return types.updates.ChannelDifferenceEmpty(room.pts, final=True, timeout=30)
        messages = [
            one.message for one in changes if isinstance(one, types.UpdateNewChannelMessage)
        ]
        others = [one for one in changes if not isinstance(one, types.UpdateNewChannelMessage)]
        return types.updates.ChannelDifference(
            room.pts, messages, others, [room.channel], [], final=True, timeout=30
        )

    def _channels(self, request: Any, _: types.User) -> object:
        return types.messages.Chats([self._room(one.channel_id).channel for one in request.id])

    def _channel_messages(self, request: Any, _: types.User) -> object:
        room = self._room(request.channel.channel_id)
        found = _by_ids(room, request.id)
        return types.messages.ChannelMessages(room.pts, len(found), found, [], [room.channel], [])

    def _messages(self, request: Any, _: types.User) -> object:
        found = _by_ids(self.world.box, request.id)
        return types.messages.Messages(found, [], [], [self.world.alice])

    def _history(self, request: Any, me: types.User) -> object:
        if me.bot:  # bots cannot read back: https://core.telegram.org/method/messages.getHistory
            raise RefusedError(400, "BOT_METHOD_INVALID")
        room = self._peer(request.peer)
        ids = sorted((one for one in room.messages if one > request.min_id), reverse=True)
        ids = [one for one in ids if not request.offset_id or one < request.offset_id]
        found = [room.messages[one] for one in ids[: request.limit]]
        people = [self.world.alice]
        if room.channel is None:
            return types.messages.MessagesSlice(len(ids), found, [], [], people)
        total = len(room.messages)
        return types.messages.ChannelMessages(room.pts, total, found, [], [room.channel], people)

    def _dialogs(self, _: Any, me: types.User) -> object:
        if me.bot:
            raise RefusedError(400, "BOT_METHOD_INVALID")
        rooms: list[Any] = [room for room in self.world.rooms.values() if room.is_open]
        dialogs = [
            types.Dialog(
                types.PeerChannel(room.channel.id),
                *(room.last_id, 0, 0, 0, 0, 0, 0, _NO_SETTINGS),
                pts=room.pts,
            )
            for room in rooms
        ]
        last = [room.messages[room.last_id] for room in rooms if room.last_id in room.messages]
        return types.messages.Dialogs(dialogs, last, [room.channel for room in rooms], [me])

    def _send(self, request: Any, _: types.User) -> object:
        box = self.world.box
        box.last_id += 1
        box.pts += 1
        self.sent.append((request.peer.user_id, request.message))
        return types.UpdateShortSentMessage(
            id=box.last_id, pts=box.pts, pts_count=1, date=now(), out=True
        )

    def _peer(self, peer: Any) -> Room:
        if isinstance(peer, types.InputPeerChannel):
            return self._room(peer.channel_id)
        return self.world.box

    def _room(self, channel_id: int) -> Room:
        room = self.world.rooms.get(channel_id)
        if room is None:
            raise RefusedError(400, "CHANNEL_INVALID")
        if not room.is_open:
            raise RefusedError(400, "CHANNEL_PRIVATE")
        return room


def config(port: int) -> object:
    """Return the server's description of itself: every data center is this one."""
    needed = inspect.signature(types.Config.__init__).parameters.items()
    fields: dict[str, object] = {
        name: 0 for name, one in needed if one.default is one.empty and name != "self"
    }
    places = [types.DcOption(number, "127.0.0.1", port) for number in range(1, 6)]
    fields |= {
        "date": now(),
        "expires": now() + dt.timedelta(hours=1),
        "test_mode": False,
        "this_dc": 2,
        "dc_txt_domain_name": "",
        "me_url_prefix": "",
        "dc_options": places,
    }
    return types.Config(**fields)


def _by_ids(room: Room, wanted: Sequence[Any]) -> list[Any]:
    return [room.messages.get(one.id) or types.MessageEmpty(one.id, None) for one in wanted]
