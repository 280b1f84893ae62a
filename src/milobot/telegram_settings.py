"""Settings of Telegram: which account listens, and to which chats."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode

from milobot.setting_checks import match_secret

_TOKEN = re.compile(r"\d{1,20}:[A-Za-z0-9_-]{4,100}")
_HASH = re.compile(r"[A-Za-z0-9]{4,64}")
_CHAT = re.compile(r"-?[0-9]{1,16}")
_SERVER = re.compile(r"(?:127\.0\.0\.1|localhost):[0-9]{1,5}")
_MOST_CHATS = 200

TELEGRAM_SECRETS = ("telegram_api_hash", "telegram_bot_token")
"""What may come from a file instead."""

TELEGRAM_EXAMPLES = {
    "telegram_api_id": "=1234567, the number that https://my.telegram.org shows",
    "telegram_api_hash": " as https://my.telegram.org shows it",
    "telegram_bot_token": " as @BotFather shows it, such as 123456:ABC-DEF",
    "telegram_chats": "=-1001234567890,-1009876543210, ids as `milobot telegram chats` lists them",
    "telegram_session_file": "=telegram.session, a file name",
    "telegram_server": "=127.0.0.1:8443, a server on this machine for tests",
    "telegram_server_pem": " as the name of a file with that server's public key",
}
"""What to write, by the name of a field."""


def _parse_chats(value: object) -> object:
    """Return the ids that a text such as ``-1001,-1002`` names; a set is one already.

    Raises:
        ValueError: One is no id.
    """
    if not isinstance(value, str):
        return value
    words = [word.strip() for word in value.split(",") if word.strip()]
    if len(words) > _MOST_CHATS or not all(_CHAT.fullmatch(word) for word in words):
        raise ValueError("no ids")
    return frozenset(int(word) for word in words)


def check_telegram_secret(value: SecretStr | None) -> SecretStr | None:
    """Return a token or hash without blanks around it.

    Raises:
        ValueError: It has neither form.
    """
    return match_secret(value, _TOKEN, _HASH)


def _check_token(value: SecretStr | None) -> SecretStr | None:
    if value is not None and not _TOKEN.fullmatch(value.get_secret_value().strip()):
        raise ValueError("no token")
    return check_telegram_secret(value)


def _check_server(value: str | None) -> str | None:
    if value is not None and not _SERVER.fullmatch(value):
        raise ValueError("no server on this machine")
    return value


class TelegramSettings(BaseSettings):
    """Which account listens, and to which chats.

    Attributes:
        telegram_api_id: Of the application, from my.telegram.org.
        telegram_api_hash: Belongs to it.
        telegram_bot_token: Of the bot that listens; without one a person's session does.
        telegram_chats: Ids of the chats whose messages are signals.
        telegram_session_file: Where the session is kept, sealed.
        telegram_server: Host and port of a server on this machine in place of Telegram.
        telegram_server_pem: File of its public key.
    """

    telegram_api_id: Annotated[int, Field(gt=0, lt=2**31)] | None = None
    telegram_api_hash: Annotated[SecretStr | None, AfterValidator(check_telegram_secret)] = None
    telegram_api_hash_file: Path | None = None
    telegram_bot_token: Annotated[SecretStr | None, AfterValidator(_check_token)] = None
    telegram_bot_token_file: Path | None = None
    # NoDecode: a set is no JSON in the environment.
    telegram_chats: Annotated[frozenset[int], NoDecode, BeforeValidator(_parse_chats)] = frozenset()
    telegram_session_file: Path = Path("telegram.session")
    telegram_server: Annotated[str | None, AfterValidator(_check_server)] = None
    telegram_server_pem: Path | None = None

    @property
    def has_telegram(self) -> bool:
        """Return whether there is anything to connect with."""
        return self.telegram_api_id is not None


def telegram_contradictions(settings: TelegramSettings) -> Iterator[tuple[set[str], str]]:
    """Yield what cannot be meant together: the fields, and a sentence."""
    has_hash = settings.telegram_api_hash or settings.telegram_api_hash_file
    pair = {"telegram_api_id", "telegram_api_hash"}
    if settings.telegram_api_id is not None and not has_hash:
        yield pair, "TELEGRAM_API_ID is set without TELEGRAM_API_HASH: set both or none"
    if settings.telegram_api_id is None:
        token = settings.telegram_bot_token or settings.telegram_bot_token_file
        left = {
            "TELEGRAM_API_HASH": has_hash,
            "TELEGRAM_BOT_TOKEN": token,
            "TELEGRAM_CHATS": settings.telegram_chats,
        }
        for name in (name for name, value in left.items() if value):
            yield (
                {"telegram_api_id", name.lower()},
                f"{name} is set without TELEGRAM_API_ID, which https://my.telegram.org shows",
            )
    if bool(settings.telegram_server) != bool(settings.telegram_server_pem):
        yield (
            {"telegram_server", "telegram_server_pem"},
            "TELEGRAM_SERVER and TELEGRAM_SERVER_PEM belong together: set both or none",
        )
