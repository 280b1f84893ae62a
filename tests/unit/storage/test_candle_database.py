"""The candle database as a file: versions, locks, full disks, backups."""

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from milobot.domain.timeframes import Timeframe
from milobot.errors import DataError, StorageError
from milobot.marketdata.generated import DEFAULT_START_MS, generate_candles
from milobot.ports import CandleKey
from milobot.storage.candle_rows import SeriesSummary
from milobot.storage.candle_schema import MIGRATIONS
from milobot.storage.candles import SqliteCandleStore

KEY = CandleKey("file", "BTCUSDT", Timeframe.M1)
CANDLES = generate_candles(minutes=200)
MANY = generate_candles(minutes=50_000)

# A limit on the size of files is a disk that is full after so many bytes.
IMPORT_ON_A_SMALL_DISK = """
import resource, sys
from pathlib import Path
from milobot.domain.timeframes import Timeframe
from milobot.errors import StorageError
from milobot.marketdata.generated import generate_candles
from milobot.ports import CandleKey
from milobot.storage.candles import SqliteCandleStore
candles = generate_candles(minutes=50_000)
store = SqliteCandleStore(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, resource.RLIM_INFINITY))
try:
    store.save_candles(CandleKey("file", "BTCUSDT", Timeframe.M1), candles)
except StorageError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(len(store.load_candles(CandleKey("file", "BTCUSDT", Timeframe.M1))))
store.close()
"""

IMPORT_THAT_IS_INTERRUPTED = """
import os, signal, sys, time
from pathlib import Path
from milobot.domain.timeframes import Timeframe
from milobot.marketdata.generated import generate_candles
from milobot.ports import CandleKey
from milobot.storage.candles import SqliteCandleStore
# Whoever runs the tests in the background may have had Ctrl-C ignored; children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
def interrupt(done):
    if done == 20_000:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.5)
key = CandleKey("file", "BTCUSDT", Timeframe.M1)
with SqliteCandleStore(Path(sys.argv[1])) as store:
    try:
        store.save_candles(key, generate_candles(minutes=50_000), progress=interrupt)
    except KeyboardInterrupt:
        print("interrupted")
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database of a test lies."""
    return tmp_path / "binance_data.db"


def _pragma(path: Path, name: str) -> object:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_new_database_has_the_newest_version_and_a_log(path: Path) -> None:
    """WAL lets a chart read while candles are written."""
    SqliteCandleStore(path).close()

    assert _pragma(path, "user_version") == len(MIGRATIONS)
    assert _pragma(path, "journal_mode") == "wal"


def test_newer_database_is_left_alone(path: Path) -> None:
    """An older milobot would not know what it is writing into."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = path.read_bytes()

    with pytest.raises(StorageError) as caught:
        SqliteCandleStore(path)

    assert str(caught.value) == (
        f"binance_data.db is a database of version 99 and this milobot knows versions up to "
        f"{len(MIGRATIONS)}: update milobot or name another file"
    )
    assert path.read_bytes() == before


def test_older_database_is_brought_up_with_its_candles(path: Path) -> None:
    """The first version had candles only; an update keeps them."""
    with closing(sqlite3.connect(path)) as connection:
        for statement in MIGRATIONS[0]:
            connection.execute(statement)
        connection.execute("INSERT INTO series VALUES (1, 'file', 'BTCUSDT', '1m')")
        connection.execute("INSERT INTO candles VALUES (1, 1704067200000, 1, 2, 0.5, 1.5, 3)")
        connection.execute("PRAGMA user_version = 1")
        connection.commit()

    with SqliteCandleStore(path) as store:
        assert list(store.load_candles(KEY)) == [(1704067200000, 1.0, 2.0, 0.5, 1.5, 3.0)]
        assert store.load_rules("file", "BTCUSDT") is None
    assert _pragma(path, "user_version") == len(MIGRATIONS)


def test_database_of_another_program_is_left_alone(path: Path) -> None:
    """A wrong --db must not add tables to somebody's address book."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE friends (name TEXT)")
    before = path.read_bytes()

    with pytest.raises(StorageError, match=r"^binance_data.db is a database of another program"):
        SqliteCandleStore(path)

    assert path.read_bytes() == before


def test_file_that_is_no_database(path: Path) -> None:
    """The easiest mistake: the CSV where the database belongs."""
    path.write_text("open_time,open,high,low,close,volume\n" * 100)

    with pytest.raises(StorageError, match=r"^binance_data.db is not a SQLite database: name anot"):
        SqliteCandleStore(path)


