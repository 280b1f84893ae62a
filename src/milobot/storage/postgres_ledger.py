"""The ledger on a PostgreSQL server: a small pool that finds its way back after a restart."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import URL, Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from milobot.errors import CommitUnknownError, LedgerError
from milobot.storage.database import APPLICATION, FROZEN_MS
from milobot.storage.database_url import PostgresTarget
from milobot.storage.group_commit import LARGEST_GROUP, Job
from milobot.storage.ledger_errors import (
    TROUBLE,
    is_collision,
    is_disconnect,
    postgres_error,
)
from milobot.storage.tables import metadata

_T = TypeVar("_T")

_POOL_SIZE = 5
_TRIES = 3
_MAINTENANCE_LIMIT_S = 600.0
_CONNECT_LIMIT_S = 5.0
_LOCK_LIMIT_MS = 4_000
_READ_AGAIN = "nobody can say whether it did; the books are read again when it is back"


def make_engine(target: PostgresTarget, *, timeout_s: float = 5.0) -> AsyncEngine:
    """Return the pool of connections to a server; nothing is connected yet.

    Args:
        target: Where the database is.
        timeout_s: How long to wait for the answer to a statement.
    """
    url = URL.create(
        "postgresql+asyncpg",
        username=target.user,
        password=target.password,
        host=target.host,
        port=target.port,
        database=target.database,
    )
    limits = {
        "application_name": APPLICATION,
        "idle_in_transaction_session_timeout": str(FROZEN_MS),
        "statement_timeout": str(round(timeout_s * 2_000)),
        "lock_timeout": str(_LOCK_LIMIT_MS),
    }
    return create_async_engine(
        url,
        pool_size=_POOL_SIZE,
        max_overflow=_POOL_SIZE,
        pool_timeout=timeout_s,
        connect_args={
            "timeout": min(timeout_s, _CONNECT_LIMIT_S),
            "command_timeout": timeout_s,
            "ssl": target.sslmode,
            "server_settings": limits,
        },
    )


class PostgresDatabase:
    """A ledger on a server (``Database``); to be used in one event loop."""

    def __init__(self, target: PostgresTarget, *, timeout_s: float = 5.0) -> None:
        """Note where the server is; nothing is connected yet."""
        self._target = target
        self._engine = make_engine(target, timeout_s=timeout_s)
        self._jobs: deque[Job[Any]] = deque()
        self._turn = asyncio.Lock()

    @property
    def name(self) -> str:
        """Return what a sentence calls the database."""
        return self._target.name

    async def write(self, unit: Callable[[Connection], _T]) -> _T:
        """Run ``unit`` as one transaction; the server has it on disk when this returns.

        Units that wait at the same moment are committed together: whoever's turn it is does
        it for all of them.
        """
        done: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        self._jobs.append(Job(unit, done))
        async with self._turn:
            while self._jobs and not done.done():  # those of others who left may come before it
                jobs = [self._jobs.popleft() for _ in range(min(len(self._jobs), LARGEST_GROUP))]
                await self._commit(jobs)
        return await done

    async def write_early(self, unit: Callable[[Connection], _T], seen: Callable[[_T], None]) -> _T:
        """Run ``unit`` as one transaction; here others see it when it is on disk, not before."""
        result = await self.write(unit)
        seen(result)
        return result

    async def read(self, query: Callable[[Connection], _T]) -> _T:
        """Run ``query`` on what was committed last."""
        try:
            try:
                return await self._read_once(query)
            except DBAPIError as error:
                if not _is_stale(error):
                    raise
                return await self._read_once(query)
        except TROUBLE as error:
            raise postgres_error(self.name, error) from error

    async def maintain(self) -> None:
        """Vacuum and analyse our tables; the server does so without holding up writes."""
        engine = make_engine(self._target, timeout_s=_MAINTENANCE_LIMIT_S)
        try:
            async with engine.connect() as connection:
                bare = await connection.execution_options(isolation_level="AUTOCOMMIT")
                await bare.exec_driver_sql("SET statement_timeout = 0")
                for table in metadata.sorted_tables:
                    await bare.exec_driver_sql(f"VACUUM (ANALYZE) {table.name}")
        except TROUBLE as error:
            raise postgres_error(self.name, error) from error
        finally:
            await engine.dispose()

    async def close(self) -> None:
        """Let go of all connections."""
        await self._engine.dispose()

    async def _read_once(self, query: Callable[[Connection], _T]) -> _T:
        async with self._engine.connect() as connection:
            return await connection.run_sync(query)

    async def _commit(self, jobs: list[Job[Any]]) -> None:
        """Commit jobs together, or each alone when they cannot be; every one is answered."""
        try:
            await self._commit_or_fail(jobs)
        except asyncio.CancelledError:
            # Whoever's turn it was is gone; the others are tried by the next, or know nothing.
            self._jobs.extendleft(reversed([job for job in jobs if not job.done.done()]))
            raise

    async def _commit_or_fail(self, jobs: list[Job[Any]]) -> None:
        try:
            await self._commit_together(jobs)
        except (LedgerError, *TROUBLE) as error:
            if len(jobs) == 1 or isinstance(error, CommitUnknownError):
                for job in jobs:
                    job.fail(error)
                return
            for job in jobs:
                await self._commit_or_fail([job])

    async def _commit_together(self, jobs: list[Job[Any]]) -> None:
        """Commit jobs as one transaction, again where the first try is certainly undone."""

        def all_of_them(connection: Connection) -> list[Any]:
            return [job.unit(connection) for job in jobs]

        for attempt in range(_TRIES):
            try:
                results = await self._write_once(all_of_them, jobs)
            except TROUBLE as error:
                # An idle connection does not know that its server restarted.
                if attempt + 1 == _TRIES or not (is_collision(error) or _is_stale(error)):
                    raise postgres_error(self.name, error) from error
            else:
                for job, result in zip(jobs, results, strict=True):
                    job.succeed(result)
                return

    async def _write_once(self, unit: Callable[[Connection], _T], jobs: list[Job[Any]]) -> _T:
        def numbered(connection: Connection) -> tuple[int, _T]:
            number = connection.exec_driver_sql("SELECT txid_current()").scalar_one()
            return int(number), unit(connection)

        async with self._engine.connect() as connection:
            transaction, result = await connection.run_sync(numbered)
            try:
                await connection.commit()
            except asyncio.CancelledError:
                lost = CommitUnknownError(
                    f"{self.name} was left while it stored something: {_READ_AGAIN}"
                )
                for job in jobs:
                    job.fail(lost)
                raise
            except TROUBLE as error:
                await _abandon(connection)
                if not await self._was_committed(transaction, error):
                    raise postgres_error(self.name, error) from error
            return result

    async def _was_committed(self, transaction: int, error: BaseException) -> bool:
        """Return what became of a commit that was not answered.

        Raises:
            CommitUnknownError: The server does not say.
        """
        sentence = f"SELECT txid_status({transaction})"
        try:
            status = await self._read_once(lambda c: c.exec_driver_sql(sentence).scalar_one())
        except TROUBLE:
            status = "unanswered"
        if status == "committed":
            return True
        if status == "aborted":
            return False
        raise CommitUnknownError(
            f"{self.name} went away while it stored something: {_READ_AGAIN}"
        ) from error


def _is_stale(error: BaseException) -> bool:
    return isinstance(error, DBAPIError) and is_disconnect(error)


async def _abandon(connection: AsyncConnection) -> None:
    try:
        await connection.invalidate()
    except TROUBLE:  # it is gone already
        return
