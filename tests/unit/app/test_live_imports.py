"""What a live run loads, and what it leaves to those who need it."""

import subprocess
import sys

from tests.support.process import ROOT, child_environment

HEAVY = {
    "alembic",
    "asyncpg",
    "cryptography",
    "fastapi",
    "milobot.app.telegram_messenger",
    "milobot.backtest.core",
    "milobot.exchanges.bingx.client",
    "milobot.local_exchange",
    "milobot.signals.talk.desk",
    "milobot.signals.telegram.listener",
    "milobot.simulation",
    "pandas",
    "polars",
    "pyarrow",
    "rich",
    "sqlalchemy.ext.asyncio",
    "sqlalchemy.orm",
    "watchfiles",
}
PROGRAM = f"""
import asyncio, sys, tempfile, pathlib
import milobot.cli.main, milobot.cli.run, milobot.cli.run_kinds, milobot.app.live_trading
from milobot.app.exchanges import open_client
from milobot.settings import Settings
from milobot.storage.ledger import open_ledger

async def connect():
    await open_client(Settings(), "binance").close()

async def use(url):
    async with await open_ledger(url) as ledger:
        await ledger.journal("binance:default").load()

with tempfile.TemporaryDirectory() as folder:
    asyncio.run(connect())
    asyncio.run(use(f"sqlite:///{{pathlib.Path(folder)}}/milobot.db"))
print(sorted({HEAVY!r} & sys.modules.keys()))
"""


def test_a_live_run_on_a_file_loads_nothing_that_it_does_not_use() -> None:
    """Each costs every start its time, and every process that trades its memory."""
    done = subprocess.run(  # noqa: S603 - the test's own words
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env=child_environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert done.stdout.splitlines()[-1] == "[]"
