"""What goes on record, also while the ledger is away.

An entry leaves only when it is on record. What follows from news cannot wait for that: a
position needs its stop whether or not a disk is full. Such records are kept here, and
stored before anything else once the ledger takes records again; what is lost with the
process in between, reconciliation learns from the exchange.
"""

import asyncio

from milobot.domain.decisions import Decision
from milobot.domain.intents import TradeIntent
from milobot.domain.orders import Order
from milobot.domain.slots import Slot
from milobot.errors import DuplicateIntentError, LeaseLostError, StorageError
from milobot.ports import Journal, Record

# A quarter of the time in which a position has to have its stop.
PATIENCE_S = 0.5


class Recorder:
    """Puts records into a journal, those that are late first.

    What was heard of a symbol is held until something about it is sent, and goes on record
    with that, in one transaction; or with ``flush`` when nothing is. Calls for one symbol
    must not overlap.
    """

    def __init__(self, journal: Journal) -> None:
        """Start with nothing late."""
        self._journal = journal
        self._held: dict[str, list[Record]] = {}
        self._late: list[Record] = []
        self._given_up: list[asyncio.Task[None]] = []
        self._turn = asyncio.Lock()
        self.reason = ""

    @property
    def is_behind(self) -> bool:
        """Return whether the ledger has not taken something that happened."""
        return bool(self._late)

    def holds(self, symbol: str) -> bool:
        """Return whether something of a symbol is held that nothing has been sent after."""
        return bool(self._held.get(symbol))

    def hold(self, symbol: str, *records: Record) -> None:
        """Keep records of what has happened until the next ones of the symbol are stored."""
        self._held[symbol] = _merged(self._held.get(symbol, []), records)

    async def demand(self, symbol: str, *records: Record) -> None:
        """Put records on record, or raise and keep none of them.

        Raises:
            LeaseLostError: Another process leads the account now.
            DuplicateIntentError: The intent is there already.
            StorageError: The ledger takes no records.
        """
        held = self._held.pop(symbol, [])
        try:
            await self._commit(_merged(held, records))
        except LeaseLostError:
            raise
        except DuplicateIntentError:
            self._hold_again(symbol, held)
            raise
        except StorageError as error:
            self._keep(held, str(error))
            raise

    async def note(self, symbol: str, *records: Record) -> None:
        """Put records on record now, or as soon as the ledger takes them.

        It is not waited for long: a stop must leave whether or not a ledger answers. What is
        stored although nobody waited for it is stored again, which changes nothing.

        Raises:
            LeaseLostError: Another process leads the account now.
            DuplicateIntentError: The intent is there already.
        """
        held = self._held.pop(symbol, [])
        batch = _merged(held, records)
        if not batch:
            return
        if self._late:  # ``catch_up`` tries the ledger again, and nobody else waits for it
            self._keep(batch, self.reason)
            return
        try:
            if not await self._commit_soon(batch):
                self._keep(batch, f"the ledger did not answer within {PATIENCE_S:g} s")
        except LeaseLostError:
            raise
        except DuplicateIntentError:
            self._hold_again(symbol, held)
            raise
        except StorageError as error:
            self._keep(batch, str(error))

    async def was_decided(self, intent: TradeIntent) -> bool | None:
        """Return whether the ledger knows a decision about an intent; None when it does not say.

        Asked before what is noted only: a note is not waited for long, so that it cannot be
        relied on to tell that an intent comes again.
        """
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self._journal.find_decision(intent.key) is not None
        except (TimeoutError, StorageError):
            return None

    async def flush(self, symbol: str) -> None:
        """Put what is held of a symbol on record, or keep it as late.

        Raises:
            LeaseLostError: Another process leads the account now.
        """
        await self.note(symbol)

    async def confirm(self) -> None:
        """Try once more to store what is late, before somebody is told that it has happened.

        A process that was frozen finds out here that the account is led by another one now,
        which knows nothing of what was kept for later. It wakes to limits of time that have
        passed and to connections that were ended: so there is none of the former here, and a
        second try for the latter.

        Raises:
            LeaseLostError: Another process leads the account now.
        """
        if self._late and not await self.catch_up():
            await self.catch_up()

    async def catch_up(self) -> bool:
        """Store what is late. Return whether nothing is late any more."""
        try:
            if self._late:
                await self._commit([])
        except LeaseLostError:
            raise
        except StorageError as error:
            self.reason = str(error)
        return not self._late

    async def _commit_soon(self, records: list[Record]) -> bool:
        """Store records. Return False when that takes too long; it goes on unheard then."""
        # It may outlive its caller, but not the next one: see ``_let_given_up_end``.
        storing = asyncio.create_task(self._journal.commit(*records))  # noqa: TID251 - kept till its end
        try:
            ended, _ = await asyncio.wait({storing}, timeout=PATIENCE_S)
        except asyncio.CancelledError:
            storing.cancel()
            raise
        if ended:
            await storing
            return True
        self._given_up.append(storing)
        return False

    async def _let_given_up_end(self) -> None:
        """Wait for what is being stored unheard: behind what is newer, an old position would stand.

        It is late as well and stored again, so that its end matters only when the lead is lost.
        """
        for storing in tuple(self._given_up):
            await asyncio.wait({storing})
            self._given_up.remove(storing)
            if isinstance(lost := storing.exception(), LeaseLostError):
                raise lost

    async def _commit(self, records: list[Record]) -> None:
        if not self._late:
            await self._journal.commit(*records)
            return
        async with self._turn:  # what is late is stored once, and before what came after it
            await self._let_given_up_end()
            late = self._late
            try:
                await self._journal.commit(*_newest([*late, *records]))
            except DuplicateIntentError:
                unknown = await self._not_on_record(late)
                if len(unknown) == len(late):
                    raise  # what is new is the duplicate
                await self._journal.commit(*_newest([*unknown, *records]))
            # What was kept meanwhile came after it and is late still.
            self._late, self.reason = self._late[len(late) :], ""

    async def _not_on_record(self, late: list[Record]) -> list[Record]:
        """Return late records without the intents that the ledger took and did not confirm.

        Nor with what had been decided about them up to the decision that stands: said once
        more, an older one would be the latest.
        """
        known: set[int] = set()
        for intent in [record for record in late if isinstance(record, TradeIntent)]:
            decision = await self._journal.find_decision(intent.key)
            if decision is not None:
                last = late.index(decision) if decision in late else late.index(intent)
                about = (place for place in range(last + 1) if _about(late[place]) == intent.key)
                known.update(about)
        return [record for place, record in enumerate(late) if place not in known]

    def _hold_again(self, symbol: str, held: list[Record]) -> None:
        self._held[symbol] = _merged(held, tuple(self._held.get(symbol, [])))

    def _keep(self, records: list[Record], reason: str) -> None:
        self.reason = reason
        if self._turn.locked():  # what is being stored is known by its length
            self._late = [*self._late, *records]
        else:
            self._late = _merged(self._late, tuple(records))


def _about(record: Record) -> str | None:
    """Return the key of the intent that a record is, or decides about."""
    match record:
        case TradeIntent():
            return record.key
        case Decision():
            return record.intent_key
        case _:
            return None


def _merged(older: list[Record], newer: tuple[Record, ...]) -> list[Record]:
    """Return older records with newer ones; an order or slot is kept as it is last."""
    if not older:
        return list(newer)
    again = {_identity(r) for r in newer} - {None}
    return [r for r in older if _identity(r) not in again] + list(newer)


def _newest(records: list[Record]) -> list[Record]:
    """Return records with each order and slot as it is last, where that comes.

    What was stored without being confirmed is newer than what is late: an older state of an
    order before the newest would be refused, and with it everything, for ever.
    """
    last = {_identity(record): place for place, record in enumerate(records)}
    return [
        record
        for place, record in enumerate(records)
        if _identity(record) is None or last[_identity(record)] == place
    ]


def _identity(record: Record) -> tuple[str, str] | None:
    match record:
        case Order():
            return ("order", record.client_order_id)
        case Slot():
            return ("slot", record.symbol)
        case _:
            return None
