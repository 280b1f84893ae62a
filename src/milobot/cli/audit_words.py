"""Words, colours and columns that the parts of an audit share."""

from rich.table import Table
from rich.text import Text

from milobot.cli.backtest_numbers import UNDEFINED
from milobot.signals.audit.figures import Interval

GOOD, BAD, WARNING, QUIET, HEADING = "green", "red", "yellow", "dim", "bold"


def r(value: float | None, *, signed: bool = True) -> str:
    """Return a multiple of the risk.

    >>> r(0.254), r(None)
    ('+0.25 R', '-')
    """
    if value is None:
        return UNDEFINED
    return f"{value:+z.2f} R" if signed else f"{value:z.2f} R"


def coloured(text: str, value: float | None) -> Text:
    """Return a result in the colour of its sign."""
    if not value or not text.strip("+0. %R-"):
        return Text(text)
    return Text(text, GOOD if value > 0 else BAD)


def between(interval: Interval | None) -> str:
    """Return an interval of a share in whole per cents."""
    if interval is None:
        return UNDEFINED
    return f"{interval.low * 100:.0f}-{interval.high * 100:.0f} %"


def share(count: int, total: int) -> str:
    """Return a part of a total in whole per cents: more digits would be luck."""
    return f"{count / total * 100:.0f} %" if total else UNDEFINED


def whole(fraction: float | None) -> str:
    """Return a fraction in whole per cents."""
    return UNDEFINED if fraction is None else f"{fraction * 100:.0f} %"


def span(interval: Interval | None) -> str:
    """Return an interval of results in R."""
    return UNDEFINED if interval is None else f"{interval.low:+z.2f} to {interval.high:+z.2f} R"


def columns(first: str, *others: str) -> Table:
    """Return an empty table whose first column holds labels and the others numbers."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style=QUIET)
    table.add_column(first, no_wrap=True)
    for heading in others:
        table.add_column(heading, justify="right", no_wrap=True)
    return table