def test_damaged_database(path: Path) -> None:
    """Zeroes in the middle of the file, as after a failing disk."""
    with SqliteCandleStore(path) as store:
        store.save_candles(KEY, MANY)
    content = bytearray(path.read_bytes())
    content[40_960:-4096] = bytes(len(content) - 40_960 - 4096)
    path.write_bytes(content)

    with (
        SqliteCandleStore(path) as store,
        pytest.raises(StorageError, match=r"^binance_data.db is damaged: put a backup"),
    ):
        store.load_candles(KEY)


def test_missing_folder_and_missing_database(tmp_path: Path) -> None:
    """Reading commands must not leave an empty database behind."""
    with pytest.raises(StorageError, match=r"^x.db cannot be opened: check that its folder"):
        SqliteCandleStore(tmp_path / "gone" / "x.db")
    with pytest.raises(StorageError, match=r"x.db does not exist: import candles first"):
        SqliteCandleStore(tmp_path / "x.db", must_exist=True)
    assert not list(tmp_path.iterdir())


def test_locked_database(path: Path) -> None:
    """Another program in the middle of a long write."""
    SqliteCandleStore(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with SqliteCandleStore(path, lock_timeout_s=0.05) as store:
            with pytest.raises(StorageError, match=r"^binance_data.db is locked by another prog"):
                store.save_candles(KEY, CANDLES)
            other.execute("ROLLBACK")
            assert store.save_candles(KEY, CANDLES) == 200


def test_full_disk_stores_nothing_of_an_import(path: Path) -> None:
    """Half an import would look like a market that ends there."""
    with SqliteCandleStore(path) as store:
        store.save_candles(CandleKey("file", "ETHUSDT", Timeframe.M1), CANDLES)

    result = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", IMPORT_ON_A_SMALL_DISK, str(path)],
        capture_output=True,
        text=True,
        check=True,
    )

    sentence, left = result.stdout.splitlines()
    assert sentence.startswith("binance_data.db cannot ")
    assert "disk" in sentence
    assert left == "0"
    with SqliteCandleStore(path) as store:
        assert store.list_series() == [CandleKey("file", "ETHUSDT", Timeframe.M1)]
        assert store.save_candles(KEY, MANY) == len(MANY)


def test_database_that_may_not_grow(path: Path) -> None:
    """SQLite's own answer when there is no room; afterwards the store goes on."""
    with SqliteCandleStore(path) as store:
        store._writing.execute("PRAGMA max_page_count = 60")
        with pytest.raises(StorageError, match=r"^binance_data.db cannot grow, the disk is full"):
            store.save_candles(KEY, MANY)
        assert store.list_series() == []
        assert store.save_candles(KEY, CANDLES) == 200


def test_unclosed_candle_is_refused_by_the_clock(path: Path) -> None:
    """A forming candle that was stored would never be corrected."""
    now = DEFAULT_START_MS + 200 * 60_000
    with SqliteCandleStore(path, clock=lambda: now - 1) as store:
        with pytest.raises(DataError) as caught:
            store.save_candles(KEY, CANDLES)
        assert str(caught.value) == "BTCUSDT 1m: the candle of 2024-01-01 03:19 is not closed yet"
        assert store.save_candles(KEY, CANDLES.part(0, 199)) == 199
    with SqliteCandleStore(path, clock=lambda: now) as store:
        assert store.save_candles(KEY, CANDLES) == 1
        assert store.save_candles(KEY, CANDLES.part(0, 0)) == 0


def test_progress_is_told_while_writing(path: Path) -> None:
    """A bar that jumps from nothing to the end is no progress."""
    told: list[int] = []
    with SqliteCandleStore(path) as store:
        store.save_candles(KEY, MANY, progress=told.append)

    assert told == [20_000, 40_000, 50_000]


def test_failure_in_the_middle_rolls_back(path: Path) -> None:
    """Whatever breaks, it is all or nothing."""

    def fail(done: int) -> None:
        if done > 20_000:
            raise RuntimeError("broken bar")

    with SqliteCandleStore(path) as store:
        with pytest.raises(RuntimeError, match="broken bar"):
            store.save_candles(KEY, MANY, progress=fail)
        assert len(store.load_candles(KEY)) == 0


