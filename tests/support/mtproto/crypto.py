"""The two envelopes of MTProto: TCP "full" frames, and version 2.0 encryption.

Source: https://core.telegram.org/mtproto/description and .../mtproto-transports.
"""

import os
import struct
from dataclasses import dataclass
from hashlib import sha256
from zlib import crc32

from telethon.crypto import AES, AuthKey

CLIENT, SERVER = 0, 8
"""Offset into the key, by who sends."""


def frame(number: int, content: bytes) -> bytes:
    """Return a frame of the "full" transport: length, number, content, checksum."""
    head = struct.pack("<ii", len(content) + 12, number) + content
    return head + struct.pack("<I", crc32(head))


def unframe(length: bytes, rest: bytes) -> bytes:
    """Return what is in a frame; fail on a wrong checksum."""
    assert crc32(length + rest[:-4]) == struct.unpack("<I", rest[-4:])[0], "checksum"
    return rest[4:-4]


@dataclass(frozen=True, slots=True)
class Letter:
    """One decrypted message of a client."""

    session_id: int
    message_id: int
    body: bytes


def encrypt(key: AuthKey, content: bytes) -> bytes:
    """Return what the server says, as it goes onto the wire."""
    content += os.urandom(-(len(content) + 12) % 16 + 12)
    message_key = sha256(key.key[88 + SERVER : 120 + SERVER] + content).digest()[8:24]
    secret, vector = _derive(key.key, message_key, SERVER)
    packed = AES.encrypt_ige(content, secret, vector)
    return struct.pack("<Q", key.key_id) + message_key + bytes(packed)


def decrypt(key: AuthKey, packet: bytes) -> Letter:
    """Return what a client said; fail when it was changed on its way."""
    message_key = packet[8:24]
    content = bytes(AES.decrypt_ige(packet[24:], *_derive(key.key, message_key, CLIENT)))
    assert sha256(key.key[88:120] + content).digest()[8:24] == message_key, "message key"
    _, session_id, message_id, _, length = struct.unpack("<qqqii", content[:32])
    return Letter(session_id, message_id, content[32 : 32 + length])


def _derive(key: bytes, message_key: bytes, offset: int) -> tuple[bytes, bytes]:
    one = sha256(message_key + key[offset : offset + 36]).digest()
    two = sha256(key[offset + 40 : offset + 76] + message_key).digest()
    return one[:8] + two[8:24] + one[24:], two[:8] + one[8:24] + two[24:]
