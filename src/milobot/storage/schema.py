"""Versions of the ledger's schema: which there are, which a database has, how it gets newer."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from milobot.errors import LedgerError, SchemaTooNewError, SchemaTooOldError
from milobot.storage.database_url import PostgresTarget, SqliteTarget, Target
from milobot.storage.ledger_errors import TROUBLE, postgres_error, sqlite_error
from milobot.storage.sqlite import transaction
from milobot.storage.sqlite_ledger import connect_sqlite, driver_of
from milobot.storage.tables import metadata

REVISIONS = ("0001", "0002", "0003")
"""Every version, oldest first, as the scripts in ``migrations/versions`` name themselves."""

_VERSION_TABLE = "alembic_version"
_MIGRATIONS = "milobot.storage:migrations"
# As Alembic makes it.
_versions = sa.Table(
    _VERSION_TABLE,
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
# Any number, as long as two migrations at the same time use the same.
_MIGRATION_LOCK = 6_423_001
_MIGRATION_LIMIT_S = 600.0


def read_revision(connection: Connection) -> str | None:
    """Return the version of the schema; None when there is none."""
    if not sa.inspect(connection).has_table(_VERSION_TABLE):
        return None
    found: str | None = connection.execute(
        sa.text(f"SELECT version_num FROM {_VERSION_TABLE}")  # noqa: S608 - a constant
    ).scalar()
    return found


def check_schema(connection: Connection, name: str) -> None:
    """Make sure that the tables are those of this version.

    Raises:
        SchemaTooOldError: There are none, or older ones; the sentence names the command.
        SchemaTooNewError: A newer milobot made them.
    """
    revision = read_revision(connection)
    if revision == REVISIONS[-1]:
        return
    if revision is None:
        raise SchemaTooOldError(
            f"{name} has no tables of the ledger yet: run `alembic upgrade head`"
        )
    if revision in REVISIONS:
        raise SchemaTooOldError(
            f"{name} has tables of version {revision} and {REVISIONS[-1]} is needed:"
            " run `alembic upgrade head`"
        )
    raise SchemaTooNewError(
        f"{name} has tables of version {revision} and this milobot knows versions up to"
        f" {REVISIONS[-1]}: update milobot or name another database in DATABASE_URL"
    )


def bring_up_to_date(path: Path, *, may_begin: bool = True) -> None:
    """Make the tables of a SQLite ledger, or bring older ones to this version.

    Args:
        path: The file.
        may_begin: Make the tables where there are none at all; else that is an error.

    Raises:
        SchemaTooOldError: There are no tables, and none may be made.
        SchemaTooNewError: A newer milobot made them.
        LedgerError: The file is another program's.
    """
    connection = connect_sqlite(path)
    try:
        connection.begin()  # so that Alembic leaves the end of the transaction to us
        with transaction(driver_of(connection)):  # two programs starting at once take turns
            revision = read_revision(connection)
            if revision is None:
                _make_tables(connection, path.name, may_begin=may_begin)
            elif revision in REVISIONS[:-1]:
                upgrade(connection)
            check_schema(connection, path.name)
    except (sqlite3.Error, DBAPIError) as error:
        raise sqlite_error(path.name, error) from error
    finally:
        connection.close()


def _make_tables(connection: Connection, name: str, *, may_begin: bool) -> None:
    """Make all tables at once, as the migrations would; those cost 0.2 s and 9 MB to load."""
    found = set(sa.inspect(connection).get_table_names())
    if found - {_VERSION_TABLE}:
        raise LedgerError(
            f"{name} is a database of another program: name another file in DATABASE_URL"
        )
    if not may_begin:
        raise SchemaTooOldError(
            f"{name} is there, but holds no ledger yet: milobot run makes it when it trades; put a"
            " backup in its place if there was one"
        )
    if found:  # what `alembic downgrade base` leaves
        upgrade(connection)
        return
    metadata.create_all(connection)
    _versions.create(connection)
    connection.execute(_versions.insert().values(version_num=REVISIONS[-1]))


def run_on(target: Target, work: Callable[[Connection], None]) -> None:
    """Run ``work`` as one transaction on a database, alone; what ``alembic`` is given.

    Raises:
        LedgerError: The database cannot be used; nothing was changed.
    """
    try:
        if isinstance(target, SqliteTarget):
            _run_on_file(target.path, work)
        else:
            asyncio.run(_run_on_server(target, work))
    except sqlite3.Error as error:
        raise sqlite_error(target.name, error) from error
    except TROUBLE as error:
        is_file = isinstance(target, SqliteTarget)
        translated = (sqlite_error if is_file else postgres_error)(target.name, error)
        raise translated from error


def _run_on_file(path: Path, work: Callable[[Connection], None]) -> None:
    connection = connect_sqlite(path)
    try:
        connection.begin()  # so that Alembic leaves the end of the transaction to us
        with transaction(driver_of(connection)):
            work(connection)
    finally:
        connection.close()


async def _run_on_server(target: PostgresTarget, work: Callable[[Connection], None]) -> None:
    # What a file does not need: see open_ledger.
    from milobot.storage.postgres_ledger import make_engine  # noqa: PLC0415 - as above, for servers only

    def alone(connection: Connection) -> None:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
        work(connection)

    engine = make_engine(target, timeout_s=_MIGRATION_LIMIT_S)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(alone)
    finally:
        await engine.dispose()


def upgrade(connection: Connection) -> None:
    """Bring the tables to this version, within the transaction of the caller."""
    from alembic import command  # noqa: PLC0415 - most starts need none of it
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", _MIGRATIONS)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
