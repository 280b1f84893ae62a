"""Logging in: a bot by its token, a person by phone, code and second password.

The password is proven without being sent: https://core.telegram.org/api/srp.
"""

import os
from hashlib import pbkdf2_hmac, sha256
from typing import Any

from telethon.tl import functions, types
from tests.support.mtproto.connection import RefusedError
from tests.support.mtproto.handshake import GENERATOR, PRIME
from tests.support.mtproto.world import World

TOKEN = "777:GOOD"  # noqa: S105 - of no bot
PHONE, CODE, PASSWORD = "15550100", "12345", "correct horse"
_SALTS = (b"salt one", b"salt two")
_SIZE = 256


class Logins:
    """Which keys belong to whom.

    Attributes:
        known: Account by the id of the key that logged in to it.
        password: Second password of the person; empty when there is none.
    """

    def __init__(self, world: World) -> None:
        """Know nobody."""
        self._world = world
        self.known: dict[int, types.User] = {}
        self.password = ""
        self.token = TOKEN
        self._secret = int.from_bytes(os.urandom(_SIZE), "big")

    def answer(self, key_id: int, request: Any) -> object | None:
        """Return the answer to a step of a login; None when the request is none."""
        steps = {
            functions.auth.ImportBotAuthorizationRequest: self._bot,
            functions.auth.SendCodeRequest: self._code,
            functions.auth.SignInRequest: self._sign_in,
            functions.account.GetPasswordRequest: self._riddle,
            functions.auth.CheckPasswordRequest: self._password,
        }
        step = steps.get(type(request))
        return None if step is None else step(key_id, request)

    def _bot(self, key_id: int, request: Any) -> object:
        if request.bot_auth_token != self.token:
            raise RefusedError(400, "ACCESS_TOKEN_INVALID")
        return self._let_in(key_id, self._world.bot)

    def _code(self, _: int, request: Any) -> object:
        if request.phone_number != PHONE:
            raise RefusedError(400, "PHONE_NUMBER_INVALID")
        return types.auth.SentCode(types.auth.SentCodeTypeApp(len(CODE)), "hash")

    def _sign_in(self, key_id: int, request: Any) -> object:
        if request.phone_code != CODE:
            raise RefusedError(400, "PHONE_CODE_INVALID")
        if self.password:
            raise RefusedError(401, "SESSION_PASSWORD_NEEDED")
        return self._let_in(key_id, self._world.trader)

    def _password(self, key_id: int, request: Any) -> object:
        if bytes(request.password.M1) != self._proof(request.password.A):
            raise RefusedError(400, "PASSWORD_HASH_INVALID")
        return self._let_in(key_id, self._world.trader)

    def _let_in(self, key_id: int, who: types.User) -> object:
        self.known[key_id] = who
        return types.auth.Authorization(user=who)

    def _riddle(self, _: int, __: Any) -> object:
        kind = types.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow
        method = kind(*_SALTS, GENERATOR, _wide(PRIME))
        unused = types.PasswordKdfAlgoUnknown()
        return types.account.Password(
            new_algo=unused,
            new_secure_algo=types.SecurePasswordKdfAlgoUnknown(),
            secure_random=b"",
            has_password=True,
            current_algo=method,
            srp_B=_wide(self._share()),
            srp_id=1,
        )

    def _verifier(self) -> int:
        one, two = _SALTS
        inner = _hash(one + self.password.encode() + one)
        first = _hash(two + inner + two)
        slow = pbkdf2_hmac("sha512", first, one, 100_000)
        return pow(GENERATOR, int.from_bytes(_hash(two + slow + two), "big"), PRIME)

    def _share(self) -> int:
        factor = int.from_bytes(_hash(_wide(PRIME) + _wide(GENERATOR)), "big")
        return (factor * self._verifier() + pow(GENERATOR, self._secret, PRIME)) % PRIME

    def _proof(self, their_share: bytes) -> bytes:
        """Return what only somebody who knows the password can send."""
        theirs, ours = _wide(int.from_bytes(their_share, "big")), _wide(self._share())
        mixed = int.from_bytes(_hash(theirs + ours), "big")
        base = int.from_bytes(theirs, "big") * pow(self._verifier(), mixed, PRIME)
        key = _hash(_wide(pow(base, self._secret, PRIME)))
        prime, generator = _hash(_wide(PRIME)), _hash(_wide(GENERATOR))
        both = bytes(a ^ b for a, b in zip(prime, generator, strict=True))
        return _hash(both + _hash(_SALTS[0]) + _hash(_SALTS[1]) + theirs + ours + key)


def _wide(number: int) -> bytes:
    return number.to_bytes(_SIZE, "big")


def _hash(content: bytes) -> bytes:
    return sha256(content).digest()
