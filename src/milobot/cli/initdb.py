"""``milobot initdb``: candles, rules and brackets from an exchange into the database."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from milobot.cli.options import Database
from milobot.domain.timeframes import Timeframe, parse_timeframe
from milobot.errors import ConfigurationError

_MOST_GAPS = 20
_WIDTH_IN_FILES = 120


def initdb(
    symbols: Annotated[
        list[str], typer.Argument(metavar="SYMBOL...", help="Such as BTCUSDT ETHUSDT.")
    ],
    *,
    exchange: Annotated[str, typer.Option("--exchange", help="binance or bingx.")] = "binance",
    timeframes: Annotated[
        str, typer.Option("--timeframes", help="Such as 1h,4h; by default all fifteen.")
    ] = "all",
    limit: Annotated[
        int, typer.Option("--limit", help="Candles of each timeframe; 0 takes DATA_LIMIT.")
    ] = 0,
    db: Database,
) -> None:
    """Load the newest candles of some symbols from an exchange; only what is missing is asked for.

    Every page is stored as it comes: after Ctrl-C the same command goes on where it was.
    """
    import asyncio

    from milobot.app.downloads import (
        DownloadRequest,
        DownloadResult,
        download,
        download_source,
        open_for_download,
    )
    from milobot.app.exchanges import check_exchange
    from milobot.settings import load_settings

    settings = load_settings()
    venue = check_exchange(exchange)
    request = DownloadRequest(
        venue,
        tuple(dict.fromkeys(symbol.strip().upper() for symbol in symbols)),
        _parse_timeframes(timeframes),
        limit or settings.data_limit,
        settings.klines_batch_size,
        settings.rate_limit_semaphore,
    )
    source = download_source(settings, venue)

    async def run(report: Callable[[str, int, int], None]) -> DownloadResult:
        async with open_for_download(settings, venue) as client:
            return await download(request, client, db, source=source, report=report)

    with _progress() as report:
        result = asyncio.run(run(report))
    _print_result(result, db)


def _parse_timeframes(text: str) -> tuple[Timeframe, ...]:
    if text.strip().lower() == "all":
        return tuple(Timeframe)
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise ConfigurationError("--timeframes names none: write 1h,4h or all")
    return tuple(dict.fromkeys(parse_timeframe(name) for name in names))


def _print_result(result: Any, db: Path) -> None:
    """Print one line for each symbol, then the gaps."""
    from milobot.domain.times import format_time

    by_symbol: dict[str, list[Any]] = {}
    for one in result.series:
        by_symbol.setdefault(one.symbol, []).append(one)
    for symbol, series in by_symbol.items():
        new, stored = sum(s.new for s in series), sum(s.stored for s in series)
        count = f"{len(series)} timeframe{'s' if len(series) > 1 else ''}"
        print(f"{symbol}: {new} new candles, {stored} in {count} of {result.source} in {db}")
    if result.without_brackets:
        print(
            f"leverage brackets were not stored: they need a key for {result.source}"
            f" ({result.source.split('-')[0].upper()}_API_KEY)"
        )
    rows = [
        [s.symbol, str(s.timeframe), format_time(gap.first_ms), format_time(gap.last_ms), what]
        for s in result.series
        for what, gaps in (("the exchange has none", s.gaps), ("not listed yet", s.missing))
        for gap in gaps
    ]
    if not rows:
        print("no gaps")
        return
    _print_gaps(rows)


def _print_gaps(rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(
        title=f"gaps: {len(rows)}", title_justify="left", box=None, pad_edge=False,
        padding=(0, 1, 0, 0),
    )  # fmt: skip
    for heading in ("symbol", "timeframe", "first missing (UTC)", "last missing (UTC)", "why"):
        table.add_column(heading, no_wrap=True)
    for row in rows[:_MOST_GAPS]:
        table.add_row(*row)
    on_terminal = Console().is_terminal
    Console(width=None if on_terminal else _WIDTH_IN_FILES, markup=False).print(table)
    if len(rows) > _MOST_GAPS:
        print(f"... and {len(rows) - _MOST_GAPS} more: see 'milobot data gaps'")


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar on stderr; give what moves it."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description:<16}"), BarColumn(), MofNCompleteColumn(),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("rules", total=None)
        yield lambda what, done, total: bar.update(
            task, description=what, completed=done, total=total or None
        )
