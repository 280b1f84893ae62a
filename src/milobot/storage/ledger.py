"""The ledger: where everything that must survive is kept, on SQLite or PostgreSQL."""

import asyncio
from collections.abc import Callable
from typing import Self, TypeVar

from sqlalchemy import Connection

from milobot.errors import LedgerError
from milobot.ports import Clock
from milobot.storage.database import Database
from milobot.storage.database_url import (
    DEFAULT_DATABASE_URL,
    PostgresTarget,
    SqliteTarget,
    parse_database_url,
)
from milobot.storage.journal import LedgerJournal
from milobot.storage.leases import Lease
from milobot.storage.schema import bring_up_to_date, check_schema
from milobot.storage.sqlite_ledger import SqliteDatabase

_T = TypeVar("_T")


class Ledger:
    """An open database whose tables are those of this version."""

    def __init__(self, database: Database) -> None:
        """Use an open database; ``open_ledger`` finds and checks one."""
        self._database = database

    @property
    def database(self) -> Database:
        """Return the database below."""
        return self._database

    def journal(self, account: str, lease: Lease | None = None) -> LedgerJournal:
        """Return the journal of an account, which writes while ``lease`` is ours."""
        return LedgerJournal(self._database, account, lease)

    def lease(self, account: str, holder: str, clock: Clock) -> Lease:
        """Return the lease on an account, not taken yet."""
        return Lease(self._database, clock, name=lease_name(account), holder=holder)

    async def read(self, query: Callable[[Connection], _T]) -> _T:
        """Run a query, such as those of ``storage.queries``."""
        return await self._database.read(query)

    async def write(self, unit: Callable[[Connection], _T]) -> _T:
        """Run a unit of work as one transaction, such as those of ``storage.commands``."""
        return await self._database.write(unit)

    async def write_early(self, unit: Callable[[Connection], _T], seen: Callable[[_T], None]) -> _T:
        """As ``write``; ``seen`` hears what came out as soon as others see it (``Database``)."""
        return await self._database.write_early(unit, seen)

    async def close(self) -> None:
        """Finish what was asked for and let go of the database."""
        await self._database.close()

    async def __aenter__(self) -> Self:
        """Return the ledger itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the ledger."""
        await self.close()


def lease_name(account: str) -> str:
    """Return the name of the lease on an account."""
    return f"account {account}"


async def open_ledger(url: str = DEFAULT_DATABASE_URL, *, may_begin: bool = True) -> Ledger:
    """Open the ledger that ``DATABASE_URL`` names.

    A SQLite file is made, or brought to this version. A server's tables are its owner's
    business: the error names the command.

    Args:
        url: ``DATABASE_URL``.
        may_begin: Begin a new ledger in a SQLite file that holds none.

    Raises:
        ConfigurationError: The URL is none, or leads elsewhere in plain text.
        SchemaTooOldError: The server's tables have to be migrated first.
        SchemaTooNewError: A newer milobot was here.
        LedgerUnavailableError: The database is locked or away: try again.
        LedgerError: It cannot be used.
    """
    match parse_database_url(url):
        case SqliteTarget(path):
            database = await asyncio.to_thread(SqliteDatabase, path)
            try:
                await asyncio.to_thread(bring_up_to_date, path, may_begin=may_begin)
            except BaseException:
                await database.close()
                raise
            return Ledger(database)
        case PostgresTarget() as target:  # pragma: no branch - there is no third kind
            return await _open_on_server(target)


async def _open_on_server(target: PostgresTarget) -> Ledger:
    # 0.1 s and 8 MB of the asynchronous half of SQLAlchemy that a file does not need.
    from milobot.storage.postgres_ledger import PostgresDatabase  # noqa: PLC0415 - asyncio and asyncpg are for servers only

    database = PostgresDatabase(target)
    try:
        await database.read(lambda connection: check_schema(connection, database.name))
    except LedgerError:
        await database.close()
        raise
    return Ledger(database)
