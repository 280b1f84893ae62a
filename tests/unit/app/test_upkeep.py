"""What is done now and then: what was done just now is not done again, and nothing is asked twice."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.virtual_time import VirtualTime

from milobot.app.live_bot import income_since
from milobot.app.upkeep import Task, Upkeep, task_cursor
from milobot.domain.governor import GovernorState, Mark
from milobot.domain.timeframes import DAY_MS, MINUTE_MS
from milobot.storage.account_records import load_cursor
from milobot.storage.ledger import open_ledger

ACCOUNT = "binance:test"
NOON_MS = 20_000 * DAY_MS + DAY_MS // 2


async def test_what_a_start_has_done_is_on_record_and_done_again_in_its_turn(
    tmp_path: Path,
) -> None:
    """A start reads the capital before anything may enter: reading it twice costs 35 of 2,400."""
    time, done = VirtualTime(NOON_MS), list[int]()
    async with await open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        upkeep = Upkeep(ACCOUNT, ledger, time, time.sleep)

        async def act() -> str:
            done.append(time.now_ms() - NOON_MS)
            return "again"

        async def noted() -> str | None:
            name = task_cursor(ACCOUNT, "capital")
            return await ledger.read(lambda connection: load_cursor(connection, name))

        async with asyncio.TaskGroup() as tasks:
            task = Task("capital", act, 60.0, said="at the start")
            running = tasks.create_task(upkeep.run([task]))
            await _until(time, noted, "at the start")
            await time.run_for(59 - (time.now_ms() - NOON_MS) / 1000)
            assert done == []
            await _until(time, noted, "again")
            assert done == [pytest.approx(60_000, abs=1_000)]
            running.cancel()


async def _until(time: VirtualTime, noted: Callable[[], Awaitable[str | None]], said: str) -> None:
    """Let little time pass until something is on record; the ledger has a thread of its own."""
    for _ in range(500):
        await time.run_for(0.01)
        if await noted() == said:
            return


@pytest.mark.parametrize(
    ("last_ms", "since_ms"),
    [
        (None, NOON_MS - DAY_MS // 2),
        (NOON_MS - DAY_MS, NOON_MS - DAY_MS // 2),
        (NOON_MS - MINUTE_MS, NOON_MS - 11 * MINUTE_MS),
        (NOON_MS + DAY_MS, NOON_MS - 10 * MINUTE_MS),
    ],
)
def test_bookings_are_asked_for_from_where_they_may_be_unknown(
    last_ms: int | None, since_ms: int
) -> None:
    """A day of a busy account is thousands of them; a clock that jumped must not leave any out."""
    last = None if last_ms is None else Mark(Decimal(100), last_ms)

    assert income_since(GovernorState(ACCOUNT, last=last), NOON_MS) == since_ms
