"""``milobot data``: candles from files into the candle database and back, and what is in it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from milobot.cli.options import Database
from milobot.domain.market import CandleSeries
from milobot.domain.timeframes import parse_timeframe
from milobot.domain.times import format_time
from milobot.errors import ConfigurationError, DataError
from milobot.marketdata.generated import DEFAULT_MINUTES, DEFAULT_SEED, generate_candles
from milobot.ports import CandleKey

app = typer.Typer(
    add_completion=False,
    help="Import, export and check candles.",
    context_settings={"help_option_names": ["--help", "-h"]},
)

_MOST_ROWS = 20
_DAY_MINUTES = 1440
_DAYS = DEFAULT_MINUTES // _DAY_MINUTES
_WIDTH_IN_FILES = 120

Symbol = Annotated[str, typer.Option(help="Symbol, such as BTCUSDT.")]
Source = Annotated[str, typer.Option(help="Where the candles come from.")]
TimeframeName = Annotated[str, typer.Option("--timeframe", help="Timeframe, such as 1h.")]


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="A .csv, .csv.gz, .zip or .parquet file.")],
    *,
    symbol: Symbol,
    timeframe: Annotated[
        str | None, typer.Option(help="Timeframe of the rows; by default their usual spacing.")
    ] = None,
    source: Source = "file",
    db: Database,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse a file with gaps.")] = False,
) -> None:
    """Store the candles of a file; all of them or, when anything is wrong, none."""
    from milobot.marketdata.files import load_candles
    from milobot.storage.candles import SqliteCandleStore

    name = _checked_symbol(symbol)
    wanted = None if timeframe is None else parse_timeframe(timeframe)
    with _progress(f"Reading {file.name}") as advance:
        loaded = load_candles(file, timeframe=wanted, strict=strict)
        total = len(loaded.candles)
        with SqliteCandleStore(db) as store:
            key = CandleKey(source, name, loaded.timeframe)
            new = store.save_candles(
                key,
                loaded.candles,
                progress=lambda done: advance(f"Storing {name} {loaded.timeframe}", done, total),
            )
    for warning in loaded.warnings:
        typer.echo(f"warning: {warning}", err=True)
    print(
        f"{new} new candles of {name} {loaded.timeframe} stored in {db}, "
        f"{total - new} were there already"
    )


@app.command("export")
def export_file(
    *,
    symbol: Symbol,
    timeframe: TimeframeName,
    out: Annotated[Path, typer.Option(help="File to write; its suffix decides the form.")],
    source: Source = "file",
    db: Database,
) -> None:
    """Write stored candles to a .csv, .csv.gz, .zip or .parquet file."""
    from milobot.marketdata.writers import save_candles

    candles, key = _load_series(db, source, symbol, timeframe)
    save_candles(out, candles)
    print(f"{len(candles)} candles of {key.symbol} {key.timeframe} written to {out}")


@app.command("generate")
def generate_file(
    out: Annotated[Path, typer.Argument(help="File to write; its suffix decides the form.")],
    *,
    symbol: Symbol = "BTCUSDT",
    days: Annotated[
        int, typer.Option(min=1, max=3650, help="How much, in days of minutes.")
    ] = _DAYS,
    seed: Annotated[
        int, typer.Option(min=0, help="Another seed makes another market.")
    ] = DEFAULT_SEED,
) -> None:
    """Write a made-up market of 1m candles, the same on every machine; it is no real market."""
    from milobot.marketdata.writers import save_candles

    name = _checked_symbol(symbol)
    candles = generate_candles(name, minutes=days * _DAY_MINUTES, seed=seed)
    save_candles(out, candles)
    print(f"{len(candles)} made-up 1m candles of {name} written to {out}")


@app.command("info")
def show_info(*, db: Database) -> None:
    """Show which candles the database holds."""
    from milobot.marketdata.gaps import count_missing
    from milobot.storage.candles import SqliteCandleStore

    with SqliteCandleStore(db, must_exist=True) as store:
        summaries = store.summarise()
    rows = [
        [
            s.key.source,
            s.key.symbol,
            str(s.key.timeframe),
            str(s.count),
            format_time(s.first_ms),
            format_time(s.last_ms),
            str(count_missing(s.first_ms, s.last_ms, s.count, s.key.timeframe)),
        ]
        for s in summaries
    ]
    headings = ["source", "symbol", "timeframe", "candles", "first (UTC)", "last (UTC)", "missing"]
    _print_table(str(db), headings, rows)


@app.command("gaps")
def show_gaps(
    *,
    symbol: Symbol,
    timeframe: TimeframeName,
    source: Source = "file",
    db: Database,
) -> None:
    """Show what is missing or odd in a stored series."""
    from milobot.marketdata.gaps import check_sanity

    candles, key = _load_series(db, source, symbol, timeframe)
    report = check_sanity(candles, key.timeframe)
    print(
        f"{key.symbol} {key.timeframe}: candles {report.candles}, gaps {len(report.gaps)}, "
        f"missing {report.missing}, without volume {len(report.zero_volume)}, "
        f"unusual jumps {len(report.jumps)}"
    )
    gaps = [[format_time(g.first_ms), format_time(g.last_ms), str(g.missing)] for g in report.gaps]
    jumps = [[format_time(j.time_ms), f"{j.fraction:+.2%}"] for j in report.jumps]
    quiet = [[format_time(time_ms)] for time_ms in report.zero_volume]
    _print_table("gaps", ["first missing (UTC)", "last missing (UTC)", "candles"], gaps)
    _print_table("unusual jumps", ["candle (UTC)", "change of the close"], jumps)
    _print_table("without volume", ["candle (UTC)"], quiet)


@app.command("backup")
def back_up(
    out: Annotated[
        Path | None,
        typer.Argument(help="Copy the candle database to this file, in place of the ledger."),
    ] = None,
    *,
    to: Annotated[
        Path, typer.Option("--to", help="Folder for the copies of the ledger; the last 14 stay.")
    ] = Path("backups"),
    db: Database,
) -> None:
    """Copy the ledger (orders, positions, decisions), or the candles, while it is in use."""
    if out is None:
        _back_up_ledger(to)
        return
    from milobot.storage.candles import SqliteCandleStore

    with SqliteCandleStore(db, must_exist=True) as store:
        store.backup(out)
    print(f"{db} copied to {out}")


def _back_up_ledger(folder: Path) -> None:
    from milobot.exchanges.times import SteadyClock
    from milobot.settings import load_settings
    from milobot.storage.ledger_backup import back_up_ledger

    url = load_settings().database_url.get_secret_value()
    copy = back_up_ledger(url, folder, now_ms=SteadyClock().now_ms())
    print(f"ledger copied to {copy} and checked")


@app.command("vacuum")
def vacuum(*, db: Database) -> None:
    """Give unused space of the database back."""
    from milobot.storage.candles import SqliteCandleStore

    with SqliteCandleStore(db, must_exist=True) as store:
        store.vacuum()
    print(f"{db} holds {db.stat().st_size / 1024**2:.1f} MiB now")


def _checked_symbol(text: str) -> str:

    symbol = text.strip().upper()
    if not symbol.replace("_", "").isalnum():
        raise ConfigurationError(f"{text[:20]!r} is not a symbol: write it like BTCUSDT")
    return symbol


def _load_series(
    db: Path, source: str, symbol: str, timeframe: str
) -> tuple[CandleSeries, CandleKey]:
    from milobot.storage.candles import SqliteCandleStore

    key = CandleKey(source, _checked_symbol(symbol), parse_timeframe(timeframe))
    with SqliteCandleStore(db, must_exist=True) as store:
        candles = store.load_candles(key)
    if not len(candles):
        raise DataError(
            f"{db} has no {key.symbol} {key.timeframe} candles of source {source}: "
            f"`milobot data info` lists what it has"
        )
    return candles, key


def _print_table(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if not rows:
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    for row in rows[:_MOST_ROWS]:
        table.add_row(*row)
    on_terminal = Console().is_terminal
    Console(width=None if on_terminal else _WIDTH_IN_FILES).print(table)
    if len(rows) > _MOST_ROWS:
        print(f"... and {len(rows) - _MOST_ROWS} more")


@contextmanager
def _progress(first: str) -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar on stderr; give what moves it: what is going on, how much is done, of how much."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(first, total=None)
        yield lambda what, done, total: bar.update(
            task, description=what, completed=done, total=total
        )
