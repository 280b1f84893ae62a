"""Where orders rest: everywhere is asked now and then, and in between where something may have.

A listing of all symbols costs 80 of the 2,400 a minute, one of a symbol 2, and an account is
compared many times a minute after a start. While the user stream is open it tells of every
order of the account, whosever; so between two listings of everything only those symbols can
hold anything new of which something was told or sent.
"""

from collections.abc import Iterable

from milobot.domain.reports import OrderReport
from milobot.exchanges.times import ExchangeClock

_EVERYWHERE_MS = 25_000
_MOST_SYMBOLS = 20


class RestingOrders:
    """Remembers where orders of one account may rest."""

    def __init__(self, clock: ExchangeClock) -> None:
        """Know nothing: the first listing is of everything."""
        self._clock = clock
        self._listed_ms: int | None = None
        self._listed: set[str] = set()
        self._recent: set[str] = set()
        self._before: set[str] = set()

    def touch(self, symbol: str) -> None:
        """Note that something was told of a symbol, or sent."""
        self._recent.add(symbol)

    def doubt(self) -> None:
        """Note that something may not have been told: everything is listed next time."""
        self._listed_ms = None

    def where(self) -> list[str] | None:
        """Return the symbols that have to be asked; None for all there are."""
        if self._listed_ms is None or self._clock.local_ms() - self._listed_ms > _EVERYWHERE_MS:
            return None
        # What was taken just before the last listing may not have been shown by it yet.
        symbols = self._listed | self._recent | self._before
        return sorted(symbols) if len(symbols) <= _MOST_SYMBOLS else None

    def listed(self, asked_ms: int, found: Iterable[OrderReport]) -> None:
        """Take over a listing of everything, asked for at a moment of our own clock."""
        self._listed_ms = asked_ms
        self._listed = {report.symbol for report in found}
        self._before, self._recent = self._recent, set()
