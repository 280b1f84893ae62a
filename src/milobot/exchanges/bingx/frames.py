"""BingX's frames: gzip, texts for heartbeats, JSON for everything else. Pure."""

import zlib
from typing import Any

import orjson

from milobot.errors import ProtocolError

PING, PONG = "Ping", "Pong"
_LONGEST_PING = 64
_GZIP = 16 + zlib.MAX_WBITS
_MOST_BYTES = 8 * 1024 * 1024


def text_of(frame: str | bytes) -> bytes:
    """Return what a frame holds, unpacked where it is packed.

    Raises:
        ProtocolError: It cannot be unpacked, or not within 8 MB.
    """
    if isinstance(frame, str):
        return frame.encode()
    if frame[:2] != b"\x1f\x8b":
        return frame
    # The module gzip takes ten times as long for it, sixty times a second beside orders.
    unpacker = zlib.decompressobj(wbits=_GZIP)
    try:
        text = unpacker.decompress(frame, _MOST_BYTES + 1)
    except zlib.error:
        raise ProtocolError("a frame cannot be unpacked") from None
    if len(text) > _MOST_BYTES:
        raise ProtocolError("a frame is too large")
    if not unpacker.eof or unpacker.unused_data:
        raise ProtocolError("a frame cannot be unpacked")
    return text


def is_ping(frame: str | bytes) -> bool:
    """Return whether a frame asks for a sign of life."""
    if len(frame) > _LONGEST_PING:
        return False  # most frames: they are unpacked once, by whoever reads them
    try:
        return text_of(frame).strip() == PING.encode()
    except ProtocolError:
        return False


def heartbeat_reply(frame: str | bytes) -> str | None:
    """Return the answer to BingX's heartbeat; None for every other frame."""
    return PONG if is_ping(frame) else None


def event_of(frame: str | bytes) -> dict[str, Any] | None:
    """Return the event in a frame; None for the answer to a subscription.

    Raises:
        ProtocolError: The frame is no event, or says that a subscription was refused.
    """
    try:
        data = orjson.loads(text_of(frame))
    except orjson.JSONDecodeError:
        raise ProtocolError("a frame is no JSON") from None
    if not isinstance(data, dict):
        raise ProtocolError("a frame holds no event")
    if data.get("code") not in {None, 0, "0"}:
        raise ProtocolError("a subscription was refused")
    is_event = bool(data.get("dataType")) or "e" in data
    return data if is_event else None
