"""What goes on record, also while the ledger is away.

An entry leaves only when it is on record. What follows from news cannot wait for that: a
position needs its stop whether or not a disk is full. Such records are kept here, and
stored before anything else once the ledger takes records again; what is lost with the
process in between, reconciliation learns from the exchange.
"""

import asyncio

from milobot.domain.intents import TradeIntent
from milobot.domain.orders import Order
from milobot.domain.slots import Slot
from milobot.errors import DuplicateIntentError, LeaseLostError, StorageError
from milobot.ports import Journal, Record


class Recorder:
    """Puts records into a journal, those that are late first."""

    def __init__(self, journal: Journal) -> None:
        """Start with nothing late."""
        self._journal = journal
        self._late: list[Record] = []
        self._turn = asyncio.Lock()
        self.reason = ""

    @property
    def is_behind(self) -> bool:
        """Return whether something that happened is not on record yet."""
        return bool(self._late)

    async def demand(self, *records: Record) -> None:
        """Put records on record, or raise and keep none of them.

        Raises:
            LeaseLostError: Another process leads the account now.
            DuplicateIntentError: The intent is there already.
            StorageError: The ledger takes no records.
        """
        if not self._late:
            await self._journal.commit(*records)
            return
        async with self._turn:  # what is late is stored once, and before what came after it
            await self._journal.commit(*self._late, *records)
            self._late, self.reason = [], ""

    async def note(self, *records: Record) -> None:
        """Put records on record now, or as soon as the ledger takes them.

        Raises:
            LeaseLostError: Another process leads the account now.
            DuplicateIntentError: The intent is there already.
        """
        try:
            await self.demand(*records)
        except (LeaseLostError, DuplicateIntentError):
            raise
        except StorageError as error:
            self.reason = str(error)
            self._late = _merged(self._late, records)

    async def catch_up(self) -> bool:
        """Store what is late. Return whether nothing is late any more."""
        try:
            if self._late:
                await self.note()
        except DuplicateIntentError:
            # The ledger took it and its answer was lost: the intent is there, the rest may not be.
            self._late = [r for r in self._late if not isinstance(r, TradeIntent)]
        return not self._late


def _merged(late: list[Record], records: tuple[Record, ...]) -> list[Record]:
    """Return what is late with newer records; an order or slot is kept as it is last."""
    newer = {_identity(r) for r in records} - {None}
    return [r for r in late if _identity(r) not in newer] + list(records)


def _identity(record: Record) -> tuple[str, str] | None:
    match record:
        case Order():
            return ("order", record.client_order_id)
        case Slot():
            return ("slot", record.symbol)
        case _:
            return None
