"""What the settings want of Telegram: whom to listen to, and as whom."""

from dataclasses import dataclass
from pathlib import Path

from milobot.app.keys import Ask, configured_password
from milobot.errors import ConfigurationError
from milobot.settings import Settings
from milobot.signals.telegram.account import ServerAddress, TelegramAccount
from milobot.signals.telegram.figures import Terms
from milobot.signals.telegram.sessions import SessionFile


@dataclass(frozen=True, slots=True)
class TelegramPlan:
    """What to listen to, as whom.

    Attributes:
        chats: Ids of the chats whose messages are signals.
        people: Ids of those who may give commands in private.
    """

    account: TelegramAccount
    chats: frozenset[int] = frozenset()
    people: frozenset[int] = frozenset()
    terms: Terms | None = None


def plan_telegram(settings: Settings, ask: Ask | None) -> TelegramPlan | None:
    """Return what the settings want; None when they want no Telegram.

    Raises:
        ConfigurationError: Something is missing.
    """
    if not settings.has_telegram:
        return None
    return TelegramPlan(
        telegram_account(settings, ask), settings.telegram_chats, settings.telegram_admins
    )


def telegram_account(settings: Settings, ask: Ask | None) -> TelegramAccount:
    """Return how to log in: as a bot by its token, else as the person whose session is kept.

    Raises:
        ConfigurationError: Something is missing.
    """
    if settings.telegram_api_id is None or settings.telegram_api_hash is None:
        raise ConfigurationError(
            "Telegram needs TELEGRAM_API_ID and TELEGRAM_API_HASH: make them at"
            " https://my.telegram.org, see docs/telegram.md"
        )
    token = settings.telegram_bot_token
    password = token.get_secret_value() if token else _password(settings, ask)
    return TelegramAccount(
        settings.telegram_api_id,
        settings.telegram_api_hash.get_secret_value(),
        token.get_secret_value() if token else "",
        SessionFile(settings.telegram_session_file, password),
        _server(settings.telegram_server, settings.telegram_server_pem),
    )


def _password(settings: Settings, ask: Ask | None) -> str:
    password = configured_password(settings) or (ask() if ask is not None else None)
    if not password:
        raise ConfigurationError(
            "the Telegram session is kept encrypted and there is no password: set"
            " KEYS_PASSWORD_FILE or KEYS_PASSWORD, or TELEGRAM_BOT_TOKEN to listen as a bot"
        )
    return password


def _server(place: str | None, public_key: Path | None) -> ServerAddress | None:
    if place is None or public_key is None:
        return None
    try:
        pem = public_key.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"TELEGRAM_SERVER_PEM={public_key} cannot be read ({error.strerror}): name the file"
            " with the server's public key"
        ) from error
    host, _, port = place.rpartition(":")
    return ServerAddress(host, int(port), pem)
