"""How much history an indicator needs."""

import numpy as np
import pytest

from milobot.indicators import series
from milobot.indicators.warmup import stable_after, warm_up


@pytest.mark.parametrize(
    ("name", "args", "first"),
    [
        ("sma", [20], 19),
        ("ema", [20], 19),
        ("rsi", [], 14),
        ("rsi", [21], 21),
        ("macd", [], 33),
        ("macd", [5], 33),
        ("macd", [5, 35, 5], 38),
        ("atr", [], 14),
        ("obv", [], 0),
        ("stochastic", [], 17),
        ("stochastic", [5, 1, 1], 4),
    ],
)
def test_first_value_with_defaults_and_without(name: str, args: list[int], first: int) -> None:
    """Left-out periods are the functions' own defaults."""
    assert warm_up(name, args) == first


@pytest.mark.parametrize(
    ("name", "args", "candles"),
    [
        ("sma", [20], 19),
        ("ema", [20], 400),
        ("rsi", [], 560),
        ("atr", [7], 280),
        ("macd", [], 700),
        ("obv", [], 0),
        ("stochastic", [], 17),
    ],
)
def test_history_that_a_value_remembers(name: str, args: list[int], candles: int) -> None:
    """Windows forget at once, recursive averages slowly."""
    assert stable_after(name, args) == candles


def test_after_that_history_the_beginning_no_longer_matters() -> None:
    """The recommended history is enough: two starts far apart agree to the rounding error."""
    source = np.random.default_rng(3)
    close = 100 * np.exp(np.cumsum(source.normal(0, 0.01, 3000)))
    high, low = close * 1.01, close * 0.99

    for name, args, whole, late in [
        ("ema", [20], series.ema(close, 20), series.ema(close[1000:], 20)),
        ("rsi", [14], series.rsi(close), series.rsi(close[1000:])),
        ("macd", [], series.macd(close)[1], series.macd(close[1000:])[1]),
        (
            "atr",
            [14],
            series.atr(high, low, close),
            series.atr(high[1000:], low[1000:], close[1000:]),
        ),
    ]:
        settled = stable_after(name, args)
        np.testing.assert_allclose(late[settled:], whole[1000 + settled :], rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "args", "message"),
    [
        ("zigzag", [], "no warm-up is known for 'zigzag', only for sma, ema"),
        ("sma", [], "calculate_sma: period must be a whole number .* not None"),
        ("ema", [], "calculate_ema: period"),
        ("rsi", [14, 3], "calculate_rsi was given 2 periods, it has 1"),
        ("obv", [1], "calculate_obv was given 1 periods, it has 0"),
        ("macd", [26, 12], "fast must be below slow"),
        ("atr", [0], "calculate_atr: period"),
        ("stochastic", [0], "calculate_stochastic: k_period"),
    ],
)
def test_questions_without_an_answer_are_refused(name: str, args: list[int], message: str) -> None:
    """The same sentences as from the functions themselves."""
    with pytest.raises(ValueError, match=message):
        warm_up(name, args)
