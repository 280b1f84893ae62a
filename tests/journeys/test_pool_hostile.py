"""Workers in a stranger's hands: whatever they answer, the pool decides nothing and goes on."""

import asyncio
from pathlib import Path

import pytest
from tests.support.hostile_worker import HABITS
from tests.support.waves import HEAD, wave

from milobot.domain.market import CandleSeries
from milobot.errors import ConfigurationError
from milobot.scripting.pool import ScriptPool
from milobot.scripting.pool_members import QuarantineRule
from milobot.scripting.results import Code

HOSTILE = str(Path(__file__).parents[1] / "support" / "hostile_worker.py")
HARMLESS = {"honest", "killed_once", "worse_later"}
SOURCE = HEAD + "condition_true = True"
NOTHING = CandleSeries.empty()


def _pool(habit: str, *more: str, **options: float) -> ScriptPool:
    return ScriptPool(
        workers=2,
        limit_s=options.get("limit_s", 0.3),
        patience_s=options.get("patience_s", 10.0),
        program=(HOSTILE, habit, *more),
    )


async def test_only_the_new_candle_travels() -> None:
    """Six columns of eight bytes, however long the history is; and honesty passes."""
    async with _pool("honest") as pool:
        await pool.add("s", SOURCE, wave(5000))
        results = [await pool.evaluate("s", wave(k + 1, k)) for k in range(5000, 5020)]

    sizes = [result.prints[0].text for result in results]
    assert set(sizes) <= {"48 bytes", *(f"{48 * k} bytes" for k in range(2, 20))}
    assert sizes.count("48 bytes") >= 10
    assert all(result.codes.tolist() == [Code.TRUE] for result in results)


@pytest.mark.parametrize("habit", sorted(set(HABITS) - HARMLESS - {"talkative", "alarm"}))
async def test_answer_that_is_not_understood_means_donothing(habit: str) -> None:
    """No crash, no decision, one clear reason, another worker for the next candle."""
    async with _pool(habit) as pool:
        await pool.add("s", SOURCE, NOTHING)

        first = await pool.evaluate("s", wave(1))
        second = await pool.evaluate("s", wave(2, 1))

        assert [first.codes.tolist(), second.codes.tolist()] == [[Code.FAILED]] * 2
        assert first.errors[0].reason.startswith("the script was stopped: ")
        assert first.prints == ()
        assert pool.quarantined == {}
        await pool.evaluate("s", wave(3, 2))
        assert list(pool.quarantined) == ["s"]


async def test_worker_that_speaks_unasked_is_ended_and_its_last_script_blamed() -> None:
    """Words left in the pipe would be read as the answer about the next script."""
    async with _pool("talkative") as pool:
        await pool.add("s", SOURCE, NOTHING)
        for number in range(3):
            result = await pool.evaluate("s", wave(number + 1, number))
            assert result.codes.tolist() == [Code.TRUE]
            await asyncio.sleep(0.3)

        assert "spoke without being asked" in pool.quarantined["s"]


async def test_alarm_of_the_kernel_is_enough_for_quarantine() -> None:
    """No calculation makes such a call by accident: once is enough."""
    async with _pool("alarm") as pool:
        await pool.add("s", SOURCE, NOTHING)
        result = await pool.evaluate("s", wave(1))

        assert "tried to leave its sandbox" in result.errors[0].reason
        assert list(pool.quarantined) == ["s"]


async def test_worker_killed_from_outside_is_asked_again_elsewhere(tmp_path: Path) -> None:
    """When memory runs out the kernel picks a process; the script is not to blame the first time."""
    async with _pool("killed_once", str(tmp_path / "seen")) as pool:
        await pool.add("s", SOURCE, NOTHING)
        result = await pool.evaluate("s", wave(1))

        assert result.codes.tolist() == [Code.TRUE]


async def test_worker_with_a_weaker_lock_never_replaces_a_full_one(tmp_path: Path) -> None:
    """The level is checked for each worker: then nothing is decided, and the reason is told."""
    async with _pool("worse_later", str(tmp_path / "starts"), patience_s=1.5) as pool:
        await pool.add("s", SOURCE, NOTHING)
        results = [await pool.evaluate("s", wave(k + 1, k)) for k in range(3)]

        assert [result.codes.tolist() for result in results] == [[Code.FAILED]] * 3
        assert "no worker was free for 1.5 s" in results[2].errors[0].reason
        assert "isolation is partial (landlock: ENOSYS)" in results[2].errors[0].reason
        assert len(pool.pids) == 1  # the other began with a full lock


async def test_quarantine_ends_what_waits() -> None:
    """Decisions behind the last strike need not wait for their turn to be nothing."""
    pool = ScriptPool(
        workers=2, limit_s=0.3, rule=QuarantineRule(strikes=1), program=(HOSTILE, "silent")
    )
    async with pool:
        await pool.add("s", SOURCE, NOTHING)
        results = await asyncio.gather(*(pool.evaluate("s", wave(k + 1, k)) for k in range(5)))

    assert [result.codes.tolist() for result in results] == [[Code.FAILED]] * 5
    assert "in quarantine" in results[4].errors[0].reason


async def test_decisions_that_wait_when_the_pool_closes_are_nothing() -> None:
    """Nobody must wait for ever for a worker that will not come."""
    pool = _pool("silent", limit_s=5.0)
    async with pool:
        await pool.add("s", SOURCE, NOTHING)
        waiting = asyncio.gather(*(pool.evaluate("s", wave(k + 1, k)) for k in range(3)))
        await asyncio.sleep(0.1)

    results = await waiting
    assert [result.codes.tolist() for result in results] == [[Code.FAILED]] * 3
    assert {r.errors[0].reason for r in results} == {"the script was stopped: its pool was closed"}


async def test_removal_ends_what_waits() -> None:
    """A strategy stopped by its owner leaves no decision hanging."""
    async with _pool("silent", limit_s=5.0) as pool:
        await pool.add("s", SOURCE, NOTHING)
        waiting = asyncio.gather(*(pool.evaluate("s", wave(k + 1, k)) for k in range(2)))
        await asyncio.sleep(0.1)
        await pool.remove("s")
        async with asyncio.timeout(2):
            results = await waiting

    assert "removed" in results[1].errors[0].reason


async def test_pool_begins_with_no_weaker_worker_at_all(tmp_path: Path) -> None:
    """One of its workers is locked in less well than the others: then none may run a script."""
    starts = tmp_path / "starts"
    starts.write_text("x")
    with pytest.raises(ConfigurationError, match=r"isolation is partial \(landlock: ENOSYS\)"):
        async with _pool("worse_later", str(starts)):
            raise AssertionError("it must not get here")
