"""Scripts that use up time, memory or the stack: each ends in time and takes nobody with it.

A third of the bombs in the suite, with a short limit; all of them with the limit
of live trading in ``make prove-scripts``.
"""

import asyncio
from time import monotonic

from tests.support.campaign import is_campaign
from tests.support.escapes.corpus import Payload, bombs
from tests.support.escapes.runs import bomb_as_script
from tests.support.waves import HEAD, wave

from milobot.errors import ScriptError
from milobot.scripting.pool import LIMIT_S, ScriptPool
from milobot.scripting.results import Code, Evaluation

WITNESS = HEAD + "print(len(data))\ncondition_true = (await calculate_rsi(data, 5))[-1] > 0\n"
NAMES = tuple(f"witness{number}" for number in range(6))
LENGTH = 200
WORKERS = 3
CHOSEN = bombs() if is_campaign() else bombs()[::3]
LIMIT = LIMIT_S if is_campaign() else 0.5
TOLERANCE_S = 0.0 if is_campaign() else 0.5
"""The suite runs beside whatever else the machine does."""


async def test_each_bomb_ends_in_time_and_disturbs_nobody() -> None:
    """A late script decides nothing; six others decide, and before the watchdog has barked."""
    stopped, seen = 0, LENGTH
    async with ScriptPool(workers=WORKERS, limit_s=LIMIT) as pool:
        for name in NAMES:
            await pool.add(name, WITNESS, wave(LENGTH))
        for bomb in CHOSEN:
            try:
                await pool.add("bomb", bomb_as_script(bomb.code), wave(LENGTH))
            except ScriptError:
                continue  # the language has refused it
            await _be_whole(pool)
            result, elapsed, was_first = await _beside_witnesses(pool, bomb, seen)
            seen += 1
            assert elapsed <= LIMIT + TOLERANCE_S, (bomb.name, elapsed)
            if result.errors and "was stopped" in result.errors[0].reason:
                stopped += 1
                assert result.codes.tolist() == [Code.FAILED], bomb
                assert was_first or "ended its worker" in result.errors[0].reason, bomb
            await pool.remove("bomb")
        assert pool.quarantined == {}

    assert stopped >= len(CHOSEN) // 2


async def _be_whole(pool: ScriptPool) -> None:
    """Wait for the worker that replaces the last one: bombs do not come faster than that."""
    async with asyncio.timeout(10):
        while len(pool.pids) < WORKERS:  # noqa: ASYNC110 - the pool tells nobody
            await asyncio.sleep(0.01)


async def _beside_witnesses(
    pool: ScriptPool, bomb: Payload, index: int
) -> tuple[Evaluation, float, bool]:
    """Set a bomb off and let six scripts decide meanwhile.

    Returns:
        What came of the bomb, after how many seconds, and whether the others were first.
    """
    ends: list[float] = []

    async def explode() -> Evaluation:
        started = monotonic()
        result = await pool.evaluate("bomb", wave(LENGTH + 1, LENGTH))
        ends.append(monotonic() - started)
        return result

    async with asyncio.TaskGroup() as group:
        late = group.create_task(explode())
        await asyncio.sleep(0.01)
        asked = [pool.evaluate(name, wave(index + 1, index)) for name in NAMES]
        decided = await asyncio.gather(*asked)
        was_first = not ends
    for result in decided:
        assert result.codes.tolist() == [Code.TRUE], bomb
        assert result.prints[0].text == str(index + 1), bomb
    return late.result(), ends[0], was_first
