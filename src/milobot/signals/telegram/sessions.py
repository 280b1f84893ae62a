"""The session of a Telegram account on disk: whoever has it is logged in as the account.

Sealed with a password in a file that only its owner may read: a bot's with its token, a person's
with the password that also opens the file of keys.
"""

import base64
import binascii
import os
from pathlib import Path

import orjson

from milobot.errors import KeystoreError
from milobot.storage.private_file import PrivateFile
from milobot.telemetry import hide

_ROUNDS = 600_000
_FORMAT = "milobot-telegram-1"
_SALT_BYTES, _NONCE_BYTES = 16, 12


class SessionFile:
    """One session in one file."""

    def __init__(self, path: Path, password: str) -> None:
        """Touch nothing."""
        self._path = path
        self._password = password

    def load(self) -> str:
        """Return the session; empty when there is no file.

        Raises:
            KeystoreError: It is readable by others, damaged, or not opened by the password.
        """
        file = PrivateFile(self._path)
        if not file.is_there:
            return ""
        from milobot.storage.sealing import Seal  # noqa: PLC0415 - 5 MB that not every process needs

        try:
            document = orjson.loads(file.read())
            salt, nonce, sealed = (
                base64.b64decode(document[name], validate=True)
                for name in ("salt", "nonce", "sealed")
            )
        except (orjson.JSONDecodeError, KeyError, TypeError, binascii.Error):
            raise self._unusable("it is damaged") from None
        opened = Seal(_ROUNDS, salt, nonce, _FORMAT.encode()).open(sealed, self._password)
        if opened is None:
            raise self._unusable("the password is another one, or the file was changed")
        session = opened.decode()
        hide(session)
        return session

    def save(self, session: str) -> None:
        """Keep a session in place of the one that was there.

        Raises:
            KeystoreError: It was not written.
        """
        from milobot.storage.sealing import Seal  # noqa: PLC0415 - as above

        hide(session)
        file = PrivateFile(self._path)
        if file.is_there:
            file.read()  # refuses one that others can read
        salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
        sealed = Seal(_ROUNDS, salt, nonce, _FORMAT.encode()).close(
            session.encode(), self._password
        )
        parts = {"salt": salt, "nonce": nonce, "sealed": sealed}
        document = {name: base64.b64encode(part).decode() for name, part in parts.items()}
        file.replace(orjson.dumps({"format": _FORMAT} | document))

    def _unusable(self, reason: str) -> KeystoreError:
        return KeystoreError(
            f"the Telegram session in {self._path.name} does not open ({reason}): delete the file,"
            " then log in again with `milobot telegram login`"
        )


class NoSession:
    """Keeps nothing: every start logs in anew."""

    def load(self) -> str:
        """Return that there is none."""
        return ""

    def save(self, session: str) -> None:
        """Forget it, but keep it out of the log."""
        hide(session)
