"""Fewer lines of the server's library: whoever sends it nonsense must not fill the log."""

import logging
import time
from collections import Counter
from collections.abc import Callable

from milobot.web.rate_limit import RateLimit

_A_MINUTE = 1 / 60
_MOST_PLACES = 64


class SparingFilter(logging.Filter):
    """Lets each place in a library warn once a minute, and say how often it was left out.

    Errors pass, all of them: strangers cause none.
    """

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Begin with nothing said.

        Args:
            monotonic: Seconds of a clock that never goes back.
        """
        super().__init__()
        self._lines = RateLimit(_A_MINUTE, burst=1, most_names=_MOST_PLACES, monotonic=monotonic)
        self._left_out: Counter[str] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a line is written."""
        if record.levelno > logging.WARNING:
            return True
        place = f"{record.pathname}:{record.lineno}"
        if self._lines.take(place) > 0:
            self._left_out[place] += 1
            return False
        if count := self._left_out.pop(place, 0):
            record.msg = f"{record.getMessage()} ({count} more such lines were left out)"
            record.args = ()
        return True
