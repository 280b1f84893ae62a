"""Whether the ledger's file has a place where it can be kept, looked at before anything starts."""

import errno
import os
import shutil
from pathlib import Path

from milobot.errors import ConfigurationError
from milobot.storage.database_url import SqliteTarget, parse_database_url

_LEAST_BYTES = 1 << 20
"""A ledger begins with less; one that fills the disk at once is of no use."""


def check_place(url: str) -> None:
    """Refuse a ledger's file that cannot be written; a server is asked later, and waited for.

    Raises:
        ConfigurationError: Its folder is missing, closed to us or full, or it is no file.
    """
    target = parse_database_url(url)
    if not isinstance(target, SqliteTarget):
        return
    if why := _why_no_way(target.path) or _why_not(target.path.resolve()):
        raise ConfigurationError(f"the ledger {target.path} cannot be kept: {why}")


def _why_no_way(path: Path) -> str:
    try:
        path.stat()
    except OSError as error:
        if error.errno == errno.ELOOP:
            return "it is a link that leads to itself: name a file in DATABASE_URL"
    return ""


def _why_not(path: Path) -> str:
    """Return what stands in the way and what to do; empty when nothing does."""
    folder = path.parent
    if not folder.is_dir():
        return f"there is no folder {folder}: make it, or set DATABASE_URL"
    if path.exists() and not path.is_file():
        what = "a folder" if path.is_dir() else "a device or a pipe"
        return f"it is {what}: name a file in DATABASE_URL"
    if not os.access(folder, os.W_OK | os.X_OK):  # beside it lie the files of its transactions
        return f"{folder} may not be written: allow it to this user, or set DATABASE_URL"
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        return "it may not be read and written: allow it to this user, or set DATABASE_URL"
    return _why_no_room(folder)


def _why_no_room(folder: Path) -> str:
    room = shutil.disk_usage(folder)
    if not room.total:
        return f"{folder} keeps no files: set DATABASE_URL"
    if room.free < _LEAST_BYTES:
        return "the disk is full: make room, then try again"
    return ""
