"""A process frozen in the middle of a statement: whoever takes over ends its session first."""

import asyncio

import asyncpg  # type: ignore[import-untyped]  # it brings no types
from tests.support.virtual_time import VirtualTime

from milobot.storage.database import APPLICATION, FROZEN_MS
from milobot.storage.leases import TTL_MS
from milobot.storage.ledger import open_ledger


async def test_a_session_frozen_between_two_messages_holds_up_no_takeover(
    ledger_on_postgres: str,
) -> None:
    """A statement half sent keeps the row for good: no timeout of the server counts there."""
    clock, patience_s = VirtualTime(1_000), FROZEN_MS / 1000 + 0.2
    address = ledger_on_postgres.replace("postgresql+asyncpg", "postgresql")
    settings = {"application_name": APPLICATION, "statement_timeout": "500"}
    frozen = await asyncpg.connect(address, server_settings=settings)
    async with await open_ledger(ledger_on_postgres) as ledger:
        assert await ledger.lease("a", "one", clock).take()
        await frozen.execute("BEGIN")
        await frozen.execute("SELECT epoch FROM leases FOR KEY SHARE")
        await frozen.prepare("SELECT 1 AS half_sent")  # told what it is, and not to run it
        await asyncio.sleep(patience_s)
        clock.step(TTL_MS + 1)

        assert await ledger.lease("a", "two", clock).take()
    frozen.terminate()


async def test_a_session_that_works_is_left_alone(ledger_on_postgres: str) -> None:
    """One that waits for its client for a moment is of a process that runs."""
    clock = VirtualTime(1_000)
    address = ledger_on_postgres.replace("postgresql+asyncpg", "postgresql")
    working = await asyncpg.connect(address, server_settings={"application_name": APPLICATION})
    async with await open_ledger(ledger_on_postgres) as ledger:
        assert await ledger.lease("a", "one", clock).take()
        await working.execute("BEGIN")
        await working.prepare("SELECT 1 AS half_sent")
        clock.step(TTL_MS + 1)

        assert await ledger.lease("a", "two", clock).take()
        assert await working.fetchval("SELECT 2") == 2
    await working.close()
