"""Files that cannot be opened or unpacked are refused with one sentence that names them."""

import gzip
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.support.candle_files import candle_rows, write_rows

from milobot.errors import DataError
from milobot.marketdata.files import load_candles
from milobot.marketdata.sources import plain_text


@pytest.mark.parametrize("name", ["gone.csv", "gone.csv.gz", "gone.zip", "gone.parquet"])
def test_missing_file(tmp_path: Path, name: str) -> None:
    """A typo in the path is the commonest fault of all."""
    with pytest.raises(DataError, match=f"{name} does not exist: check the path"):
        load_candles(tmp_path / name)


@pytest.mark.parametrize("name", ["no.csv", "no.csv.gz", "no.zip"])
def test_empty_file(tmp_path: Path, name: str) -> None:
    """A download that broke off leaves an empty file."""
    (tmp_path / name).touch()

    with pytest.raises(DataError, match=f"^{name} is empty"):
        load_candles(tmp_path / name)


def test_folder_instead_of_file(tmp_path: Path) -> None:
    """Tab completion easily stops at the folder."""
    (tmp_path / "candles.csv").mkdir()

    with pytest.raises(DataError, match=r"^candles.csv is a folder"):
        load_candles(tmp_path / "candles.csv")


def test_path_that_cannot_be_opened(tmp_path: Path) -> None:
    """The system's own reason belongs into the sentence."""
    outer = write_rows(tmp_path / "outer.csv", candle_rows(2))

    with pytest.raises(DataError, match=r"^inner.csv cannot be read: Not a directory$"):
        load_candles(outer / "inner.csv")


def test_unknown_suffix(tmp_path: Path) -> None:
    """The suffix decides how a file is read."""
    path = write_rows(tmp_path / "candles.xlsx", candle_rows(2))

    with pytest.raises(DataError, match=r"^candles.xlsx: use a .csv, .csv.gz, .zip or .parquet"):
        load_candles(path)


@pytest.mark.parametrize("damage", ["cut", "other"])
def test_unreadable_gzip(tmp_path: Path, damage: str) -> None:
    """A broken download must not be taken for a shorter market."""
    path = tmp_path / "bad.csv.gz"
    whole = gzip.compress("\n".join(candle_rows(500)).encode())
    path.write_bytes(whole[:-20] if damage == "cut" else b"time,open\n")

    with pytest.raises(DataError, match=r"^bad.csv.gz is not a complete gzip file: fetch it again"):
        load_candles(path)


def test_empty_text_inside_gzip(tmp_path: Path) -> None:
    """Packed emptiness has a size, so the first check does not see it."""
    path = tmp_path / "bad.csv.gz"
    path.write_bytes(gzip.compress(b""))

    with pytest.raises(DataError, match=r"^bad.csv.gz holds an empty file"):
        load_candles(path)


@pytest.mark.parametrize("damage", ["cut", "checksum", "other"])
def test_unreadable_zip(tmp_path: Path, damage: str) -> None:
    """A broken archive is refused wherever it broke."""
    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "\n".join(candle_rows(500)))
    whole = path.read_bytes()
    content = {"cut": whole[:-30], "checksum": whole.replace(b",12,", b",13,"), "other": b"text"}
    path.write_bytes(content[damage])

    with pytest.raises(DataError, match=r"^bad.zip is not a complete zip file: fetch it again"):
        load_candles(path)


@pytest.mark.parametrize(
    ("members", "found"), [(("a.csv", "b.csv"), "2 of them"), (("readme.txt",), "none")]
)
def test_zip_must_hold_one_csv(tmp_path: Path, members: tuple[str, ...], found: str) -> None:
    """Guessing which file was meant would be a quiet mistake."""
    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for member in members:
            archive.writestr(member, "\n".join(candle_rows(2)))

    with pytest.raises(DataError, match=f"^bad.zip should hold one CSV file and holds {found}$"):
        load_candles(path)


def test_zip_with_a_password(tmp_path: Path) -> None:
    """The flag for encryption is enough to see that it cannot be read."""
    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "\n".join(candle_rows(2)))
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x03\x04") + 6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)

    with pytest.raises(DataError, match=r"^bad.zip cannot be unpacked here"):
        load_candles(path)


def test_zip_with_a_rare_compression(tmp_path: Path) -> None:
    """Only what every program writes is unpacked."""
    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a.csv", "\n".join(candle_rows(2)))

    with pytest.raises(DataError, match=r"^bad.zip cannot be unpacked here: pack the CSV without"):
        load_candles(path)


@pytest.mark.parametrize("name", ["bomb.csv", "bomb.csv.gz", "bomb.zip"])
def test_unpacking_stops_at_the_limit(tmp_path: Path, name: str) -> None:
    """A small archive must not fill memory or disk, whatever size it states."""
    path, text = tmp_path / name, b"0" * 3_000_000
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(text))
    elif name.endswith(".zip"):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.csv", text)
    else:
        path.write_bytes(text)

    with (
        pytest.raises(DataError, match=rf"^{name} holds more than 2 MiB of text: split it"),
        plain_text(path, max_bytes=2 * 1024**2),
    ):
        pass


UNPACK_WITHOUT_ROOM = """
import resource, sys
from pathlib import Path
from milobot.errors import StorageError
from milobot.marketdata.files import load_candles
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))
try:
    load_candles(Path(sys.argv[1]))
except StorageError as error:
    print(error)
"""


def test_no_room_to_unpack(tmp_path: Path) -> None:
    """The temporary folder may be smaller than the text of an archive."""
    path = tmp_path / "large.csv.gz"
    path.write_bytes(gzip.compress("\n".join(candle_rows(5000)).encode()))

    result = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", UNPACK_WITHOUT_ROOM, str(path)],
        capture_output=True,
        text=True,
        check=True,
    )

    assert result.stdout.startswith("large.csv.gz cannot be unpacked into the temporary folder: ")
    assert result.stdout.endswith("are free there\n")
