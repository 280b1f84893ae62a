"""What is kept from one evaluation to the next, so that a new candle costs no history."""

from collections.abc import Mapping, Sequence

from milobot.domain.timeframes import Timeframe
from milobot.indicators.swings import SwingHistory
from milobot.scripting.higher import HigherCandles
from milobot.scripting.views import Column, Frame


class Memory:
    """Swing points and higher candles of one script; both only ever grow at their end."""

    def __init__(self, timeframe: Timeframe) -> None:
        """Begin empty; ``timeframe`` is that of the script's own candles."""
        self._timeframe = timeframe
        self._swings: dict[tuple[object, ...], SwingHistory] = {}
        self._higher: dict[Timeframe, HigherCandles] = {}

    def swings(
        self, timeframe: Timeframe, frame: Frame, settings: Sequence[object]
    ) -> SwingHistory:
        """Return the swing points of ``frame``, computing only what is new.

        Raises:
            ValueError: The settings are out of range.
        """
        fresh = SwingHistory(*settings)  # type: ignore[arg-type]  # it checks them itself
        key = (timeframe, fresh.deviation, fresh.depth)
        history = self._swings.setdefault(key, fresh)
        done = len(history)
        history.extend(*(frame.columns[name][done:] for name in ("high", "low", "close", "time")))
        return history

    def higher(self, timeframe: Timeframe, columns: Mapping[str, Column]) -> HigherCandles:
        """Return the candles of a higher timeframe, made from ``columns``."""
        candles = self._higher.setdefault(timeframe, HigherCandles(self._timeframe, timeframe))
        candles.extend(columns)
        return candles
