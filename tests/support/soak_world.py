"""What a soak plays: the one true candle of every minute, and how bad the world is."""

from dataclasses import dataclass

from tests.support.virtual_time import VirtualTime

from milobot.domain.market import Candle
from milobot.domain.timeframes import MINUTE_MS

START_MS = 1_700_000_040_000


@dataclass(frozen=True, slots=True)
class Badness:
    """How bad the world is; chances are per minute where nothing else is said.

    Attributes:
        lost, late, twice: Chances of each candle's frames.
        drops: Chance that a connection ends; two of three then refuse for a while.
        silences: Chance that a connection goes dead without a word.
        failures: Chance that a request fails.
        outages: Chance that all requests fail, for 5 to 90 s.
        drift_ms: Most that the exchange's clock moves against ours; a bad quartz makes 6.
        jumps: Chance that one of the two clocks jumps, half of the time right at a close.
        most_jump_ms: The farthest it jumps, either way.
        key_ends: Chance that the listen key expires before its time.
        quiet: Share of symbols whose next row is listed up to 20 s after it opened.
    """

    lost: float = 0.002
    late: float = 0.002
    twice: float = 0.005
    drops: float = 1 / 60
    silences: float = 1 / 240
    failures: float = 0.02
    outages: float = 1 / 120
    drift_ms: int = 6
    jumps: float = 1 / 10
    most_jump_ms: int = 2500
    key_ends: float = 1 / 90
    quiet: float = 0.2


@dataclass(slots=True)
class Met:
    """What was met on the way."""

    dropped: int = 0
    silenced: int = 0
    jumps: int = 0
    jumps_at_close: int = 0
    most_skew_ms: int = 0
    listings: int = 0
    times_asked: int = 0
    failed: int = 0
    keys_ended: int = 0


class ShiftedClock:
    """A clock that is off by so much."""

    def __init__(self, time: VirtualTime, shift_ms: int = 0) -> None:
        """Show the true time, shifted."""
        self._time = time
        self.shift_ms = shift_ms

    def now_ms(self) -> int:
        """Return the time, UTC milliseconds."""
        return self._time.now_ms() + self.shift_ms


def final(symbol: str, open_ms: int) -> Candle:
    """Return the one true candle of a symbol and minute."""
    price = 100.0 + (open_ms // MINUTE_MS * 7 + int(symbol[1:4])) % 977
    return Candle(open_ms, price, price + 1, price - 1, price + 0.5, 10.0)


def formed(symbol: str, open_ms: int) -> Candle:
    """Return the same candle before its close."""
    return final(symbol, open_ms)._replace(close=50.0, volume=3.0)
