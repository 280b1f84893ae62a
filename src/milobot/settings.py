"""Settings: environment variables and ``.env`` turned into one frozen object.

Every field is named after its variable (``data_limit`` is ``DATA_LIMIT``), a
variable of the environment beats the same one in ``.env``, an empty one counts
as not set. ``.env.example`` in the repository shows them all.
"""

import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from milobot.errors import ConfigurationError

_PERCENT = re.compile(r"\s*(\d{1,3}(?:\.\d{1,12})?)\s*%\s*")
_LARGEST_WINDOW = 1_000_000

_EXAMPLES = {
    "data_limit": "DATA_LIMIT=5000, a whole number of candles from 10 to 1000000",
    "candle_database": "CANDLE_DATABASE=binance_data.db, a file name",
    "default_stop": "DEFAULT_STOP=5%, above 0% and below 100%",
    "allow_unprotected": "ALLOW_UNPROTECTED=false, true or false",
    "log_level": "LOG_LEVEL=INFO, one of DEBUG INFO WARNING ERROR CRITICAL",
    "trading_enabled": "TRADING_ENABLED=false, true or false",
}


def _parse_percent(value: object) -> object:
    """Return the fraction that a text such as ``5%`` states; a Decimal is one already."""
    if not isinstance(value, str):
        return value
    match = _PERCENT.fullmatch(value)
    if match is None:
        raise ValueError("it must be written as a percentage")
    return Decimal(match[1]) / 100


def _upper(value: object) -> object:
    return value.strip().upper() if isinstance(value, str) else value


class Settings(BaseSettings):
    """What the user set; everything has a default that is safe.

    Attributes:
        data_limit: Candles that a script sees as ``data``, at most.
        candle_database: SQLite file of the stored candles, relative to the working folder.
        default_stop: Distance of the stop of an entry that names none, as a fraction of
            its reference price: ``Decimal("0.05")`` for ``DEFAULT_STOP=5%``.
        allow_unprotected: Whether ``sl=none`` is accepted.
        log_level: Least level that is logged.
        trading_enabled: Whether orders may leave this machine; this version refuses ``true``.
    """

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    data_limit: Annotated[int, Field(ge=10, le=_LARGEST_WINDOW)] = 5000
    candle_database: Path = Path("binance_data.db")
    default_stop: Annotated[Decimal, BeforeValidator(_parse_percent), Field(gt=0, lt=1)] = Decimal(
        "0.05"
    )
    allow_unprotected: bool = False
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(_upper)
    ] = "INFO"
    trading_enabled: bool = False


def load_settings(env_file: Path | None = Path(".env")) -> Settings:
    """Read the environment and ``env_file``, which need not exist; None reads no file.

    Raises:
        ConfigurationError: A value is malformed, or asks for live trading, which this
            version does not have; the sentence names the variable and an example.
    """
    try:
        # pydantic-settings takes this keyword although its generated signature does not show it.
        settings = Settings(_env_file=env_file)  # type: ignore[call-arg]
    except ValidationError as error:
        raise ConfigurationError(_sentence(error.errors()[0])) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"the settings file {env_file} cannot be read ({error}): make it UTF-8 text "
            "as in .env.example"
        ) from error
    if settings.trading_enabled:
        raise ConfigurationError(
            "TRADING_ENABLED=true asks for live trading, but this version has no exchange "
            "connection yet: set TRADING_ENABLED=false; back-tests and paper runs need nothing more"
        )
    return settings


def _sentence(fault: ErrorDetails) -> str:
    name = str(fault["loc"][0])
    return f"{name.upper()}={str(fault['input'])[:40]!r} is not valid: write {_EXAMPLES[name]}"
