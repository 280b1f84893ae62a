"""A worker's pipes as the pool's event loop sees them: one question at a time, one answer.

What comes in is hostile. Lengths are capped before a byte is kept, an answer
must carry the id of its question, and a byte that nobody asked for, before or
after an answer, ends the conversation: otherwise a script could leave an answer
in the pipe for the question about the next script.
"""

import asyncio
import os
from collections.abc import Callable, Mapping

from milobot.errors import DataError
from milobot.scripting.channel import ChannelClosedError
from milobot.scripting.protocol import LENGTHS, decode_header, encode

MAX_HEADER_BYTES = 2 * 1024 * 1024
"""More than 250 lines of 500 characters, each written as two escapes of six bytes."""

_CHUNK = 1 << 16

Answer = tuple[dict[str, object], bytes]


class FrameBuffer:
    """Collects bytes until they are one frame."""

    def __init__(self) -> None:
        """Begin empty, expecting no body."""
        self._bytes = bytearray()
        self._body_limit = 0

    def __len__(self) -> int:
        """Return the number of bytes at hand."""
        return len(self._bytes)

    def expect(self, body_limit: int) -> None:
        """Allow the next frame a body of at most ``body_limit`` bytes."""
        self._body_limit = body_limit

    def feed(self, data: bytes) -> Answer | None:
        """Take bytes and return the frame that they complete, None while it is not complete.

        Raises:
            DataError: They are no frame, a larger one than allowed, or more than one.
        """
        self._bytes += data
        if len(self._bytes) < LENGTHS.size:
            return None
        header_length, body_length = LENGTHS.unpack_from(self._bytes)
        if header_length > MAX_HEADER_BYTES or body_length > self._body_limit:
            raise DataError("a worker's answer is too large")
        middle = LENGTHS.size + header_length
        end = middle + body_length
        if len(self._bytes) > end:
            raise DataError("a worker said more than it was asked")
        if len(self._bytes) < end:
            return None
        header = decode_header(bytes(self._bytes[LENGTHS.size : middle]))
        body = bytes(self._bytes[middle:end])
        self._bytes.clear()
        return header, body


class PoolChannel:
    """The parent's ends of a worker's pipes, watched by the running event loop."""

    def __init__(self, incoming: int, outgoing: int, on_end: Callable[[], None]) -> None:
        """Watch two file descriptors, which stay the caller's to close.

        Args:
            incoming: What the worker says.
            outgoing: What it is told.
            on_end: Called once when the conversation has ended by itself.
        """
        self._loop = asyncio.get_running_loop()
        self._incoming = incoming
        self._outgoing = outgoing
        self._on_end = on_end
        self._buffer = FrameBuffer()
        self._answer: asyncio.Future[Answer] | None = None
        self._unsent = memoryview(b"")
        self._count = 0
        self.end: Exception | None = None
        """Why the conversation has ended: ChannelClosedError or DataError; None while it goes on."""
        os.set_blocking(incoming, False)
        os.set_blocking(outgoing, False)
        self._loop.add_reader(incoming, self._on_readable)

    async def ask(
        self, request: Mapping[str, object], body: bytes = b"", body_limit: int = 0
    ) -> Answer:
        """Send a request and return its answer.

        After a cancellation the conversation is out of step: only :meth:`receive`
        and :meth:`close` make sense then.

        Raises:
            ChannelClosedError: The worker is gone.
            DataError: It answered something that is no answer to this request.
        """
        if self.end is not None:
            raise self.end
        self._count += 1
        self._buffer.expect(body_limit)
        self._send(encode({**request, "id": self._count}, body))
        header, content = await self.receive()
        if type(header.get("id")) is not int or header["id"] != self._count:
            self._finish(DataError("a worker answered another question"))
        if self.end is not None:
            raise self.end
        return header, content

    async def receive(self) -> Answer:
        """Return the next frame, whatever it answers."""
        if self.end is not None:
            raise self.end
        self._answer = self._loop.create_future()
        try:
            return await self._answer
        finally:
            self._answer = None

    def close(self) -> None:
        """Watch no longer; harmless the second time."""
        self._loop.remove_reader(self._incoming)
        self._loop.remove_writer(self._outgoing)

    def _send(self, frame: bytes) -> None:
        self._unsent = memoryview(frame)
        self._on_writable()
        if self._unsent:
            self._loop.add_writer(self._outgoing, self._on_writable)

    def _on_writable(self) -> None:
        """Write as much as the pipe takes now."""
        try:
            while self._unsent:
                written = os.write(self._outgoing, self._unsent[:_CHUNK])
                self._unsent = self._unsent[written:]
        except BlockingIOError:
            return
        except OSError:
            self._finish(ChannelClosedError())
        self._loop.remove_writer(self._outgoing)

    def _on_readable(self) -> None:
        try:
            data = os.read(self._incoming, _CHUNK)
        except BlockingIOError:
            return
        if not data:
            self._finish(ChannelClosedError())
        elif self._answer is None or self._answer.done():
            self._finish(DataError("a worker spoke without being asked"))
        else:
            self._take(data)

    def _take(self, data: bytes) -> None:
        try:
            frame = self._buffer.feed(data)
        except DataError as exc:
            self._finish(exc)
            return
        if frame is not None and self._answer is not None:
            self._answer.set_result(frame)

    def _finish(self, reason: Exception) -> None:
        """End the conversation, once."""
        if self.end is not None:
            return
        self.end = reason
        self.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(reason)
        self._on_end()
