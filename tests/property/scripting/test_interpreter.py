"""The interpreter against plain Python, and against itself in other portions."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.property.scripting.reference import run_reference
from tests.property.scripting.scripts import candle_lists, scripts

from milobot.domain.market import COLUMNS, Candle, CandleSeries
from milobot.domain.timeframes import Timeframe
from milobot.scripting.interpreter import Interpreter
from milobot.scripting.prints import MAX_CHARACTERS
from milobot.scripting.results import Evaluation
from milobot.scripting.text import clean

_SLOW = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def _columns(candles: list[Candle]) -> dict[str, np.ndarray]:
    series = CandleSeries.from_candles(candles)
    return {name: getattr(series, name) for name in COLUMNS}


def _outcomes(source: str, candles: list[Candle], limit: int, cuts: list[int]) -> list[Evaluation]:
    """Evaluate block by block, each block appended only when it is its turn."""
    interpreter = Interpreter(source, limit=limit)
    results = []
    for start, stop in zip([0, *cuts], [*cuts, len(candles)], strict=True):
        interpreter.append(_columns(candles[start:stop]))
        results.append(interpreter.evaluate(start, stop))
    return results


def _facts(results: list[Evaluation]) -> tuple[object, ...]:
    codes = b"".join(result.codes.tobytes() for result in results)
    errors = [error for result in results for error in result.errors]
    prints = [line for result in results for line in result.prints]
    return codes, errors, prints


@_SLOW
@given(scripts(), candle_lists(), st.sampled_from([9, 20, 5000]))
def test_equal_to_plain_python_over_plain_lists(
    source: str, candles: list[Candle], limit: int
) -> None:
    """Views, the compiler and whole-history indicators must not change a single decision."""
    expected = run_reference(source, candles, Timeframe.H1, limit)

    result = _outcomes(source, candles, limit, [])[0]

    assert result.codes.tolist() == expected.codes
    cut = [(index, clean(text, MAX_CHARACTERS)) for index, text in expected.prints]
    assert [(line.index, line.text) for line in result.prints] == cut


@settings(_SLOW, max_examples=60)
@given(scripts(), candle_lists(), st.sampled_from([9, 5000]), st.data())
def test_portions_do_not_matter(
    source: str, candles: list[Candle], limit: int, data: st.DataObject
) -> None:
    """Back-test evaluates all at once, live one by one: the same decisions to the last bit."""
    positions = st.lists(st.integers(0, len(candles)), max_size=5)
    cuts = sorted(data.draw(positions))
    one_by_one = list(range(1, len(candles)))

    whole = _facts(_outcomes(source, candles, limit, []))

    assert _facts(_outcomes(source, candles, limit, cuts)) == whole
    assert _facts(_outcomes(source, candles, limit, one_by_one)) == whole


@settings(_SLOW, max_examples=60)
@given(scripts(), candle_lists())
def test_later_candles_change_nothing(source: str, candles: list[Candle]) -> None:
    """A decision that future candles could change would be a back-test that lies."""
    half = len(candles) // 2

    whole = _outcomes(source, candles, 5000, [])[0]
    prefix = _outcomes(source, candles[:half], 5000, [])[0]

    assert whole.codes[:half].tolist() == prefix.codes.tolist()


@settings(_SLOW, max_examples=15)
@given(scripts(), candle_lists(longest=900), st.integers(1, 400))
def test_long_histories_in_short_stretches(
    source: str, candles: list[Candle], stretch: int
) -> None:
    """Neither the values kept at hand nor shortcuts for long blocks may show in a decision."""
    limit = 40
    interpreter = Interpreter(source, limit=limit, stretch=stretch)
    interpreter.append(_columns(candles))

    result = interpreter.evaluate(0, len(candles))

    one_by_one = _facts(_outcomes(source, candles, limit, list(range(1, len(candles)))))
    assert result.codes.tobytes() == one_by_one[0]
