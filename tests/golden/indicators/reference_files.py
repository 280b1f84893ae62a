"""Reading of the recorded reference values."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

Column = Callable[[str], npt.NDArray[np.float64]]


def columns_of(path: Path) -> Column:
    """Return a function from column name to values; empty cells are NaN."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))

    def column(name: str) -> npt.NDArray[np.float64]:
        return np.array([float(row[name] or "nan") for row in rows])

    return column


def index_of_first_value(values: npt.NDArray[np.float64]) -> int:
    """Return where a series stops being NaN."""
    return int(np.isfinite(values).argmax())
