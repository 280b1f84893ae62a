"""Everything a user can get wrong: one clear sentence, exit code 2, and nothing half-written."""

import os
import re
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.candle_files import (
    GOOD_PRICES,
    HOUR_MS,
    START_MS,
    candle_rows,
    write_rows,
)
from tests.support.process import Ended, child_environment, run_milobot
from tests.support.refusals import refused, write_good_files

T3 = START_MS + 3 * HOUR_MS
JSON = ("--json", "report.json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a script and candles that are right."""
    return write_good_files(tmp_path)


WRONG_ROWS: dict[str, tuple[str, str]] = {
    "wrong column count": (f"{T3},10,12,9", "bad.csv line 5: 4 columns where 6 belong"),
    "text for a number": (f"{T3},10,12,nine,11,5", "bad.csv line 5: low 'nine' is not a number"),
    "unsorted": (
        f"{START_MS + HOUR_MS},{GOOD_PRICES}",
        "bad.csv line 5: 2024-01-01 01:00 follows 2024-01-01 02:00: sort the rows by time",
    ),
    "duplicate": (
        f"{START_MS + 2 * HOUR_MS},{GOOD_PRICES}",
        "bad.csv line 5: 2024-01-01 02:00 is there twice",
    ),
    "off the grid": (
        f"{T3 + 60_000},{GOOD_PRICES}",
        "bad.csv line 5: 2024-01-01 03:01 is off the grid of 1h candles",
    ),
    "NaN": (f"{T3},10,12,9,NaN,5", "bad.csv line 5: close nan is not a finite number"),
    "negative": (f"{T3},10,12,-9,11,5", "bad.csv line 5: low -9.0 is not above zero"),
    "high below low": (f"{T3},10,9,12,11,5", "bad.csv line 5: high 9.0 is below low 12.0"),
    "milli and micro": (
        f"{T3 * 1000},{GOOD_PRICES}",
        f"bad.csv line 5: time {T3 * 1000} is in microseconds, the rows before in milliseconds",
    ),
}


@pytest.mark.parametrize("name", WRONG_ROWS)
def test_wrong_candles_are_named_by_line(name: str, folder: Path) -> None:
    """A wrong row found is a wrong back-test avoided."""
    row, sentence = WRONG_ROWS[name]
    later = candle_rows(20, first_ms=T3 + HOUR_MS)
    write_rows(folder / "bad.csv", [*candle_rows(3), row, *later])

    ended = run_milobot("backtest", "good.script", "--data", "bad.csv", *JSON, cwd=folder)

    refused(ended, folder, sentence)


RUN = ("backtest", "good.script", "--data", "good.csv")
FLAGS: dict[str, tuple[Sequence[str], str]] = {
    "missing file": (
        ("backtest", "good.script", "--data", "gone.csv"),
        "gone.csv does not exist: check the path",
    ),
    "empty file": (
        ("backtest", "good.script", "--data", "empty.csv"),
        "empty.csv is empty: it should hold at least one row",
    ),
    "folder for a file": (("backtest", "good.script", "--data", "sub.csv"), "sub.csv is a folder"),
    "this folder": (
        ("backtest", "good.script", "--data", "."),
        ".: use a .csv, .csv.gz, .zip or .parquet file",
    ),
    "missing script": (
        ("backtest", "gone.script", "--data", "good.csv"),
        "the script gone.script cannot be read (No such file or directory): check its name",
    ),
    "folder for a script": (
        ("backtest", ".", "--data", "good.csv"),
        "the script . cannot be read (Is a directory): check its name",
    ),
    "candles for a script": (
        ("backtest", "good.csv", "--data", "good.csv"),
        "good.csv, line 1, column 1: unknown name 'open_time'",
    ),
    "no script": (("backtest",), "Missing argument 'script' (see 'milobot backtest --help')"),
    "unknown flag": ((*RUN, "--sybmol", "X"), "No such option: --sybmol"),
    "unknown timeframe": ((*RUN, "--timeframe", "7h"), "unknown timeframe '7h': use one of 1m 3m"),
    "finer timeframe": (
        (*RUN, "--timeframe", "15m"),
        "15m candles cannot be made from 1h candles: load finer candles or use a timeframe that",
    ),
    "coarser than the data": (
        (*RUN, "--timeframe", "1M"),
        "200 candles of 1h hold no complete 1M candle: load more",
    ),
    "empty symbol": ((*RUN, "--symbol", ""), "--symbol is empty: leave it out"),
    "path as symbol": ((*RUN, "--symbol", "../etc"), "coin is written like BTCUSDT: capital"),
    "letters of elsewhere": ((*RUN, "--symbol", "ÄÖUSDT"), "coin is written like BTCUSDT"),
    "set without =": ((*RUN, "--set", "rsi"), "--set 'rsi' is not understood: write --set rsi_p"),
    "set twice": ((*RUN, "--set", "a=1", "--set", "a=2"), "--set names a twice: keep one of them"),
    "set nothing": (
        (*RUN, "--set", "rsi=3"),
        "good.script: the script has no parameter 'rsi' (parameters of this script: none)",
    ),
    "from nonsense": (
        (*RUN, "--from", "yesterday"),
        "'yesterday' is not a time: write 2024-01-31, 2024-01-31T13:05 or milliseconds",
    ),
    "no such day": ((*RUN, "--to", "2024-02-30"), "'2024-02-30' is not a time"),
    "to before from": (
        (*RUN, "--from", "2024-01-05", "--to", "2024-01-03"),
        "--from 2024-01-05 00:00 lies after --to 2024-01-03 23:59:59: exchange them",
    ),
    "after the data": (
        (*RUN, "--from", "2025-01-01"),
        "no candles at or after --from: the last one opens at 2024-01-09 07:00 UTC",
    ),
    "before the data": (
        (*RUN, "--to", "2023-01-01"),
        "no candles at or before --to: the first one opens at 2024-01-01 00:00 UTC",
    ),
    "no equity": ((*RUN, "--equity", "0"), "--equity 0 is out of range: it is a balance in USDT"),
    "debts": ((*RUN, "--equity", "-1"), "--equity -1 is out of range"),
    "equity nan": ((*RUN, "--equity", "nan"), "--equity 'nan' is not a number: write --equity"),
    "equity beyond": ((*RUN, "--equity", "1e999"), "--equity 1e999 is out of range"),
    "fee": ((*RUN, "--fee", "2"), "--fee 2 is out of range: it is a fraction from 0 to 0.1"),
    "slippage": ((*RUN, "--slippage", "x"), "--slippage 'x' is not a number: write --slippage"),
    "no funding file": ((*RUN, "--funding", "gone.csv"), "gone.csv does not exist: check the path"),
    "candles as funding": (
        (*RUN, "--funding", "good.csv"),
        "good.csv line 1: the header has no column funding_rate or last_funding_rate",
    ),
    "percent as funding": (
        (*RUN, "--funding", "percent.csv"),
        "percent.csv line 2: ",
    ),
    "json nowhere": (
        (*RUN, "--json", "gone/report.json"),
        "the folder of gone/report.json does not exist: make it, or name another file",
    ),
    "json in a folder": ((*RUN, "--json", "."), ". is a folder: name a file in it to write"),
    "json on a device": (
        (*RUN, "--json", "/dev/full"),
        "/dev/full is no ordinary file: name one to write the report to",
    ),
    "negative trips": ((*RUN, "--trips", "-1"), "Invalid value for '--trips'"),
    "port": ((*RUN, "--open", "--port", "99999"), "port 99999 does not exist: choose one from 1"),
    "port of a demo": (
        ("demo", "--data", "good.csv", "--port", "-1"),
        "port -1 does not exist: choose one from 1 to 65535",
    ),
    "port in words": (("demo", "--port", "http"), "Invalid value for '--port'"),
    "nothing stored": (
        ("backtest", "good.script"),
        "no candles of BTCUSDT 1h are stored in binance_data.db",
    ),
    "text for a database": (
        ("backtest", "good.script", "--db", "good.csv"),
        "good.csv is not a SQLite database: name another file",
    ),
    "folder for a database": (("backtest", "good.script", "--db", "."), ". cannot be opened"),
    "newer database": (
        ("backtest", "good.script", "--db", "newer.db"),
        "newer.db is a database of version 99 and this milobot knows versions up to",
    ),
    "gaps when strict": (
        ("backtest", "good.script", "--data", "gaps.csv", "--strict"),
        "gaps.csv: 1 gap, 3 candles missing in all, the first at 2024-01-01 03:00 (before line 5)",
    ),
}


@pytest.mark.parametrize("name", FLAGS)
def test_wrong_words_are_answered_with_the_right_ones(name: str, folder: Path) -> None:
    """Each flag and each file, wrong in the ways that people get them wrong."""
    words, fragment = FLAGS[name]
    (folder / "empty.csv").touch()
    (folder / "sub.csv").mkdir()
    (folder / "percent.csv").write_text(f"open_time,funding_rate\n{START_MS},12\n")
    write_rows(folder / "gaps.csv", [*candle_rows(3), *candle_rows(9, first_ms=T3 + 3 * HOUR_MS)])
    with closing(sqlite3.connect(folder / "newer.db")) as newer:
        newer.execute("PRAGMA user_version = 99")

    ended = run_milobot(*words, cwd=folder)

    refused(ended, folder, fragment)
    assert not (folder / "binance_data.db").exists()


def test_gaps_are_tolerated_with_a_warning(folder: Path) -> None:
    """An exchange that was down for an hour is no reason to refuse a year."""
    write_rows(folder / "gaps.csv", [*candle_rows(3), *candle_rows(90, first_ms=T3 + HOUR_MS)])

    ended = run_milobot("backtest", "good.script", "--data", "gaps.csv", cwd=folder)

    assert ended.code == 0, ended.err
    assert re.search(r"gaps\.csv: 1 gap, 1 candle missing", ended.out + ended.err)


@pytest.mark.parametrize("speed", ["-1", "nan", "inf"])
def test_speed_that_no_replay_has_is_refused(speed: str, folder: Path) -> None:
    """Such a replay would never end, or never begin."""
    words = ("--data", "good.csv", "--exit", "--port", "0", "--speed", speed)

    ended = run_milobot("demo", *words, cwd=folder)

    assert ended.code == 2
    assert ended.err.startswith("milobot: a replay needs a speed of 0 or more candles a second")


def test_unreadable_file_is_said(folder: Path) -> None:
    """Files of another user; root may read everything, so this needs an ordinary user."""
    if os.geteuid() == 0:
        pytest.skip("root may read every file")
    for name in ("good.script", "good.csv"):
        (folder / name).chmod(0)
        refused(run_milobot(*RUN, cwd=folder), folder, f"{name} cannot be read")
        (folder / name).chmod(0o600)


def test_full_disk_leaves_no_half_report(folder: Path) -> None:
    """The table is printed, the old report stays, the sentence says what did not work."""
    (folder / "report.json").write_text("old")

    ended = with_small_files(*RUN, *JSON, cwd=folder)

    assert ended.code == 2
    assert "good.script" in ended.out
    assert re.match(r"milobot: report\.json cannot be written: .*; nothing was changed", ended.err)
    assert (folder / "report.json").read_text() == "old"
    assert not list(folder.glob(".*"))


def test_full_disk_during_import_stores_nothing(folder: Path) -> None:
    """A database with half of a file in it would be back-tested as if it were whole."""
    write_rows(folder / "many.csv", candle_rows(30_000))

    ended = with_small_files("data", "import", "many.csv", "--symbol", "BTCUSDT", cwd=folder)

    refused(ended, folder, "binance_data.db cannot ")
    info = run_milobot("data", "info", cwd=folder)
    assert "BTCUSDT" not in info.out


def with_small_files(*words: str, cwd: Path) -> Ended:
    """Run milobot where no file may grow beyond 4 KB: a disk that is full.

    The signal that goes with the limit is ignored, so that writing fails as on a full disk.
    """
    shell = 'trap "" XFSZ; ulimit -f 8; exec "$0" -m milobot "$@"'
    done = subprocess.run(  # noqa: S603 - our own program
        ["/bin/sh", "-c", shell, sys.executable, *words],
        cwd=cwd,
        env=child_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def test_demo_on_the_usual_port_when_it_is_taken(folder: Path) -> None:
    """Port 8080 is everybody's: the sentence names another."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 8080))
            taken.listen()
        except OSError:
            pass  # somebody else has it: as good

        ended = run_milobot("demo", "--data", "good.csv", "--exit", cwd=folder)

    refused(ended, folder, "port 8080 is taken: stop the other program or choose another with")
