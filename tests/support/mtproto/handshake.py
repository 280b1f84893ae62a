"""How a client and the server agree on a key: Diffie-Hellman, the server's share proven by RSA.

Source: https://core.telegram.org/mtproto/auth_key.
"""

import os
from collections.abc import Callable
from hashlib import sha1
from pathlib import Path

import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from telethon import helpers
from telethon.crypto import AES, AuthKey
from telethon.crypto import rsa as known_keys
from telethon.extensions import BinaryReader
from telethon.tl import functions, types

from milobot.exchanges.times import SteadyClock

PRIME = int(
    "C71CAEB9C6B1C9048E6C522F70F13F73980D40238E3E21C14934D037563D930F48198A0AA7C14058229493D22530"
    "F4DBFA336F6E0AC925139543AED44CCE7C3720FD51F69458705AC68CD4FE6B6B13ABDC9746512969328454F18FAF"
    "8C595F642477FE96BB2A941D5BCD1D4AC8CC49880708FA9B378E3C4F3A9060BEE67CF9A4A4A695811051907E1627"
    "53B56B0F6B410DBA74D8A84B2A14B3144E0EF1284754FD17ED950D5965B4B9DD46582DB1178D169C6BC465B0D6FF"
    "9CA3928FEF5B9AE4E418FC15E83EBEA0F87FA9FF5EED70050DED2849F47BF959D956850CE929851F0D8115F635B1"
    "05EE2E4E15D04B2454BF6F4FADF034B10403119CD8E3B92FCC5B",
    16,
)
"""The prime of Telegram's own servers: clients test any other one for minutes."""
GENERATOR = 3
CLOCK = SteadyClock()
_SMALL_PRIMES = (1229739323, 1402015859)
_FULL_KEY_BITS = 2040


class ServerKey:
    """The RSA key by which clients know the server."""

    def __init__(self) -> None:
        """Make one: the pure Python way takes seconds, this one does not."""
        made = generate_private_key(65537, 2048).private_numbers()
        self.public = rsa.PublicKey(made.public_numbers.n, 65537)
        self.private = rsa.PrivateKey(self.public.n, 65537, made.d, made.p, made.q)
        self.fingerprint = known_keys._compute_fingerprint(self.public)

    def save(self, path: Path) -> None:
        """Write the public half where a client's settings can name it."""
        path.write_bytes(self.public.save_pkcs1())


class Handshake:
    """One client on its way to a key."""

    def __init__(self, key: ServerKey, learn: Callable[[AuthKey], None]) -> None:
        """Begin with nothing agreed; ``learn`` is told the key in the end."""
        self._server_key = key
        self._learn = learn
        self._nonce = self._server_nonce = self._secret = 0
        self._new_nonce = 0
        self._aes: tuple[bytes, bytes] = (b"", b"")

    def answer(self, request: object) -> object:
        """Return the answer to one of the three steps."""
        match request:
            case functions.ReqPqMultiRequest():
                return self._begin(request)
            case functions.ReqDHParamsRequest():
                return self._offer(request)
            case functions.SetClientDHParamsRequest():
                return self._agree(request)
            case _:
                raise AssertionError(type(request).__name__)

    def _begin(self, request: functions.ReqPqMultiRequest) -> object:
        self._nonce = request.nonce
        self._server_nonce = int.from_bytes(os.urandom(16), "big", signed=True)
        product = to_bytes(_SMALL_PRIMES[0] * _SMALL_PRIMES[1])
        return types.ResPQ(self._nonce, self._server_nonce, product, [self._server_key.fingerprint])

    def _offer(self, request: functions.ReqDHParamsRequest) -> object:
        private = self._server_key.private
        number = int.from_bytes(request.encrypted_data, "big")
        opened = pow(number, private.d, private.n).to_bytes(255, "big")
        inner = BinaryReader(opened[20:]).tgread_object()
        assert _sha1(bytes(inner)) == opened[:20]
        self._new_nonce = inner.new_nonce
        self._aes = helpers.generate_key_data_from_nonce(self._server_nonce, self._new_nonce)
        self._secret = int.from_bytes(os.urandom(256), "big")
        share = to_bytes(pow(GENERATOR, self._secret, PRIME))
        content = bytes(
            types.ServerDHInnerData(
                self._nonce,
                self._server_nonce,
                GENERATOR,
                to_bytes(PRIME),
                share,
                CLOCK.now_ms() // 1000,
            )
        )
        content = _sha1(content) + content
        content += os.urandom(-len(content) % 16)
        sealed = AES.encrypt_ige(content, *self._aes)
        return types.ServerDHParamsOk(self._nonce, self._server_nonce, sealed)

    def _agree(self, request: functions.SetClientDHParamsRequest) -> object:
        opened = AES.decrypt_ige(request.encrypted_data, *self._aes)
        inner = BinaryReader(opened[20:]).tgread_object()
        number = pow(int.from_bytes(inner.g_b, "big"), self._secret, PRIME)
        key = AuthKey(to_bytes(number))
        if number.bit_length() <= _FULL_KEY_BITS:  # sessions as text want all 256 bytes
            proof = key.calc_new_nonce_hash(self._new_nonce, 2)
            return types.DhGenRetry(self._nonce, self._server_nonce, proof)
        self._learn(key)
        proof = key.calc_new_nonce_hash(self._new_nonce, 1)
        return types.DhGenOk(self._nonce, self._server_nonce, proof)


def to_bytes(number: int) -> bytes:
    """Return a number as its shortest big-endian bytes."""
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _sha1(content: bytes) -> bytes:
    return sha1(content).digest()  # noqa: S324 - the protocol asks for it
