"""Frames over two pipes with a deadline on every step, whatever the other side does."""

import os
import select
from collections.abc import Mapping
from time import monotonic

from milobot.scripting.protocol import LENGTHS, decode_header, decode_lengths, encode

_CHUNK = 1 << 20


class ChannelTimeoutError(Exception):
    """The deadline passed before the frame was through."""


class ChannelClosedError(Exception):
    """The other side closed its end."""


class Channel:
    """The parent's ends of a worker's pipes."""

    def __init__(self, incoming: int, outgoing: int) -> None:
        """Use two file descriptors, which stay the caller's to close."""
        self._incoming = incoming
        self._outgoing = outgoing
        os.set_blocking(incoming, False)
        os.set_blocking(outgoing, False)
        self._readable = select.poll()
        self._readable.register(incoming, select.POLLIN)
        self._writable = select.poll()
        self._writable.register(outgoing, select.POLLOUT)

    @property
    def descriptors(self) -> tuple[int, int]:
        """The descriptors that frames come from and go to, for a caller with a loop of its own."""
        return self._incoming, self._outgoing

    def send(self, header: Mapping[str, object], body: bytes, deadline: float) -> None:
        """Send a frame; ``deadline`` is a time of ``time.monotonic``.

        Raises:
            ChannelTimeoutError: The other side did not take it in time.
            ChannelClosedError: It is gone.
        """
        rest = memoryview(encode(header, body))
        while rest:
            _wait(self._writable, deadline)
            try:
                rest = rest[os.write(self._outgoing, rest[:_CHUNK]) :]
            except BlockingIOError:
                continue
            except OSError:
                raise ChannelClosedError from None

    def receive(self, deadline: float) -> tuple[dict[str, object], bytes]:
        """Return header and body of the next frame.

        Raises:
            ChannelTimeoutError: There was none in time.
            ChannelClosedError: The other side is gone.
            DataError: It is no frame.
        """
        header_length, body_length = decode_lengths(self._read(LENGTHS.size, deadline))
        header = self._read(header_length, deadline)
        return decode_header(header), self._read(body_length, deadline)

    def _read(self, length: int, deadline: float) -> bytes:
        parts = bytearray()
        while len(parts) < length:
            _wait(self._readable, deadline)
            try:
                part = os.read(self._incoming, min(length - len(parts), _CHUNK))
            except BlockingIOError:
                continue
            if not part:
                raise ChannelClosedError
            parts += part
        return bytes(parts)


def _wait(poll: "select.poll", deadline: float) -> None:
    remaining = deadline - monotonic()
    if remaining <= 0 or not poll.poll(remaining * 1000):
        raise ChannelTimeoutError
