"""Tables and JSON on stdout, for the commands about accounts."""

import os
from collections.abc import Iterable, Sequence
from decimal import Decimal

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from milobot.domain.money import format_decimal
from milobot.domain.times import format_time

_WIDTH_IN_FILES = 160
_SECOND_MS = 1000


def console() -> Console:
    """Return where to print: as wide as the terminal, wide in a file."""
    width = None if Console().is_terminal or "COLUMNS" in os.environ else _WIDTH_IN_FILES
    return Console(width=width, highlight=False, markup=False)


def print_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], out: Console
) -> None:
    """Print rows under a title; nothing when there are none."""
    table = Table(
        title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0)
    )
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    if table.row_count:
        out.print(table)


def print_json(content: object) -> None:
    """Print something as JSON."""
    typer.echo(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode())


def number(value: Decimal | None) -> str:
    """Return a number as a table shows it; a dash where there is none."""
    return "-" if value is None else format_decimal(value)


def moment(time_ms: int) -> str:
    """Return a time to the second."""
    return format_time(time_ms - time_ms % _SECOND_MS)


def percent(fraction: Decimal) -> str:
    """Return a fraction in per cent.

    >>> percent(Decimal("0.0123"))
    '1.23 %'
    """
    return f"{fraction * 100:.2f} %"
