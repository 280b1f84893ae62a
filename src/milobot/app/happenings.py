"""What has happened in a journal since somebody looked last, for a page."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from milobot.app.order_memory import OrderMemory
from milobot.backtest.executions import Execution, executions
from milobot.domain.decisions import Decision
from milobot.domain.orders import Order, OrderPurpose, OrderUpdate
from milobot.domain.round_trips import RoundTrip
from milobot.execution.recent import Recent
from milobot.ports import Books, Journal, Record
from milobot.storage.memory import MemoryJournal

MOST_WAITING = 2_000


@dataclass(frozen=True, slots=True)
class Happened:
    """What is new, each kind in order."""

    decisions: tuple[Decision, ...] = ()
    executions: tuple[Execution, ...] = ()
    round_trips: tuple[RoundTrip, ...] = ()


class Happenings(Protocol):
    """Tells what is new."""

    def take(self) -> Happened:
        """Return what has happened since the last call."""
        ...


class JournalReader:
    """Reads on in a journal in memory, which keeps everything."""

    def __init__(self, journal: MemoryJournal) -> None:
        """Begin at the start."""
        self._journal = journal
        self._decisions = self._updates = self._trips = 0

    def take(self) -> Happened:
        """Return what has happened since the last call."""
        journal = self._journal
        happened = Happened(
            tuple(journal.decisions[self._decisions :]),
            tuple(executions(journal, self._updates)),
            tuple(journal.round_trips[self._trips :]),
        )
        self._decisions = len(journal.decisions)
        self._updates = len(journal.updates)
        self._trips = len(journal.round_trips)
        return happened


class Passing:
    """What passes into a journal that keeps it elsewhere: the newest rows, until taken."""

    def __init__(self, most: int = MOST_WAITING) -> None:
        """Hold nothing yet, and never more than ``most`` rows of a kind."""
        self._decisions: deque[Decision] = deque(maxlen=most)
        self._executions: deque[Execution] = deque(maxlen=most)
        self._trips: deque[RoundTrip] = deque(maxlen=most)
        self._purposes: OrderMemory[OrderPurpose] = OrderMemory(most)
        self._booked: Recent[tuple[str, str], None] = Recent(most)

    def take(self) -> Happened:
        """Return what has happened since the last call."""
        happened = Happened(tuple(self._decisions), tuple(self._executions), tuple(self._trips))
        for waiting in (self._decisions, self._executions, self._trips):
            waiting.clear()
        return happened

    def before(self, journal: Journal) -> "ShownJournal":
        """Return a journal that shows what it is given here once it is on record."""
        return ShownJournal(journal, self)

    def note(self, records: Iterable[Record]) -> None:
        """Take in what is on record now."""
        records = tuple(records)
        for record in records:  # orders first: they say what the fills beside them were for
            if isinstance(record, Order):
                self._purposes.keep(record, record.purpose)
        for record in records:
            match record:
                case Decision():
                    self._decisions.append(record)
                case RoundTrip():
                    self._trips.append(record)
                case OrderUpdate():
                    self._note_fills(record)
                case _:
                    pass

    def _note_fills(self, update: OrderUpdate) -> None:
        """Take in fills that are new; an exchange tells the earlier ones of an order again."""
        known = self._purposes.get(update.client_order_id)
        purpose = known or update.purpose or OrderPurpose.LIQUIDATION
        for fill in update.fills:
            key = (fill.symbol, fill.fill_id)
            if key not in self._booked:
                self._booked[key] = None
                self._executions.append(Execution(fill, purpose))


class Notes(Protocol):
    """Is shown what goes on record."""

    def note(self, records: Iterable[Record]) -> None:
        """Take in what is on record now."""
        ...


class ShownJournal:
    """A journal whose records are shown when they are on record."""

    def __init__(self, journal: Journal, shown: Notes) -> None:
        """Stand before ``journal``."""
        self._journal = journal
        self._shown = shown

    async def commit(self, *records: Record) -> None:
        """Store the records, then show them; raises what the journal raises."""
        await self._journal.commit(*records)
        self._shown.note(records)

    async def load(self) -> Books:
        """Return what a restart has to know."""
        return await self._journal.load()

    async def find_order(self, client_order_id: str) -> Order | None:
        """Return an order with the ids of its fills, however long ago it ended."""
        return await self._journal.find_order(client_order_id)

    async def find_nameless(self, symbol: str, exchange_order_id: str) -> Order | None:
        """Return the order of a symbol that the exchange knows by this id of its own."""
        return await self._journal.find_nameless(symbol, exchange_order_id)

    async def booked_fills(self, symbol: str, *, first_ms: int) -> frozenset[str]:
        """Return the ids of the fills on record with a time from ``first_ms`` on."""
        return await self._journal.booked_fills(symbol, first_ms=first_ms)

    async def find_decision(self, intent_key: str) -> Decision | None:
        """Return the latest decision about an intent."""
        return await self._journal.find_decision(intent_key)
