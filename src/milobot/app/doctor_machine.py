"""What the doctor looks at on this machine: database, disk, scripts, chart, keys, server, profiles."""

import asyncio
import os
import shutil
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from pathlib import Path

from milobot.app.doctor import Check, Finding, Verdict
from milobot.app.profiles import load_profiles
from milobot.app.web_access import access_rules
from milobot.errors import ConfigurationError, StorageError
from milobot.exchanges.hosts import is_loopback
from milobot.scripting.lock_levels import Level
from milobot.scripting.process import WorkerProcess
from milobot.settings import EXCHANGES, Settings
from milobot.storage.candle_schema import MIGRATIONS
from milobot.storage.keystore import check_form
from milobot.storage.private_file import PrivateFile
from milobot.storage.sqlite import as_storage_errors, connect
from milobot.web.app import STATIC
from milobot.web_settings import WebSettings

_START_S = 10.0
_LOCK_S = 1.0
_MEBI = 1024 * 1024
_LITTLE_BYTES, _TOO_LITTLE_BYTES = 2048 * _MEBI, 256 * _MEBI


def machine_checks(settings: Settings, faulty: Collection[str] = frozenset()) -> Sequence[Check]:
    """Return the checks that need no network.

    Args:
        settings: Where to look.
        faulty: Fields that have their default in place of what was meant: the server is not judged
            by them.
    """
    database = settings.candle_database
    checks = (
        Check("database", _blocking(lambda: look_at_database(database))),
        Check("disk", _blocking(lambda: look_at_disk(database.absolute().parent))),
        Check(
            "script isolation",
            _blocking(look_at_isolation),
            "install milobot anew in this Python, with TA-Lib",
        ),
        Check("chart", _blocking(lambda: look_at_chart(STATIC))),
        Check("keys file", _blocking(lambda: look_at_keys(settings.keys_file))),
        Check("server", _blocking(lambda: look_at_server(settings))),
        Check("profiles", _blocking(lambda: look_at_profiles(settings.signal_profiles))),
    )
    is_known = WebSettings.model_fields.keys().isdisjoint(faulty)
    return checks if is_known else tuple(one for one in checks if one.subject != "server")


def look_at_database(path: Path) -> Finding:
    """Find out whether the candle database is there, of our version, and may be written."""
    if not path.exists():
        folder = path.absolute().parent
        if not os.access(folder, os.W_OK):
            return Finding(
                Verdict.FAIL,
                "database",
                f"{path.name} is not there and {folder.name or 'its folder'} may not be written",
                "allow writing to the folder, or set CANDLE_DATABASE",
            )
        return Finding(Verdict.OK, "database", f"{path.name} is made when candles are stored")
    with as_storage_errors(path), closing(connect(path, lock_timeout_s=_LOCK_S)) as connection:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version > len(MIGRATIONS):
            raise StorageError(
                f"{path.name} is of version {version}, this milobot knows {len(MIGRATIONS)}:"
                " update milobot or name another file"
            )
        if version == 0 and connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            raise StorageError(f"{path.name} is a database of another program: name another file")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    size = path.stat().st_size / _MEBI
    return Finding(Verdict.OK, "database", f"{path.name}, version {version}, {size:.1f} MiB")


def look_at_disk(folder: Path) -> Finding:
    """Find out whether there is room where the database grows."""
    there = next(one for one in (folder, *folder.parents) if one.exists())
    return judge_room(shutil.disk_usage(there).free)


def judge_room(free_bytes: int) -> Finding:
    """Say whether so much room is enough."""
    fact = f"{free_bytes / _MEBI / 1024:.1f} GiB are free"
    if free_bytes < _TOO_LITTLE_BYTES:
        return Finding(Verdict.FAIL, "disk", fact, "make room: a full disk stops the bot")
    if free_bytes < _LITTLE_BYTES:
        return Finding(Verdict.WARN, "disk", fact, "make room: candles and logs will fill it")
    return Finding(Verdict.OK, "disk", fact)


def look_at_isolation() -> Finding:
    """Start a worker for scripts and hear how well it is locked in."""
    worker = WorkerProcess(_START_S)
    report = worker.report
    worker.end()
    if report.level is Level.FULL:
        return Finding(Verdict.OK, "script isolation", "full")
    return Finding(
        Verdict.WARN if report.level is Level.PARTIAL else Verdict.FAIL,
        "script isolation",
        report.describe(),
        "live trading needs full: Linux 5.13 or newer, seccomp and landlock allowed in containers",
    )


def look_at_chart(static: Path) -> Finding:
    """Find out whether the page can draw charts."""
    if (static / "vendor" / "lightweight-charts.js").is_file():
        return Finding(Verdict.OK, "chart", "the chart library is there")
    npm = "npm is there" if shutil.which("npm") else "npm is missing, too"
    return Finding(
        Verdict.WARN,
        "chart",
        f"the chart library is missing, the page shows tables; {npm}",
        "install Node.js with npm, then milobot anew",
    )


def look_at_keys(path: Path) -> Finding:
    """Look at the form of the file of keys; it is not opened."""
    file = PrivateFile(path)
    if not file.is_there:
        return Finding(Verdict.OK, "keys file", f"there is no {path.name}")
    if check_form(file) == "plain":
        return Finding(
            Verdict.WARN,
            "keys file",
            f"{path.name} holds its key and password in the open",
            "`milobot keys show` encrypts it in place",
        )
    return Finding(Verdict.OK, "keys file", f"{path.name} is encrypted and its owner's only")


def look_at_server(settings: Settings) -> Finding:
    """Find out whether strangers could give orders; with real money `milobot run` refuses that.

    Which exchanges are traded is known of those alone whose key is set; others may have one in the
    file of keys.
    """
    real = [settings.venue(name) for name in EXCHANGES if settings.trading_enabled]
    real = [venue for venue in real if not venue.is_play_money]
    rules = access_rules(settings, is_real_money=any(venue.api_key for venue in real))
    to_whom = "this machine" if is_loopback(rules.listen) else "others"
    token = "with a token" if rules.token else "without a token"
    fact = f"{rules.listen} answers {to_whom}, {token}"
    try:
        access_rules(settings, is_real_money=bool(real))
    except ConfigurationError:
        names = " and ".join(venue.name for venue in real)
        return Finding(
            Verdict.WARN,
            "server",
            f"{fact}: milobot run does not start so with real money at {names}",
            "set API_TOKEN, or API_OPEN=false and LISTEN=127.0.0.1, before you trade there",
        )
    return Finding(Verdict.OK, "server", fact)


def look_at_profiles(folder: Path) -> Finding:
    """Read the channels' profiles."""
    count = len(load_profiles(folder).by_name)
    return Finding(Verdict.OK, "profiles", f"{count} in {folder}")


def _blocking(look: Callable[[], Finding]) -> Callable[[], "asyncio.Future[Finding]"]:
    return lambda: asyncio.get_running_loop().run_in_executor(None, look)
