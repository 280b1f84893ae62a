"""An account at a model exchange, and books that hear as much of it as a test lets them."""

import contextlib
from dataclasses import replace
from decimal import Decimal

from tests.support.model_exchange import ModelExchange, Remote
from tests.support.trading import (
    OWNER,
    SYMBOL,
    at_price,
    base,
    dec,
    enter_long,
    enter_short,
    intent,
)

from milobot.domain.ids import client_order_id, is_ours
from milobot.domain.intents import Side
from milobot.domain.money import ZERO
from milobot.domain.orders import Fill, Order, OrderPurpose, OrderStatus, OrderType, OrderUpdate
from milobot.domain.risk import Levels
from milobot.domain.slots import Setup, Slot
from milobot.errors import OrderTransitionError
from milobot.execution.books import AccountBooks
from milobot.execution.doubt import Doubt, Sighting, Terms, is_in_doubt, judge
from milobot.execution.findings import Findings, Needs, Sightings, Snapshot, booked_quantity
from milobot.execution.reconciliation import compare
from milobot.storage.memory import MemoryJournal

ACCOUNT = "paper:default"
P, S = OrderPurpose, OrderStatus
_KINDS = {P.STOP: OrderType.STOP_MARKET, P.TARGET: OrderType.TAKE_PROFIT_MARKET}
_TRIGGERS = {P.STOP: dec("95"), P.TARGET: dec("110")}


