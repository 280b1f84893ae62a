"""``milobot indicators``: the last values of all nine indicators."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from milobot.cli.options import Database
from milobot.errors import ConfigurationError, DataError


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
    exchange: Annotated[
        str, typer.Option("--exchange", help="Where to fetch what is not stored.")
    ] = "binance",
    db: Database,
) -> None:
    """Print the last values of all nine indicators and how settled they are.

    Candles come from a file (--data), or from the candle database (--symbol and --interval);
    what is not there is fetched from the exchange, and stored.
    """
    from milobot.marketdata.resample import resample

    market = _find_market(symbol.strip().upper(), interval, data, db, exchange)
    for warning in market.warnings:
        print(f"milobot: {warning}", file=sys.stderr)
    timeframe = _parse_interval(interval) or market.timeframe
    candles = resample(market.candles, market.timeframe, timeframe)
    if not len(candles):
        raise DataError(
            f"{market.origin}: its {market.timeframe} candles make no whole {timeframe} candle"
        )
    _print_rows(f"{symbol.upper()} {timeframe}".strip(), candles, market.origin)


def _find_market(symbol: str, interval: str, data: Path | None, db: Path, exchange: str) -> Any:
    from milobot.app.markets import find_stored_market, market_from_file

    if data is not None:
        return market_from_file(data)
    timeframe = _parse_interval(interval)
    if not symbol or timeframe is None:
        raise ConfigurationError(
            "name --symbol and --interval (such as BTCUSDT and 1h), or --data FILE"
        )
    stored = find_stored_market(db, symbol, timeframe)
    return stored or _fetch_market(symbol, timeframe, db, exchange)


def _fetch_market(symbol: str, timeframe: Any, db: Path, exchange: str) -> Any:
    """Fetch candles from the exchange into the database and return them."""
    import asyncio

    from milobot.app.downloads import fetch_series
    from milobot.app.exchanges import check_exchange
    from milobot.app.markets import market_from_store
    from milobot.settings import load_settings

    settings, venue = load_settings(), check_exchange(exchange)
    asyncio.run(fetch_series(settings, venue, symbol, timeframe, db))
    return market_from_store(db, symbol, timeframe)


def _parse_interval(text: str) -> Any:
    from milobot.domain.timeframes import parse_timeframe

    return parse_timeframe(text) if text else None


def _print_rows(title: str, candles: Any, origin: str) -> None:
    """Print the table, with the number and reach of the candles below it."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from milobot.cli.indicator_rows import indicator_rows
    from milobot.domain.times import format_time

    table = Table(title=title, title_justify="left", box=box.SIMPLE)
    for heading in ("indicator", "periods", "last value", "history"):
        table.add_column(heading, justify="right" if heading == "last value" else "left")
    for row in indicator_rows(candles):
        table.add_row(*row)
    Console(highlight=False, markup=False).print(table)
    first, last = (format_time(int(candles.time[end])) for end in (0, -1))
    print(f"{len(candles)} candles of {origin}, {first} to {last} (UTC)")
