"""The frames that a worker and its parent exchange over two pipes.

A frame is two lengths (4 bytes each, big-endian), a header in JSON and a body
of raw column bytes. Both lengths are capped, so a lying peer costs no memory.
"""

import json
import struct
from collections.abc import Mapping

from milobot.errors import DataError

MAX_HEADER_BYTES = 4 * 1024 * 1024
MAX_BODY_BYTES = 32 * 1024 * 1024
CANDLES_PER_FRAME = 100_000
"""Candles that travel in one frame; more go in several."""

LENGTHS = struct.Struct(">II")


def encode(header: Mapping[str, object], body: bytes = b"") -> bytes:
    """Return a frame."""
    text = json.dumps(header).encode()
    if len(text) > MAX_HEADER_BYTES or len(body) > MAX_BODY_BYTES:
        raise DataError("a message between the bot and a script's worker is too large")
    return LENGTHS.pack(len(text), len(body)) + text + body


def decode_lengths(prefix: bytes) -> tuple[int, int]:
    """Return the lengths of header and body.

    Raises:
        DataError: One is beyond its cap.
    """
    header, body = LENGTHS.unpack(prefix)
    if header > MAX_HEADER_BYTES or body > MAX_BODY_BYTES:
        raise DataError("a message between the bot and a script's worker is too large")
    return header, body


def decode_header(text: bytes) -> dict[str, object]:
    """Return the header of a frame.

    Raises:
        DataError: It is no JSON object.
    """
    try:
        header = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise DataError("a message between the bot and a script's worker is no JSON") from None
    if not isinstance(header, dict):
        raise DataError("a message between the bot and a script's worker is no JSON object")
    return header


def _refuse_constant(name: str) -> None:
    raise ValueError(name)
