"""Signals as they go by: read from the ledger, since any replica may take them."""

from collections import OrderedDict

from milobot.signals.door import SignalEvent, SignalState
from milobot.signals.talk.notices import Notice
from milobot.signals.talk.sentences import signal_notice
from milobot.storage.ledger import Ledger
from milobot.storage.signal_news import SignalLine, last_line, lines_after

_AT_ONCE = 500
# Of two lines that are written at the same time the later number may come on record first.
_OVERTAKING = 200
_STATES = frozenset(SignalState)


class SignalFollower:
    """Tells what became of signals since it looked first, each line once."""

    def __init__(self, ledger: Ledger) -> None:
        """Begin with what comes after the first look."""
        self._ledger = ledger
        self._last: int | None = None
        self._seen: OrderedDict[int, None] = OrderedDict()

    async def take(self, *, names_account: bool) -> list[Notice]:
        """Return notices of what is new.

        Args:
            names_account: Whether each says on which account.

        Raises:
            LedgerError: The ledger cannot be read now: what is new comes later.
        """
        if self._last is None:
            self._last = await self._ledger.read(last_line)
            earlier = max(self._last - _OVERTAKING, 0)
            known = await self._ledger.read(lambda c: lines_after(c, earlier, limit=_AT_ONCE))
            self._fresh(known)
        after = max(self._last - _OVERTAKING, 0)
        lines = await self._ledger.read(
            lambda c: lines_after(c, after, limit=_AT_ONCE + _OVERTAKING)
        )
        notices = (_notice(line, names_account=names_account) for line in self._fresh(lines))
        return [notice for notice in notices if notice is not None]

    def _fresh(self, lines: list[SignalLine]) -> list[SignalLine]:
        """Return the lines that were not seen before, and remember them."""
        fresh = [line for line in lines if line.number not in self._seen]
        for line in fresh:
            self._seen[line.number] = None
            self._last = max(self._last or 0, line.number)
        while len(self._seen) > 2 * (_AT_ONCE + _OVERTAKING):
            self._seen.popitem(last=False)
        return fresh


def _notice(line: SignalLine, *, names_account: bool) -> Notice | None:
    event = line.event
    if event.state not in _STATES:
        return None  # a newer milobot has written it
    told = SignalEvent(
        event.time_ms, event.kind, SignalState(event.state), event.code, event.sentence
    )
    return signal_notice(line.source, line.symbol, told, line.account if names_account else "")
