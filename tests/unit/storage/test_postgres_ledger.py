"""The ledger on a server in trouble: restarted, away, frozen, locked, cut off in a commit."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import TypeVar

import pytest
from sqlalchemy import Connection, text
from tests.support.own_postgres import OwnServer, own_server
from tests.support.postgres import fresh_database, ledger_template, run_statement
from tests.support.records import DECISION, INTENT, ORDER, SLOT
from tests.support.servers import Server
from tests.support.virtual_time import VirtualTime

from milobot.errors import (
    CommitUnknownError,
    DuplicateIntentError,
    LeaseLostError,
    LedgerError,
    LedgerUnavailableError,
)
from milobot.storage.account_records import save_cursor
from milobot.storage.database_url import PostgresTarget, parse_database_url
from milobot.storage.leases import TTL_MS, require_lease
from milobot.storage.ledger import Ledger, open_ledger
from milobot.storage.postgres_ledger import PostgresDatabase

_T = TypeVar("_T")


@pytest.fixture(scope="module")
def server() -> Iterator[OwnServer]:
    """Give a server that tests may end and start again."""
    with own_server() as running:
        yield running


@pytest.fixture(scope="module")
def template(server: OwnServer) -> Iterator[str]:
    """Give the name of a database there that has the tables of the ledger."""
    with ledger_template(Server(server.url)) as name:
        yield name


@pytest.fixture
def url(server: OwnServer, template: str) -> Iterator[str]:
    """Give the URL of an empty ledger there."""
    with fresh_database(Server(server.url), template=template) as made:
        yield made


@pytest.fixture
async def ledger(url: str) -> AsyncIterator[Ledger]:
    """Give an empty ledger there that does not wait for long."""
    database = PostgresDatabase(target_of(url), timeout_s=1.0)
    yield Ledger(database)
    await database.close()


@pytest.fixture
async def shared(ledger_on_postgres: str) -> AsyncIterator[Ledger]:
    """Give an empty ledger on the server of all tests."""
    async with await open_ledger(ledger_on_postgres) as opened:
        yield opened


def target_of(url: str) -> PostgresTarget:
    """Return the server that a URL names."""
    target = parse_database_url(url)
    assert isinstance(target, PostgresTarget)
    return target


async def test_a_restart_in_between_goes_unnoticed(server: OwnServer, ledger: Ledger) -> None:
    """Connections that waited in the pool are dead; the next commit finds that out and repeats."""
    journal = ledger.journal("a")
    await journal.commit(ORDER)

    server.stop()
    server.start()

    await journal.commit(SLOT)
    server.stop()
    server.start()
    assert (await journal.load()).orders == (ORDER,)


async def test_a_server_that_is_away_is_told_and_found_again(
    server: OwnServer, ledger: Ledger
) -> None:
    """Trading pauses and protection stays; nothing has to be started anew."""
    journal = ledger.journal("a")
    server.stop()

    with pytest.raises(LedgerUnavailableError, match=r"PostgreSQL at 127.0.0.1:\d+ is away: start"):
        await journal.commit(ORDER)
    with pytest.raises(LedgerUnavailableError, match="is away"):
        await journal.load()

    server.start()
    await journal.commit(ORDER)
    assert (await journal.load()).orders == (ORDER,)


async def test_a_frozen_server_does_not_hold_us_up(server: OwnServer, ledger: Ledger) -> None:
    """A server that swaps itself to death takes connections and never answers."""
    journal = ledger.journal("a")
    await journal.commit(ORDER)

    with server.frozen(), pytest.raises(LedgerUnavailableError, match="does not answer"):
        await journal.commit(replace(ORDER, client_order_id="other"))

    await journal.commit(SLOT)
    assert [o.client_order_id for o in (await journal.load()).orders] == [ORDER.client_order_id]


async def test_a_cut_inside_a_transaction_undoes_and_repeats_it(shared: Ledger) -> None:
    """The server ended our connection half way: all of the unit is done once, or nothing."""
    tries: list[int] = []

    def cut_off_once(connection: Connection) -> None:
        tries.append(1)
        connection.execute(text("INSERT INTO cursors VALUES ('c', '1', 1)"))
        if len(tries) == 1:
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    await shared.write(cut_off_once)

    count = text("SELECT count(*) FROM cursors")
    assert await shared.read(lambda c: c.execute(count).scalar()) == 1
    assert len(tries) == 2


class CutAtCommit(PostgresDatabase):
    """A database whose connection breaks when a commit was sent, before or after it took effect."""

    def __init__(self, target: PostgresTarget, *, took_effect: bool, is_away: bool = False) -> None:
        """Break the first commit; ``is_away``: nobody answers afterwards."""
        super().__init__(target)
        self._took_effect = took_effect
        self._is_away = is_away

    async def _read_once(self, query: Callable[[Connection], _T]) -> _T:
        if self._is_away:
            raise ConnectionRefusedError
        return await super()._read_once(query)

    async def write_and_lose_the_answer(self) -> None:
        """Commit a decision over a connection that breaks while the answer is on its way."""

        def unit(connection: Connection) -> None:
            connection.execute(text("INSERT INTO cursors VALUES ('c', '1', 1)"))
            end = connection.commit if self._took_effect else connection.rollback

            def broken() -> None:
                end()
                raise ConnectionResetError("cut")

            connection.commit = broken  # type: ignore[method-assign]  # the connection breaks here

        await self.write(unit)


@pytest.mark.parametrize("took_effect", [True, False])
async def test_a_commit_whose_answer_was_lost_is_looked_up(
    ledger_on_postgres: str, *, took_effect: bool
) -> None:
    """The server knows what became of a transaction: nobody has to guess, nothing is doubled."""
    database = CutAtCommit(target_of(ledger_on_postgres), took_effect=took_effect)

    if took_effect:
        await database.write_and_lose_the_answer()
    else:
        with pytest.raises(LedgerUnavailableError, match="is away"):
            await database.write_and_lose_the_answer()

    count = text("SELECT count(*) FROM cursors")
    assert await database.read(lambda c: c.execute(count).scalar()) == int(took_effect)
    await database.close()


async def test_a_commit_that_cannot_be_looked_up_says_so(ledger_on_postgres: str) -> None:
    """Whoever asked must read the books before going on."""
    database = CutAtCommit(target_of(ledger_on_postgres), took_effect=True, is_away=True)

    with pytest.raises(CommitUnknownError, match="nobody can say whether it did"):
        await database.write_and_lose_the_answer()

    await database.close()


async def test_a_locked_table_is_told_and_forgotten(url: str, ledger: Ledger) -> None:
    """Somebody migrates or looks into it with a lock: the commit fails, the next one works."""
    other = PostgresDatabase(target_of(url))
    held, release = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with other._engine.begin() as connection:
            await connection.execute(text("LOCK TABLE orders"))
            held.set()
            await release.wait()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(hold())
        await held.wait()
        with pytest.raises(LedgerUnavailableError, match=r"does not answer|is locked"):
            await ledger.journal("a").commit(ORDER)
        release.set()

    await ledger.journal("a").commit(ORDER)
    await other.close()


async def test_a_takeover_waits_for_the_commit_of_the_one_before(shared: Ledger) -> None:
    """Whoever reads the books after a takeover must see everything that was let through before."""
    clock = VirtualTime(1_000)
    first, second = shared.lease("a", "one", clock), shared.lease("a", "two", clock)
    await first.take()
    clock.step(TTL_MS + 1)
    order: list[str] = []

    def slow(connection: Connection) -> None:
        require_lease(connection, first)
        connection.execute(text("SELECT pg_sleep(0.5)"))

    async def commit() -> None:
        await shared.write(slow)
        order.append("committed")

    async def take_over() -> None:
        await asyncio.sleep(0.2)
        assert await second.take()
        order.append("taken over")

    await asyncio.gather(commit(), take_over())

    assert order == ["committed", "taken over"]
    with pytest.raises(LeaseLostError):
        await shared.write(slow)


async def test_a_frozen_transaction_of_another_is_ended(shared: Ledger) -> None:
    """A process stopped inside a commit must not keep its lease row locked for minutes."""
    limit = text("SHOW idle_in_transaction_session_timeout")

    assert await shared.read(lambda c: c.execute(limit).scalar()) == "2s"


async def test_many_commit_at_once_and_one_of_them_fails(shared: Ledger) -> None:
    """As on SQLite: a failure is its own."""
    journal = shared.journal("a")
    keys = [f"k{n}" for n in range(12)] + ["k3"]

    results = await asyncio.gather(
        *(journal.commit(replace(INTENT, key=k), replace(DECISION, intent_key=k)) for k in keys),
        return_exceptions=True,
    )

    assert [type(r) for r in results if r is not None] == [DuplicateIntentError]


async def test_two_that_wait_for_each_other_are_sorted_out(shared: Ledger) -> None:
    """The server ends one of them; it is repeated and nobody notices."""
    for name in ("a", "b"):
        await shared.write(partial(set_cursors, names=[name]))
    await asyncio.gather(
        *(shared.write(partial(set_cursors, names=names)) for names in ("ab", "ba"))
    )

    count = text("SELECT count(*) FROM cursors")
    assert await shared.read(lambda c: c.execute(count).scalar()) == 2


def set_cursors(connection: Connection, names: Iterable[str]) -> None:
    """Change rows in a given order, slowly."""
    for name in names:
        save_cursor(connection, name, "x", now_ms=1)
        connection.execute(text("SELECT pg_sleep(0.02)"))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"database": "nobodys"}, "has no database of this name: create it"),
        ({"user": "nobody_at_all"}, "refuses the user or the password"),
        ({"port": 1}, "is away: start it or look at DATABASE_URL"),
    ],
)
async def test_a_wrong_address_is_one_sentence(
    ledger_on_postgres: str, change: dict[str, object], sentence: str
) -> None:
    """What is wrong and what to do, without a traceback of the driver."""
    target = replace(target_of(ledger_on_postgres), **change)  # type: ignore[arg-type]  # one field by its name
    database = PostgresDatabase(target, timeout_s=2.0)

    with pytest.raises(LedgerError, match=sentence) as caught:
        await database.read(lambda c: c.execute(text("SELECT 1")).scalar())

    assert "\n" not in str(caught.value)
    await database.close()


def test_a_database_that_may_only_be_read_is_told(ledger_on_postgres: str) -> None:
    """Such as a standby that somebody named by mistake."""
    name = ledger_on_postgres.rpartition("/")[2]
    run_statement(
        ledger_on_postgres, f"ALTER DATABASE {name} SET default_transaction_read_only = on"
    )

    async def commit() -> None:
        async with await open_ledger(ledger_on_postgres) as ledger:
            await ledger.journal("a").commit(ORDER)

    with pytest.raises(LedgerUnavailableError, match="is read-only: name the primary server"):
        asyncio.run(commit())


async def test_maintenance_runs_on_a_server(shared: Ledger) -> None:
    """Vacuum cannot run inside a transaction; nobody is held up by it."""
    await shared.journal("a").commit(ORDER)

    await shared.database.maintain()

    assert (await shared.journal("a").load()).orders == (ORDER,)


async def test_one_unit_that_fails_does_not_fail_those_beside_it(ledger: Ledger) -> None:
    """Units of several symbols are committed together: one trouble must not spread."""

    def fail(connection: Connection) -> None:
        save_cursor(connection, "failed", "1", now_ms=0)
        raise LedgerError("this unit says no")

    def keep(name: str) -> Callable[[Connection], None]:
        return lambda connection: save_cursor(connection, name, "1", now_ms=0)

    results = await asyncio.gather(
        *(ledger.write(unit) for unit in (keep("a"), fail, keep("b"))), return_exceptions=True
    )

    names = text("SELECT name FROM cursors ORDER BY name")
    assert await ledger.read(lambda c: c.execute(names).scalars().all()) == ["a", "b"]
    assert [str(r) if r else None for r in results] == [None, "this unit says no", None]


async def test_a_writer_that_is_cancelled_leaves_the_others_their_turn(ledger: Ledger) -> None:
    """Whoever commits for all may be stopped: nobody else may wait for ever."""
    async with asyncio.TaskGroup() as tasks:
        writes = [
            tasks.create_task(ledger.write(partial(save_cursor, name=name, position="1", now_ms=0)))
            for name in "abcdef"
        ]
        await asyncio.sleep(0)
        writes[0].cancel()

    names = text("SELECT name FROM cursors ORDER BY name")
    stored = await ledger.read(lambda c: c.execute(names).scalars().all())
    assert set(stored) >= set("bcdef")


async def test_a_writer_cancelled_while_units_are_tried_one_by_one_loses_none(
    ledger: Ledger,
) -> None:
    """One unit fails, so each is tried alone; whoever did it for all has no time left meanwhile."""
    writes: list[asyncio.Task[BaseException | None]] = []
    tries: list[int] = []

    def stop_the_writer(_: Connection) -> None:
        tries.append(1)
        if len(tries) == 2:  # not with the others any more
            writes[1].cancel()

    def fail(_: Connection) -> None:
        raise LedgerError("this unit says no")

    def keep(connection: Connection) -> None:
        save_cursor(connection, "kept", "1", now_ms=0)

    async def write(unit: Callable[[Connection], None]) -> BaseException | None:
        try:
            await ledger.write(unit)
        except (LedgerError, asyncio.CancelledError) as error:
            return error
        return None

    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        # The first takes its turn at once; the next one's turn is for all that wait by then.
        units = (lambda _: None, stop_the_writer, fail, keep)
        writes.extend(tasks.create_task(write(unit)) for unit in units)

    ends = [type(task.result()) for task in writes]
    assert ends == [type(None), asyncio.CancelledError, LedgerError, type(None)]
    names = text("SELECT name FROM cursors")
    assert await ledger.read(lambda c: c.execute(names).scalars().all()) == ["kept"]
