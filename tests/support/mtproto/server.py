"""The server: listens on a free port of this machine, and can be troublesome on demand."""

import asyncio
import time
from typing import Any

from telethon.crypto import AuthKey
from telethon.tl import functions, types
from tests.support.mtproto.answers import Answers, config
from tests.support.mtproto.connection import Connection, RefusedError
from tests.support.mtproto.handshake import Handshake, ServerKey
from tests.support.mtproto.login import Logins
from tests.support.mtproto.world import ALICE_ID, World, now


class TelegramServer:
    """A Telegram of one account.

    Attributes:
        calls: Name of every request that came, in order, such as ``GetStateRequest``.
        came_ms: When the last connection made its first request, monotonic milliseconds.
        refusals: By the name of a request, the errors that its next ones are answered with.
    """

    def __init__(self, key: ServerKey | None = None) -> None:
        """Make a world with nobody connected."""
        self.world = World()
        self.logins = Logins(self.world)
        self.answers = Answers(self.world)
        self.key = key or ServerKey()
        self.keys: dict[int, AuthKey] = {}
        self.connections: set[Connection] = set()
        self.calls: list[str] = []
        self.came_ms = 0.0
        self.refusals: dict[str, list[RefusedError]] = {}
        self.is_mute = False
        """Whether it takes requests and does not answer."""
        self.port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> "TelegramServer":
        """Listen; on the same port as before when it listened before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        """Break every connection and listen no more; what there is stays."""
        assert self._server is not None
        self._server.close()
        self.drop()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def drop(self) -> None:
        """Break every connection without a word."""
        for connection in list(self.connections):
            connection.abort()
        self.connections.clear()

    def revoke(self) -> None:
        """Forget every login, as when the owner ends all sessions."""
        self.logins.known.clear()

    def refuse(self, name: str, code: int, text: str, times: int = 1) -> None:
        """Answer the next requests of a name with an error."""
        self.refusals.setdefault(name, []).extend([RefusedError(code, text)] * times)

    def handshake(self) -> Handshake:
        """Return a handshake that has not begun."""
        return Handshake(self.key, lambda key: self.keys.update({key.key_id: key}))

    async def answer(self, key_id: int, request: Any) -> object:
        """Return the answer to a request, or raise what it is refused with."""
        name = type(request).__name__
        self.calls.append(name)
        while self.is_mute:  # noqa: ASYNC110 - tests set it as they like
            await asyncio.sleep(0.01)
        if self.refusals.get(name):
            raise self.refusals[name].pop(0)
        if isinstance(request, functions.help.GetConfigRequest):
            self.came_ms = time.monotonic() * 1000
            return config(self.port)
        answer = self.logins.answer(key_id, request)
        if answer is not None:
            return answer
        me = self.logins.known.get(key_id)
        if me is None:
            raise RefusedError(401, "AUTH_KEY_UNREGISTERED")
        return self.answers.answer(request, me)

    def post(self, channel_id: int, text: str, *, quietly: bool = False, **fields: object) -> int:
        """Post in a channel; quietly: without telling who is connected. Return its id."""
        message_id, update = self.world.post(channel_id, text, **fields)
        self._tell(update, quietly=quietly)
        return message_id

    def pin(self, channel_id: int) -> int:
        """Let something happen in a channel that is no message. Return its id."""
        message_id, update = self.world.pin(channel_id)
        self._tell(update)
        return message_id

    def edit(self, channel_id: int, message_id: int, text: str, *, quietly: bool = False) -> None:
        """Change a post."""
        self._tell(self.world.edit(channel_id, message_id, text), quietly=quietly)

    def delete(self, channel_id: int, *message_ids: int, quietly: bool = False) -> None:
        """Take posts away."""
        self._tell(self.world.delete(channel_id, list(message_ids)), quietly=quietly)

    def say(self, text: str, sender: int = ALICE_ID, *, quietly: bool = False) -> int:
        """Write to the account in private. Return the message's id."""
        message_id, update = self.world.say(text, sender)
        self._tell(update, quietly=quietly)
        return message_id

    def unsay(self, *message_ids: int) -> None:
        """Take private messages away."""
        self._tell(self.world.unsay(list(message_ids)))

    def _tell(self, update: object, *, quietly: bool = False) -> None:
        rooms = [room.channel for room in self.world.rooms.values()]
        news = types.Updates([update], [self.world.alice], rooms, now(), 0)
        for connection in [] if quietly else list(self.connections):
            connection.push(news)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await Connection(self, reader, writer).run()
        finally:
            self._tasks.discard(task)
