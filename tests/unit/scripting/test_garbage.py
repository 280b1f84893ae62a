"""A live decision leaves nothing for the garbage collector, which would come at a bad time."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.waves import HEAD, wave

from milobot.domain.market import COLUMNS
from milobot.scripting.interpreter import Interpreter

SAMPLES = Path(__file__).parents[3] / "samples"
SCRIPTS = {
    **{path.stem: path.read_text(encoding="utf-8") for path in sorted(SAMPLES.glob("*.script"))},
    "failing": HEAD + "x = await calculate_sma(data, 3)\ncondition_true = x[-1] / 0 > 1\n",
    "higher": HEAD
    + "x = await calculate_rsi(await candles('4h'), 3)\ncondition_true = x[-1] > 1\n",
    "lists": HEAD
    + "x = await calculate_ema([c['low'] for c in data], 3)\ncondition_true = x[0] < 1",
}


@pytest.fixture(scope="module")
def _no_collector() -> Iterator[None]:
    """Collect when asked only, and then only what is newer than this module's tests."""
    gc.collect()
    gc.freeze()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_no_collector")
@pytest.mark.parametrize("name", SCRIPTS)
def test_decision_leaves_no_cycles(name: str) -> None:
    """Values of hundreds of decisions would pile up and be let go at once, in 5 ms."""
    length, last = 300, 310
    interpreter = Interpreter(SCRIPTS[name])
    interpreter.append({column: getattr(wave(last), column) for column in COLUMNS})
    interpreter.evaluate(length - 1, length)
    gc.collect()

    for index in range(length, last):
        interpreter.evaluate(index, index + 1)

    assert gc.collect() == 0
