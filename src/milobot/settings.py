"""Settings: environment variables and ``.env`` turned into one frozen object.

Every field is named after its variable (``data_limit`` is ``DATA_LIMIT``), a
variable of the environment beats the same one in ``.env``, an empty one counts
as not set. ``.env.example`` in the repository shows them all.

A secret may come from a file instead: ``BINGX_SECRET_KEY_FILE`` names one. Such files
are read here, once; the object holds their content, which no ``repr`` shows.
"""

import os
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsConfigDict

from milobot.engine_settings import (
    ENGINE_EXAMPLES,
    EngineSettings,
    engine_contradictions,
    parse_percent,
)
from milobot.env_file import EnvFile, read_env_file
from milobot.errors import ConfigurationError
from milobot.exchange_settings import (
    EXCHANGE_EXAMPLES,
    EXCHANGES,
    ExchangeSettings,
    VenueSettings,
    check_key,
    exchange_contradictions,
)
from milobot.setting_checks import misspelt, open_to_all
from milobot.setting_faults import Fault, describe, stops_exit
from milobot.signal_settings import SIGNAL_EXAMPLES, SignalSettings
from milobot.small_files import read_small
from milobot.storage.database_url import password_in
from milobot.talk_settings import TALK_EXAMPLES, TalkSettings
from milobot.telegram_settings import (
    TELEGRAM_EXAMPLES,
    TELEGRAM_SECRETS,
    TelegramSettings,
    check_telegram_secret,
    telegram_contradictions,
)
from milobot.telemetry import hide
from milobot.web_settings import WEB_EXAMPLES, WEB_SECRETS, WebSettings, check_web_secret

__all__ = [
    "EXCHANGES",
    "Settings",
    "VenueSettings",
    "load_settings",
    "look_at_settings",
    "settings_to_exit",
]
_LARGEST_WINDOW = 1_000_000
_MOST_SECRET_BYTES = 4096

_EXAMPLES = {
    "data_limit": "=5000, a whole number of candles from 10 to 1000000",
    "candle_database": "=binance_data.db, a file name",
    "default_stop": "=5%, above 0% and below 100%",
    "allow_unprotected": "=false, true or false",
    "log_level": "=INFO, one of DEBUG INFO WARNING ERROR CRITICAL",
    "trading_enabled": "=false, true or false",
    "file": " as the name of a file",
    "password": " as one line of text",
    "rate_limit_semaphore": "=5, a whole number of downloads from 1 to 50",
    "api_delay": "=0.2, seconds from 0 to 60",
    "ws_reconnect_delay": "=5, seconds from 0.1 to 300",
    "klines_batch_size": "=1000, a whole number of candles from 10 to 1440",
    **EXCHANGE_EXAMPLES,
    **ENGINE_EXAMPLES,
    **WEB_EXAMPLES,
    **SIGNAL_EXAMPLES,
    **TALK_EXAMPLES,
    **TELEGRAM_EXAMPLES,
}
"""What to write, by the name of a field or its end."""


def _upper(value: object) -> object:
    return value.strip().upper() if isinstance(value, str) else value


