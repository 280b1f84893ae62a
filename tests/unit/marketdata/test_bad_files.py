"""Every kind of wrong row is refused with one sentence that names file and line."""

from pathlib import Path

import pytest
from tests.support.candle_files import GOOD_PRICES, HOUR_MS, START_MS, candle_rows, write_rows

from milobot.domain.timeframes import Timeframe
from milobot.errors import DataError
from milobot.marketdata.files import load_candles, load_funding

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
