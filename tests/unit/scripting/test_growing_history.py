"""Candle columns that grow: nothing handed out changes, and one candle more copies nothing."""

import numpy as np
from tests.support.waves import wave

from milobot.domain.market import COLUMNS, CandleSeries
from milobot.scripting.history import History


def _taken(history: History, candles: CandleSeries) -> None:
    history.append({name: getattr(candles, name) for name in COLUMNS})


def test_a_series_holds_what_was_there_when_it_was_asked_for() -> None:
    """A page may still be drawing it while the next candle closes."""
    history = History()
    _taken(history, wave(30))
    before = history.series()

    _taken(history, wave(31, 30))

    assert before.equals(wave(30))
    assert history.series().equals(wave(31))


def test_a_candle_after_a_long_first_block_copies_nothing() -> None:
    """Hundreds of scripts get their first live candle at the same moment."""
    history = History()
    _taken(history, wave(5000))
    before = history.series()

    _taken(history, wave(5001, 5000))

    assert np.shares_memory(before.close, history.series().close)
