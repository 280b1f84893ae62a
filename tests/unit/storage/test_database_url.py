"""Which database keeps the ledger: what may be written, and what is refused in which words."""

from pathlib import Path

import pytest

from milobot.errors import ConfigurationError
from milobot.storage.database_url import (
    DEFAULT_DATABASE_URL,
    PostgresTarget,
    SqliteTarget,
    parse_database_url,
    read_target,
)


def test_a_file_is_relative_or_absolute() -> None:
    """Three slashes are the working folder, four an absolute path, as everywhere."""
    assert parse_database_url("sqlite:///milobot.db") == SqliteTarget(Path("milobot.db"))
    assert parse_database_url("sqlite:////var/lib/m.db") == SqliteTarget(Path("/var/lib/m.db"))
    assert parse_database_url("sqlite:///my%20bot.db") == SqliteTarget(Path("my bot.db"))


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_every_usual_name_of_postgres_is_taken(scheme: str) -> None:
    """Hosts hand out `postgres://`; others copy what SQLAlchemy wants."""
    target = parse_database_url(f"{scheme}://milo:p%40ss@127.0.0.1:5433/trading_bot")

    assert target == PostgresTarget(
        "127.0.0.1", 5433, "milo", "p@ss", "trading_bot", sslmode="disable"
    )
    assert target.name == "PostgreSQL at 127.0.0.1:5433"
    assert "p@ss" not in repr(target)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_this_machine_needs_no_encryption(host: str) -> None:
    """What never leaves the machine cannot be listened to."""
    target = parse_database_url(f"postgresql://u@{host}/d")

    assert isinstance(target, PostgresTarget)
    assert target.sslmode == "disable"


def test_a_local_socket_is_this_machine() -> None:
    """Debian's server listens there by default."""
    target = parse_database_url("postgresql://u@/d?host=/run/postgresql")

    assert isinstance(target, PostgresTarget)
    assert (target.host, target.sslmode) == ("/run/postgresql", "disable")


def test_another_machine_must_be_reached_on_purpose() -> None:
    """The password and every order would cross the network in plain text."""
    with pytest.raises(ConfigurationError, match=r"db\.example and does not say how.*sslmode"):
        parse_database_url("postgresql://u:secret@db.example/d")

    target = parse_database_url("postgresql://u@db.example/d?sslmode=verify-full")
    assert isinstance(target, PostgresTarget)
    assert target.sslmode == "verify-full"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("milobot.db", "is not a database URL"),
        ("mysql://u:secret@h/d", "starts with mysql://"),
        ("postgresql+psycopg://u:secret@h/d", r"starts with postgresql\+psycopg://"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite://host/d", "names no file"),
        ("postgresql://u:secret@localhost", "names no database"),
        ("postgresql://u:secret@localhost:port/d", "cannot be read"),
        ("postgresql://u:secret@h/d?sslmode=prefer", "h with sslmode=prefer, which may send"),
        ("postgresql://localhost/d?user=u&password=secret", "names user and password behind the"),
        ("postgresql://u@localhost/d?password=secret", "names password behind the"),
        ("postgresql://u:secret@h/d?sslmode=maybe", "has sslmode=maybe: use one of disable"),
    ],
)
def test_a_wrong_address_is_one_sentence_without_the_password(url: str, sentence: str) -> None:
    """The sentence goes to a terminal and into logs."""
    with pytest.raises(ConfigurationError, match=sentence) as caught:
        parse_database_url(url)

    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_alembic_reads_what_milobot_reads(tmp_path: Path) -> None:
    """The environment comes first, then `.env`, then the default; small letters will do."""
    env_file = tmp_path / ".env"
    default = parse_database_url(DEFAULT_DATABASE_URL)
    for name in ("DATABASE_URL", "database_url"):
        env_file.write_text(f"{name}=sqlite:///of_file.db\n")
        here = {name: "sqlite:///a.db"}

        assert read_target(here, env_file) == SqliteTarget(Path("a.db"))
        assert read_target({name: ""}, env_file) == SqliteTarget(Path("of_file.db"))
    assert read_target({}, tmp_path / "none") == default
    assert read_target({}, None) == default


def test_alembic_refuses_a_settings_file_that_milobot_refuses(tmp_path: Path) -> None:
    """It made a new file here, beside the ledger of the server that was meant."""
    env_file = tmp_path / ".env"
    env_file.write_text("DATABASE_URL postgresql://u:hunter2@localhost/d\n")
    with pytest.raises(ConfigurationError, match=r"line 1 \(DATABASE_URL\) of .* no NAME=value"):
        read_target({}, env_file)

    env_file.unlink()
    env_file.mkdir()
    with pytest.raises(ConfigurationError, match="is a folder"):
        read_target({}, env_file)


def test_the_kind_of_the_database_may_be_demanded(tmp_path: Path) -> None:
    """A URL that was lost on the way is the default: a file of its own for each replica."""
    server = {"DATABASE_URL": "postgresql://u@localhost/d"}
    env_file = tmp_path / ".env"
    env_file.write_text("DATABASE_KIND=postgresql\n")

    assert isinstance(read_target({**server, "DATABASE_KIND": "PostgreSQL"}, None), PostgresTarget)
    assert isinstance(read_target({"DATABASE_KIND": "sqlite"}, None), SqliteTarget)
    assert isinstance(read_target({"DATABASE_KIND": ""}, None), SqliteTarget)
    for environment in ({}, {"DATABASE_URL": ""}, {"DATABASE_URL": "sqlite:////data/milobot.db"}):
        with pytest.raises(ConfigurationError, match="DATABASE_URL is empty or names a SQLite"):
            read_target(environment, env_file)
    with pytest.raises(ConfigurationError, match="DATABASE_URL names a PostgreSQL server"):
        read_target({**server, "DATABASE_KIND": "sqlite"}, None)
    with pytest.raises(ConfigurationError, match="DATABASE_KIND='mysql' is not valid: write"):
        read_target({**server, "DATABASE_KIND": "mysql"}, None)
