"""Options that several commands share, so that they mean the same everywhere."""

from pathlib import Path
from typing import Annotated

import typer


def configured_database() -> Path:
    """Return the candle database that the settings name."""
    from milobot.settings import load_settings

    return load_settings().candle_database


Database = Annotated[
    Path,
    typer.Option(
        "--db",
        help="Candle database; CANDLE_DATABASE sets another default.",
        default_factory=configured_database,
        show_default="binance_data.db",
    ),
]
