"""Settings: environment variables and ``.env`` turned into one frozen object.

Every field is named after its variable (``data_limit`` is ``DATA_LIMIT``), a
variable of the environment beats the same one in ``.env``, an empty one counts
as not set. ``.env.example`` in the repository shows them all.

A secret may come from a file instead: ``BINGX_SECRET_KEY_FILE`` names one. Such files
are read here, once; the object holds their content, which no ``repr`` shows.
"""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsConfigDict

from milobot.engine_settings import (
    ENGINE_EXAMPLES,
    EngineSettings,
    engine_contradictions,
    parse_percent,
)
from milobot.env_file import EnvFile, open_secrets, password_in, read_env_file
from milobot.errors import ConfigurationError
from milobot.exchanges.binance import hosts as binance
from milobot.exchanges.bingx import hosts as bingx
from milobot.exchanges.hosts import check_address, is_loopback
from milobot.setting_checks import misspelt, open_to_all
from milobot.signal_settings import SIGNAL_EXAMPLES, SignalSettings
from milobot.small_files import read_small
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

_KEY = re.compile(r"[!-~]{1,256}")
_LARGEST_WINDOW = 1_000_000
_MOST_SECRET_BYTES = 4096
EXCHANGES = ("binance", "bingx")
_DEMO_HOSTS = {"binance": binance.DEMO.rest, "bingx": bingx.DEMO.rest}

_EXAMPLES = {
    "data_limit": "=5000, a whole number of candles from 10 to 1000000",
    "candle_database": "=binance_data.db, a file name",
    "default_stop": "=5%, above 0% and below 100%",
    "allow_unprotected": "=false, true or false",
    "log_level": "=INFO, one of DEBUG INFO WARNING ERROR CRITICAL",
    "trading_enabled": "=false, true or false",
    "testnet": "=true, true or false",
    "api_key": " as the exchange shows it, without blanks",
    "secret_key": " as the exchange shows it, without blanks",
    "file": " as the name of a file",
    "password": " as one line of text",
    "base_url": "=http://127.0.0.1:8765, https elsewhere",
    "stream_url": "=ws://127.0.0.1:8765, wss elsewhere",
    "rate_limit_semaphore": "=5, a whole number of downloads from 1 to 50",
    "api_delay": "=0.2, seconds from 0 to 60",
    "ws_reconnect_delay": "=5, seconds from 0.1 to 300",
    "klines_batch_size": "=1000, a whole number of candles from 10 to 1440",
    **ENGINE_EXAMPLES,
    **WEB_EXAMPLES,
    **SIGNAL_EXAMPLES,
    **TALK_EXAMPLES,
    **TELEGRAM_EXAMPLES,
}
"""What to write, by the name of a field or its end."""


def _upper(value: object) -> object:
    return value.strip().upper() if isinstance(value, str) else value


def _check_key(value: SecretStr | None) -> SecretStr | None:
    """Return a key without blanks around it, of characters that fit into a header."""
    if value is None:
        return None
    text = value.get_secret_value().strip()
    if not _KEY.fullmatch(text):
        raise ValueError("no key")
    return SecretStr(text)


def _check_url(value: str | None) -> str | None:
    try:
        return None if value is None else check_address(value.strip(), name="it")
    except ConfigurationError as error:
        raise ValueError("no address, or not encrypted") from error


_Key = Annotated[SecretStr | None, AfterValidator(_check_key)]
_Url = Annotated[str | None, AfterValidator(_check_url)]


@dataclass(frozen=True, slots=True)
class VenueSettings:
    """What is set for one exchange.

    Attributes:
        base_url: Address that replaces the exchange's own; None for those.
        stream_url: Address of its streams; None for what belongs to ``base_url``.
    """

    name: str
    is_testnet: bool
    base_url: str | None
    stream_url: str | None
    api_key: SecretStr | None
    secret_key: SecretStr | None

    @property
    def is_local(self) -> bool:
        """Return whether everything goes to this machine."""
        return self.base_url is not None and _is_local(self.base_url)

    @property
    def is_play_money(self) -> bool:
        """Return whether no real money can be behind the address; in doubt it is real."""
        if self.base_url is None:
            return self.is_testnet
        return self.is_local or self.base_url == _DEMO_HOSTS[self.name]


