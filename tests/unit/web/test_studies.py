"""What the page draws is what scripts compute."""

from typing import Any

import numpy as np
import pytest
from tests.support.charts import ALL_CALLS, random_candles

from milobot.domain.market import CandleSeries, Floats
from milobot.errors import ConfigurationError
from milobot.indicators import series
from milobot.indicators.divergences import DIVERGENCE_TYPES, detect_divergences
from milobot.indicators.swings import zigzag, zigzag_points
from milobot.web.studies import Studies, StudySet, json_values

CANDLES = random_candles(900)


def _lines(candles: CandleSeries, name: str, *args: object) -> dict[str, Floats]:
    (study,) = Studies([(name, args)]).update(candles).studies
    return {line.name: line.values for line in study.lines}


def test_studies_equal_direct_calls() -> None:
    """A chart that differs from the script's values in the last digit would mislead."""
    c = CANDLES
    line, signal = series.macd(c.close, 12, 26, 9)
    k, d = series.stochastic(c.high, c.low, c.close, 14, 3, 3)
    expected: dict[tuple[Any, ...], dict[str, Floats]] = {
        ("calculate_sma", 20): {"SMA": series.sma(c.close, 20)},
        ("calculate_ema", 20): {"EMA": series.ema(c.close, 20)},
        ("calculate_rsi", 14): {"RSI": series.rsi(c.close, 14)},
        ("calculate_macd",): {"Histogram": line - signal, "MACD": line, "Signal": signal},
        ("calculate_atr", 7): {"ATR": series.atr(c.high, c.low, c.close, 7)},
        ("calculate_obv",): {"OBV": series.obv(c.close, c.volume)},
        ("calculate_stochastic",): {"%K": k, "%D": d},
    }
    for (name, *args), lines in expected.items():
        drawn = _lines(c, name, *args)
        assert list(drawn) == list(lines)
        for key, values in lines.items():
            np.testing.assert_array_equal(drawn[key], values)


@pytest.mark.parametrize("step", [1, 7, 900])
def test_swings_grow_to_the_same_whatever_the_steps(step: int) -> None:
    """Live they come one by one, in a back-test at once; the picture must be one."""
    studies = Studies(ALL_CALLS)
    drawn = StudySet(())
    for stop in range(step, len(CANDLES) + step, step):
        drawn = studies.update(CANDLES.part(0, min(stop, len(CANDLES))))

    c = CANDLES
    points = zigzag_points(zigzag(c.high, c.low, c.close, c.time), len(c) - 1)

    assert drawn.candidate
    assert [(p["time"], p["price"]) for p in [*drawn.points, drawn.candidate]] == [
        (p["time"], p["price"]) for p in points
    ]
    assert [p["confirmed"] for p in drawn.points] == [True] * (len(points) - 1)
    assert drawn.candidate["confirmed"] is False


def test_divergences_are_those_that_scripts_are_told_of() -> None:
    """Each one a script would see at its confirmation is drawn once, and no other."""
    c = CANDLES
    rsi = series.rsi(c.close, 14)
    history = zigzag(c.high, c.low, c.close, c.time, 0.4, 5)
    told: list[tuple[str, int, int]] = []
    for t in range(len(c)):
        points = zigzag_points(history, t)
        for found in detect_divergences(rsi[: t + 1], points, t + 1, 20, 0):
            row = (str(found["type"]), found["first"]["time"], found["second"]["time"])
            if row not in told:
                told.append(row)

    calls = [("calculate_zigzag", (0.4, 5)), ("detect_divergences", (20, 0))]
    drawn = Studies(calls).update(c).divergences

    assert [(d["type"], d["from"]["time"], d["to"]["time"]) for d in drawn] == told
    assert {d["type"] for d in drawn} <= set(DIVERGENCE_TYPES)
    assert len(drawn) > 3


def test_divergences_use_the_scripts_own_parameters() -> None:
    """A chart with other parameters than the script's shows another market."""
    calls = [("calculate_rsi", (5,)), ("calculate_zigzag", (0.4, 5)), ("detect_divergences", ())]
    drawn = Studies(calls).update(CANDLES)
    usual = Studies([("detect_divergences", ())]).update(CANDLES)

    swings = zigzag(CANDLES.high, CANDLES.low, CANDLES.close, CANDLES.time, 0.4, 5)
    assert len(drawn.points) == len(swings.pivots.index)
    assert drawn.divergences != usual.divergences


def test_zigzag_alone_draws_no_divergences() -> None:
    """Only what the script looks at is drawn."""
    drawn = Studies([("calculate_zigzag", ())]).update(CANDLES)

    assert drawn.points
    assert drawn.divergences == []
    assert drawn.studies == ()


def test_a_call_made_twice_is_drawn_once() -> None:
    """Scripts ask for the same series again for the candle before."""
    drawn = Studies([("calculate_rsi", (14,)), ("calculate_rsi", (14,)), ("calculate_rsi", (21,))])

    assert [s.title for s in drawn.update(CANDLES).studies] == ["RSI 14", "RSI 21"]


def test_default_and_spelled_out_arguments_are_the_same_study() -> None:
    """Two panes of one thing, with one id, would break the page."""
    drawn = Studies([("calculate_rsi", ()), ("calculate_rsi", (14,))]).update(CANDLES)

    assert [s.id for s in drawn.studies] == ["rsi-14"]


def test_an_unknown_call_is_refused_by_name() -> None:
    """A misspelt name must not silently draw nothing."""
    with pytest.raises(ConfigurationError, match="calculate_rsj cannot be drawn"):
        Studies([("calculate_rsj", ())])


def test_no_candles_give_no_values() -> None:
    """A chart exists before its first candle."""
    drawn = Studies(ALL_CALLS).update(CandleSeries.empty())

    assert drawn.candidate is None
    assert drawn.definitions(0)["overlays"][0]["lines"][0]["values"] == []


def test_values_past_the_end_are_null() -> None:
    """Alignment with the candles goes before everything."""
    assert json_values(np.array([1.0, np.nan, 3.0]), 1, 5) == [None, 3.0, None, None]
