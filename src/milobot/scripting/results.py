"""What comes out of a script: what it says about itself, and its decisions."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from milobot.domain.intents import Action
from milobot.domain.timeframes import Timeframe

Parameter = int | float | str | bool


class Code(IntEnum):
    """What a script says about one candle; WARM_UP and FAILED both mean ``donothing``.

    WARM_UP: an indicator that the script asked for has no value yet, or an
    index reaches back further than the history does.
    """

    FALSE = 0
    TRUE = 1
    WARM_UP = 2
    FAILED = 3


@dataclass(frozen=True, slots=True)
class ScriptInfo:
    """What a script says about itself.

    Attributes:
        coin: Symbol, such as ``BTCUSDT``.
        parameters: Name and value of each parameter, after ``--set``.
        texts: The two action strings as written, for true and for false.
    """

    timeframe: Timeframe
    coin: str
    action_if_true: Action
    action_if_false: Action
    parameters: Mapping[str, Parameter]
    texts: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Fault:
    """A failure of a script on one candle.

    Attributes:
        index: Candle, counted from the anchor.
        line: Line of the script, from 1; 0 when unknown.
        column: Column in that line, from 1; 0 when unknown.
    """

    index: int
    line: int
    column: int
    reason: str


@dataclass(frozen=True, slots=True)
class PrintLine:
    """A printed line, cleaned of what commands a display.

    Attributes:
        index: Candle, counted from the anchor.
    """

    index: int
    text: str


@dataclass(frozen=True, slots=True)
class IndicatorUse:
    """An indicator that a script asked for.

    Attributes:
        name: As the script calls it, such as ``calculate_rsi``.
        settings: Its numbers in the order of the function, such as the period.
        is_direct: Whether it was applied to ``data`` itself.
        first_index: Candle of the history with its first value.
        settled_after: Candles after which values no longer depend on where the history begins.
        available: Candles there are for it.
    """

    name: str
    settings: tuple[float, ...]
    is_direct: bool
    first_index: int
    settled_after: int
    available: int


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """Decisions about a block of candles.

    Attributes:
        start: Index of the first candle of the block, counted from the anchor.
        codes: One :class:`Code` per candle, as uint8.
        errors: The first failures, at most 100; ``codes`` shows all of them.
        prints: The first and last printed lines.
        print_count: Number of lines printed, kept or not.
        indicators: Indicators that the script asked for.
    """

    start: int
    codes: NDArray[np.uint8]
    errors: tuple[Fault, ...]
    prints: tuple[PrintLine, ...]
    print_count: int
    indicators: tuple[IndicatorUse, ...]

    @property
    def warm_up(self) -> int:
        """First candle, counted from the anchor, at which all indicators have values."""
        return max((use.first_index for use in self.indicators), default=0)

    @property
    def warnings(self) -> tuple[str, ...]:
        """One sentence for each indicator that needs more history than there is."""
        return tuple(
            f"{use.name}({', '.join(f'{number:g}' for number in use.settings)}) settles after "
            f"{use.settled_after} candles, and there are {use.available}: its values still depend "
            "on where the history begins"
            for use in self.indicators
            if use.settled_after > use.available
        )
