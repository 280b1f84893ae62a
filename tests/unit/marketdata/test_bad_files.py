"""Every kind of wrong file is refused with one sentence that names file and line."""

import gzip
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.support.candle_files import GOOD_PRICES, HOUR_MS, START_MS, candle_rows, write_rows

from milobot.domain.timeframes import Timeframe
from milobot.errors import DataError
from milobot.marketdata.files import load_candles, load_funding
from milobot.marketdata.sources import plain_text

T0, T1, T2, T3 = (START_MS + i * HOUR_MS for i in range(4))


def _row(prices: str, time: int = T3) -> str:
    return f"{time},{prices}"


# The wrong row stands in line 5 of "bad.csv": header, three right rows, then this one.
WRONG_ROWS = {
    "five columns": (f"{T3},10,12,9,11", "line 5: 5 columns where 6 belong"),
    "seven columns": (f"{T3},{GOOD_PRICES},7", "line 5: 7 columns where 6 belong"),
    "text": (_row("10,twelve,9,11,5"), "line 5: high 'twelve' is not a number"),
    "nothing": (_row("10,,9,11,5"), "line 5: high '' is not a number"),
    "underscore": (_row("1_0,12,9,11,5"), "line 5: open '1_0' is not a number"),
    "other digits": (_row("10,12,9,11,\u0665"), "line 5: volume '\u0665' is not a number"),
    "text as time": ("2024-01-01,10,12,9,11,5", "line 5: time '2024-01-01' is not a number"),
    "nan": (_row("10,12,9,nan,5"), "line 5: close nan is not a finite number"),
    "infinity": (_row("10,inf,9,11,5"), "line 5: high inf is not a finite number"),
    "negative price": (_row("10,12,-9,11,5"), "line 5: low -9.0 is not above zero"),
    "zero price": (_row("10,12,0,11,5"), "line 5: low 0.0 is not above zero"),
    "negative volume": (_row("10,12,9,11,-5"), "line 5: volume -5.0 is negative"),
    "nan volume": (_row("10,12,9,11,nan"), "line 5: volume nan is not a finite number"),
    "high below low": (_row("10,9,12,11,5"), "line 5: high 9.0 is below low 12.0"),
    "open outside": (_row("8,12,9,11,5"), "line 5: open 8.0 is outside low and high"),
    "close outside": (_row("10,12,9,13,5"), "line 5: close 13.0 is outside low and high"),
    "unsorted": (
        _row(GOOD_PRICES, T1),
        "line 5: 2024-01-01 01:00 follows 2024-01-01 02:00: sort the rows by time",
    ),
    "duplicate": (_row(GOOD_PRICES, T2), "line 5: 2024-01-01 02:00 is there twice"),
    "off the grid": (
        _row(GOOD_PRICES, T3 + 60_000),
        "line 5: 2024-01-01 03:01 is off the grid of 1h candles",
    ),
    "microseconds": (
        _row(GOOD_PRICES, T3 * 1000),
        f"line 5: time {T3 * 1000} is in microseconds, the rows before in milliseconds",
    ),
    "seconds": (
        _row(GOOD_PRICES, T3 // 1000),
        f"line 5: time {T3 // 1000} is in seconds: write milliseconds",
    ),
    "half a millisecond": (
        f"{T3}.5,{GOOD_PRICES}",
        f"line 5: time {T3}.5 is not a whole number of milliseconds",
    ),
    "negative time": (
        _row(GOOD_PRICES, -5),
        "line 5: time -5 is no time in milliseconds or microseconds",
    ),
    "nan time": (
        f"nan,{GOOD_PRICES}",
        "line 5: time nan is no time in milliseconds or microseconds",
    ),
    "carriage return": (_row("10,12,9\r,11,5"), "line 5: 4 columns where 6 belong"),
}


@pytest.mark.parametrize(("row", "sentence"), WRONG_ROWS.values(), ids=WRONG_ROWS.keys())
def test_wrong_row_is_named_by_file_and_line(tmp_path: Path, row: str, sentence: str) -> None:
    """A user with a million rows must be led to the one that is wrong."""
    path = write_rows(
        tmp_path / "bad.csv", [*candle_rows(3), row, *candle_rows(9, first_ms=T3 + HOUR_MS)]
    )

    with pytest.raises(DataError) as caught:
        load_candles(path)

    assert str(caught.value) == f"bad.csv {sentence}"


def test_line_numbers_count_blank_lines_and_byte_order_mark(tmp_path: Path) -> None:
    """The number must be the one that an editor shows."""
    path = tmp_path / "bad.csv"
    rows = [*candle_rows(2), "", "   ", _row("0,1,1,1,1", T2)]
    path.write_bytes(
        b"\xef\xbb\xbf\r\n" + "\r\n".join(["time,open,high,low,close,volume", *rows]).encode()
    )

    with pytest.raises(DataError, match=r"^bad.csv line 7: open 0.0 is not above zero$"):
        load_candles(path)


def test_first_of_several_faults_is_reported(tmp_path: Path) -> None:
    """Faults are mended from the top, whatever kind of check finds them."""
    rows = [*candle_rows(1), _row("10,12,9,11,-1", T1), _row("nan,12,9,11,1", T2)]

    with pytest.raises(DataError, match="line 3: volume"):
        load_candles(write_rows(tmp_path / "bad.csv", rows))


def test_microseconds_first_then_milliseconds(tmp_path: Path) -> None:
    """The archive changed its unit in 2025; files glued together show it the other way round too."""
    rows = [f"{T0 * 1000},{GOOD_PRICES}", f"{T1},{GOOD_PRICES}"]

    with pytest.raises(DataError) as caught:
        load_candles(write_rows(tmp_path / "bad.csv", rows))

    assert str(caught.value) == (
        f"bad.csv line 3: time {T1} is in milliseconds, the rows before in microseconds"
    )


WRONG_STARTS = {
    "seconds": (f"{T0 // 1000},{GOOD_PRICES}\n", "bad.csv line 1: time 1704067200 is in seconds"),
    "few columns": (f"{T0},1,2,3\n", "bad.csv line 1: 4 columns where at least 6 belong"),
    "blank": ("\n \n\n", "bad.csv holds nothing but blank lines"),
    "header only": ("open_time,open,high,low,close,volume\n\n", "bad.csv has a header but no rows"),
    "no close": (
        "time,open,high,low,volume\n1,2,3,4,5\n",
        "bad.csv line 1: the header has no column close",
    ),
    "no time": (
        "date,open,high,low,close,volume\n1,2,3,4,5,6\n",
        "bad.csv line 1: the header has no column open_time or time or timestamp",
    ),
    "twice": (
        "time,open,open,high,low,close,volume\n1,2,2,3,4,5,6\n",
        "bad.csv line 1: the header has the column open twice",
    ),
    "semicolons": (
        "time;open;high;low;close;volume\n",
        "bad.csv line 1: the header has no column open_time or time or timestamp",
    ),
    "endless line": ("1" * 70_000, "bad.csv line 1 is too long to be a row"),
    "one candle": (f"{T0},{GOOD_PRICES}\n", "bad.csv holds one candle, which shows no timeframe"),
}


@pytest.mark.parametrize(("text", "sentence"), WRONG_STARTS.values(), ids=WRONG_STARTS.keys())
def test_wrong_start_is_explained(tmp_path: Path, text: str, sentence: str) -> None:
    """A file of another kind shows in its first lines."""
    path = tmp_path / "bad.csv"
    path.write_text(text)

    with pytest.raises(DataError) as caught:
        load_candles(path)

    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


def test_spacing_that_is_no_timeframe(tmp_path: Path) -> None:
    """Seven-minute candles exist on no exchange."""
    path = write_rows(tmp_path / "bad.csv", candle_rows(5, step_ms=7 * 60_000))

    with pytest.raises(DataError, match=r"^bad.csv: most candles are 7 minutes apart, which is no"):
        load_candles(path)


def test_coarser_file_than_named(tmp_path: Path) -> None:
    """Hourly candles named 1m would look like a file full of gaps."""
    path = write_rows(tmp_path / "bad.csv", candle_rows(5))

    with pytest.raises(DataError, match=r"^bad.csv holds 1h candles, not 1m: name 1h$"):
        load_candles(path, timeframe=Timeframe.M1)


def test_finer_file_than_named(tmp_path: Path) -> None:
    """Minutes named 1h lie off the grid from the second row on."""
    path = write_rows(tmp_path / "bad.csv", candle_rows(5, step_ms=60_000))

    with pytest.raises(DataError, match="not 1h"):
        load_candles(path, timeframe=Timeframe.H1)


def test_gap_refused_when_strict(tmp_path: Path) -> None:
    """Who asks for strict must not get a series with holes."""
    path = write_rows(
        tmp_path / "bad.csv", [*candle_rows(3), *candle_rows(2, first_ms=T3 + 2 * HOUR_MS)]
    )

    with pytest.raises(DataError) as caught:
        load_candles(path, strict=True)

    assert str(caught.value) == (
        "bad.csv: 1 gap, 2 candles missing in all, the first at 2024-01-01 03:00 (before line 5): "
        "fetch what is missing, or load the file without strict"
    )


def test_text_that_is_not_utf8(tmp_path: Path) -> None:
    """An encoding is no reason for a traceback."""
    path = tmp_path / "bad.csv"
    path.write_bytes(b"\n".join(row.encode() for row in candle_rows(2)) + b"\n\xff\xfe,1,1,1,1,1\n")

    with pytest.raises(DataError, match=r"^bad.csv line 3: the text is not UTF-8$"):
        load_candles(path)


def test_wrong_byte_far_down(tmp_path: Path) -> None:
    """The start of a file says nothing about its end."""
    path = tmp_path / "bad.csv"
    rows = [row.encode() for row in candle_rows(2000)]
    path.write_bytes(b"\n".join([*rows[:1500], b"\xff", *rows[1500:]]))

    with pytest.raises(DataError, match=r"^bad.csv line 1501: the text is not UTF-8$"):
        load_candles(path)


def test_file_from_newest_to_oldest(tmp_path: Path) -> None:
    """Some exchanges write the newest row first; nothing in such a file shows a timeframe."""
    path = write_rows(tmp_path / "bad.csv", candle_rows(5)[::-1])

    with pytest.raises(DataError) as caught:
        load_candles(path)

    assert str(caught.value) == (
        "bad.csv line 3: 2024-01-01 03:00 follows 2024-01-01 04:00: sort the rows by time"
    )


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


WRONG_FUNDING = {
    "no header": (f"{T0},0.0001\n", "line 1: there is no header: begin the file with open_time,"),
    "no rate": (f"time,rate\n{T0},0.0001\n", "line 1: the header has no column funding_rate"),
    "text": (f"time,funding_rate\n{T0},x\n", "line 2: funding_rate 'x' is not a number"),
    "nan": (f"time,funding_rate\n{T0},nan\n", "line 2: funding_rate nan is not a fraction"),
    "percent": (f"time,funding_rate\n{T0},1.5\n", "line 2: funding_rate 1.5 is not a fraction"),
    "unsorted": (
        f"time,funding_rate\n{T1},0\n{T0},0\n",
        "line 3: 2024-01-01 00:00 follows 2024-01-01 01:00: sort the rows by time",
    ),
}


@pytest.mark.parametrize(("text", "sentence"), WRONG_FUNDING.values(), ids=WRONG_FUNDING.keys())
def test_wrong_funding_file(tmp_path: Path, text: str, sentence: str) -> None:
    """Funding moves money in a back-test, so its files are checked like candles."""
    path = tmp_path / "funding.csv"
    path.write_text(text)

    with pytest.raises(DataError) as caught:
        load_funding(path)

    assert str(caught.value).startswith(f"funding.csv {sentence}")
