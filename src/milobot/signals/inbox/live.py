"""The signals of which something may become, as the actor knows them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from milobot.errors import LedgerError
from milobot.signals.inbox.rows import signal_of
from milobot.signals.life.record import Signal, Wish
from milobot.storage.signal_records import SignalRow


@dataclass(frozen=True, slots=True)
class LiveSignal:
    """A signal with its number and the revision at which it was read."""

    signal_id: int
    revision: int
    signal: Signal


class LiveSignals:
    """Keeps the newest revision of each live signal, by symbol."""

    def __init__(self) -> None:
        """Know none."""
        self._by_id: dict[int, LiveSignal] = {}
        self._revisions: dict[int, int] = {}
        self._over: dict[int, int] = {}
        self._aside: set[int] = set()
        self._by_symbol: dict[str, set[int]] = defaultdict(set)

    def begin_reading(self) -> None:
        """Learn that rows are about to be read: what ends from now on is newer than they are."""
        self._over.clear()

    def take(self, rows: Iterable[SignalRow]) -> tuple[set[str], list[str]]:
        """Take in rows as they stand on record.

        Returns:
            The symbols of those that were news, and a sentence for each that cannot be read.
        """
        symbols: set[str] = set()
        unreadable: list[str] = []
        for row in rows:
            number = row.signal_id
            if row.revision <= max(self._revisions.get(number, -1), self._over.get(number, -1)):
                continue
            try:
                self._keep(row)
            except LedgerError as error:
                unreadable.append(f"signal {row.signal_id} cannot be looked after: {error}")
            if row.symbol:
                symbols.add(row.symbol)
        return symbols, unreadable

    def _keep(self, row: SignalRow) -> None:
        self.forget(row.signal_id)  # an edit may have brought it to another symbol
        if not row.is_live:
            self._over[row.signal_id] = row.revision
        else:
            self._revisions[row.signal_id] = row.revision
            live = LiveSignal(row.signal_id, row.revision, signal_of(row))
            self._by_id[row.signal_id] = live
            self._by_symbol[row.symbol].add(row.signal_id)

    def forget(self, signal_id: int) -> None:
        """Leave out a signal that is over."""
        self._revisions.pop(signal_id, None)
        known = self._by_id.pop(signal_id, None)
        if known is None:
            return
        symbol = known.signal.symbol
        self._by_symbol[symbol].discard(signal_id)
        if not self._by_symbol[symbol]:
            del self._by_symbol[symbol]

    def find(self, signal_id: int) -> LiveSignal | None:
        """Return a signal; None when it is over or was never known."""
        return self._by_id.get(signal_id)

    def of_symbol(self, symbol: str) -> list[LiveSignal]:
        """Return the live signals of a symbol, oldest first."""
        return [self._by_id[number] for number in sorted(self._by_symbol.get(symbol, ()))]

    def revisions_of(self, symbol: str) -> tuple[tuple[int, int], ...]:
        """Return number and revision of each live signal of a symbol: equal means unchanged."""
        return tuple((live.signal_id, live.revision) for live in self.of_symbol(symbol))

    def symbols(self) -> list[str]:
        """Return the symbols that have live signals."""
        return list(self._by_symbol)

    def next_wish(self, symbol: str) -> tuple[LiveSignal, Wish] | None:
        """Return what the engine has to be asked next in a symbol: what was wished first."""
        waiting = (
            (wish.due_ms, live.signal_id, live, wish)
            for live in self.of_symbol(symbol)
            if live.signal_id not in self._aside
            for wish in live.signal.outbox[:1]
        )
        found = min(waiting, key=lambda item: item[:2], default=None)
        return None if found is None else (found[2], found[3])

    def numbers(self) -> set[int]:
        """Return the numbers of all live signals, also of those that cannot be read."""
        return set(self._revisions)

    def newer_in(self, revisions: dict[int, int]) -> set[int]:
        """Return the numbers that are newer on record than here."""
        return {n for n, revision in revisions.items() if revision > self._revisions.get(n, -1)}

    def set_aside(self, signal_id: int) -> None:
        """Serve the wishes of a signal no more, until the next start: others have their turn."""
        self._aside.add(signal_id)
