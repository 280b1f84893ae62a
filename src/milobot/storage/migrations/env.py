"""Runs the migrations; Alembic loads this file, nobody imports it."""

import os
from pathlib import Path

from alembic import context
from alembic.util import CommandError
from sqlalchemy import Connection

from milobot.errors import MilobotError
from milobot.storage.database_url import SqliteTarget, read_target
from milobot.storage.schema import run_on
from milobot.storage.tables import metadata


def _migrate(connection: Connection) -> None:
    # Batches: SQLite changes a column by writing the table anew.
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


def _print_statements(dialect: str) -> None:
    context.configure(dialect_name=dialect, target_metadata=metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


def _main() -> None:
    given = context.config.attributes.get("connection")
    if given is not None:
        _migrate(given)
        return
    try:
        target = read_target(os.environ, Path(".env"))
        if context.is_offline_mode():
            _print_statements("sqlite" if isinstance(target, SqliteTarget) else "postgresql")
        else:
            run_on(target, _migrate)
    except MilobotError as error:
        raise CommandError(str(error)) from error  # Alembic shows the sentence alone


_main()
