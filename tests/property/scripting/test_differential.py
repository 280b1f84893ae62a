"""Random scripts in a real worker and in plain Python: the same bits.

A sample in the suite, 5,000 scripts in ``make prove-scripts``.
"""

import asyncio
from random import Random

from tests.property.scripting.reference import Result, run_reference
from tests.property.scripting.scripts import random_script, random_walk
from tests.support.campaign import size

from milobot.domain.market import Candle, CandleSeries
from milobot.domain.timeframes import Timeframe
from milobot.scripting.client import ScriptWorker
from milobot.scripting.loading import LoadOptions
from milobot.scripting.pool import ScriptPool
from milobot.scripting.prints import MAX_CHARACTERS
from milobot.scripting.results import Code, Evaluation
from milobot.scripting.text import clean

SCRIPTS = size(250, 5000)
STEPPED = size(25, 500)
_LIMITS = (9, 20, 5000)
_MOST_PRINTS = 250


class Case:
    """A script that prints its total to the last digit, candles, and how many it may see."""

    def __init__(self, seed: int) -> None:
        """Grow from a seed."""
        chance = Random(seed)  # noqa: S311 - no secret
        self.source = random_script(seed) + "print(total)\n"
        self.candles = random_walk(seed, chance.randint(1, 40))
        self.limit = chance.choice(_LIMITS)
        self.cut = chance.randint(0, len(self.candles))

    def series(self, start: int, stop: int) -> CandleSeries:
        """Return some of the candles."""
        return CandleSeries.from_candles(self.candles[start:stop])

    def expected(self) -> Result:
        """Return what plain Python over plain lists says."""
        return run_reference(self.source, self.candles, Timeframe.H1, self.limit)


def test_worker_decides_as_plain_python_does() -> None:
    """Whatever the script, the views, the compiler and the pipes change no bit."""
    seen: set[int] = set()
    with ScriptWorker() as worker:
        for seed in range(SCRIPTS):
            case = Case(seed)
            worker.load(case.source, data_limit=case.limit)
            parts = [(0, case.cut), (case.cut, len(case.candles))]
            results = [worker.evaluate(case.series(a, b)) for a, b in parts]
            _compare(case, results, seed)
            seen |= {code for result in results for code in result.codes.tolist()}

    assert seen == set(Code)


async def test_pool_decides_as_plain_python_does() -> None:
    """Candle by candle, in two workers in turn: as a live run does."""
    async with ScriptPool(workers=2) as pool:
        for seed in range(100_000, 100_000 + STEPPED):
            case = Case(seed)
            options = LoadOptions(data_limit=case.limit)
            await pool.add("s", case.source, CandleSeries.empty(), options)
            steps = [pool.evaluate("s", case.series(k, k + 1)) for k in range(len(case.candles))]
            _compare(case, await asyncio.gather(*steps), seed)
            await pool.remove("s")


def test_random_scripts_differ() -> None:
    """A grammar that always writes the same script would prove nothing."""
    assert len({random_script(seed) for seed in range(200)}) > 190
    assert len({tuple(_walk(seed)) for seed in range(50)}) == 50


def _walk(seed: int) -> list[Candle]:
    return random_walk(seed, 5)


def _compare(case: Case, results: list[Evaluation], seed: int) -> None:
    expected = case.expected()
    codes = [code for result in results for code in result.codes.tolist()]
    assert codes == expected.codes, (seed, case.source)
    prints = [(line.index, line.text) for result in results for line in result.prints]
    if all(result.print_count <= _MOST_PRINTS for result in results):
        wanted = [(index, clean(text, MAX_CHARACTERS)) for index, text in expected.prints]
        assert prints == wanted, (seed, case.source)
