"""Turns what a database driver says into one sentence: what, where, what to do next."""

import re
import sqlite3

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from milobot.errors import LedgerError, LedgerUnavailableError
from milobot.storage.sqlite import reason_of

TROUBLE = (DBAPIError, PoolTimeoutError, OSError, TimeoutError)
"""What SQLAlchemy and asyncpg raise when the server or the way to it is not well."""

_WAITING_HELPS = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
    }
)
_PRIMARY_CODE = 0xFF
_AWAY = "is away: start it or look at DATABASE_URL; orders that rest at the exchange stay"
# By SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html
_SENTENCES = {
    "28P01": "refuses the user or the password: correct DATABASE_URL",
    "28000": "refuses the user or the password: correct DATABASE_URL",
    "3D000": "has no database of this name: create it or correct DATABASE_URL",
    "42501": "does not allow this to the user: make it the owner of the tables",
    "42P01": "lacks a table: run `alembic upgrade head`",
    "42703": "lacks a column: run `alembic upgrade head`, or put a backup in its place",
}
_PASSING_SENTENCES = {
    "25006": "is read-only: name the primary server in DATABASE_URL",
    "40001": "is busy: two programs changed the same row; try again",
    "40P01": "is busy: two programs waited for each other; try again",
    "53100": "cannot grow, the disk is full: make room, then try again",
    "53300": "has no connection left: end other programs or raise max_connections",
    "55P03": "is locked by another program: wait for it or end it, then try again",
    "57014": "took too long: look for a program that locks it, then try again",
}
_AWAY_STATES = ("08", "57P")
_RESTORE = (
    "somebody or another program changed it: put a backup in its place, or name another database in"
    " DATABASE_URL"
)
# SQLite has one code for all of these, and tells them apart by its words alone.
_CHANGED = (
    (re.compile(r"no such table: (?:main\.)?(\S+)"), "lacks the table {}"),
    (re.compile(r"no such column: (\S+)"), "lacks the column {}"),
    (re.compile(r"table (\S+ has no column named \S+)"), "is not whole ({})"),
    (re.compile(r"Could not decode to UTF-8 column '(\w+)'"), "has in column {} what is no text"),
)


def sqlite_error(name: str, error: BaseException) -> LedgerError:
    """Return the sentence for an error of SQLite about the file ``name``."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(cause, "sqlite_errorcode", 0) & _PRIMARY_CODE
    kind = LedgerUnavailableError if code in _WAITING_HELPS else LedgerError
    return kind(f"{name} {_changed(str(cause)) or reason_of(cause)}")


def _changed(said: str) -> str:
    """Return what of a file is not as milobot made it, and what to do; empty for other errors."""
    for pattern, sentence in _CHANGED:
        if found := pattern.search(said):
            return f"{sentence.format(found[1])}; {_RESTORE}"
    return ""


def postgres_error(name: str, error: BaseException) -> LedgerError:
    """Return the sentence for an error of PostgreSQL or of the way to it."""
    if isinstance(error, (TimeoutError, PoolTimeoutError)):
        return LedgerUnavailableError(f"{name} does not answer: look at the server and its load")
    state = _sqlstate(error)
    if state in _SENTENCES:
        return LedgerError(f"{name} {_SENTENCES[state]}")
    if state in _PASSING_SENTENCES:
        return LedgerUnavailableError(f"{name} {_PASSING_SENTENCES[state]}")
    if is_disconnect(error):
        return LedgerUnavailableError(f"{name} {_AWAY}")
    cause = error.orig if isinstance(error, DBAPIError) else error
    first_line = str(cause).strip().partition("\n")[0]
    return LedgerError(f"{name} failed: {first_line}")


def is_disconnect(error: BaseException) -> bool:
    """Return whether the connection to PostgreSQL is gone or could not be made."""
    if isinstance(error, OSError):  # refused, unreachable, timed out
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return _sqlstate(error).startswith(_AWAY_STATES)


def is_collision(error: BaseException) -> bool:
    """Return whether PostgreSQL undid a transaction for the sake of another: run it again."""
    return _sqlstate(error) in {"40001", "40P01"}


def _sqlstate(error: BaseException | None) -> str:
    while error is not None:
        state = getattr(error, "sqlstate", None)
        if state:
            return str(state)
        error = error.orig if isinstance(error, DBAPIError) else error.__cause__
    return ""
