"""The trades of an audit: their figures, their targets, by month and symbol, and the last ones."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from milobot.cli.audit_words import (
    HEADING,
    QUIET,
    between,
    coloured,
    columns,
    r,
    share,
    span,
    whole,
)
from milobot.cli.backtest_numbers import UNDEFINED, percent, plain, prices, ratio
from milobot.domain.times import format_time
from milobot.signals.audit.outcomes import Result
from milobot.signals.audit.report import AuditReport, GroupLine, TargetLine, Trades

_WIDE = 104
_MOST_GROUPS = 12


def trade_table(report: AuditReport) -> Table:
    """Return the figures of all trades."""
    trades, late = report.trades, report.lateness
    table = columns(f"{len(trades.results):,} trades, net of costs", "")
    rows: list[tuple[str, RenderableType]] = [
        ("Expectancy", coloured(r(trades.expectancy), trades.expectancy)),
        ("  95 % interval", span(trades.interval)),
        ("  at posted prices, without costs", r(trades.as_posted)),
        ("  fees a trade", r(trades.fees, signed=False)),
        ("Won", f"{whole(trades.win_rate)} ({between(trades.win_interval)})"),
        ("Average win", r(trades.average_win)),
        ("Average loss", r(trades.average_loss)),
        ("Profit factor", ratio(trades.profit_factor)),
        ("Sum", r(sum(trades.results))),
        ("Deepest fall of the sum", r(trades.drawdown, signed=False)),
        ("Longest losing streak", f"{trades.longest_losing_streak:,}"),
        ("Time with a trade open", percent(trades.exposure)),
        ("Stop and target in one candle", f"{trades.in_doubt:,}"),
        ("Price gone by the first chance", f"{late.gone:,} of {late.count:,}"),
    ]
    if late.gone:
        rows += [
            ("  by (median)", f"{percent(late.median)}, {r(late.median_r, signed=False)}"),
            ("  and never came back", f"{late.gone_for_good:,}"),
        ]
    rows.append(("Targets claimed as reached", _claims(report)))
    for label, value in rows:
        table.add_row(label, value)
    return table


def _claims(report: AuditReport) -> str:
    claims = report.claims
    if not claims.checked:
        return UNDEFINED
    return f"{claims.confirmed:,} of {len(claims.checked):,} were"


def target_table(lines: Sequence[TargetLine]) -> Table:
    """Return how often each target was reached, and how often chance would."""
    table = columns("target", "at", "reached", "", "95 %", "by chance")
    for line in lines:
        table.add_row(
            str(line.number),
            r(line.reward),
            f"{line.hits:,} of {line.count:,}",
            share(line.hits, line.count),
            between(line.interval),
            whole(line.chance),
        )
    return table


def group_tables(trades: Trades, width: int) -> Iterator[RenderableType]:
    """Yield the trades by direction, way out, symbol and month."""
    ways = _group_table("by direction", trades.by_side)
    ways.add_row()
    ways.add_row(Text("by way out", QUIET))
    for line in trades.by_exit:
        _add_group(ways, line)
    tables = [
        ways,
        _group_table("by symbol", trades.by_symbol[:_MOST_GROUPS], trades.by_symbol[_MOST_GROUPS:]),
        _group_table("by month", trades.by_month[-_MOST_GROUPS:], trades.by_month[:-_MOST_GROUPS]),
    ]
    if width >= _WIDE:
        grid = Table.grid(padding=(0, 4, 0, 0))
        grid.add_row(*tables)
        yield grid
        yield ""
        return
    for table in tables:
        yield table
        yield ""


def _group_table(name: str, lines: Sequence[GroupLine], others: Sequence[GroupLine] = ()) -> Table:
    table = columns(name, "trades", "won", "sum of R")
    for line in lines:
        _add_group(table, line)
    if others:
        count, wins = sum(g.count for g in others), sum(g.wins for g in others)
        total = sum(g.total_r for g in others)
        _add_group(table, GroupLine(f"{len(others):,} more", count, wins, total))
    return table


def _add_group(table: Table, line: GroupLine) -> None:
    table.add_row(
        plain(line.name.replace("_", " ")),
        f"{line.count:,}",
        share(line.wins, line.count),
        coloured(f"{line.total_r:+z.2f}", line.total_r),
    )


def last_trades(played: Sequence[Result], count: int) -> Iterator[RenderableType]:
    """Yield the last trades, each with what a follower would have seen of it."""
    entered = [result for result in played if result.r is not None]
    shown = entered[-count:] if count else []
    if not shown:
        return
    yield Text(f"Last {len(shown)} of {len(entered):,} trades (UTC)", HEADING)
    table = columns("posted", "symbol", "side", "entry", "in at", "out at", "targets", "R")
    table.columns[1].justify = table.columns[2].justify = "left"
    table.add_column("exit", overflow="ellipsis")
    levels_of = _levels(shown)
    for result in shown:
        levels = next(levels_of[result.shape.symbol])
        table.add_row(
            format_time(result.time_ms - result.time_ms % 60_000),
            plain(result.shape.symbol),
            result.shape.side.lower(),
            *levels,
            f"{len(result.hits)}/{len(result.shape.targets)}",
            coloured(f"{result.r:+z.2f}", result.r),
            Text(result.exit_reason.replace("_", " "), QUIET),
        )
    yield table
    yield ""


def _levels(results: Sequence[Result]) -> dict[str, Iterator[list[str]]]:
    """Return for each symbol its prices row by row, all with the same number of decimals."""
    found: dict[str, list[Result]] = {}
    for result in results:
        found.setdefault(result.shape.symbol, []).append(result)
    columns_of = {}
    for symbol, rows in found.items():
        texts = prices(
            [p for row in rows for p in (row.shape.entry, row.entry_price, row.exit_price)]
        )
        columns_of[symbol] = iter([texts[n : n + 3] for n in range(0, len(texts), 3)])
    return columns_of
