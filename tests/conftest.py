"""Set-up for all tests: property tests that draw the same examples everywhere."""

import gc
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings
from tests.support.process import ROOT, STARTS
from tests.support.servers import Server

# Derandomized: a run can be repeated, and CI finds what the developer found. To look for new
# examples: pytest --hypothesis-profile=default. The same ones are drawn in every run: more of them
# would cost each run what they can find only once.
settings.register_profile(
    "milobot", max_examples=60, derandomize=True, deadline=None, print_blob=True
)
settings.load_profile("milobot")

# In the container of docker-compose the bot's own settings stand in the environment; a test sets
# those that it is about.
for _setting in re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE):
    os.environ.pop(_setting, None)


# Collecting five thousand tests makes objects that stay: looking for garbage among them, again and
# again, would take half of the time.
gc.disable()


def pytest_collection_finish() -> None:
    """Look for garbage from now on, and only among what the tests make."""
    gc.enable()
    gc.freeze()


def pytest_sessionfinish() -> None:
    """End what started the warm command lines."""
    STARTS.end()


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """Put the log back to where it was: commands send it to streams that end with their test."""
    structlog.reset_defaults()
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def folder_without_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Stand in a folder that has no ``.env``; the environment holds no setting, see above."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """Give a PostgreSQL server that all tests of a run share."""
    from tests.support.postgres import running_server  # noqa: PLC0415 - few tests need a server

    with running_server() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: Server) -> Iterator[str]:
    """Give the URL of an empty PostgreSQL database."""
    from tests.support.postgres import fresh_database  # noqa: PLC0415 - as above

    with fresh_database(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Server) -> Iterator[str]:
    """Give the name of a database that has the tables of the ledger."""
    from tests.support.postgres import ledger_template  # noqa: PLC0415 - as above

    with ledger_template(postgres_server) as name:
        yield name


@pytest.fixture
def ledger_on_postgres(postgres_server: Server, postgres_template: str) -> Iterator[str]:
    """Give the URL of a PostgreSQL database that has the tables of the ledger."""
    from tests.support.postgres import fresh_database  # noqa: PLC0415 - as above

    with fresh_database(postgres_server, template=postgres_template) as url:
        yield url
