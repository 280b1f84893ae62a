"""The generated market: the same everywhere, and enough like a market."""

import numpy as np
import pytest

from milobot.domain.timeframes import Timeframe
from milobot.errors import ConfigurationError
from milobot.indicators import series as indicators
from milobot.marketdata.gaps import check_sanity
from milobot.marketdata.generated import DEFAULT_START_MS, generate_candles
from milobot.marketdata.resample import resample

MONTH = generate_candles()


def test_candles_are_consistent() -> None:
    """What the file reader refuses must not come from our own generator."""
    assert (MONTH.low <= np.minimum(MONTH.open, MONTH.close)).all()
    assert (MONTH.high >= np.maximum(MONTH.open, MONTH.close)).all()
    assert (MONTH.low > 0).all()
    assert (MONTH.volume > 0).all()
    assert not check_sanity(MONTH, Timeframe.M1).gaps


def test_prices_lie_on_the_tick_as_files_write_them() -> None:
    """A price like 42000.100000000006 would betray arithmetic on floats."""
    for column in (MONTH.open, MONTH.high, MONTH.low, MONTH.close):
        assert all(len(repr(price).partition(".")[2]) == 1 for price in column.tolist())


def test_other_seed_or_symbol_is_another_market() -> None:
    """Two symbols in one demo must not move together."""
    usual = generate_candles(minutes=50)

    assert not usual.equals(generate_candles(minutes=50, seed=3))
    assert not usual.equals(generate_candles("ETHUSDT", minutes=50))


def test_market_moves_like_one() -> None:
    """Loud minutes follow loud ones, and the price neither sticks nor runs away."""
    moves = np.abs(np.diff(MONTH.close) / MONTH.close[:-1])

    assert 0.0003 < moves.mean() < 0.001
    assert np.corrcoef(moves[1:], moves[:-1])[0, 1] > 0.05
    assert MONTH.high.max() / MONTH.low.min() > 1.1
    year = resample(generate_candles(minutes=400_000), Timeframe.M1, Timeframe.H4)
    assert year.low.min() > 42_000 / 5
    assert year.high.max() < 42_000 * 5


@pytest.mark.parametrize("timeframe", [Timeframe.M5, Timeframe.M15, Timeframe.H1])
def test_simple_rules_have_something_to_trade(timeframe: Timeframe) -> None:
    """A demo in which nothing happens shows nothing."""
    candles = resample(MONTH, Timeframe.M1, timeframe)
    rsi = indicators.rsi(candles.close, 14)

    assert np.count_nonzero((rsi[1:] < 30) & (rsi[:-1] >= 30)) >= 5
    assert np.count_nonzero((rsi[1:] > 70) & (rsi[:-1] <= 70)) >= 5


@pytest.mark.parametrize(
    "wrong", [{"minutes": -1}, {"seed": -1}, {"start_ms": DEFAULT_START_MS + 1}]
)
def test_wrong_arguments(wrong: dict[str, int]) -> None:
    """The sentence repeats what was asked for."""
    name, value = next(iter(wrong.items()))
    with pytest.raises(ConfigurationError, match=f"{name.removesuffix('_ms')}={value}"):
        generate_candles(**wrong)  # type: ignore[arg-type] # only integers are in the cases


def test_no_minutes_give_no_candles() -> None:
    """Zero is a number like others."""
    assert len(generate_candles(minutes=0)) == 0
