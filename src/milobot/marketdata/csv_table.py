"""Reads CSV text into columns: numpy's parser first, our own only to find the faulty line."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from milobot.domain.market import Floats
from milobot.errors import DataError
from milobot.marketdata.tables import Layout, Table, find_positions

_MAX_LINE = 64 * 1024
_ENCODING = "utf-8-sig"  # swallows the byte order mark that spreadsheets write


@dataclass(frozen=True, slots=True)
class _Shape:
    """Form of a CSV file: lines before the first row, columns, and where ours stand."""

    skipped: int
    width: int
    positions: dict[str, int]


def read_csv(path: Path, name: str, layout: Layout) -> Table:
    """Return the columns of ``layout`` in the plain CSV file ``path``, called ``name`` in errors.

    Columns are found by the header; a file without one has them in our order, if the layout
    allows that. Blank lines are skipped.

    Raises:
        DataError: The text is not UTF-8, has no rows, a row has another number of columns,
            or text stands where a number belongs.
    """
    try:
        shape = _read_shape(path, name, layout)
        columns = _parse_fast(path, shape) or _parse_slowly(path, name, shape)
    except UnicodeDecodeError as error:
        raise DataError(f"{name} line {_undecodable_line(path)}: the text is not UTF-8") from error
    return Table(name, columns, lambda row: f"line {_line_of(path, shape.skipped, row)}")


def _read_shape(path: Path, name: str, layout: Layout) -> _Shape:
    lines = _lines(path, name)
    first_number, first = next(lines, (0, ""))
    cells = first.split(",")
    place = f"{name} line {first_number}"
    if not first:
        raise DataError(f"{name} holds nothing but blank lines: it should hold at least one row")
    if _number(cells[0]) is None:
        positions = find_positions(cells, layout, place)
        if next(lines, None) is None:
            raise DataError(f"{name} has a header but no rows below it")
        return _Shape(first_number, len(cells), positions)
    if not layout.archive:
        raise DataError(f"{place}: there is no header: begin the file with {layout.example}")
    if len(cells) < len(layout.names):
        raise DataError(
            f"{place}: {len(cells)} columns where at least {len(layout.names)} belong: "
            f"{layout.example}"
        )
    return _Shape(first_number - 1, len(cells), {n: i for i, n in enumerate(layout.names)})


def _lines(path: Path, name: str) -> Iterator[tuple[int, str]]:
    """Yield number and text of the lines that are not blank."""
    with path.open(encoding=_ENCODING) as file:
        number = 0
        while line := file.readline(_MAX_LINE):
            number += 1
            if len(line) == _MAX_LINE:
                raise DataError(
                    f"{name} line {number} is too long to be a row: is this a CSV file?"
                )
            if text := line.strip():
                yield number, text


def _parse_fast(path: Path, shape: _Shape) -> dict[str, Floats] | None:
    wanted = set(shape.positions.values())
    # A column that nobody wants is read as one character: cheap, and the width is still checked.
    fields = [(f"c{i}", "f8" if i in wanted else "U1") for i in range(shape.width)]
    try:
        rows = np.loadtxt(
            str(path.absolute()),
            dtype=np.dtype(fields),
            delimiter=",",
            comments=None,
            skiprows=shape.skipped,
            encoding=_ENCODING,
            ndmin=1,
        )
    except UnicodeDecodeError:
        raise
    except ValueError:
        return None
    return {n: np.ascontiguousarray(rows[f"c{i}"]) for n, i in shape.positions.items()}


def _parse_slowly(path: Path, name: str, shape: _Shape) -> dict[str, Floats]:
    columns: dict[str, list[float]] = {column: [] for column in shape.positions}
    for number, text in _lines(path, name):
        if number <= shape.skipped:
            continue
        cells = text.split(",")
        if len(cells) != shape.width:
            raise DataError(
                f"{name} line {number}: {len(cells)} columns where {shape.width} belong"
            )
        for column, position in shape.positions.items():
            value = _number(cells[position])
            if value is None:
                shown = cells[position].strip()[:20]
                raise DataError(f"{name} line {number}: {column} {shown!r} is not a number")
            columns[column].append(value)
    return {column: np.array(values, dtype=np.float64) for column, values in columns.items()}


def _number(cell: str) -> float | None:
    if not cell.isascii() or "_" in cell:  # Python reads both, other programs do not
        return None
    try:
        return float(cell)
    except ValueError:
        return None


def _line_of(path: Path, skipped: int, row: int) -> int:
    rows = (number for number, _ in _lines(path, path.name) if number > skipped)
    return next(number for index, number in enumerate(rows) if index == row)


def _undecodable_line(path: Path) -> int:
    with path.open("rb") as file:
        return next(n for n, line in enumerate(file, start=1) if not _is_utf8(line))


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
