"""One TCP connection of a client: frames in, handshake or requests, frames out."""

import asyncio
import os
import struct
import time
from typing import Protocol

from telethon.crypto import AuthKey
from telethon.extensions import BinaryReader
from telethon.tl import functions, types
from telethon.tl.core import GzipPacked, MessageContainer
from tests.support.mtproto.crypto import decrypt, encrypt, frame, unframe
from tests.support.mtproto.handshake import Handshake

_WRAPPED = (
    functions.InvokeWithLayerRequest,
    functions.InitConnectionRequest,
    functions.InvokeWithoutUpdatesRequest,
)
_VECTOR, _RPC_RESULT = 0x1CB5C415, 0xF35C6D01
_UNKNOWN_KEY = -404


class RefusedError(Exception):
    """A request is answered with an error of Telegram's, such as 420 ``FLOOD_WAIT_3``."""

    def __init__(self, code: int, text: str) -> None:
        """Keep what goes onto the wire."""
        super().__init__(text)
        self.code = code
        self.text = text


class Desk(Protocol):
    """What a connection needs of the server behind it."""

    keys: dict[int, AuthKey]
    connections: "set[Connection]"

    def handshake(self) -> Handshake:
        """Return a handshake that has not begun."""
        ...

    async def answer(self, key_id: int, request: object) -> object:
        """Return the answer to a request, or raise ``RefusedError``."""
        ...


class Connection:
    """A client's connection; its session id is known from its first request on."""

    def __init__(
        self, desk: Desk, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Say nothing yet."""
        self._desk = desk
        self._reader = reader
        self._writer = writer
        self._handshake = desk.handshake()
        self._number = 0
        self._session_id = 0
        self._last_id = 0
        self.key: AuthKey | None = None

    async def run(self) -> None:
        """Serve until the client is gone."""
        try:
            while True:
                length = await self._reader.readexactly(4)
                rest = await self._reader.readexactly(struct.unpack("<i", length)[0] - 4)
                await self._packet(unframe(length, rest))
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self._desk.connections.discard(self)
            self._writer.close()

    def abort(self) -> None:
        """Break the connection without a word."""
        self._writer.transport.abort()

    def push(self, update: object) -> None:
        """Send what was not asked for."""
        if self.key is not None and not self._writer.is_closing():
            self._send(bytes(update))  # type: ignore[call-overload]  # objects of Telethon serialize so

    async def _packet(self, packet: bytes) -> None:
        key_id = struct.unpack("<Q", packet[:8])[0]
        if key_id == 0:
            answer = self._handshake.answer(BinaryReader(packet[20:]).tgread_object())
            body = bytes(answer)  # type: ignore[call-overload]  # as above
            self._raw(struct.pack("<qqi", 0, self._next_id(1), len(body)) + body)
            return
        self.key = self._desk.keys.get(key_id)
        if self.key is None:
            self._raw(struct.pack("<i", _UNKNOWN_KEY))
            return
        letter = decrypt(self.key, packet)
        if letter.session_id != self._session_id:
            self._session_id = letter.session_id
            self._desk.connections.add(self)
            unique = int.from_bytes(os.urandom(7), "big")
            self._send(bytes(types.NewSessionCreated(letter.message_id, unique, 0)))
        await self._message(letter.message_id, BinaryReader(letter.body).tgread_object())

    async def _message(self, message_id: int, said: object) -> None:
        match said:
            case MessageContainer():
                for message in said.messages:
                    await self._message(message.msg_id, message.obj)
            case GzipPacked():
                await self._message(message_id, BinaryReader(said.data).tgread_object())
            case types.MsgsAck():
                return
            case functions.PingRequest():
                self._send(bytes(types.Pong(message_id, said.ping_id)), is_answer=True)
            case _:
                await self._request(message_id, said)

    async def _request(self, message_id: int, request: object) -> None:
        while isinstance(request, _WRAPPED):
            request = request.query
        assert self.key is not None
        try:
            answer = await self._desk.answer(self.key.key_id, request)
        except RefusedError as refused:
            answer = types.RpcError(refused.code, refused.text)
        if isinstance(answer, list):
            body = struct.pack("<Ii", _VECTOR, len(answer)) + b"".join(map(bytes, answer))
        else:
            body = bytes(answer)  # type: ignore[call-overload]  # as above
        self._send(struct.pack("<Iq", _RPC_RESULT, message_id) + body, is_answer=True)

    def _send(self, body: bytes, *, is_answer: bool = False) -> None:
        assert self.key is not None
        message_id = self._next_id(1 if is_answer else 3)
        head = struct.pack("<qqqii", 0, self._session_id, message_id, 1, len(body))
        self._raw(encrypt(self.key, head + body))

    def _raw(self, content: bytes) -> None:
        self._writer.write(frame(self._number, content))
        self._number += 1

    def _next_id(self, kind: int) -> int:
        """Return an id that tells the time and grows: 1 answers, 3 is sent unasked."""
        seconds, rest = divmod(time.time_ns(), 1_000_000_000)
        moment = (seconds << 32 | rest) & ~3
        self._last_id = max(moment, self._last_id + 4)
        return self._last_id | kind
