"""Many scripts on a few real workers: decisions, replacement, quarantine, an end without leftovers."""

import asyncio
import os
import threading
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from tests.support.waves import HEAD, wave

from milobot.domain.market import COLUMNS, SymbolRules
from milobot.errors import (
    ConfigurationError,
    DataError,
    ScriptError,
    ScriptForbiddenError,
    ScriptTimeoutError,
)
from milobot.scripting.interpreter import Interpreter
from milobot.scripting.loading import LoadOptions
from milobot.scripting.pool import ScriptPool
from milobot.scripting.pool_members import QuarantineRule
from milobot.scripting.results import Code

SUPPORT = Path(__file__).parents[1] / "support"
SAMPLES = sorted((Path(__file__).parents[2] / "samples").glob("*.script"))
LAST = "condition_true = data[-1]['time'] > 0\n"
LOOP = HEAD + "condition_true = False\nwhile data[-1]['volume'] == 104:\n    x = 1\n"
"""Runs forever at candles 4, 11, 18, …"""


def _exists(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


async def _until(*, pool: ScriptPool, pids: int) -> None:
    """Wait until the pool has as many workers as it should."""
    async with asyncio.timeout(10):
        while len(pool.pids) < pids:  # noqa: ASYNC110 - the pool tells nobody
            await asyncio.sleep(0.01)


async def test_decides_as_the_interpreter_does() -> None:
    """Two workers in turn, one candle at a time, must not change a bit of any sample."""
    history, stop = 300, 360
    columns = {name: getattr(wave(stop), name) for name in COLUMNS}
    async with ScriptPool(workers=2) as pool:
        for sample in SAMPLES:
            await pool.add(sample.stem, sample.read_text(encoding="utf-8"), wave(history))
        results = [
            await asyncio.gather(*(pool.evaluate(s.stem, wave(k + 1, k)) for s in SAMPLES))
            for k in range(history, stop)
        ]

    for number, sample in enumerate(SAMPLES):
        interpreter = Interpreter(sample.read_text(encoding="utf-8"))
        interpreter.append(columns)
        expected = interpreter.evaluate(history, stop)
        mine = [row[number] for row in results]
        assert np.concatenate([result.codes for result in mine]).tolist() == expected.codes.tolist()
        prints = [line for result in mine for line in result.prints]
        assert prints[-5:] == list(expected.prints[-5:])


async def test_settles_once_every_worker_has_its_scripts() -> None:
    """From then on a candle of all scripts at once waits for decisions only."""
    names = [f"s{number}" for number in range(8)]
    async with asyncio.timeout(20), ScriptPool(workers=3) as pool:
        await pool.settle()  # nothing was added yet
        for name in names:
            await pool.add(name, HEAD + LAST, wave(90))
        await pool.settle()
        results = await asyncio.gather(*(pool.evaluate(name, wave(91, 90)) for name in names))

    assert [result.codes.tolist() for result in results] == [[Code.TRUE]] * len(names)


async def test_add_tells_what_the_script_says_about_itself() -> None:
    """Settings reach the script as they do in a worker of its own."""
    options = LoadOptions({"p": "5"}, "ETHUSDT", "4h", SymbolRules("ETHUSDT"), 50)
    async with ScriptPool(workers=2) as pool:
        source = HEAD + "p = 3\nprint(p, len(data), await get_symbol_constraints())\n" + LAST
        info = await pool.add("s", source, wave(90), options)
        result = await pool.evaluate("s", wave(91, 90))

    assert (info.coin, info.timeframe, info.parameters) == ("ETHUSDT", "4h", {"p": 5})
    assert result.prints[0].text.startswith("5 50 {'minQty': 0.0")
    assert result.start == 90


async def test_script_that_is_wrong_is_refused_with_its_place() -> None:
    """The author sees line and column; the pool keeps nothing of it and takes the next."""
    async with ScriptPool(workers=2) as pool:
        with pytest.raises(ScriptForbiddenError, match="import is not part") as caught:
            await pool.add("s", HEAD + "import os\n", wave(9))
        assert (caught.value.line, caught.value.column) == (4, 1)

        await pool.add("s", HEAD + LAST, wave(9))
        assert (await pool.evaluate("s", wave(10, 9))).codes.tolist() == [Code.TRUE]


async def test_script_without_an_end_is_found_when_it_is_added() -> None:
    """Its author learns it at once, not at the next close of a daily candle."""
    async with ScriptPool(workers=2, limit_s=0.4) as pool:
        with pytest.raises(ScriptTimeoutError, match=r"longer than 0.4 s") as caught:
            await pool.add("loop", LOOP, wave(5))
        assert caught.value.line in {5, 6}
        with pytest.raises(DataError, match="add it first"):
            await pool.evaluate("loop", wave(6, 5))


async def test_late_script_delays_no_other() -> None:
    """Every other decision is there before the watchdog has even ended the endless one."""
    names = [f"s{number}" for number in range(12)]
    async with ScriptPool(workers=3, limit_s=2.0) as pool:
        await pool.add("loop", LOOP, wave(4))
        for name in names:
            await pool.add(name, HEAD + LAST, wave(4))
        before = set(pool.pids)
        async with asyncio.TaskGroup() as group:
            late = group.create_task(pool.evaluate("loop", wave(5, 4)))
            await asyncio.sleep(0.1)  # it holds its worker by now
            for first in range(4, 12):
                good = [pool.evaluate(name, wave(first + 1, first)) for name in names]
                for result in await asyncio.gather(*good):
                    assert result.codes.tolist() == [Code.TRUE]
            assert not late.done()
        result = await late
        await _until(pool=pool, pids=3)

        assert len(before - set(pool.pids)) == 1
        assert result.codes.tolist() == [Code.FAILED]
        assert result.errors[0].line in {5, 6}
        assert result.errors[0].index == 4
        assert "longer than 2 s" in result.errors[0].reason
        after = await asyncio.gather(*(pool.evaluate(name, wave(13, 12)) for name in names))
        assert {result.codes.tolist()[0] for result in after} == {Code.TRUE}


async def test_two_late_scripts_never_hold_two_workers() -> None:
    """With both homes of a third held up, the third would wait: offenders run one at a time."""
    async with ScriptPool(workers=3, limit_s=0.5) as pool:
        for name in ("loop", "loop2"):
            await pool.add(name, LOOP, wave(4))
        for name in ("a", "b", "c"):
            await pool.add(name, HEAD + LAST, wave(4))
        loops = ("loop", "loop2")
        await asyncio.gather(*(pool.evaluate(name, wave(5, 4)) for name in loops))
        skipped = asyncio.gather(*(pool.evaluate(name, wave(12, 5)) for name in loops))
        await asyncio.sleep(0.2)

        good = await asyncio.gather(*(pool.evaluate(name, wave(5, 4)) for name in ("a", "b", "c")))

        assert {result.codes.tolist()[0] for result in good} == {Code.TRUE}
        assert not skipped.done()
        assert all(set(result.codes.tolist()) == {Code.FAILED} for result in await skipped)


async def test_careful_worker_helps_out_where_both_homes_are_held_up() -> None:
    """Two scripts offend for the first time at the same candle: the third still decides."""
    async with ScriptPool(workers=3, limit_s=2.0) as pool:
        for name in ("loop", "loop2"):
            await pool.add(name, LOOP, wave(4))
        await pool.add("good", HEAD + LAST, wave(4))
        loops = asyncio.gather(*(pool.evaluate(name, wave(5, 4)) for name in ("loop", "loop2")))
        await asyncio.sleep(0.05)

        results = [await pool.evaluate("good", wave(k + 1, k)) for k in range(4, 7)]

        assert [result.codes.tolist() for result in results] == [[Code.TRUE]] * 3
        assert not loops.done()
        assert all(result.codes.tolist() == [Code.FAILED] for result in await loops)


async def test_repeated_offender_is_put_into_quarantine_until_released() -> None:
    """It does nothing any more, says why, costs nothing, and comes back only by a decision."""
    rule = QuarantineRule(strikes=2)
    async with ScriptPool(workers=2, limit_s=0.3, rule=rule) as pool:
        await pool.add("loop", LOOP, wave(4))
        await pool.evaluate("loop", wave(5, 4))
        assert pool.quarantined == {}
        await pool.evaluate("loop", wave(12, 5))
        await _until(pool=pool, pids=2)
        pids = pool.pids

        result = await pool.evaluate("loop", wave(19, 12))
        assert set(result.codes.tolist()) == {Code.FAILED}
        assert "in quarantine: it had to be stopped 2 times" in result.errors[0].reason
        assert list(pool.quarantined) == ["loop"]
        assert pool.pids == pids

        pool.release("loop")
        result = await pool.evaluate("loop", wave(20, 19))
        assert result.codes.tolist() == [Code.FALSE]
        assert pool.quarantined == {}


async def test_killed_workers_lose_no_decision() -> None:
    """The kernel may end any process, even all of them: the candles are kept on this side."""
    async with ScriptPool(workers=2) as pool:
        source = HEAD + "print(len(data))\n" + LAST
        for name in ("a", "b"):
            await pool.add(name, source, wave(30))
        for first in range(30, 34):
            for pid in pool.pids:
                os.kill(pid, 9)
            results = await asyncio.gather(
                *(pool.evaluate(name, wave(first + 1, first)) for name in ("a", "b"))
            )
            assert [result.codes.tolist() for result in results] == [[Code.TRUE]] * 2
            assert results[0].prints[0].text == str(first + 1)
        assert pool.quarantined == {}


async def test_candles_without_a_decision_count() -> None:
    """After an outage the candles missed are shown without acting on them late."""
    async with ScriptPool(workers=2) as pool:
        await pool.add("s", HEAD + "print(len(data))\n" + LAST, wave(3))
        pool.append("s", wave(40, 3))

        result = await pool.evaluate("s", wave(41, 40))

        assert (result.start, result.prints[0].text) == (40, "41")


async def test_decisions_of_one_script_may_overlap() -> None:
    """Each is about its own candle, whichever worker gives it and whenever."""
    async with ScriptPool(workers=2) as pool:
        await pool.add("s", HEAD + "print(len(data))\n" + LAST, wave(10))

        results = await asyncio.gather(*(pool.evaluate("s", wave(k + 1, k)) for k in range(10, 60)))

        assert [result.start for result in results] == [*range(10, 60)]
        assert [result.prints[0].text for result in results] == [str(k) for k in range(11, 61)]


async def test_removed_script_is_gone_and_its_name_free() -> None:
    """A strategy that is stopped leaves nothing behind in workers that go on."""
    async with ScriptPool(workers=2) as pool:
        await pool.add("s", HEAD + LAST, wave(30))
        with pytest.raises(DataError, match="remove it first"):
            await pool.add("s", HEAD + LAST, wave(30))
        await pool.remove("s")
        with pytest.raises(DataError, match="add it first"):
            await pool.remove("s")

        await pool.add("s", HEAD + "print(len(data))\n" + LAST, wave(5))
        result = await pool.evaluate("s", wave(6, 5))

        assert result.prints[0].text == "6"


async def test_candles_must_follow_in_time() -> None:
    """A candle shown twice would shift every indicator: refused before it is sent."""
    async with ScriptPool(workers=2) as pool:
        await pool.add("s", HEAD + LAST, wave(30))
        with pytest.raises(DataError, match="in order of time"):
            await pool.evaluate("s", wave(30, 29))

        assert (await pool.evaluate("s", wave(31, 30))).start == 30


async def test_there_is_no_thread_per_script() -> None:
    """Four hundred scripts must not mean four hundred threads."""
    async with ScriptPool(workers=2) as pool:
        for number in range(25):
            await pool.add(str(number), HEAD + LAST, wave(5))
        await asyncio.gather(*(pool.evaluate(str(n), wave(6, 5)) for n in range(25)))

        assert sum(t.name.startswith("script-workers") for t in threading.enumerate()) <= 2


async def test_nothing_is_left_behind() -> None:
    """A worker in the middle of a loop ends with its pool, and whoever waits is told."""
    async with ScriptPool(workers=2) as pool:
        await pool.add("loop", LOOP, wave(4))
        async with asyncio.TaskGroup() as group:
            late = group.create_task(pool.evaluate("loop", wave(5, 4)))
            await asyncio.sleep(0.1)
            pids = pool.pids
            late.cancel()

    assert len(pids) == 2
    assert not any(map(_exists, pids))


async def test_error_in_the_block_comes_out_as_it_is() -> None:
    """A caller that catches its own error must not have to look for it in a group."""
    with pytest.raises(DataError, match="add it first"):
        async with ScriptPool(workers=2) as pool:
            await pool.evaluate("s", wave(1))


async def test_workers_that_are_not_locked_in_are_refused() -> None:
    """Nothing but a full lock will do for scripts of unknown origin, and no process stays."""
    program = (str(SUPPORT / "broken_worker.py"), "set_limit.RLIMIT_NPROC=raise")
    with pytest.raises(ConfigurationError, match="live trading needs level full"):
        async with ScriptPool(workers=2, program=program):
            raise AssertionError("it must not get here")


async def test_workers_that_do_not_start_are_told() -> None:
    """A broken installation is a sentence, not a bot that never decides."""
    with pytest.raises(ScriptError, match="did not start"):
        async with ScriptPool(workers=2, program=("-c", "pass")):
            raise AssertionError("it must not get here")


def test_waves_go_on() -> None:
    """The candles of these tests are cut from one piece."""
    whole = wave(10)
    parts = [wave(b, a) for a, b in pairwise((0, 4, 5, 10))]
    assert parts[0].joined(parts[1]).joined(parts[2]).equals(whole)
