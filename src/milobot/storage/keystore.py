"""API keys on disk: one file, encrypted with a password, readable by its owner only.

The file holds a header in plain JSON and everything else, names included, sealed with
AES-256-GCM under a key that PBKDF2-HMAC-SHA256 derives from the password. The header is
sealed with it, so a change of any byte is noticed. A wrong password and a file that was
changed cannot be told apart, by words or by time: both take one derivation and fail alike.
"""

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from milobot.errors import KeystoreError
from milobot.storage.api_key import ApiKey
from milobot.storage.private_file import PrivateFile

ROUNDS = 600_000
_MOST_ROUNDS = 10_000_000  # a file must not be able to keep us busy for minutes
_SALT_BYTES, _NONCE_BYTES, _TAG_BYTES = 16, 12, 16
_FORMAT = "milobot-keys-1"
_FIELDS = {"format", "rounds", "salt", "nonce", "sealed"}
_PLAIN_FIELDS = {"api_key", "api_secret", "password"}
PLAIN_ACCOUNT = "binance:default"
"""Where the key of a plain file goes: that form comes from a bot that knew Binance only."""


class Keystore:
    """The keys of all accounts in one encrypted file.

    Attributes:
        keys: By account, such as ``binance:default``.
    """

    def __init__(self, file: PrivateFile, password: str, keys: Mapping[str, ApiKey]) -> None:
        """Hold decrypted keys; :func:`open_keystore` and :func:`new_keystore` make one."""
        self._file = file
        self._password = password
        self.keys = dict(keys)

    def __repr__(self) -> str:
        """Show the file and nothing of what is in it."""
        return f"Keystore({self._file.path.name})"

    def put(self, account: str, key: ApiKey) -> None:
        """Store the key of an account, replacing an older one."""
        self.keys[account] = key
        self._save()

    def remove(self, account: str) -> None:
        """Forget the key of an account.

        Raises:
            KeystoreError: There is none.
        """
        if account not in self.keys:
            known = ", ".join(sorted(self.keys)) or "none"
            raise KeystoreError(f"{self._file.path.name} has no key of {account}: it has {known}")
        del self.keys[account]
        self._save()

    def _save(self) -> None:
        self._file.replace(_seal(self.keys, self._password))


def open_keystore(file: PrivateFile, password: str | None) -> Keystore:
    """Read the keys; the plain form of old is encrypted in place under its own password.

    Args:
        file: The file.
        password: None is enough for the plain form only.

    Raises:
        KeystoreError: Missing, readable by others, damaged, or not opened by the password.
    """
    document = _parse(file)
    if document.keys() >= _PLAIN_FIELDS:
        return _take_over(file, document)
    header = _header(file, document)
    if not password:
        raise KeystoreError(
            f"{file.path.name} is encrypted and there is no password: set KEYS_PASSWORD_FILE or"
            " KEYS_PASSWORD, or start milobot in a terminal, where it asks"
        )
    return Keystore(file, password, _unseal(file, header, password))


def new_keystore(file: PrivateFile, password: str) -> Keystore:
    """Return an empty store; the file is made with the first key that is put.

    Raises:
        KeystoreError: The password is too short to protect anything.
    """
    if len(password) < 8:  # noqa: PLR2004 - said in the sentence
        raise KeystoreError("the password is too short to protect a key: use 8 characters or more")
    return Keystore(file, password, {})


def check_form(file: PrivateFile) -> str:
    """Return ``encrypted`` or ``plain`` after looking at everything but the keys themselves.

    Raises:
        KeystoreError: Missing, readable by others, or damaged in its form.
    """
    document = _parse(file)
    if document.keys() >= _PLAIN_FIELDS:
        return "plain"
    _header(file, document)
    return "encrypted"


@dataclass(frozen=True, slots=True)
class _Header:
    rounds: int
    salt: bytes
    nonce: bytes
    sealed: bytes


def _parse(file: PrivateFile) -> dict[str, object]:
    try:
        document = orjson.loads(file.read())
    except orjson.JSONDecodeError:  # its text may quote the file
        document = None
    if not isinstance(document, dict):
        raise _damaged(file) from None
    return document


def _header(file: PrivateFile, document: dict[str, object]) -> _Header:
    rounds = document.get("rounds")
    if document.keys() != _FIELDS or document["format"] != _FORMAT or type(rounds) is not int:
        raise _damaged(file)
    header = _Header(
        rounds, *(_bytes(file, document[name]) for name in ("salt", "nonce", "sealed"))
    )
    is_whole = (
        ROUNDS <= rounds <= _MOST_ROUNDS
        and len(header.salt) == _SALT_BYTES
        and len(header.nonce) == _NONCE_BYTES
        and len(header.sealed) > _TAG_BYTES
    )
    if not is_whole:
        raise _damaged(file)
    return header


def _bytes(file: PrivateFile, text: object) -> bytes:
    try:
        return base64.b64decode(str(text).encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise _damaged(file) from None


def _damaged(file: PrivateFile) -> KeystoreError:
    return KeystoreError(
        f"{file.path.name} is damaged, it is no file of keys any more: put a backup in its place,"
        " or delete it and run `milobot keys set`"
    )


def _unseal(file: PrivateFile, header: _Header, password: str) -> dict[str, ApiKey]:
    from milobot.storage.sealing import Seal  # noqa: PLC0415 - not every process has such a file

    seal = Seal(header.rounds, header.salt, header.nonce, _bound(header.rounds, header.salt))
    content = seal.open(header.sealed, password)
    if content is None:
        raise KeystoreError(
            f"{file.path.name} does not open: the password is wrong or the file was changed;"
            " try again, or put a backup in its place"
        )
    pairs = orjson.loads(content)
    return {account: ApiKey(key, secret) for account, (key, secret) in pairs.items()}


def _seal(keys: Mapping[str, ApiKey], password: str) -> bytes:
    from milobot.storage.sealing import Seal  # noqa: PLC0415 - as above

    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    content = orjson.dumps({account: (key.key, key.secret) for account, key in keys.items()})
    sealed = Seal(ROUNDS, salt, nonce, _bound(ROUNDS, salt)).close(content, password)
    document = {
        "format": _FORMAT,
        "rounds": ROUNDS,
        "salt": base64.b64encode(salt).decode(),
        "nonce": base64.b64encode(nonce).decode(),
        "sealed": base64.b64encode(sealed).decode(),
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _bound(rounds: int, salt: bytes) -> bytes:
    """Return what of the header is sealed along: changed rounds or salt are noticed."""
    return _FORMAT.encode() + rounds.to_bytes(8, "big") + salt


def _take_over(file: PrivateFile, document: dict[str, object]) -> Keystore:
    values = {name: document[name] for name in sorted(_PLAIN_FIELDS)}
    for name, value in values.items():
        if not isinstance(value, str) or not value.strip():
            raise KeystoreError(
                f"{file.path.name}: {name} must be a text that is not empty: write it, or delete"
                " the file and run `milobot keys set`"
            )
    key, secret, password = (str(value) for value in values.values())
    store = Keystore(file, password, {PLAIN_ACCOUNT: ApiKey(key.strip(), secret.strip())})
    file.replace(_seal(store.keys, password), wipes_old=True)
    return store
