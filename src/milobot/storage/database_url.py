"""Reads ``DATABASE_URL``: which database keeps the ledger, and whether the way there is safe."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import parse_qsl, unquote, urlsplit

from milobot.env_file import read_env_file
from milobot.errors import ConfigurationError
from milobot.setting_faults import describe

DEFAULT_DATABASE_URL = "sqlite:///milobot.db"
_EXAMPLES = "write sqlite:///milobot.db or postgresql://user:password@host:5432/trading_bot"
Kind = Literal["", "sqlite", "postgresql"]
"""What ``DATABASE_KIND`` may ask for; nothing takes either."""
KIND_EXAMPLE = "=postgresql, or sqlite, or nothing where either will do"
_POSTGRES = frozenset({"postgres", "postgresql", "postgresql+asyncpg"})
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_MAYBE = frozenset({"allow", "prefer"})
_PORT = 5432


@dataclass(frozen=True, slots=True)
class SqliteTarget:
    """A file of our own."""

    path: Path

    @property
    def name(self) -> str:
        """Return what a sentence calls it."""
        return self.path.name


@dataclass(frozen=True, slots=True)
class PostgresTarget:
    """A database on a server.

    Attributes:
        host: Name or address, or the folder of a local socket.
        sslmode: As libpq names it; ``disable`` only where the user said so or on this machine.
    """

    host: str
    port: int
    user: str
    password: str
    database: str
    sslmode: str

    def __repr__(self) -> str:
        """Show everything but the password."""
        return f"PostgresTarget({self.user}@{self.host}:{self.port}/{self.database})"

    @property
    def name(self) -> str:
        """Return what a sentence calls it."""
        return f"PostgreSQL at {self.host}:{self.port}"


Target = SqliteTarget | PostgresTarget


def read_target(environment: Mapping[str, str], env_file: Path | None) -> Target:
    """Return the database of ``DATABASE_URL``, which has to be of the kind of ``DATABASE_KIND``.

    For ``alembic``, which runs without the settings of milobot, but reads them by its rules: the
    environment comes before ``env_file``, what is empty counts as not set, and names may be written
    small.

    Raises:
        ConfigurationError: The URL is none, or leads to a database of another kind; or lines of
            ``env_file`` set nothing.
    """
    file = read_env_file(env_file, ("DATABASE_URL", "DATABASE_KIND"))
    if file.faults:
        raise ConfigurationError(describe(file.faults))
    written = (*file.values.items(), *environment.items())
    values = {name.upper(): value for name, value in written if value}
    target = parse_database_url(values.get("DATABASE_URL", DEFAULT_DATABASE_URL))
    kind = values.get("DATABASE_KIND", "").strip().lower()
    if kind not in get_args(Kind):
        raise ConfigurationError(
            f"DATABASE_KIND={kind[:40]!r} is not valid: write DATABASE_KIND{KIND_EXAMPLE}"
        )
    if said := other_kind(target, kind):
        raise ConfigurationError(said)
    return target


def password_in(url: str) -> str:
    """Return the password of a database; empty where it is none worth hiding."""
    try:
        target = parse_database_url(url)
    except ConfigurationError:
        return ""
    # A password that is the user's name keeps nobody out.
    if isinstance(target, PostgresTarget) and target.password != target.user:
        return target.password
    return ""


def other_kind(target: Target, kind: str) -> str:
    """Return why a database is not of the kind that is wanted; empty when it is.

    A URL that was lost on the way would be the default, a file for each process: two that know
    nothing of each other would trade the same account.
    """
    found = "sqlite" if isinstance(target, SqliteTarget) else "postgresql"
    if kind in ("", found):
        return ""
    if found == "sqlite":
        return (
            "DATABASE_KIND=postgresql, but DATABASE_URL is empty or names a SQLite file: write"
            " DATABASE_URL=postgresql://user:password@host:5432/trading_bot?sslmode=require, or"
            " change DATABASE_KIND"
        )
    return (
        "DATABASE_KIND=sqlite, but DATABASE_URL names a PostgreSQL server: write"
        " DATABASE_URL=sqlite:///milobot.db, or change DATABASE_KIND"
    )


def parse_database_url(url: str) -> Target:
    """Return the database that a URL names; no sentence of its errors shows the password.

    Raises:
        ConfigurationError: It is no such URL, or it leads to another machine in plain text.
    """
    scheme, colon, _ = url.strip().partition("://")
    if not colon:
        raise ConfigurationError(f"DATABASE_URL is not a database URL: {_EXAMPLES}")
    if scheme == "sqlite":
        return _parse_sqlite(url.strip())
    if scheme in _POSTGRES:
        return _parse_postgres(url.strip())
    raise ConfigurationError(
        f"DATABASE_URL starts with {scheme[:30]}://, which the ledger cannot use: {_EXAMPLES}"
    )


def _parse_sqlite(url: str) -> SqliteTarget:
    host, _, path = url.removeprefix("sqlite://").partition("?")[0].partition("/")
    if host or not path or path == ":memory:":
        raise ConfigurationError(
            "DATABASE_URL names no file: write sqlite:///milobot.db for a file in the working"
            " folder, or sqlite:////var/lib/milobot/milobot.db for one elsewhere"
        )
    return SqliteTarget(Path(unquote(path)))


def _parse_postgres(url: str) -> PostgresTarget:
    try:
        parts = urlsplit(url)
        port = parts.port or _PORT
    except ValueError as error:
        raise ConfigurationError(f"DATABASE_URL cannot be read: {_EXAMPLES}") from error
    options = dict(parse_qsl(parts.query))
    if ignored := [name for name in ("user", "password") if name in options]:
        raise ConfigurationError(
            f"DATABASE_URL names {' and '.join(ignored)} behind the ?, where nobody reads it: write"
            " postgresql://user:password@host:5432/trading_bot"
        )
    host = unquote(parts.hostname or "") or options.get("host", "localhost")
    database = unquote(parts.path.lstrip("/"))
    if not database:
        raise ConfigurationError(f"DATABASE_URL names no database: {_EXAMPLES}")
    return PostgresTarget(
        host=host,
        port=port,
        user=unquote(parts.username or "postgres"),
        password=unquote(parts.password or ""),
        database=database,
        sslmode=_checked_mode(options, host),
    )


def _checked_mode(options: Mapping[str, str], host: str) -> str:
    mode = options.get("sslmode") or options.get("ssl")
    if mode is None:
        if _is_here(host):
            return "disable"
        raise ConfigurationError(
            f"DATABASE_URL leads to {host} and does not say how: add ?sslmode=require, or"
            " ?sslmode=disable where the network between is your own"
        )
    if mode not in _SSL_MODES:
        raise ConfigurationError(
            f"DATABASE_URL has sslmode={mode[:20]}: use one of {', '.join(_SSL_MODES)}"
        )
    if mode in _MAYBE and not _is_here(host):
        raise ConfigurationError(
            f"DATABASE_URL leads to {host} with sslmode={mode}, which may send everything in plain"
            " text: use sslmode=require, or disable where the network between is your own"
        )
    return mode


def _is_here(host: str) -> bool:
    if host == "localhost" or host.startswith(os.sep):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