class World(ModelExchange):
    """The truth at an exchange, our books, and what passes between them."""

    def __init__(self) -> None:
        """Start with an account that has never traded."""
        super().__init__()
        self.journal = MemoryJournal()
        self.books = AccountBooks(self.journal, self.clock)
        self.terms = Terms()
        self.last = Findings()
        self._doubts: dict[str, Doubt] = {}

    @property
    def slot(self) -> Slot:
        """Return our books of the usual symbol."""
        return self.books.slot(SYMBOL)

    @property
    def codes(self) -> list[str]:
        """Return what the last look told the reader, as codes."""
        return [notice.code.value for notice in self.last.news]

    # --- what our books do and hear

    def order(self, purpose: OrderPurpose, quantity: str = "1", **more: object) -> Order:
        """Return a new order of ours in the usual symbol; sells to exit."""
        self._count += 1
        symbol = str(more.get("symbol", SYMBOL))
        side = more.get("side") or (Side.BUY if purpose is P.ENTRY else Side.SELL)
        now_ms = self.clock.time_ms
        assert isinstance(side, Side)
        return Order(
            client_order_id=client_order_id(ACCOUNT, f"k{self._count}", purpose, 0),
            intent_key="k1",
            symbol=symbol,
            side=side,
            type=_KINDS.get(purpose, OrderType.MARKET),
            purpose=purpose,
            quantity=dec(quantity),
            created_ms=now_ms,
            reduce_only=purpose is not P.ENTRY,
            trigger_price=_TRIGGERS.get(purpose),
            send_before_ms=now_ms + 1_000,
        )

    async def record(self, order: Order) -> Order:
        """Put an order of ours on record."""
        slot = self.books.slot(order.symbol)
        if order.purpose is P.ENTRY and slot.setup is None:
            slot = replace(slot, owner=OWNER, setup=_setup(order), stop=dec("95"))
        await self.books.change(slot.with_order(order), order)
        return order

    async def send(self, order: Order, *, is_heard: bool = True) -> Remote:
        """Put an order of ours on record, and let it arrive."""
        await self.record(order)
        remote = self.arrive(order)
        if is_heard:
            await self.hear(remote, ())
        return remote

    async def fill(self, remote: Remote, quantity: str | Decimal, *, is_heard: bool = True) -> Fill:
        """Execute a part of an order of ours."""
        done = self.execute(remote, Decimal(quantity))
        if is_heard:
            await self.hear(remote, (done,))
        return done

    async def end(self, remote: Remote, status: OrderStatus, *, is_heard: bool = True) -> None:
        """End an order at the exchange."""
        remote.status = status
        if is_heard:
            await self.hear(remote, ())

    async def hear(self, remote: Remote, fills: tuple[Fill, ...]) -> None:
        """Book an event about an order of ours.

        As clients do it: an end is not told before everything that was filled is.
        """
        name = remote.order.client_order_id
        own = tuple(replace(fill, client_order_id=name) for fill in fills)
        known = self.journal.latest[name].filled_quantity
        is_whole = known + sum((fill.quantity for fill in own), ZERO) >= remote.filled
        if not is_whole and not own:
            return
        await self.book(
            OrderUpdate(
                name,
                remote.order.symbol,
                remote.status if is_whole else S.PARTIALLY_FILLED,
                self.clock.time_ms,
                own,
                exchange_order_id=remote.exchange_id,
            )
        )

    async def book(self, update: OrderUpdate) -> None:
        """Book news and put it on record, as the engine does."""
        await self.books.book(update)
        await self.books.recorder.flush(update.symbol)

    async def hear_of_others(self, name: str, fill: Fill) -> None:
        """Book an event about an order that the exchange made itself."""
        purpose = self.remotes[name].purpose
        told = replace(fill, client_order_id=name)
        news = OrderUpdate(name, fill.symbol, S.FILLED, fill.time_ms, (told,), purpose=purpose)
        await self.book(news)
        await self.books.recorder.flush(news.symbol)

    async def opened(self, quantity: str = "1") -> tuple[Remote, Remote, Remote]:
        """Hold a position with stop and target, all heard; return entry, stop and target."""
        entry = await self.send(self.order(P.ENTRY, quantity))
        await self.fill(entry, quantity)
        stop = await self.send(self.order(P.STOP, quantity))
        target = await self.send(self.order(P.TARGET, quantity))
        self.later(60)
        return entry, stop, target

    async def restart(self) -> None:
        """Lose everything that is not on record."""
        self.books = AccountBooks(self.journal, self.clock)
        self.books.restore(await self.journal.load())
        self.last, self._doubts = Findings(), {}

    # --- looking

    async def look(self, snapshot: Snapshot | None = None) -> Findings:
        """Compare once with everything that is needed, without carrying anything out."""
        shot = snapshot or self.snapshot()
        before = self.last.sightings
        findings = self._compare(shot, before)
        for _ in range(8):
            if not findings.needs:
                break
            shot = await self._completed(shot, findings.needs)
            findings = self._compare(shot, before)
        assert not findings.needs, "every question has its answer after a few rounds"
        return findings

    async def reconcile(self, snapshot: Snapshot | None = None) -> Findings:
        """Compare once and carry out what is found."""
        self.last = findings = await self.look(snapshot)
        await self.carry_out(findings)
        return findings

    async def converge(self, rounds: int = 2, apart_s: float = 2.5) -> None:
        """Look several times, as when something is to be seen twice."""
        for _ in range(rounds):
            self.later(apart_s)
            await self.reconcile()

    async def carry_out(self, findings: Findings) -> None:
        """Do what a look has found."""
        for order in findings.adopted:
            await self.books.change(self.books.slot(order.symbol).with_order(order), order)
        for update in findings.updates:
            with contextlib.suppress(OrderTransitionError):  # told by ``codes``
                await self.book(update)
            await self.books.recorder.flush(update.symbol)
        for order in findings.withdraw:
            remote = self.remotes[order.client_order_id]
            await self.end(remote, S.CANCELLED)
        for symbol, reason in findings.blocked.items():
            await self.books.change(replace(self.books.slot(symbol), blocked=reason))

    async def ask(self) -> None:
        """Ask once for every order in doubt."""
        for slot in list(self.books.slots()):
            for order in filter(is_in_doubt, slot.orders):
                doubt = self._doubts.get(order.client_order_id, Doubt())
                sighting = self._sighting(order)
                doubt, update = judge(order, sighting, doubt, self.terms)
                self._doubts[order.client_order_id] = doubt
                if update is not None:
                    await self.book(update)
                    await self.books.recorder.flush(update.symbol)

    def _sighting(self, order: Order) -> Sighting:
        now_ms, symbol = self.clock.time_ms, order.symbol
        return Sighting(
            now_ms,
            self.update_of(order.client_order_id),
            is_whole=True,
            listed=[r for r in self.listed() if r.symbol == symbol],
            fills=self.told(symbol),
            booked=self._booked(symbol),
            held=self.stand(symbol),
            ours=booked_quantity(self.books.slot(symbol)),
        )

    def _compare(self, snapshot: Snapshot, before: Sightings) -> Findings:
        return compare(self.books.ours(), snapshot, before, self.terms, account=ACCOUNT)

    async def _record(self, symbol: str, name: str) -> Order | None:
        if is_ours(name):
            return await self.journal.find_order(name)
        return await self.journal.find_nameless(symbol, name)

    async def _completed(self, shot: Snapshot, needs: Needs) -> Snapshot:
        updates = {o.client_order_id: self.update_of(o.client_order_id) for o in needs.updates}
        fills = {
            symbol: tuple(f for f in self.told(symbol) if f.time_ms >= first_ms)
            for symbol, first_ms in needs.fills.items()
        }
        booked = {symbol: self._booked(symbol) for symbol in needs.fills}
        records = {name: await self._record(symbol, name) for symbol, name in needs.records}
        strangers = {name: self.stranger(name) for _, name in needs.strangers}
        prices = dict.fromkeys(needs.mark_prices, dec("99"))
        return replace(
            shot,
            updates={**shot.updates, **updates},
            fills={**shot.fills, **fills},
            booked={**shot.booked, **booked},
            records={**shot.records, **records},
            strangers={**shot.strangers, **strangers},
            mark_prices={**shot.mark_prices, **prices},
        )

    def _booked(self, symbol: str) -> frozenset[str]:
        fills = (fill for update in self.journal.updates for fill in update.fills)
        return frozenset(fill.fill_id for fill in fills if fill.symbol == symbol)


def _setup(entry: Order) -> Setup:
    is_long = entry.side is Side.BUY
    enter = enter_long if is_long else enter_short
    plan = enter(base(str(entry.quantity)), stop=at_price("95"), target=at_price("110"))
    wish = intent(plan, key=entry.intent_key)
    levels = Levels(reference=dec("100"), stop=dec("95"))
    return Setup(wish, plan, levels, entry.quantity, ZERO)


def status(world: World, order: Order) -> OrderStatus:
    """Return what our books have of an order."""
    return world.journal.latest[order.client_order_id].status


def state(remote: Remote) -> OrderStatus:
    """Return what the exchange has of an order."""
    return remote.status
