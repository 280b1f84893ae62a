"""What the readers of the file formats agree on: columns by name, and where a row stands."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from milobot.domain.market import Floats
from milobot.errors import DataError

TIME = "time"


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns that a kind of file must have.

    Attributes:
        names: For each column of ours, the names it may have in a header, lower case.
        archive: Whether a file without a header is understood, its first columns in our order.
        example: A header to show in errors.
    """

    names: dict[str, tuple[str, ...]]
    archive: bool
    example: str


CANDLE_LAYOUT = Layout(
    names={
        TIME: ("open_time", "time", "timestamp"),
        "open": ("open",),
        "high": ("high",),
        "low": ("low",),
        "close": ("close",),
        "volume": ("volume",),
    },
    archive=True,
    example="open_time,open,high,low,close,volume",
)
FUNDING_LAYOUT = Layout(
    names={
        # calc_time and last_funding_rate are the words of the exchange's public archive.
        TIME: ("open_time", "time", "timestamp", "calc_time"),
        "funding_rate": ("funding_rate", "last_funding_rate"),
    },
    archive=False,
    example="open_time,funding_rate",
)


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers of a file, not yet believed.

    Attributes:
        name: File name, for errors.
        columns: One column for each name of the layout, all of one length.
        locate: Gives the place of a row, such as ``line 17``.
    """

    name: str
    columns: dict[str, Floats]
    locate: Callable[[int], str]

    def error(self, row: int, reason: str) -> DataError:
        """Return the error that says ``reason`` of ``row``, counted from 0."""
        return DataError(f"{self.name} {self.locate(row)}: {reason}")


def find_positions(header: Sequence[str], layout: Layout, place: str) -> dict[str, int]:
    """Return where each column of ``layout`` stands in a header line.

    Raises:
        DataError: A column is missing or there twice; ``place`` begins the sentence.
    """
    cells = [cell.strip().strip('"').lower() for cell in header]
    positions = {}
    for column, names in layout.names.items():
        known = [name for name in names if name in cells]
        if not known:
            raise DataError(
                f"{place}: the header has no column {' or '.join(names)}: "
                f"a header looks like {layout.example}"
            )
        if cells.count(known[0]) > 1:
            raise DataError(f"{place}: the header has the column {known[0]} twice")
        positions[column] = cells.index(known[0])
    return positions
