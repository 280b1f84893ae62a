"""A back-test in the terminal: warnings, numbers with buy and hold beside them, round trips."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from milobot.backtest.performance import Performance
from milobot.backtest.result import BacktestResult
from milobot.backtest.statistics import Group, Summary, TripStatistics, risk_multiples
from milobot.cli.backtest_numbers import (
    UNDEFINED,
    duration,
    moment,
    money,
    percent,
    plain,
    prices,
    quantities,
    ratio,
)
from milobot.domain.decisions import Decision, Outcome
from milobot.domain.round_trips import RoundTrip
from milobot.domain.times import format_time

_WIDTH_IN_FILES = 120
_WIDE = 110
_MOST_PRINTS = 5
_YEAR_LENGTH = 4
_GOOD, _BAD, _WARNING, _QUIET, _HEADING = "green", "red", "yellow", "dim", "bold"


def print_result(
    result: BacktestResult,
    summary: Summary,
    *,
    trips: int = 10,
    console: Console | None = None,
) -> None:
    """Print a back-test for a person to read, from 80 columns on.

    Args:
        result: The back-test.
        summary: Its numbers.
        trips: How many of the last round trips to show; none for 0.
        console: Where to print; by default stdout.
    """
    out = console or _console()
    for part in _parts(result, summary, trips, out.width):
        out.print(part)


def _console() -> Console:
    plain_width = None if "COLUMNS" in os.environ else _WIDTH_IN_FILES
    on_terminal = Console().is_terminal
    return Console(width=None if on_terminal else plain_width, highlight=False, markup=False)


def _parts(
    result: BacktestResult, summary: Summary, trips: int, width: int
) -> Iterator[RenderableType]:
    for warning in result.warnings:
        yield Text(f"warning: {plain(warning)}", _WARNING)
    yield _heading(result)
    yield _settings(result)
    yield ""
    numbers = _numbers(result, summary)
    if not summary.trips.count:
        yield numbers
        yield ""
        yield from _why_nothing(result)
    else:
        yield from _side_by_side([numbers, _groups(summary.trips)], width)
        yield from _denials(result.decisions)
    yield from _last_trips(result, trips, width)
    yield from _last_prints(result)


def _heading(result: BacktestResult) -> Text:
    first, last = (format_time(int(result.candles.time[end])) for end in (0, -1))
    text = Text(f"{plain(result.script)}  {result.symbol} {result.timeframe.value}\n", _HEADING)
    return text.append(f"{len(result.candles):,} candles, {first} to {last} UTC", "not bold")


def _settings(result: BacktestResult) -> Text:
    return Text(plain("; ".join(_setting(*item) for item in result.settings.items())), _QUIET)


def _setting(name: str, value: str) -> str:
    """Return a setting in words, a parameter as it is set on the command line."""
    return f"{name}={value}" if name.startswith("set ") else f"{name.replace('_', ' ')} {value}"


def _numbers(result: BacktestResult, summary: Summary) -> Table:
    table = _table("amounts in USDT", "script", "buy and hold")
    both = (summary.strategy, summary.buy_and_hold)
    _performance_rows(table, both)
    funding = money(summary.funding)
    if result.settings.get("funding") == "none":
        funding = "no rates"
    table.add_row("Exposure", percent(summary.exposure), percent(1.0))
    table.add_row("Fees", money(summary.fees), "not counted")
    table.add_row("Funding paid", funding, "not counted")
    return table


def _performance_rows(table: Table, both: Sequence[Performance]) -> None:
    rows: tuple[tuple[str, Callable[[Performance], RenderableType]], ...] = (
        ("Return", lambda p: _coloured(percent(p.total_return, signed=True), p.total_return)),
        ("End equity", lambda p: money(p.end_equity)),
        ("CAGR", lambda p: percent(p.cagr, signed=True)),
        ("Max drawdown", lambda p: percent(p.max_drawdown)),
        ("  from", lambda p: moment(p.drawdown_peak_ms)),
        ("  to", lambda p: moment(p.drawdown_trough_ms)),
        ("Longest under water", lambda p: duration(p.longest_under_water_ms)),
        ("Sharpe", lambda p: ratio(p.sharpe)),
        ("Sortino", lambda p: ratio(p.sortino)),
        ("Calmar", lambda p: ratio(p.calmar)),
    )
    for label, value in rows:
        table.add_row(label, *(value(performance) for performance in both))


def _groups(trips: TripStatistics) -> Table:
    """Return the round trips, all and by side and exit reason."""
    table = _table("round trips", "number", "won", "net USDT")
    total = sum((g.pnl for g in trips.by_side.values()), Decimal(0))
    table.add_row(*_group_cells("All", Group(trips.count, trips.wins, total)))
    for side, group in trips.by_side.items():
        table.add_row(*_group_cells(f"  {side.lower()}", group))
    for reason, group in trips.by_exit_reason.items():
        table.add_row(*_group_cells(f"  exit by {reason}", group))
    table.add_row()
    table.add_row("Profit factor", "", "", ratio(trips.profit_factor))
    in_r = "" if trips.expectancy_r is None else f"{ratio(trips.expectancy_r, signed=True)} R"
    table.add_row("Expectancy", "", in_r, money(trips.expectancy, signed=True))
    table.add_row("Average win", "", "", money(trips.average_win, signed=True))
    table.add_row("Average loss", "", "", money(trips.average_loss, signed=True))
    table.add_row("Largest win", "", "", money(trips.largest_win, signed=True))
    table.add_row("Largest loss", "", "", money(trips.largest_loss, signed=True))
    table.add_row("Average time held", "", "", duration(trips.average_duration_ms))
    return table


def _group_cells(label: str, group: Group) -> tuple[RenderableType, ...]:
    won = percent(group.wins / group.count) if group.count else UNDEFINED
    net = _coloured(money(group.pnl, signed=True), group.pnl) if group.count else UNDEFINED
    return label, f"{group.count:,}", won, net


def _side_by_side(tables: Sequence[Table], width: int) -> Iterator[RenderableType]:
    if width >= _WIDE:
        grid = Table.grid(padding=(0, 6, 0, 0))
        grid.add_row(*tables)
        yield grid
        yield ""
        return
    for table in tables:
        yield table
        yield ""


def _why_nothing(result: BacktestResult) -> Iterator[RenderableType]:
    """Say why there is no round trip: nobody should have to guess."""
    yield Text("No round trips.", _HEADING)
    sent = sum(d.outcome is Outcome.ACCEPTED for d in result.decisions)
    if sent:
        yield f"{sent:,} entries were sent, and none of them was filled."
    if not result.decisions:
        before = len(result.history) - len(result.candles) if result.history else 0
        yield (
            f"The script wanted no entry at any of {len(result.candles):,} candles "
            f"({max(0, result.warm_up - before):,} of them warm-up): "
            "look at condition_true and the actions."
        )
    yield from _denials(result.decisions)


def _denials(decisions: Sequence[Decision]) -> Iterator[RenderableType]:
    denied = [d for d in decisions if d.outcome is Outcome.DENIED]
    for code, count in Counter(d.code for d in denied).most_common():
        reasons = Counter(d.reason for d in denied if d.code == code)
        reason = reasons.most_common(1)[0][0]
        times = "once" if count == 1 else f"{count:,} times"
        such_as = ", such as" if len(reasons) > 1 else ""
        yield Text(f"denied {times}, {code}{such_as}: {plain(reason)}", _WARNING)
    if denied:
        yield ""


def _last_trips(result: BacktestResult, count: int, width: int) -> Iterator[RenderableType]:
    shown = result.round_trips[-count:] if count else ()
    if not shown:
        return
    yield Text(
        f"Last {len(shown)} of {len(result.round_trips):,} round trips (UTC, net USDT)", _HEADING
    )
    yield _trip_table(shown, risk_multiples(shown, result.candles), is_wide=width >= _WIDE)


def _trip_table(
    trips: Sequence[RoundTrip], multiples: Sequence[float | None], *, is_wide: bool
) -> Table:
    """Return a row for each round trip; a narrow table leaves out what matters least."""
    wide_only = ("quantity", "stop") if is_wide else ()
    names = ("side", *wide_only[:1], "entry", "price", *wide_only[1:], "exit", "price", "net", "R")
    table = _table(*names)
    table.add_column("reason", overflow="ellipsis")  # the column that gives way
    quantity = quantities([t.quantity for t in trips])
    level = prices([p for t in trips for p in (t.entry_price, t.exit_price, t.stop)])
    year = ""
    for at, (trip, multiple) in enumerate(zip(trips, multiples, strict=True)):
        entry, exit_ = format_time(trip.entry_time_ms), format_time(trip.exit_time_ms)
        if not is_wide:
            if entry[:_YEAR_LENGTH] != year:
                year = entry[:_YEAR_LENGTH]
                table.add_row(Text(year, _QUIET))
            entry, exit_ = (time[_YEAR_LENGTH + 1 :] for time in (entry, exit_))
        table.add_row(
            trip.side.lower(),
            *([quantity[at]] if is_wide else []),
            entry,
            level[3 * at],
            *([level[3 * at + 2]] if is_wide else []),
            exit_,
            level[3 * at + 1],
            _coloured(money(trip.pnl, signed=True), trip.pnl),
            ratio(multiple, signed=True),
            plain(trip.exit_reason),
        )
    return table


def _last_prints(result: BacktestResult) -> Iterator[RenderableType]:
    if not result.prints:
        return
    yield ""
    yield Text("Last prints of the script (UTC)", _HEADING)
    for time_ms, text in result.prints[-_MOST_PRINTS:]:
        yield Text(f"{format_time(time_ms)}  {plain(text)}")


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style=_QUIET)
    table.add_column(first, no_wrap=True)
    for heading in others:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _coloured(text: str, value: float | Decimal) -> Text:
    if not text.strip("+0. %"):  # nothing, to the digits shown
        return Text(text)
    return Text(text, _GOOD if value > 0 else _BAD)
