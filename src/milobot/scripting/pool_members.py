"""What the pool knows of a script: its text, its candles, and how it has behaved."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from milobot.domain.market import COLUMNS, CandleSeries
from milobot.scripting.history import History
from milobot.scripting.results import Code, Evaluation, Fault

SLOW_S = 0.25
"""Seconds for one decision beyond which a script runs in the careful lane again."""

_PROBATION = 50
_MOST_ACCIDENTS = 3


@dataclass(frozen=True, slots=True)
class QuarantineRule:
    """When a script is put away.

    Attributes:
        strikes: Times that it may cost a worker its life within the window, less one.
        window_s: Length of the window in seconds.
    """

    strikes: int = 3
    window_s: float = 3600.0


@dataclass(slots=True, eq=False)
class Member:
    """One script of the pool.

    Attributes:
        number: Under which workers know it; never used again for another.
        load_request: Gives it to a worker.
        history: Its candles since the anchor, kept here for the next worker.
        quarantine: Why it is put away, empty while it is not.
        is_loading: A worker is being given the script right now.
        is_removed: It has left the pool.
    """

    number: int
    script_id: str
    load_request: Mapping[str, object]
    history: History = field(default_factory=History)
    quarantine: str = ""
    is_loading: bool = False
    is_removed: bool = False
    _strikes: deque[float] = field(default_factory=deque)
    _good_left: int = 1
    _accidents: int = 0

    @property
    def is_away(self) -> bool:
        """Whether no worker should be given it now."""
        return self.is_loading or self.is_removed or bool(self.quarantine)

    @property
    def is_suspect(self) -> bool:
        """Whether it has yet to show that it comes to an end; one such script runs at a time."""
        return self._good_left > 0

    @property
    def has_struck(self) -> bool:
        """Whether it has cost a worker its life within the window, as far as was looked."""
        return bool(self._strikes)

    def note_success(self, elapsed_s: float) -> None:
        """Count a decision that came to an end after ``elapsed_s`` seconds."""
        self._accidents = 0
        if elapsed_s > SLOW_S:
            self._good_left = max(self._good_left, _PROBATION)
        else:
            self._good_left = max(0, self._good_left - 1)

    def note_accident(self) -> bool:
        """Count a worker that somebody else has ended, and return whether that is forgiven.

        When memory runs out the kernel picks a process; after three in a row it is no
        accident any more.
        """
        self._accidents += 1
        return self._accidents <= _MOST_ACCIDENTS

    def note_strike(self, now_s: float, reason: str, rule: QuarantineRule) -> bool:
        """Count a lost worker and return whether the script is now put away for it.

        Args:
            now_s: Monotonic seconds.
            reason: What happened, shown to the user.
            rule: How often is too often.
        """
        self._good_left = _PROBATION
        self._strikes.append(now_s)
        while self._strikes[0] < now_s - rule.window_s:
            self._strikes.popleft()
        if len(self._strikes) >= rule.strikes:
            self.put_away(
                f"it had to be stopped {len(self._strikes)} times, the last time: {reason}"
            )
        return bool(self.quarantine)

    def put_away(self, reason: str) -> None:
        """Let it decide nothing until it is released."""
        self.quarantine = reason

    def release(self) -> None:
        """Let it decide again; it has to prove itself as after a strike."""
        self.quarantine = ""
        self._strikes.clear()
        self._good_left = _PROBATION

    def append(self, candles: CandleSeries) -> int:
        """Add closed candles and return the index of the first of them.

        Raises:
            DataError: They do not follow in time on those at hand.
        """
        start = len(self.history)
        self.history.append({name: getattr(candles, name) for name in COLUMNS})
        return start

    def body(self, start: int, stop: int) -> bytes:
        """Return candles ``start`` up to, not including, ``stop`` as they travel."""
        columns = self.history.columns()
        return b"".join(columns[name][start:stop].tobytes() for name in COLUMNS)


def nothing_decided(start: int, stop: int, fault: Fault | None) -> Evaluation:
    """Return the evaluation of candles about which no decision came: ``donothing``."""
    return Evaluation(
        start=start,
        codes=np.full(stop - start, Code.FAILED, dtype=np.uint8),
        errors=() if fault is None else (fault,),
        prints=(),
        print_count=0,
        indicators=(),
    )
