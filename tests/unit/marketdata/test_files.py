"""Every form of candle file that is understood gives the same candles."""

import gzip
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from tests.support.candle_files import GOOD_PRICES, HOUR_MS, START_MS, candle_rows, write_rows

from milobot.domain.market import Candle, CandleSeries
from milobot.domain.timeframes import Timeframe
from milobot.errors import DataError
from milobot.marketdata.files import load_candles, load_funding
from milobot.marketdata.parquet import read_parquet
from milobot.marketdata.tables import CANDLE_LAYOUT
from milobot.marketdata.writers import save_candles

EXPECTED = CandleSeries.from_candles(
    [Candle(START_MS + i * HOUR_MS, 10.0, 12.0, 9.0, 11.0, 5.0) for i in range(3)]
)
ARCHIVE_TAIL = "1735693199999,71068810.5,93525,421.08319,39596777.7,0"
PLAIN = "\n".join(candle_rows(3))


def _archive(*, factor: int = 1) -> str:
    return "\n".join(
        f"{(START_MS + i * HOUR_MS) * factor},{GOOD_PRICES},{ARCHIVE_TAIL}" for i in range(3)
    )


FORMS = {
    "header": f"open_time,open,high,low,close,volume\n{PLAIN}\n",
    "time": f"time,open,high,low,close,volume\n{PLAIN}\n",
    "timestamp in capitals, quoted": f'"Timestamp","Open",High,Low,Close,Volume\n{PLAIN}\n',
    "no last line feed": f"open_time,open,high,low,close,volume\n{PLAIN}",
    "headerless": PLAIN,
    "archive": _archive(),
    "archive in microseconds": _archive(factor=1000),
    "byte order mark": f"\ufefftime,open,high,low,close,volume\n{PLAIN}\n",
    "byte order mark, no header": f"\ufeff{PLAIN}\n",
    "carriage returns": f"time,open,high,low,close,volume\n{PLAIN}\n\n".replace("\n", "\r\n"),
    "blank lines": f"\n\ntime,open,high,low,close,volume\n{PLAIN}\n\n  \n\n",
    "spaces around numbers": PLAIN.replace(",", " , "),
    "times as floats": PLAIN.replace("00000,", "00000.0,"),
    "other order, text beside": "symbol,volume,close,low,high,open,time\n"
    + "\n".join(f"BTC µ,5,11,9,12,10,{START_MS + i * HOUR_MS}" for i in range(3)),
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS.keys())
def test_every_text_form_is_understood(tmp_path: Path, text: str) -> None:
    """Files come from archives, spreadsheets and other programs."""
    path = tmp_path / "candles.csv"
    path.write_bytes(text.encode())

    loaded = load_candles(path)

    assert loaded.candles.equals(EXPECTED)
    assert loaded.timeframe is Timeframe.H1
    assert loaded.warnings == ()


@pytest.mark.parametrize("name", ["a.csv.gz", "a.gz", "A.CSV.GZ"])
def test_gzip(tmp_path: Path, name: str) -> None:
    """Packed by whatever program, in small or capital letters."""
    (tmp_path / name).write_bytes(gzip.compress(PLAIN.encode()))

    assert load_candles(tmp_path / name).candles.equals(EXPECTED)


