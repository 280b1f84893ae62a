"""Settings of the engine: what the governor allows, and where the ledger is."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode

from milobot.domain.governor import GovernorLimits
from milobot.domain.intents import Size, SizeKind
from milobot.errors import ConfigurationError
from milobot.storage.database_url import (
    DEFAULT_DATABASE_URL,
    KIND_EXAMPLE,
    Kind,
    other_kind,
    parse_database_url,
)

_PERCENT = re.compile(r"\s*(\d{1,3}(?:\.\d{1,12})?)\s*%\s*")
_NOTIONAL = re.compile(r"\s*(\d{1,12}(?:\.\d{1,8})?)\s*(%?)\s*")
_UP_TO_ALL = "above 0% and up to 100%"

ENGINE_EXAMPLES = {
    "max_leverage": "=20, a whole number from 1 to 150",
    "max_position_notional": "=500% of the equity, or =20000 USDT without the unit",
    "max_total_notional": "=1000% of the equity, or =50000 USDT without the unit",
    "max_open_positions": "=20, a whole number from 1 to 1000",
    "max_entries_per_minute": "=30, a whole number from 1 to 100000",
    "max_spread": f"=0.5%, {_UP_TO_ALL}",
    "max_slippage": f"=0.5%, {_UP_TO_ALL}",
    "daily_loss_limit": f"=5%, {_UP_TO_ALL}",
    "max_drawdown": f"=20%, {_UP_TO_ALL}",
    "max_price_age": "=10, seconds from 0.1 to 3600",
    "max_intent_age": "=30, seconds from 0.1 to 86400",
    "max_price_drift": f"=5%, {_UP_TO_ALL}",
    "engine_delay": "=10, seconds from 0.1 to 300",
    "database_kind": KIND_EXAMPLE,
}
"""What to write, by the name of a field."""


def parse_percent(value: object) -> object:
    """Return the fraction that a text such as ``5%`` states; a Decimal is one already.

    Raises:
        ValueError: It is another text.
    """
    if not isinstance(value, str):
        return value
    match = _PERCENT.fullmatch(value)
    if match is None:
        raise ValueError("it must be written as a percentage")
    return Decimal(match[1]) / 100


def _parse_notional(value: object) -> object:
    """Return a bound such as ``500%`` (of the equity) or ``20000`` (USDT); a Size is one already."""
    if not isinstance(value, str):
        return value
    match = _NOTIONAL.fullmatch(value)
    if match is None or Decimal(match[1]) == 0:
        raise ValueError("it must be a percentage or a number above 0")
    if match[2]:
        return Size(SizeKind.EQUITY, Decimal(match[1]) / 100)
    return Size(SizeKind.QUOTE, Decimal(match[1]))


def _check_database(value: SecretStr) -> SecretStr:
    url = value.get_secret_value().strip()
    try:
        parse_database_url(url)
    except ConfigurationError as error:
        raise ValueError(str(error)) from None  # a sentence for the user, without the password
    return SecretStr(url)


def lower(value: object) -> object:
    """Return a text in small letters, without blanks around it; all else as it is."""
    return value.strip().lower() if isinstance(value, str) else value


_Fraction = Annotated[Decimal, BeforeValidator(parse_percent), Field(gt=0, le=1)]
# NoDecode: a Size is no JSON in the environment.
_Notional = Annotated[Size, NoDecode, BeforeValidator(_parse_notional)]
_DEFAULT = GovernorLimits()


class EngineSettings(BaseSettings):
    """What bounds the engine; ``GovernorLimits`` gives the reasons for the defaults.

    Attributes:
        max_position_notional: Of one position: a fraction of the equity, or USDT.
        max_total_notional: Of all positions together, likewise.
        max_spread: Fraction of the middle between bid and ask.
        max_slippage: Fraction of the middle, estimated.
        daily_loss_limit: Fraction of the equity at 00:00 UTC.
        max_drawdown: Fraction of the highest equity.
        max_price_age: Seconds.
        max_intent_age: Seconds from when the decision was due.
        max_price_drift: Fraction of the price decided on.
        engine_delay: Seconds within which what an exchange has accepted becomes visible in
            its answers: an order not found before that may still be there.
        database_url: Where the ledger is; may hold a password.
        database_kind: Of which kind that has to be; empty for either.
    """

    max_leverage: Annotated[int, Field(ge=1, le=150)] = _DEFAULT.max_leverage
    max_position_notional: _Notional = _DEFAULT.max_position_notional
    max_total_notional: _Notional = _DEFAULT.max_total_notional
    max_open_positions: Annotated[int, Field(ge=1, le=1000)] = _DEFAULT.max_open_positions
    max_entries_per_minute: Annotated[int, Field(ge=1, le=100_000)] = (
        _DEFAULT.max_entries_per_minute
    )
    max_spread: _Fraction = _DEFAULT.max_spread
    max_slippage: _Fraction = _DEFAULT.max_slippage
    daily_loss_limit: _Fraction = _DEFAULT.daily_loss
    max_drawdown: _Fraction = _DEFAULT.max_drawdown
    max_price_age: Annotated[float, Field(ge=0.1, le=3600)] = 10.0
    max_intent_age: Annotated[float, Field(ge=0.1, le=86_400)] = 30.0
    max_price_drift: _Fraction = _DEFAULT.max_price_drift
    engine_delay: Annotated[float, Field(ge=0.1, le=300)] = 10.0
    database_url: Annotated[SecretStr, AfterValidator(_check_database)] = SecretStr(
        DEFAULT_DATABASE_URL
    )
    database_kind: Annotated[Kind, BeforeValidator(lower)] = ""

    def governor_limits(self) -> GovernorLimits:
        """Return what the governor allows."""
        return GovernorLimits(
            max_leverage=self.max_leverage,
            max_position_notional=self.max_position_notional,
            max_total_notional=self.max_total_notional,
            max_open_positions=self.max_open_positions,
            max_entries_per_minute=self.max_entries_per_minute,
            max_spread=self.max_spread,
            max_slippage=self.max_slippage,
            daily_loss=self.daily_loss_limit,
            max_drawdown=self.max_drawdown,
            max_price_age_ms=round(self.max_price_age * 1000),
            max_intent_age_ms=round(self.max_intent_age * 1000),
            max_price_drift=self.max_price_drift,
        )


def engine_contradictions(settings: EngineSettings) -> Iterator[tuple[set[str], str]]:
    """Yield what cannot be meant together: the fields, and a sentence."""
    target = parse_database_url(settings.database_url.get_secret_value())
    if said := other_kind(target, settings.database_kind):
        yield {"database_url", "database_kind"}, said
