"""What is on disk: all that a new process knows of the ones before it."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from tests.support.simulated.loop import Host, SimulatedLoop, Sleep, answer_to, fail
from tests.support.simulated.weather import Chance

from milobot.domain.decisions import Decision
from milobot.domain.intents import TradeIntent
from milobot.domain.orders import Fill, Order, OrderUpdate
from milobot.domain.round_trips import RoundTrip
from milobot.domain.slots import Slot
from milobot.errors import (
    CommitUnknownError,
    DuplicateIntentError,
    LeaseLostError,
    LedgerError,
    LedgerUnavailableError,
)
from milobot.ports import Books, Record

T = TypeVar("T")
TTL_MS = 4_000


class Disk:
    """The ledger of one account as it is stored, and who leads the account.

    Attributes:
        epoch: Number of the hold on the account.
        until_ms: When that hold ends.
        first: Each order as it was first put on record.
        refused: How often it did not take records.
        held_up: Is called when a record is going to take so many seconds longer.
    """

    def __init__(self) -> None:
        """Start empty; nobody leads."""
        self.epoch = 0
        self.until_ms = 0
        self.is_away = False
        self.held_up: Callable[[float], None] = lambda _seconds: None
        self.refused = 0
        self.intents: dict[str, TradeIntent] = {}
        self.orders: dict[str, Order] = {}
        self.first: dict[str, Order] = {}
        self.slots: dict[str, Slot] = {}
        self.fills: dict[tuple[str, str], Fill] = {}
        self.decisions: dict[str, list[Decision]] = {}
        self.trips: dict[tuple[str, int, int], RoundTrip] = {}

    def check(self, records: tuple[Record, ...]) -> None:
        """Raise what a transaction with these records would fail with."""
        for record in records:
            if isinstance(record, TradeIntent) and record.key in self.intents:
                raise DuplicateIntentError(f"the intent {record.key} is on record already")

    def store(self, records: tuple[Record, ...]) -> None:
        """Keep the records."""
        for record in records:
            self._keep(record)

    def _keep(self, record: Record) -> None:
        match record:
            case TradeIntent():
                self.intents[record.key] = record
            case Slot():
                self.slots[record.symbol] = record
            case Order():
                self._keep_order(record)
            case OrderUpdate():
                for fill in record.fills:
                    self.fills.setdefault((fill.symbol, fill.fill_id), fill)
            case Decision():
                self.decisions.setdefault(record.intent_key, []).append(record)
            case RoundTrip():
                key = (record.symbol, record.entry_time_ms, record.exit_time_ms)
                self.trips.setdefault(key, record)
            case _:
                pass

    def _keep_order(self, order: Order) -> None:
        """Keep an order, unless what is there has filled more: that is newer."""
        known = self.orders.get(order.client_order_id)
        if known is None or order.filled_quantity >= known.filled_quantity:
            self.orders[order.client_order_id] = order
        self.first.setdefault(order.client_order_id, order)

    def books(self) -> Books:
        """Return what a restart has to know."""
        live = tuple(order for order in self.orders.values() if order.is_live)
        return Books(tuple(self.slots.values()), live)


class HostJournal:
    """The journal as one process has it (port ``Journal``).

    What was not written when the process is killed may be written all the same, or not.
    """

    def __init__(self, disk: Disk, host: Host, loop: SimulatedLoop, chance: Chance) -> None:
        """Write for the process that has just taken the lead."""
        self._disk = disk
        self._host = host
        self._loop = loop
        self._chance = chance
        self._free_s = 0.0
        self.epoch = disk.epoch
        self.is_dead = False
        self.called: Callable[[], None] = lambda: None

    async def commit(self, *records: Record) -> None:
        """Store the records together, after everything that was to be stored before."""
        if not records:
            return
        self.called()
        now_s = self._loop.time()
        wait_s = self._chance.between(0.0005, 0.004)
        if self._chance.strikes("commit_slow"):
            stall_s = self._chance.between(0.05, 0.8)
            self._disk.held_up(stall_s)
            wait_s += stall_s
        self._free_s = max(self._free_s, now_s) + wait_s
        done = self._loop.create_future()
        self._loop.in_world(self._free_s - now_s, self._write, records, done)
        await done

    def _write(self, records: tuple[Record, ...], done: "asyncio.Future[None]") -> None:
        disk = self._disk
        if self.is_dead and self._chance.dice.random() < 0.5:
            return
        try:
            if disk.is_away or self._chance.strikes("commit_fails"):
                disk.refused += 1
                raise LedgerUnavailableError("the ledger does not answer")
            if disk.epoch != self.epoch:
                raise LeaseLostError("another process leads the account")
            disk.check(records)
        except LedgerError as error:
            fail(done, error)
            return
        disk.store(records)
        if self._chance.strikes("commit_lies"):
            disk.refused += 1
            fail(done, CommitUnknownError("the connection broke while it was stored"))
            return
        self._loop.in_world(self._chance.between(0.0001, 0.001), answer_to, done, None)

    async def load(self) -> Books:
        """Return what a restart has to know."""
        return await self._read(self._disk.books)

    async def find_order(self, client_order_id: str) -> Order | None:
        """Return an order, however long ago it ended."""
        return await self._read(lambda: self._disk.orders.get(client_order_id))

    async def find_nameless(self, symbol: str, exchange_order_id: str) -> Order | None:
        """Return the order of a symbol that the exchange knows by this id of its own."""
        named = (symbol, exchange_order_id)
        orders = self._disk.orders
        return await self._read(
            lambda: next(
                (o for o in orders.values() if (o.symbol, o.exchange_order_id) == named), None
            )
        )

    async def booked_fills(self, symbol: str, *, first_ms: int) -> frozenset[str]:
        """Return the ids of the fills on record with a time from ``first_ms`` on."""
        return await self._read(
            lambda: frozenset(
                fill_id
                for (of, fill_id), fill in self._disk.fills.items()
                if of == symbol and fill.time_ms >= first_ms
            )
        )

    async def find_decision(self, intent_key: str) -> Decision | None:
        """Return the latest decision about an intent."""
        decisions = self._disk.decisions
        return await self._read(
            lambda: decisions[intent_key][-1] if intent_key in decisions else None
        )

    async def _read(self, look: Callable[[], T]) -> T:
        self.called()
        done: asyncio.Future[T] = self._loop.create_future()

        def answer() -> None:
            if self._disk.is_away:
                fail(done, LedgerUnavailableError("the ledger does not answer"))
            else:
                answer_to(done, look())

        self._loop.in_world(self._chance.between(0.0002, 0.002), answer)
        return await done


class Lead:
    """A process's hold on the account, renewed every second."""

    def __init__(self, disk: Disk, loop: SimulatedLoop) -> None:
        """Take the lead; whoever had it has lost it."""
        self._disk = disk
        self._loop = loop
        disk.epoch += 1
        self.epoch = disk.epoch
        self.since_ms = loop.now_ms()
        self.deadline_ms = disk.until_ms = self.since_ms + TTL_MS

    async def keep(self, sleep: Sleep) -> None:
        """Renew for as long as this runs.

        Raises:
            LeaseLostError: Another process has taken the lead.
        """
        while True:
            asked_ms = self._loop.now_ms()
            await sleep(0.003)
            if self._disk.epoch != self.epoch:
                raise LeaseLostError("another process leads the account")
            if not self._disk.is_away:
                self._disk.until_ms = max(self._disk.until_ms, asked_ms + TTL_MS)
                self.deadline_ms = asked_ms + TTL_MS
            await sleep(1.0)
