"""Writing candle files: whole or not at all."""

import subprocess
import sys
from pathlib import Path

import pytest

from milobot.domain.market import CandleSeries
from milobot.errors import DataError, StorageError
from milobot.marketdata.generated import generate_candles
from milobot.marketdata.writers import save_candles

FORMS = ["csv", "csv.gz", "zip", "parquet"]

# A limit on the size of files is a disk that is full after so many bytes.
ON_A_SMALL_DISK = """
import resource, sys
from pathlib import Path
from milobot.errors import StorageError
from milobot.marketdata.generated import generate_candles
from milobot.marketdata.writers import save_candles
candles = generate_candles(minutes=20_000)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))
try:
    save_candles(Path(sys.argv[1]), candles)
except StorageError as error:
    print(error)
"""


@pytest.mark.parametrize("form", ["csv", "csv.gz", "zip"])
def test_same_candles_give_same_bytes(tmp_path: Path, form: str) -> None:
    """A checksum beside an export only makes sense when nothing but candles is in it."""
    candles = generate_candles(minutes=100)
    first, second = tmp_path / f"a.{form}", tmp_path / "sub" / f"a.{form}"
    second.parent.mkdir()

    save_candles(first, candles)
    save_candles(second, candles)

    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("form", FORMS)
def test_full_disk_leaves_the_older_file(tmp_path: Path, form: str) -> None:
    """Half a file under a good name would be loaded one day."""
    path = tmp_path / f"candles.{form}"
    save_candles(path, generate_candles(minutes=10))
    before = path.read_bytes()

    result = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", ON_A_SMALL_DISK, str(path)],
        capture_output=True,
        text=True,
        check=True,
    )

    assert result.stdout.startswith(f"{path} cannot be written: ")
    assert result.stdout.endswith("nothing was changed\n")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_missing_folder(tmp_path: Path) -> None:
    """The system's reason is part of the sentence."""
    with pytest.raises(StorageError, match="No such file or directory; nothing was changed"):
        save_candles(tmp_path / "gone" / "a.csv", generate_candles(minutes=2))


def test_unknown_suffix_and_empty_series(tmp_path: Path) -> None:
    """Both are mistakes of the caller, found before anything is written."""
    with pytest.raises(DataError, match=r"^a.xls: use a .csv, .csv.gz, .zip or .parquet file$"):
        save_candles(tmp_path / "a.xls", generate_candles(minutes=2))
    with pytest.raises(DataError, match=r"^there are no candles to write to a.csv$"):
        save_candles(tmp_path / "a.csv", CandleSeries.empty())
    assert not list(tmp_path.iterdir())
