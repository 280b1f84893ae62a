"""``milobot data`` as a user types it: real processes, real files."""

import os
import pty
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.candle_files import HOUR_MS, START_MS, candle_rows, write_rows
from tests.support.process import child_environment, run_milobot

from milobot.marketdata.files import load_candles
from milobot.marketdata.generated import generate_candles
from milobot.marketdata.writers import save_candles
from milobot.storage.candle_schema import MIGRATIONS
from milobot.storage.ledger import open_ledger

SERIES = ("--symbol", "BTCUSDT", "--timeframe", "1h")


@pytest.fixture
def imported(tmp_path: Path) -> Path:
    """Give a folder with a database of five hours around a gap."""
    rows = [*candle_rows(3), *candle_rows(2, first_ms=START_MS + 5 * HOUR_MS)]
    write_rows(tmp_path / "hours.csv", rows)
    ended = run_milobot("data", "import", "hours.csv", "--symbol", "btcusdt", cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert ended.out == (
        "5 new candles of BTCUSDT 1h stored in binance_data.db, 0 were there already\n"
    )
    assert ended.err == (
        "warning: hours.csv: 1 gap, 2 candles missing in all, the first at 2024-01-01 03:00 "
        "(before line 5)\n"
    )
    return tmp_path


def test_import_then_export_gives_the_same_candles(imported: Path) -> None:
    """What goes in comes out, in any form; importing again changes nothing."""
    original = load_candles(imported / "hours.csv").candles
    for name in ("out.csv", "out.csv.gz", "out.zip", "out.parquet"):
        ended = run_milobot("data", "export", *SERIES, "--out", name, cwd=imported)

        assert (ended.code, ended.err) == (0, "")
        assert ended.out == f"5 candles of BTCUSDT 1h written to {name}\n"
        assert load_candles(imported / name).candles.equals(original)

    again = run_milobot("data", "import", "out.zip", "--symbol", "BTCUSDT", cwd=imported)
    assert again.out.startswith("0 new candles of BTCUSDT 1h")
    assert again.out.endswith("5 were there already\n")


def test_info_lists_every_series(imported: Path) -> None:
    """A user looks here before a back-test."""
    ended = run_milobot("data", "info", cwd=imported)

    assert ended.code == 0
    row = next(line for line in ended.out.splitlines() if line.startswith("file"))
    assert row.split() == [
        *("file", "BTCUSDT", "1h", "5"),
        *("2024-01-01", "00:00", "2024-01-01", "06:00", "2"),
    ]


def test_gaps_shows_what_is_missing(imported: Path) -> None:
    """Both ends of the gap, and the counts."""
    ended = run_milobot("data", "gaps", *SERIES, cwd=imported)

    assert ended.code == 0
    assert ended.out.startswith(
        "BTCUSDT 1h: candles 5, gaps 1, missing 2, without volume 0, unusual jumps 0\n"
    )
    assert ended.out.splitlines()[-1].split() == [
        *("2024-01-01", "03:00", "2024-01-01", "04:00", "2"),
    ]


def test_long_lists_are_cut_and_counted(tmp_path: Path) -> None:
    """Thousands of gaps must not scroll the counts away."""
    write_rows(tmp_path / "a.csv", candle_rows(3))
    rows = [row for i in range(30) for row in candle_rows(2, first_ms=START_MS + 3 * i * HOUR_MS)]
    write_rows(tmp_path / "a.csv", rows)
    run_milobot("data", "import", "a.csv", *SERIES, cwd=tmp_path)

    ended = run_milobot("data", "gaps", *SERIES, cwd=tmp_path)

    assert "... and 9 more" in ended.out


def test_backup_and_vacuum(imported: Path) -> None:
    """The copy is a database that can be used in place of the first."""
    copied = run_milobot("data", "backup", "copy.db", cwd=imported)
    shrunk = run_milobot("data", "vacuum", "--db", "copy.db", cwd=imported)
    info = run_milobot("data", "info", "--db", "copy.db", cwd=imported)

    assert copied.out == "binance_data.db copied to copy.db\n"
    assert shrunk.out == "copy.db holds 0.0 MiB now\n"
    assert "BTCUSDT" in info.out


async def test_backup_of_the_ledger(tmp_path: Path) -> None:
    """Without a file it is the ledger that is copied: what cannot be fetched again."""
    await (await open_ledger(f"sqlite:///{tmp_path}/milobot.db")).close()

    copied = run_milobot("data", "backup", "--to", "copies", cwd=tmp_path)
    nothing = run_milobot("data", "backup", cwd=tmp_path, DATABASE_URL="sqlite:///other.db")
    server = run_milobot(
        "data", "backup", cwd=tmp_path, DATABASE_URL="postgresql://u:secret@localhost/books"
    )

    [copy] = (tmp_path / "copies").iterdir()
    assert copied.out == f"ledger copied to copies/{copy.name} and checked\n"
    assert (nothing.code, "other.db does not exist" in nothing.err) == (2, True)
    assert (server.code, "pg_dump --format=custom" in server.err) == (2, True)
    assert "secret" not in server.out + server.err


REFUSALS: dict[str, tuple[Sequence[str], str]] = {
    "missing file": (
        ("import", "gone.csv", "--symbol", "BTCUSDT"),
        "gone.csv does not exist: check the path",
    ),
    "wrong line": (
        ("import", "wrong.csv", "--symbol", "BTCUSDT"),
        "wrong.csv line 4: high 1.0 is below low 9.0",
    ),
    "gap when strict": (
        ("import", "hours.csv", "--symbol", "BTCUSDT", "--strict"),
        (
            "hours.csv: 1 gap, 2 candles missing in all, the first at 2024-01-01 03:00 "
            "(before line 5): fetch what is missing, or load the file without strict"
        ),
    ),
    "unknown timeframe": (
        ("import", "hours.csv", "--symbol", "BTCUSDT", "--timeframe", "7m"),
        "unknown timeframe '7m': use one of 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w 1M",
    ),
    "symbol": (
        ("import", "hours.csv", "--symbol", "BTC-USDT"),
        "'BTC-USDT' is not a symbol: write it like BTCUSDT",
    ),
    "nothing stored": (
        ("gaps", "--symbol", "ETHUSDT", "--timeframe", "1h"),
        (
            "binance_data.db has no ETHUSDT 1h candles of source file: "
            "`milobot data info` lists what it has"
        ),
    ),
    "no database": (
        ("info", "--db", "none.db"),
        "none.db does not exist: import candles first, or name another file",
    ),
    "newer database": (
        ("info", "--db", "newer.db"),
        (
            "newer.db is a database of version 99 and this milobot knows versions up to "
            f"{len(MIGRATIONS)}: update milobot or name another file"
        ),
    ),
    "export suffix": (
        ("export", *SERIES, "--out", "x.xls"),
        "x.xls: use a .csv, .csv.gz, .zip or .parquet file",
    ),
}


@pytest.mark.parametrize(("words", "sentence"), REFUSALS.values(), ids=REFUSALS.keys())
def test_refusal_is_one_sentence_and_code_2(
    imported: Path, words: Sequence[str], sentence: str
) -> None:
    """Never a traceback, never a database half changed."""
    write_rows(imported / "wrong.csv", [*candle_rows(2), f"{START_MS + 2 * HOUR_MS},10,1,9,11,5"])
    with closing(sqlite3.connect(imported / "newer.db")) as newer:
        newer.execute("PRAGMA user_version = 99")

    ended = run_milobot("data", *words, cwd=imported)

    assert ended == (2, "", f"milobot: {sentence}\n")
    assert not (imported / "none.db").exists()


def test_full_disk_during_import_stores_nothing(tmp_path: Path) -> None:
    """The sentence names the database; what was there before still is."""
    save_candles(tmp_path / "many.csv", generate_candles(minutes=50_000))
    save_candles(tmp_path / "few.csv", generate_candles(minutes=10))
    run_milobot("data", "import", "few.csv", "--symbol", "ETHUSDT", cwd=tmp_path)

    ended = subprocess.run(  # noqa: S603 - our own program
        # A limit on the size of files (in blocks of 512 bytes) is a disk that is full.
        [
            *("/bin/sh", "-c", 'ulimit -f 1000; exec "$0" "$@"', sys.executable),
            *("-m", "milobot", "data", "import", "many.csv", "--symbol", "BTCUSDT"),
        ],
        cwd=tmp_path,
        env=child_environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("milobot: binance_data.db cannot ")
    assert ended.stderr.count("\n") == 1
    info = run_milobot("data", "info", cwd=tmp_path)
    assert "ETHUSDT" in info.out
    assert "BTCUSDT" not in info.out


def test_progress_bar_on_a_terminal(tmp_path: Path) -> None:
    """A million rows take seconds; on a terminal somebody waits for them."""
    save_candles(tmp_path / "many.csv", generate_candles(minutes=50_000))
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "milobot", "data", "import", "many.csv", "--symbol", "BTCUSDT"],
        cwd=tmp_path,
        env=child_environment(TERM="xterm"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=follower,
    ) as process:
        os.close(follower)
        shown = _read_all(leader)
    os.close(leader)

    assert process.returncode == 0
    assert b"Storing BTCUSDT 1m" in shown
    assert b"50000/50000" in shown


def _read_all(descriptor: int) -> bytes:
    content = b""
    try:
        while block := os.read(descriptor, 65536):
            content += block
    except OSError:  # how Linux says that the other side of a terminal has gone
        return content
    return content
