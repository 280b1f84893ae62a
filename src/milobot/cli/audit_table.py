"""An audit in the terminal: the verdict first, then what it rests on."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from milobot.cli.audit_trades import group_tables, last_trades, target_table, trade_table
from milobot.cli.audit_words import (
    BAD,
    GOOD,
    HEADING,
    QUIET,
    WARNING,
    coloured,
    columns,
    r,
    share,
    span,
    whole,
)
from milobot.cli.backtest_numbers import UNDEFINED, percent, plain
from milobot.domain.money import format_decimal
from milobot.domain.times import format_time
from milobot.errors import StorageError
from milobot.signals.audit.outcomes import UNFINISHED
from milobot.signals.audit.report import AuditReport, Rehearsal
from milobot.signals.audit.verdict import insight_of, verdict_of
from milobot.signals.reading import ReadingKind

_WIDTH_IN_FILES = 110
_WIDE = 104
_MOST_REASONS = 8
_MOST_SYMBOLS = 6
_MOST_LINES = 12
_APART = ("Pictures and the like", "Service entries")
_DAY_LENGTH = len("2024-01-31")
_COMMANDS = (
    ReadingKind.CLOSE,
    ReadingKind.MOVE_STOP,
    ReadingKind.CANCEL,
    ReadingKind.CHANGE,
)


def print_audit(report: AuditReport, *, trades: int = 10, out: Console | None = None) -> None:
    """Print an audit for a person to read, from 80 columns on, with the last few trades."""
    console = out or _console()
    for part in _parts(report, trades, console.width):
        console.print(part)


def write_page(report: AuditReport, path: Path) -> None:
    """Write an audit as a page that needs nothing else: what the terminal shows, with all trades.

    Raises:
        StorageError: The file cannot be written.
    """
    try:
        path.write_text(_page(report), encoding="utf-8")
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(f"{path} cannot be written: {reason}; name another file") from error


def _page(report: AuditReport) -> str:
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123 - a device, no path
        console = Console(
            file=nowhere, record=True, width=_WIDTH_IN_FILES, highlight=False, markup=False
        )
        for part in _parts(report, len(report.trades.results), _WIDTH_IN_FILES):
            console.print(part)
        return console.export_html(inline_styles=True)


def _console() -> Console:
    plain_width = None if "COLUMNS" in os.environ else _WIDTH_IN_FILES
    on_terminal = Console().is_terminal
    return Console(width=None if on_terminal else plain_width, highlight=False, markup=False)


def _parts(report: AuditReport, trades: int, width: int) -> Iterator[RenderableType]:
    yield _heading(report)
    yield ""
    yield Text(verdict_of(report), _tone(report))
    if insight := insight_of(report):
        yield insight
    yield ""
    yield from _side_by_side([_messages(report), _shapes(report)], width)
    yield from _refusals(report)
    yield from _coverage(report)
    if report.trades.results:
        yield from _side_by_side([trade_table(report), target_table(report.trades.targets)], width)
        yield from group_tables(report.trades, width)
    yield from _portfolio(report)
    yield from _rehearsal(report, width)
    yield from last_trades(report.played, trades)
    yield from _small_print(report)


def _heading(report: AuditReport) -> Text:
    times = [m.time_ms for m in report.export.messages if m.time_ms is not None]
    text = Text(f"Audit of {plain(report.export.name)}\n", HEADING)
    count = f"{len(report.export.messages):,} messages"
    if not times:
        return text.append(f"{count}, none of them with a time", "not bold")
    first, last = (format_time(t)[:_DAY_LENGTH] for t in (min(times), max(times)))
    undated = len(report.export.messages) - len(times)
    without = f", {undated:,} without a time" if undated else ""
    return text.append(f"{count}, {first} to {last} UTC{without}", "not bold")


def _tone(report: AuditReport) -> str:
    interval = report.trades.interval
    if interval is None or interval.low <= 0 <= interval.high:
        return f"bold {WARNING}"
    return f"bold {GOOD if interval.low > 0 else BAD}"


def _messages(report: AuditReport) -> Table:
    talk, export = report.conversation, report.export
    total = len(export.messages)
    commands = sum(talk.kinds.get(kind, 0) for kind in _COMMANDS)
    rows = (
        ("Set-ups", talk.kinds.get(ReadingKind.SETUP, 0)),
        ("  repeated within the hour", talk.duplicates),
        ("Orders without levels", talk.orders),
        ("Replies and commands", commands),
        ("  that concern no set-up here", talk.unmatched),
        ("Refused: not certain", talk.kinds.get(ReadingKind.REFUSED, 0)),
        ("Not signals", talk.kinds.get(ReadingKind.NOT_A_SIGNAL, 0)),
        ("Pictures and the like", export.empty),
        ("Service entries", export.service),
    )
    table = columns("messages", "number", "")
    for label, count in rows:
        if count or label == "Set-ups":
            table.add_row(label, f"{count:,}", share(count, total) if label not in _APART else "")
    return table


def _shapes(report: AuditReport) -> Table:
    shapes = report.shapes
    table = columns("what the set-ups ask for", "median")
    rows = (
        ("Stop away from the entry", percent(shapes.stop)),
        ("First target", r(shapes.first_reward)),
        ("Last target", r(shapes.last_reward)),
        ("First target by chance alone", f"{whole(shapes.first_chance)} (mean)"),
        ("Fees and slippage, in and out", r(shapes.cost, signed=False)),
        ("Leverage, where named", _times(shapes.median_leverage)),
        ("Long / short", f"{shapes.longs:,} / {shapes.count - shapes.longs:,}"),
        ("Without a stop", f"{shapes.no_stop:,}"),
        ("Liquidated before their stop", f"{shapes.liquidated:,}"),
    )
    for row in rows:
        table.add_row(*row)
    return table


def _times(leverage: float | None) -> str:
    return UNDEFINED if leverage is None else f"{leverage:g}x"


def _refusals(report: AuditReport) -> Iterator[RenderableType]:
    talk = report.conversation
    if not talk.refusals:
        return
    table = columns("refused, by reason", "number")
    table.add_column("such as", overflow="fold")
    for code, count in list(talk.refusals.items())[:_MOST_REASONS]:
        table.add_row(code, f"{count:,}", Text(plain(talk.samples[code]), QUIET))
    rest = sum(list(talk.refusals.values())[_MOST_REASONS:])
    if rest:
        table.add_row("other reasons", f"{rest:,}", "")
    yield table
    yield ""


def _coverage(report: AuditReport) -> Iterator[RenderableType]:
    """Say what was played, what became of it, and what was not, and why."""
    table = columns("set-ups over the candles", "number")
    table.add_row("Played", f"{len(report.played):,}")
    for fate, count in report.fates.items():
        table.add_row(f"  {fate.replace('_', ' ')}", f"{count:,}")
    missing = sum(report.not_played.values())
    table.add_row("Not played, and not guessed", f"{missing:,}")
    for reason, count in report.not_played.items():
        table.add_row(f"  {reason}", f"{count:,}")
    yield table
    if report.missing:
        named = [f"{symbol} ({count:,})" for symbol, count in report.missing.items()]
        more = len(named) - _MOST_SYMBOLS
        others = f" and {more:,} others" if more > 0 else ""
        yield Text(f"No candles of {', '.join(named[:_MOST_SYMBOLS])}{others}.", QUIET)
    yield ""


def _portfolio(report: AuditReport) -> Iterator[RenderableType]:
    found = report.portfolio
    if found is None or not found.trades:
        return
    risk = percent(float(report.terms.risk))
    yield Text(f"All together on one account, {risk} of equity at risk each", HEADING)
    yield (
        f"{found.trades:,} trades, {percent(found.total_return, signed=True)};"
        f" deepest fall {percent(found.drawdown)} ({r(found.drawdown_r, signed=False)})."
    )
    denied = [f"{n:,} {fate.replace('_', ' ')}" for fate, n in found.fates.items() if ":" in fate]
    if denied:
        yield Text(f"Not entered: {'; '.join(denied)}.", QUIET)
    yield ""


def _rehearsal(report: AuditReport, width: int) -> Iterator[RenderableType]:
    found = report.rehearsal
    if found is None:
        return
    yield Text("Set-ups without a time: what if", HEADING)
    yield (
        "Nobody knows when these were posted, so they are no record of the channel. They were tried"
        " wherever the market stood at their entry, to see what their levels are worth by"
        " themselves."
    )
    yield (
        f"{found.setups:,} set-ups, {found.tries:,} tries. {found.no_place:,} others have no such"
        f" place: no candles of their symbol, or none that opens at their entry."
        f" {_expectation(found)}"
    )
    yield ""
    yield from _side_by_side([_rehearsed(found), target_table(found.targets)], width)


def _rehearsed(found: Rehearsal) -> Table:
    table = columns("set-up", "entry", "tries", "target 1", "by chance", "mean R")
    for line in found.lines[:_MOST_LINES]:
        table.add_row(
            f"{plain(line.symbol)} {line.side.lower()}",
            UNDEFINED if line.entry is None else format_decimal(line.entry),
            f"{line.tries:,}",
            share(line.first, line.tries),
            whole(line.chance),
            coloured(f"{line.mean_r:+z.2f}", line.mean_r),
        )
    return table


def _expectation(found: Rehearsal) -> str:
    if found.expectancy is None:
        return "None of the tries entered."
    interval = found.interval
    between = f" (95 % interval {span(interval)})" if interval else ""
    return f"Mean over set-ups: {r(found.expectancy)} a trade{between}."


def _small_print(report: AuditReport) -> Iterator[RenderableType]:
    terms = report.terms
    yield Text(
        f"R is the risk at the stop. Each set-up is traded alone with the same risk by the engine"
        f" that trades live; fee {percent(float(terms.fee))} a fill, slippage"
        f" {percent(float(terms.slippage))}, no funding. A message counts from the open of the"
        " next candle. Inside a candle the worst comes first.",
        QUIET,
    )
    open_still = report.fates.get(UNFINISHED, 0)
    if open_still:
        yield Text(f"{open_still:,} trades were open where the candles end: valued there.", QUIET)
    for symbol, text in report.candles.items():
        yield Text(f"{symbol}: {text}", QUIET)
    for note in (*report.export.notes, *report.notes):
        yield Text(plain(note), QUIET)


def _side_by_side(tables: Sequence[Table], width: int) -> Iterator[RenderableType]:
    if width >= _WIDE:
        grid = Table.grid(padding=(0, 4, 0, 0))
        grid.add_row(*tables)
        yield grid
        yield ""
        return
    yield from _stacked(tables)


def _stacked(tables: Iterable[Table]) -> Iterator[RenderableType]:
    for table in tables:
        yield table
        yield ""
