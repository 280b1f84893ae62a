"""Versions of the schema: made, undone, compared, refused."""

import asyncio
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from tests.support.process import ROOT, run_alembic

from milobot.errors import ConfigurationError, LedgerError, SchemaTooNewError, SchemaTooOldError
from milobot.storage.database_url import parse_database_url
from milobot.storage.ledger import open_ledger
from milobot.storage.schema import REVISIONS, run_on
from milobot.storage.tables import metadata


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of a database without any table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/milobot.db"
    on_server: str = request.getfixturevalue("postgres_url")
    return on_server


def tables_of(url: str) -> set[str]:
    """Return the names of the tables that are there."""
    found: set[str] = set()
    run_on(parse_database_url(url), lambda c: found.update(sa.inspect(c).get_table_names()))
    return found - {"sqlite_sequence"}


def statements_of(path: Path) -> list[tuple[str, list[str]]]:
    """Return what makes each table and index of a file, by name, its clauses sorted."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql NOT NULL")
        return sorted((name, sorted(re.split(r"[\s,]+", sql))) for name, sql in rows)


def set_revision(url: str, revision: str) -> None:
    """Pretend that another version made the tables."""
    statement = sa.text("UPDATE alembic_version SET version_num = :revision")
    run_on(
        parse_database_url(url),
        lambda connection: connection.execute(statement, {"revision": revision}).close(),
    )


def test_upgrade_and_downgrade_lead_there_and_back(empty_url: str) -> None:
    """`alembic upgrade head` from the root is what the documents and the container say."""
    up = run_alembic(empty_url, "upgrade", "head")
    assert up.code == 0, up.err
    assert tables_of(empty_url) == set(metadata.tables) | {"alembic_version"}

    down = run_alembic(empty_url, "downgrade", "base")
    assert down.code == 0, down.err
    assert tables_of(empty_url) == {"alembic_version"}

    assert run_alembic(empty_url, "upgrade", "head").code == 0


def test_the_migrations_make_what_the_code_says(empty_url: str) -> None:
    """No difference between the tables in the code and those that the migrations make."""
    run_alembic(empty_url, "upgrade", "head")
    found: list[object] = []

    def compare(connection: sa.Connection) -> None:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found.extend(compare_metadata(context, metadata))

    run_on(parse_database_url(empty_url), compare)

    assert found == []


async def test_a_new_file_has_what_the_migrations_make(tmp_path: Path) -> None:
    """It is made without them: it must not differ from one that was migrated."""
    made, migrated = (tmp_path / "made.db", tmp_path / "migrated.db")
    async with await open_ledger(f"sqlite:///{made}"):
        pass
    run_alembic(f"sqlite:///{migrated}", "upgrade", "head")

    assert statements_of(made) == statements_of(migrated)
    assert "alembic_version" in dict(statements_of(made))


async def test_a_file_without_any_version_is_migrated(tmp_path: Path) -> None:
    """It is what `alembic downgrade base` leaves, and is no other program's."""
    path = tmp_path / "milobot.db"
    run_alembic(f"sqlite:///{path}", "upgrade", "head")
    before = statements_of(path)
    run_alembic(f"sqlite:///{path}", "downgrade", "base")
    assert len(statements_of(path)) < len(before)

    async with await open_ledger(f"sqlite:///{path}"):
        pass

    assert statements_of(path) == before


def test_the_versions_in_the_code_are_those_of_the_scripts() -> None:
    """A start compares with the list in the code, which saves it from loading the scripts."""
    scripts = ScriptDirectory.from_config(Config(str(ROOT / "alembic.ini")))

    assert [s.revision for s in scripts.walk_revisions()][::-1] == list(REVISIONS)


def test_statements_can_be_printed_for_a_database_administrator() -> None:
    """Some must show what will be run before it is."""
    printed = run_alembic("postgresql://u@localhost/d", "upgrade", "head", "--sql")

    assert "CREATE TABLE orders" in printed.out
    assert "NUMERIC" in printed.out


