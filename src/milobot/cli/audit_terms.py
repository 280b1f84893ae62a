"""On what terms a channel is audited: texts of the flags, the profile, and where candles are."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from milobot.cli.channel_profile import load_profile
from milobot.cli.options import configured_database
from milobot.cli.run_terms import parse_terms
from milobot.errors import ConfigurationError
from milobot.settings import load_settings
from milobot.signals.audit.candle_files import FoundCandles, load_sources, load_stored
from milobot.signals.audit.desk import DeskTerms
from milobot.signals.profile import ChannelProfile

Said = Callable[[str, float], None]
_MOST_RISK = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class AuditNumbers:
    """Numbers of the command line, as they were written; no risk for ``SIGNAL_RISK``."""

    risk: str | None
    equity: str
    fee: str
    slippage: str


def parse_audit_terms(numbers: AuditNumbers, profile: Path | None) -> DeskTerms:
    """Return the terms of the simulated account.

    Raises:
        ConfigurationError: A number or the profile is wrong; names the flag.
    """
    settings = load_settings()
    terms = parse_terms(
        equity=numbers.equity,
        fee=numbers.fee,
        slippage=numbers.slippage,
        funding=None,
        settings=settings,
    )
    return DeskTerms(
        equity=terms.equity,
        risk=settings.signal_risk if numbers.risk is None else _risk(numbers.risk),
        fee=terms.fee,
        slippage=terms.slippage,
        limits=terms.limits,
        profile=load_profile(profile) or ChannelProfile(),
    )


def _risk(text: str) -> Decimal:
    number = text.strip().removesuffix("%")
    try:
        value = Decimal(number) / (1 if number == text.strip() else 100)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or not 0 < value <= _MOST_RISK:
        raise ConfigurationError(
            f"--risk {text[:20]!r} is no risk per set-up: write a fraction above 0 and up to"
            f" {_MOST_RISK}, such as 0.01 or 1%"
        )
    return value


def find_candles(
    data: Sequence[Path], database: Path | None, symbols: AbstractSet[str], said: Said
) -> FoundCandles:
    """Return the candles of the symbols that the messages name, from files or the database.

    Raises:
        ConfigurationError: Both are named.
        DataError: A file is missing or wrong.
        StorageError: The database cannot be read.
    """
    if data and database is not None:
        raise ConfigurationError("--data and --db exclude each other: keep one of them")
    if data:
        return load_sources(
            data, wanted=symbols.__contains__, progress=lambda done: said("candles", done)
        )
    path = database or configured_database()
    if database is None and not path.exists():
        note = "No candles are at hand, so messages were only read: name some with --data."
        return FoundCandles((), (note,))
    return load_stored(path, wanted=symbols.__contains__)
