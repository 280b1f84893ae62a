"""Settings of signals: where they are traded, with how much, and what is fixed for channels."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings

from milobot.engine_settings import lower, parse_percent

DEFAULT_PROFILES = Path("profiles")
"""Where profiles are looked for when no folder is named; relative to the working folder."""
SIGNAL_EXAMPLES = {
    "signal_exchange": "=bingx, or binance",
    "signal_account": "=default, the name of an account",
    "signal_profiles": "=profiles, a folder",
    "signal_risk": "=1%, above 0% and up to 20%",
}
"""What to write, by the name of a field."""


class SignalSettings(BaseSettings):
    """How signals are traded where neither they nor their channel's profile say it.

    Attributes:
        signal_exchange: Where they are traded.
        signal_account: Name of the account there.
        signal_profiles: Folder of the channels' profiles; the default one need not be there.
        signal_risk: Fraction of the equity that is lost at the stop.
    """

    signal_exchange: Annotated[Literal["binance", "bingx"], BeforeValidator(lower)] = "bingx"
    signal_account: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")] = "default"
    signal_profiles: Path = DEFAULT_PROFILES
    signal_risk: Annotated[
        Decimal, BeforeValidator(parse_percent), Field(gt=0, le=Decimal("0.2"))
    ] = Decimal("0.01")