class Settings(
    ExchangeSettings, EngineSettings, WebSettings, SignalSettings, TalkSettings, TelegramSettings
):
    """What the user set; everything has a default that is safe.

    Keys and addresses are described in ``ExchangeSettings``, what bounds the engine in
    ``EngineSettings``, the server in ``WebSettings``, signals
    in ``SignalSettings``, who is talked to in ``TalkSettings``, Telegram
    in ``TelegramSettings``.

    Attributes:
        data_limit: Candles that a script sees as ``data``, at most.
        candle_database: SQLite file of the stored candles, relative to the working folder.
        default_stop: Distance of the stop of an entry that names none, as a fraction of
            its reference price: ``Decimal("0.05")`` for ``DEFAULT_STOP=5%``.
        allow_unprotected: Whether ``sl=none`` is accepted.
        log_level: Least level that is logged.
        trading_enabled: Whether orders may leave this machine.
        keys_file: File of the keys that ``milobot keys`` keeps.
        keys_password: Opens it where nobody can be asked.
        rate_limit_semaphore: Downloads from one exchange at a time.
        api_delay: Seconds between the starts of two downloads.
        ws_reconnect_delay: Seconds before a stream that ended is opened anew.
        klines_batch_size: Candles asked for in one download.
    """

    model_config = SettingsConfigDict(
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    data_limit: Annotated[int, Field(ge=10, le=_LARGEST_WINDOW)] = 5000
    candle_database: Path = Path("binance_data.db")
    default_stop: Annotated[Decimal, BeforeValidator(parse_percent), Field(gt=0, lt=1)] = Decimal(
        "0.05"
    )
    allow_unprotected: bool = False
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(_upper)
    ] = "INFO"
    trading_enabled: bool = False
    keys_file: Path = Path("keys.json")
    keys_password: SecretStr | None = None
    keys_password_file: Path | None = None
    rate_limit_semaphore: Annotated[int, Field(ge=1, le=50)] = 5
    api_delay: Annotated[float, Field(ge=0, le=60)] = 0.2
    ws_reconnect_delay: Annotated[float, Field(ge=0.1, le=300)] = 5.0
    klines_batch_size: Annotated[int, Field(ge=10, le=1440)] = 1000


_SECRETS = tuple(
    name.removesuffix("_file") for name in Settings.model_fields if name.endswith("key_file")
)
_FROM_FILES = (*_SECRETS, "keys_password", *WEB_SECRETS, *TELEGRAM_SECRETS)


def load_settings(env_file: Path | None = Path(".env")) -> Settings:
    """Read the environment and ``env_file``, which need not exist; None reads no file.

    Raises:
        ConfigurationError: Values are malformed or contradict each other; the sentence names
            every such variable with an example, and shows no secret.
    """
    settings, faults = look_at_settings(env_file)
    if faults:
        raise ConfigurationError(describe(faults))
    return settings


def settings_to_exit(env_file: Path | None = Path(".env")) -> tuple[Settings, str]:
    """Read them for a command that closes what is open.

    Returns:
        The settings, and what is wrong with those that have nothing to do with the way out.

    Raises:
        ConfigurationError: It is not sure which account is meant, or how to reach it.
    """
    settings, faults = look_at_settings(env_file)
    if stopping := [fault for fault in faults if stops_exit(fault)]:
        raise ConfigurationError(describe(stopping))
    return settings, describe(faults)


def look_at_settings(env_file: Path | None = Path(".env")) -> tuple[Settings, tuple[Fault, ...]]:
    """Read them as ``load_settings`` does; what is malformed has its default.

    Returns:
        The settings, and what is wrong with them.

    Raises:
        ConfigurationError: The file cannot be read at all.
    """
    malformed: dict[str, Fault] = {}
    file = read_env_file(env_file, [name.upper() for name in Settings.model_fields])
    try:
        settings = _read(file)
    except ValidationError as error:
        for one in error.errors():
            name = str(one["loc"][0])
            malformed[name] = Fault(_sentence(one), frozenset({name}))
        settings = _read(file, **{name: Settings.model_fields[name].default for name in malformed})
    contents, unreadable = _read_secret_files(settings)
    contradictions = (
        Fault(said, frozenset(names))
        for names, said in _contradictions(settings)
        if not names & malformed.keys()
    )
    complete = settings.model_copy(update=contents)
    _hide_secrets(complete)
    return complete, (
        *file.faults,
        *malformed.values(),
        *unreadable,
        *contradictions,
        *_misspelt([*os.environ, *file.values]),
        *_open_secrets(file),
    )


def _hide_secrets(settings: Settings) -> None:
    """Cut every secret that is set out of whatever is logged or said from now on."""
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr) and name != "database_url":
            hide(value.get_secret_value())
    # A password that is the user's name would cut holes into every sentence.
    if password := password_in(settings.database_url.get_secret_value()):
        hide(password)