def test_zip_beside_other_files(tmp_path: Path) -> None:
    """The archive's zips hold one CSV, some systems add files of their own."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("folder/BTCUSDT-1h.csv", PLAIN)
        archive.writestr("__MACOSX/BTCUSDT-1h.csv", "x")
        archive.writestr("README.txt", "x")

    assert load_candles(path).candles.equals(EXPECTED)


@pytest.mark.parametrize("unit", ["ms", "us", "ns", "number"])
def test_parquet_with_times_of_any_unit(tmp_path: Path, unit: str) -> None:
    """Data frames store times as timestamps."""
    times = pa.array(EXPECTED.time)
    if unit != "number":
        times = times.cast(pa.timestamp("ms", tz="UTC")).cast(pa.timestamp(unit, tz="UTC"))
    columns = {n: getattr(EXPECTED, n) for n in ("open", "high", "low", "close", "volume")}
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"volume2": EXPECTED.volume, "time": times} | columns), path)

    assert load_candles(path).candles.equals(EXPECTED)


def test_parquet_that_is_wrong(tmp_path: Path) -> None:
    """Parquet has rows instead of lines; everything else is checked alike."""
    columns = {n: [1.0, 1.0] for n in ("open", "high", "low", "close", "volume")}
    time = {"time": [START_MS, START_MS + HOUR_MS]}
    path = tmp_path / "a.parquet"
    cases = {
        "row 2: 2024-01-01 00:00 is there twice": {"time": [START_MS] * 2} | columns,
        "row 1: open 0.0 is not above zero": time | columns | {"open": [0.0, 0.0]},
        "row 2: low nan is not a finite number": time | columns | {"low": [1.0, None]},
        "the column close holds string where numbers": time | columns | {"close": ["1", "2"]},
        "holds no rows": {name: pa.array([], "float64") for name in time | columns},
        "the header has no column volume": time | {n: columns[n] for n in list(columns)[:4]},
    }
    for sentence, table in cases.items():
        parquet.write_table(pa.table(table), path)
        with pytest.raises(DataError, match=rf"^a.parquet.*{sentence}"):
            load_candles(path, timeframe=Timeframe.H1)

    path.write_bytes(b"PAR1 but nothing else")
    with pytest.raises(DataError, match=r"^a.parquet is not a readable Parquet file: fetch it"):
        load_candles(path)


def test_parquet_with_too_many_rows(tmp_path: Path) -> None:
    """The count stands in the file, so nothing is unpacked to find out."""
    save_candles(tmp_path / "a.parquet", EXPECTED)

    with pytest.raises(DataError, match=r"^a.parquet holds more than 2 rows: split it by month"):
        read_parquet(tmp_path / "a.parquet", CANDLE_LAYOUT, max_rows=2)


def test_parquet_without_its_library(tmp_path: Path) -> None:
    """The extra is optional, so its absence must say how to get it."""
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    program = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from pathlib import Path\n"
        "from milobot.errors import ConfigurationError\n"
        "from milobot.marketdata.files import load_candles\n"
        "try: load_candles(Path(sys.argv[1]))\n"
        "except ConfigurationError as error: print(error)"
    )
    result = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program, str(tmp_path / "a.parquet")],
        capture_output=True,
        text=True,
        check=True,
    )

    assert result.stdout.strip() == (
        "Parquet files need a further package: pip install 'milobot[parquet]'"
    )


def test_gap_gives_a_warning_with_count_and_place(tmp_path: Path) -> None:
    """Gaps happen at every exchange: say so, and go on."""
    rows = [*candle_rows(2), *candle_rows(2, first_ms=START_MS + 4 * HOUR_MS)]

    loaded = load_candles(write_rows(tmp_path / "holes.csv", rows))

    assert len(loaded.candles) == 4
    assert loaded.warnings == (
        "holes.csv: 1 gap, 2 candles missing in all, the first at 2024-01-01 02:00 (before line 4)",
    )


def test_named_timeframe_is_taken_for_a_single_candle(tmp_path: Path) -> None:
    """One candle shows no spacing."""
    path = write_rows(tmp_path / "one.csv", candle_rows(1))

    assert load_candles(path, timeframe=Timeframe.H1).timeframe is Timeframe.H1


def test_named_timeframe_may_have_a_gap_everywhere(tmp_path: Path) -> None:
    """Two candles with a gap between are no proof of another timeframe."""
    path = write_rows(tmp_path / "two.csv", candle_rows(2, step_ms=2 * HOUR_MS))

    loaded = load_candles(path, timeframe=Timeframe.H1)

    assert loaded.timeframe is Timeframe.H1
    assert len(loaded.warnings) == 1


def test_months_are_recognised(tmp_path: Path) -> None:
    """Months have four lengths and one timeframe."""
    months = np.arange("2023-01", "2025-01", dtype="datetime64[M]").astype("datetime64[ms]")
    rows = [f"{time},{GOOD_PRICES}" for time in months.astype(np.int64).tolist()]

    loaded = load_candles(write_rows(tmp_path / "months.csv", rows), strict=True)

    assert loaded.timeframe is Timeframe.MONTH


def test_weeks_begin_on_monday(tmp_path: Path) -> None:
    """2024-01-01 was a Monday, so weekly candles open then."""
    path = write_rows(tmp_path / "weeks.csv", candle_rows(4, step_ms=7 * 24 * HOUR_MS))

    assert load_candles(path).timeframe is Timeframe.W1


def test_funding_rates_from_parquet(tmp_path: Path) -> None:
    """The same checks stand behind every form."""
    path = tmp_path / "funding.parquet"
    parquet.write_table(pa.table({"time": [START_MS], "funding_rate": [0.0001]}), path)

    times, rates = load_funding(path)

    assert (times.tolist(), rates.tolist()) == ([START_MS], [0.0001])


def test_funding_rates(tmp_path: Path) -> None:
    """Rates come with our names or with those of the public archive."""
    path = tmp_path / "funding.csv"
    for header, row in (
        ("open_time,funding_rate", "{},{}"),
        ("calc_time,funding_interval_hours,last_funding_rate", "{},8,{}"),
    ):
        rows = [row.format(START_MS, "6.8e-05"), row.format(START_MS + 8 * HOUR_MS + 3, "-0.0001")]
        times, rates = load_funding(write_rows(path, rows, header=header))

        assert times.tolist() == [START_MS, START_MS + 8 * HOUR_MS + 3]
        assert rates.tolist() == [6.8e-05, -0.0001]