class Settings(EngineSettings, WebSettings, SignalSettings, TalkSettings, TelegramSettings):
    """What the user set; everything has a default that is safe.

    What bounds the engine is described in ``EngineSettings``, the server in ``WebSettings``, signals
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
        env_file=".env",
        env_file_encoding="utf-8",
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
    binance_testnet: bool = True
    bingx_testnet: bool = True
    binance_api_key: _Key = None
    binance_api_key_file: Path | None = None
    binance_secret_key: _Key = None
    binance_secret_key_file: Path | None = None
    bingx_api_key: _Key = None
    bingx_api_key_file: Path | None = None
    bingx_secret_key: _Key = None
    bingx_secret_key_file: Path | None = None
    keys_file: Path = Path("keys.json")
    keys_password: SecretStr | None = None
    keys_password_file: Path | None = None
    binance_base_url: _Url = None
    binance_stream_url: _Url = None
    bingx_base_url: _Url = None
    bingx_stream_url: _Url = None
    rate_limit_semaphore: Annotated[int, Field(ge=1, le=50)] = 5
    api_delay: Annotated[float, Field(ge=0, le=60)] = 0.2
    ws_reconnect_delay: Annotated[float, Field(ge=0.1, le=300)] = 5.0
    klines_batch_size: Annotated[int, Field(ge=10, le=1440)] = 1000

    def venue(self, exchange: str) -> VenueSettings:
        """Return what is set for one exchange, ``binance`` or ``bingx``."""
        return VenueSettings(
            name=exchange,
            is_testnet=getattr(self, f"{exchange}_testnet"),
            base_url=getattr(self, f"{exchange}_base_url"),
            stream_url=getattr(self, f"{exchange}_stream_url"),
            api_key=getattr(self, f"{exchange}_api_key"),
            secret_key=getattr(self, f"{exchange}_secret_key"),
        )


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
    settings, wrong = look_at_settings(env_file)
    if wrong:
        raise ConfigurationError(wrong)
    return settings


def look_at_settings(env_file: Path | None = Path(".env")) -> tuple[Settings, str]:
    """Read them as ``load_settings`` does; what is malformed has its default.

    Returns:
        The settings, and what is wrong with them; empty when nothing is.

    Raises:
        ConfigurationError: The file cannot be read at all.
    """
    faults: dict[str, str] = {}
    file = _file_at(env_file)
    try:
        settings = _read(file.path)
    except ValidationError as error:
        faults = {str(fault["loc"][0]): _sentence(fault) for fault in error.errors()}
        defaults = {name: Settings.model_fields[name].default for name in faults}
        settings = _read(file.path, **defaults)
    sentences = [*file.faults, *faults.values()]
    contents, unreadable = _read_secret_files(settings)
    sentences += unreadable
    sentences += [said for names, said in _contradictions(settings) if not names & faults.keys()]
    sentences += _misspelt([*os.environ, *file.values])
    sentences += open_secrets(file, [name.upper() for name in _FROM_FILES])
    complete = settings.model_copy(update=contents)
    _hide_secrets(complete)
    if len(sentences) > 1:
        return complete, f"{len(sentences)} settings are wrong: {'; '.join(sentences)}"
    return complete, "".join(sentences)


def _file_at(path: Path | None) -> EnvFile:
    try:
        return read_env_file(path, [name.upper() for name in Settings.model_fields])
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"the settings file {path} cannot be read ({error}): make it UTF-8 text "
            "as in .env.example"
        ) from error


def _hide_secrets(settings: Settings) -> None:
    """Cut every secret that is set out of whatever is logged or said from now on."""
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr) and name != "database_url":
            hide(value.get_secret_value())
    # A password that is the user's name would cut holes into every sentence.
    if password := password_in(settings.database_url.get_secret_value()):
        hide(password)


def _read(env_file: Path | None, **values: object) -> Settings:
    # pydantic-settings takes this keyword although its generated signature does not show it.
    return Settings(_env_file=env_file, **values)  # type: ignore[call-arg, arg-type]  # pydantic checks the values


def _misspelt(names: Iterable[str]) -> list[str]:
    """Return a sentence for each variable whose name is almost one of ours."""
    known = [name.upper() for name in Settings.model_fields]
    return [
        f"{name} is no setting: did you mean {meant}? Rename it, or unset it"
        for name, meant in misspelt(names, known)
    ]


def _sentence(fault: ErrorDetails) -> str:
    name = str(fault["loc"][0])
    known = (end for end in _EXAMPLES if name == end or name.endswith(f"_{end}"))
    if name == "database_url":  # its sentence says what is wrong with it, and quotes no password
        return str(fault["msg"]).removeprefix("Value error, ")
    is_shown = name not in _FROM_FILES and "@" not in str(fault["input"])  # a password in a URL
    shown = f"={str(fault['input'])[:40]!r}" if is_shown else ""
    return f"{name.upper()}{shown} is not valid: write {name.upper()}{_EXAMPLES[next(known)]}"


def _read_secret_files(settings: Settings) -> tuple[dict[str, SecretStr], list[str]]:
    contents, faults = {}, []
    for name in _FROM_FILES:
        path: Path | None = getattr(settings, f"{name}_file")
        if path is None:
            continue
        try:
            contents[name] = _secret_in(path, name)
            if open_ := open_to_all(path):
                faults.append(
                    f"{name.upper()}_FILE={str(path)[:80]!r} {open_}: run `chmod 600 {path}`, and"
                    " replace the secret if others use this machine"
                )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it does not hold one line of text"
            faults.append(
                f"{name.upper()}_FILE={str(path)[:80]!r} cannot be used ({reason}):"
                " name a file with the secret as its only line"
            )
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
    return _check_key(secret) or secret if name in _SECRETS else secret


def _contradictions(settings: Settings) -> Iterator[tuple[set[str], str]]:
    """Yield what cannot be meant together: the fields, and a sentence."""
    for name in _FROM_FILES:
        if getattr(settings, name) and getattr(settings, f"{name}_file"):
            yield (
                {name, f"{name}_file"},
                f"{name.upper()} and {name.upper()}_FILE are both set: keep one of them",
            )
    for exchange in EXCHANGES:
        yield from _contradictions_of(settings, exchange)
    yield from engine_contradictions(settings)
    yield from telegram_contradictions(settings)


def _contradictions_of(settings: Settings, exchange: str) -> Iterator[tuple[set[str], str]]:
    venue, upper = settings.venue(exchange), exchange.upper()
    fields = {f"{exchange}_{end}" for end in ("testnet", "base_url", "stream_url")}
    if said := _half_a_key(settings, exchange):
        yield {f"{exchange}_api_key", f"{exchange}_secret_key"}, said
    if venue.stream_url and not venue.base_url:
        yield fields, f"{upper}_STREAM_URL is set without {upper}_BASE_URL: set both or none"
    elif venue.stream_url and venue.is_local != _is_local(venue.stream_url):
        said = f"{upper}_BASE_URL and {upper}_STREAM_URL lead to different machines: one is local"
        yield fields, said
    if venue.base_url and venue.is_testnet and not venue.is_play_money:
        said = (
            f"{upper}_TESTNET=true asks for play money, but {upper}_BASE_URL={venue.base_url[:80]}"
            f" may be a real exchange: remove it, or set {upper}_TESTNET=false"
        )
        yield fields, said


def _half_a_key(settings: Settings, exchange: str) -> str | None:
    halves = {
        end: getattr(settings, f"{exchange}_{end}") or getattr(settings, f"{exchange}_{end}_file")
        for end in ("api_key", "secret_key")
    }
    there = [f"{exchange}_{end}".upper() for end, value in halves.items() if value]
    missing = [f"{exchange}_{end}".upper() for end, value in halves.items() if not value]
    if not there or not missing:
        return None
    return f"{there[0]} is set without {missing[0]}: set both or none"


def _is_local(url: str) -> bool:
    return is_loopback(urlsplit(url).hostname or "")