def _read(file: EnvFile, **values: object) -> Settings:
    """Put together what the environment sets, what else the file sets, and these values."""
    of_environment = {name.lower() for name, value in os.environ.items() if value}
    of_file = {name.lower(): value for name, value in file.values.items() if value}
    beside = {
        name: of_file[name]
        for name in Settings.model_fields
        if name in of_file and name not in of_environment
    }
    return Settings(**(beside | values))  # type: ignore[arg-type]  # pydantic checks the values


def _misspelt(names: Iterable[str]) -> Iterator[Fault]:
    """Yield a fault for each variable whose name is almost one of ours."""
    known = [name.upper() for name in Settings.model_fields]
    for name, meant in misspelt(names, known):
        yield Fault(
            f"{name} is no setting: did you mean {meant}? Rename it, or unset it",
            frozenset({meant.lower()}),
        )


def _open_secrets(file: EnvFile) -> Iterator[Fault]:
    """Yield a fault if a file of settings holds secrets and everybody may read them."""
    if file.path is None or not (open_ := open_to_all(file.path)):
        return
    values = {name.upper(): value for name, value in file.values.items() if value}
    held = [name.upper() for name in _FROM_FILES if name.upper() in values]
    if password_in(values.get("DATABASE_URL", "")):
        held.append("DATABASE_URL")
    if held:
        yield Fault(
            f"{file.path} holds {', '.join(held)} and {open_}: run `chmod 600 {file.path}`, and"
            " replace what is secret in it if others use this machine"
        )


def _sentence(fault: ErrorDetails) -> str:
    name = str(fault["loc"][0])
    known = (end for end in _EXAMPLES if name == end or name.endswith(f"_{end}"))
    if name == "database_url":  # its sentence says what is wrong with it, and quotes no password
        return str(fault["msg"]).removeprefix("Value error, ")
    is_shown = name not in _FROM_FILES and "@" not in str(fault["input"])  # a password in a URL
    shown = f"={str(fault['input'])[:40]!r}" if is_shown else ""
    return f"{name.upper()}{shown} is not valid: write {name.upper()}{_EXAMPLES[next(known)]}"


def _read_secret_files(settings: Settings) -> tuple[dict[str, SecretStr], list[Fault]]:
    contents, faults = {}, []
    for name in _FROM_FILES:
        path: Path | None = getattr(settings, f"{name}_file")
        if path is None:
            continue
        variable = f"{name.upper()}_FILE={str(path)[:80]!r}"
        try:
            contents[name] = _secret_in(path, name)
            if open_ := open_to_all(path):
                said = (
                    f"{variable} {open_}: run `chmod 600 {path}`, and"
                    " replace the secret if others use this machine"
                )
                faults.append(Fault(said))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it does not hold one line of text"
            said = (
                f"{variable} cannot be used ({reason}):"
                " name a file with the secret as its only line"
            )
            faults.append(Fault(said, frozenset({name, f"{name}_file"})))
    return contents, faults


def _secret_in(path: Path, name: str) -> SecretStr:
    content = read_small(path, _MOST_SECRET_BYTES)
    try:
        text = content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise ValueError("no text") from None
    if not text or len(content) > _MOST_SECRET_BYTES or not text.isprintable():
        raise ValueError("no line")
    secret = SecretStr(text)
    if name in WEB_SECRETS:
        return check_web_secret(secret) or secret
    if name in TELEGRAM_SECRETS:
        return check_telegram_secret(secret) or secret
    return check_key(secret) or secret if name in _SECRETS else secret


def _contradictions(settings: Settings) -> Iterator[tuple[set[str], str]]:
    """Yield what cannot be meant together: the fields, and a sentence."""
    for name in _FROM_FILES:
        if getattr(settings, name) and getattr(settings, f"{name}_file"):
            yield (
                {name, f"{name}_file"},
                f"{name.upper()} and {name.upper()}_FILE are both set: keep one of them",
            )
    yield from exchange_contradictions(settings)
    yield from engine_contradictions(settings)
    yield from telegram_contradictions(settings)
