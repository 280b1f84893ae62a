"""Flags that name a script and its market turned into what the application takes."""

from pathlib import Path

from milobot.app.preparation import Source
from milobot.errors import ConfigurationError
from milobot.settings import Settings


def parse_source(source: Source, database: Path | None, settings: Settings) -> Source:
    """Return ``source`` with the database that flag or setting names, and names in upper case.

    Raises:
        ConfigurationError: A flag is there without its text, as from an empty shell variable.
    """
    for flag, text in (("--symbol", source.symbol), ("--timeframe", source.timeframe)):
        if text is not None and not text.strip():
            raise ConfigurationError(f"{flag} is empty: leave it out to use the script's own")
    return Source(
        script=source.script,
        data=source.data,
        database=database or settings.candle_database,
        symbol=source.symbol.upper() if source.symbol else None,
        timeframe=source.timeframe,
        parameters=source.parameters,
        strict=source.strict,
        data_limit=settings.data_limit,
        trusts_script=source.trusts_script,
    )