def test_interrupted_import_stores_nothing(path: Path) -> None:
    """Ctrl-C in the middle of an import is a change of mind, not a shorter import."""
    result = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", IMPORT_THAT_IS_INTERRUPTED, str(path)],
        capture_output=True,
        text=True,
        check=True,
    )

    assert (result.stdout, result.stderr) == ("interrupted\n", "")
    with SqliteCandleStore(path) as store:
        assert store.list_series() == []


def test_reading_goes_on_while_writing(path: Path) -> None:
    """A reader sees the last commit and does not wait for the next."""
    seen: list[int] = []
    with SqliteCandleStore(path) as store:
        store.save_candles(KEY, MANY.part(0, 10))
        store.save_candles(KEY, MANY, progress=lambda _: seen.append(len(store.load_candles(KEY))))

        assert seen == [10, 10, 10]
        assert len(store.load_candles(KEY)) == len(MANY)


def test_many_threads_write_one_after_the_other(path: Path) -> None:
    """Feeds of several symbols share one store."""
    keys = [CandleKey("file", f"COIN{n}USDT", Timeframe.M1) for n in range(8)]
    new: dict[CandleKey, int] = {}
    with SqliteCandleStore(path) as store:

        def save(key: CandleKey) -> None:
            new[key] = store.save_candles(key, CANDLES)

        threads = [threading.Thread(target=save, args=(key,)) for key in keys]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert new == dict.fromkeys(keys, 200)
        assert all(store.load_candles(key).equals(CANDLES) for key in keys)


def test_summary_counts_in_order_of_timeframes(path: Path) -> None:
    """15m comes before 1h for people, though not for the alphabet."""
    times = [int(CANDLES.time[0]), int(CANDLES.time[49])]
    keys = [CandleKey("file", "BTCUSDT", Timeframe(t)) for t in ("1m", "15m", "1h", "1M")]
    with SqliteCandleStore(path) as store:
        for key in reversed(keys):
            store.save_candles(key, CANDLES.part(0, 50))

        assert store.summarise() == [SeriesSummary(key, 50, *times) for key in keys]


def test_vacuum_gives_space_back(path: Path) -> None:
    """The daily task shrinks what deletions left."""
    with SqliteCandleStore(path) as store:
        store.save_candles(KEY, MANY)
        store.save_candles(CandleKey("file", "ETHUSDT", Timeframe.M1), CANDLES)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM candles WHERE series_id = 1")
        connection.commit()
    before = path.stat().st_size

    with SqliteCandleStore(path) as store:
        store.vacuum()
        assert len(store.load_candles(CandleKey("file", "ETHUSDT", Timeframe.M1))) == 200

    assert path.stat().st_size < before / 10
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM sqlite_stat1").fetchone()[0] > 0


def test_backup_is_a_whole_database_of_its_own(path: Path, tmp_path: Path) -> None:
    """Taken while the store is open, readable without its log."""
    copy = tmp_path / "copy.db"
    with SqliteCandleStore(path) as store:
        store.save_candles(KEY, CANDLES)
        store.backup(copy)
        store.backup(copy)

    assert _pragma(copy, "integrity_check") == "ok"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["binance_data.db", "copy.db"]
    with SqliteCandleStore(copy) as store:
        assert store.load_candles(KEY).equals(CANDLES)


def test_backup_that_fails_changes_nothing(path: Path, tmp_path: Path) -> None:
    """Neither a missing folder nor a database in use is written over."""
    with SqliteCandleStore(path) as store:
        store.save_candles(KEY, CANDLES)
        with pytest.raises(StorageError, match=r"^x.db cannot be opened"):
            store.backup(tmp_path / "gone" / "x.db")
        with pytest.raises(StorageError, match=r"^binance_data.db is in use by a program"):
            store.backup(path)
        (tmp_path / "folder.db").mkdir()
        with pytest.raises(StorageError, match=r"folder.db cannot be written: Is a directory"):
            store.backup(tmp_path / "folder.db")
        assert store.load_candles(KEY).equals(CANDLES)

    assert sorted(p.name for p in tmp_path.iterdir()) == ["binance_data.db", "folder.db"]


def test_closing_twice_and_using_a_closed_store(path: Path) -> None:
    """Shutdown paths close what is closed already; anything else is told."""
    store = SqliteCandleStore(path)
    store.close()
    store.close()

    for use in (store.list_series, store.vacuum, lambda: store.backup(path)):
        with pytest.raises(StorageError, match=r"^binance_data.db has been closed$"):
            use()
    assert [p.name for p in path.parent.iterdir()] == ["binance_data.db"]