async def test_a_file_brings_itself_up_to_date(tmp_path: Path) -> None:
    """Whoever just starts milobot needs no second command."""
    url = f"sqlite:///{tmp_path}/milobot.db"

    async with await open_ledger(url) as ledger:
        assert (await ledger.journal("a").load()).slots == ()
    async with await open_ledger(url):
        pass  # the second start finds everything there


async def test_a_file_of_the_version_before_is_migrated_with_what_it_holds(tmp_path: Path) -> None:
    """An update of milobot must not cost anybody their records."""
    url, new = f"sqlite:///{tmp_path}/milobot.db", f"sqlite:///{tmp_path}/new.db"
    assert run_alembic(url, "upgrade", REVISIONS[-2]).code == 0
    kept = "INSERT INTO leases (name, holder, epoch, until_ms) VALUES ('account a', 'me', 7, 1)"
    run_on(parse_database_url(url), lambda c: c.exec_driver_sql(kept).close())

    async with await open_ledger(url) as ledger, await open_ledger(new):
        found = await ledger.read(lambda c: c.execute(sa.text("SELECT epoch FROM leases")).all())

    assert [row.epoch for row in found] == [7]
    assert statements_of(tmp_path / "milobot.db") == statements_of(tmp_path / "new.db")


def test_a_server_without_tables_names_the_command(postgres_url: str) -> None:
    """Its tables belong to whoever runs it: nothing is made behind their back."""
    with pytest.raises(SchemaTooOldError, match=r"no tables.*`alembic upgrade head`"):
        open_and_close(postgres_url)


def test_older_tables_on_a_server_name_the_command(
    ledger_on_postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An update of milobot comes before that of its tables."""
    monkeypatch.setattr("milobot.storage.schema.REVISIONS", (*REVISIONS, "9998"))

    with pytest.raises(SchemaTooOldError, match=r"version 0003 and 9998 is needed.*alembic"):
        open_and_close(ledger_on_postgres)


def test_newer_tables_are_left_alone(empty_url: str) -> None:
    """An older milobot could not know what it destroys."""
    run_alembic(empty_url, "upgrade", "head")
    set_revision(empty_url, "9999")

    with pytest.raises(SchemaTooNewError, match=r"version 9999.*up to 0003: update milobot"):
        open_and_close(empty_url)


def test_the_file_of_another_program_is_left_alone(tmp_path: Path) -> None:
    """Such as the candle database, whose name is typed by mistake."""
    url = f"sqlite:///{tmp_path}/binance_data.db"
    run_on(parse_database_url(url), lambda c: c.exec_driver_sql("CREATE TABLE series (x)").close())

    with pytest.raises(LedgerError, match=r"binance_data.db is a database of another program"):
        open_and_close(url)


def test_a_wrong_address_is_told_before_anything_is_opened() -> None:
    """One sentence, as for every other setting."""
    with pytest.raises(ConfigurationError, match="starts with mysql"):
        open_and_close("mysql://h/d")


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://u:secret@h/d", "DATABASE_URL starts with mysql://"),
        ("postgresql://u:secret@127.0.0.1:1/d", "PostgreSQL at 127.0.0.1:1 is away: start it"),
        ("sqlite:////nowhere/milobot.db", "milobot.db cannot be opened: check that its folder"),
    ],
)
def test_alembic_says_what_is_wrong_in_one_sentence(url: str, sentence: str) -> None:
    """A traceback of three drivers helps nobody, and may show the password."""
    done = run_alembic(url, "upgrade", "head")

    said = done.out + done.err
    assert done.code != 0
    assert sentence in said
    assert "Traceback" not in said
    assert "secret" not in said


@pytest.mark.parametrize("url", ["", "sqlite:///milobot.db"])
def test_alembic_makes_no_file_where_a_server_is_meant(url: str) -> None:
    """An empty secret in a cluster: a job that ends well would let each replica have its own."""
    done = run_alembic(url, "upgrade", "head", DATABASE_KIND="postgresql")

    assert done.code != 0
    assert "DATABASE_URL is empty or names a SQLite file" in done.out + done.err
    assert "Traceback" not in done.out + done.err


def open_and_close(url: str) -> None:
    """Open a ledger in an event loop of its own, and close it."""

    async def run() -> None:
        await (await open_ledger(url)).close()

    asyncio.run(run())
