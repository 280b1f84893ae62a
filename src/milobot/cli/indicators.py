"""``milobot indicators``: the last values of all nine indicators."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from milobot.errors import ConfigurationError


def indicators(
    *,
    symbol: Annotated[
        str, typer.Option(help="Such as BTCUSDT; names the series in the store.")
    ] = "",
    interval: Annotated[
        str,
        typer.Option(
            "--interval", "--timeframe", help="Such as 1h; finer candles are put together."
        ),
    ] = "",
    data: Annotated[
        Path | None, typer.Option(help="Candles: .csv, .csv.gz, .zip or .parquet.")
    ] = None,
    db: Annotated[
        Path | None, typer.Option(help="Candle database (binance_data.db), used without --data.")
    ] = None,
) -> None:
    """Print the last values of all nine indicators and how settled they are.

    Candles come from a file (--data), or from the candle store (--symbol and --interval).
    """
    from milobot.cli.stored_candles import candles_from_file, candles_from_store
    from milobot.domain.timeframes import parse_timeframe

    timeframe = parse_timeframe(interval) if interval else None
    if data is not None:
        found = candles_from_file(data, timeframe)
    elif symbol and timeframe:
        found = candles_from_store(db or _default_database(), symbol.upper(), timeframe)
    else:
        raise ConfigurationError(
            "name --symbol and --interval (such as BTCUSDT and 1h), or --data FILE"
        )
    for warning in found.warnings:
        print(f"milobot: {warning}", file=sys.stderr)
    _print_found(symbol.upper(), found)


def _default_database() -> Path:
    from milobot.settings import load_settings

    return load_settings().candle_database


def _print_found(symbol: str, found: Any) -> None:
    """Print the table, with the number and reach of the candles below it."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from milobot.cli.indicator_rows import indicator_rows
    from milobot.domain.times import format_time

    table = Table(title=f"{symbol} {found.timeframe}".strip(), title_justify="left", box=box.SIMPLE)
    for heading in ("indicator", "periods", "last value", "history"):
        table.add_column(heading, justify="right" if heading == "last value" else "left")
    for row in indicator_rows(found.candles):
        table.add_row(*row)
    Console(highlight=False, markup=False).print(table)
    first, last = (format_time(int(found.candles.time[end])) for end in (0, -1))
    print(f"{len(found.candles)} candles of {found.origin}, {first} to {last} (UTC)")
