"""Texts of the shared flags turned into what the application takes."""

from decimal import Decimal, InvalidOperation
from pathlib import Path

from milobot.backtest.core import NO_FUNDING, Funding
from milobot.backtest.runner import Terms
from milobot.domain.intents import Distance, DistanceKind
from milobot.errors import ConfigurationError
from milobot.execution.gates import Limits
from milobot.marketdata.files import load_funding
from milobot.settings import Settings

_MOST_EQUITY = Decimal(10**12)
_MOST_FRACTION = Decimal("0.1")
_MOST_DIGITS = 12


def parse_terms(
    *, equity: str, fee: str, slippage: str, funding: Path | None, settings: Settings
) -> Terms:
    """Return the terms of a simulated account.

    Raises:
        ConfigurationError: A number is malformed or out of range; names the flag.
        DataError: The funding file is wrong.
    """
    return Terms(
        equity=_equity(equity),
        fee=_fraction("--fee", fee, "0.0005"),
        slippage=_fraction("--slippage", slippage, "0.0002"),
        funding=Funding(*load_funding(funding)) if funding else NO_FUNDING,
        limits=Limits(
            default_stop=Distance(DistanceKind.PERCENT, settings.default_stop),
            allow_unprotected=settings.allow_unprotected,
        ),
        governor=settings.governor_limits(),
    )


def _equity(text: str) -> Decimal:
    value = _number("--equity", text, text, "10000")
    if not 0 < value <= _MOST_EQUITY:
        raise ConfigurationError(
            f"--equity {text} is out of range: it is a balance in USDT above 0, up to"
            f" {_MOST_EQUITY:,}, such as 10000"
        )
    return value


def _fraction(flag: str, text: str, example: str) -> Decimal:
    plain = text.strip()
    number = plain.removesuffix("%")
    value = _number(flag, text, number, example) / (1 if number == plain else 100)
    if not 0 <= value <= _MOST_FRACTION:
        raise ConfigurationError(
            f"{flag} {text} is out of range: it is a fraction from 0 to {_MOST_FRACTION}, such as"
            f" {example}"
        )
    return value


def _number(flag: str, text: str, number: str, example: str) -> Decimal:
    try:
        value = Decimal(number)
    except InvalidOperation:
        value = Decimal("NaN")
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):  # NaN or infinite
        raise ConfigurationError(f"{flag} {text[:40]!r} is not a number: write {flag} {example}")
    if exponent < -_MOST_DIGITS:
        raise ConfigurationError(
            f"{flag} {text[:40]!r} has more than {_MOST_DIGITS} decimal places: round it"
        )
    return value
