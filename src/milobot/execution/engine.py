"""The engine: intents go in by ``accept``, news comes back by ``apply``, nothing else.

Everything it decides is decided by pure functions (gates, ledger, protection); what is left
here is the order of things: commit, send, apply the answer, look again. A symbol's slot is
looked at and changed within its turn. Nothing is sent within a turn: while an answer is
waited for, news of the same symbol is taken in, and a fill gets its stop.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal

from milobot.domain.decisions import Decision, Outcome
from milobot.domain.intents import PositionSide, TradeIntent
from milobot.domain.market import SymbolRules
from milobot.domain.orders import (
    FundingUpdate,
    Order,
    OrderPurpose,
    OrderStatus,
    OrderType,
    OrderUpdate,
)
from milobot.domain.slots import PositionState, Slot, position_state, with_exposure
from milobot.errors import DuplicateIntentError, ExchangeError, OrderTransitionError
from milobot.execution.books import AccountBooks
from milobot.execution.entries import SEND_WITHIN_MS, Entries
from milobot.execution.exits import Cancel, Command, Place
from milobot.execution.findings import Ours
from milobot.execution.gates import Limits
from milobot.execution.governor import Governor
from milobot.execution.ledger import with_sight
from milobot.execution.moving_stops import moved_stop
from milobot.execution.planning import Freshness, Planner, always_fresh
from milobot.execution.protection import next_command, review, seems_settled, through_the_band
from milobot.execution.recorder import Recorder
from milobot.execution.setbacks import has_new_way
from milobot.execution.waiting import turn_away
from milobot.execution.wishes import Wishes
from milobot.ports import Books, Clock, Exchange, Journal


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """Who the engine trades for and within what limits.

    Attributes:
        account: ``exchange:name``; part of every client order id.
        patience_s: How long a wish that changes what is held waits for what is on its way.
            Entries are answered within a second, and a stop rests half a second later.
    """

    account: str = "paper:default"
    limits: Limits = field(default_factory=Limits)
    patience_s: float = 2.0


class ExecutionEngine:
    """Turns intents into protected positions on one account.

    Attributes:
        contradicted: Takes answers to our own requests that contradict what is known, with
            their symbol: who asked for a trade can do nothing about them. None raises them.
    """

    def __init__(
        self,
        exchange: Exchange,
        journal: Journal,
        clock: Clock,
        config: EngineConfig,
        *,
        governor: Governor | None = None,
        freshness: Callable[[str], Freshness] = always_fresh,
    ) -> None:
        """Start with nothing known: every slot is flat and free, until ``restore``.

        Args:
            exchange: Where orders go.
            journal: What survives.
            clock: The exchange's time.
            config: Who is traded for.
            governor: What bounds the account; None for no bounds.
            freshness: How old what the exchange answers may be, by symbol.
        """
        self.contradicted: Callable[[str, OrderTransitionError], None] | None = None
        self._exchange = exchange
        self._clock = clock
        self._config = config
        self._books = AccountBooks(journal, clock)
        planner = Planner(exchange, config.limits, clock, governor, freshness)
        self._entries = Entries(self._books, planner, clock, config.account)
        self._wishes = Wishes(self._books, self._entries, exchange, self._begun, config.patience_s)

    @property
    def recorder(self) -> Recorder:
        """Return what puts things on record."""
        return self._books.recorder

    def restore(self, known: Books) -> None:
        """Take over what a journal knows; how the exchange sees it is for reconciliation."""
        self._books.restore(known)

    def slot(self, symbol: str) -> Slot:
        """Return the state of one symbol."""
        return self._books.slot(symbol)

    def ours(self) -> tuple[Ours, ...]:
        """Return every slot with when it last changed, for a comparison with the exchange."""
        return self._books.ours()

    def slots(self) -> Iterator[tuple[Slot, PositionState]]:
        """Yield every slot with how safe it is."""
        for slot in self._books.slots():
            yield slot, position_state(slot)

    async def find_order(self, client_order_id: str) -> Order | None:
        """Return an order of ours, however long ago it ended; None for somebody else's."""
        return await self._books.order(client_order_id)

    async def accept(self, intent: TradeIntent) -> Decision:
        """Decide about an intent and carry it out; the same key again returns the same decision.

        Raises:
            AuthenticationError: The exchange refuses the key; the denial is on record.
            LeaseLostError: Another process leads the account now; nothing was sent.
        """
        async with self._wishes.facts(intent) as facts, self._books.turn(intent.symbol):
            # An older one is found when the intent is put on record for the second time.
            if self._books.recent_decision(intent.key) is not None:
                return await self._wishes.decided_elsewhere(intent)
            try:
                decision, order = await self._wishes.decide(intent, facts)
            except DuplicateIntentError:
                return await self._wishes.decided_elsewhere(intent)
        is_at_work = order is not None or decision.outcome is Outcome.ACCEPTED
        if is_at_work and (order is None or await self._took(order)):
            await self._settle(intent.symbol)
        if order is not None:
            await self._wishes.ended(intent)
        await self.recorder.confirm()  # whoever hears a decision never asks again
        return await self._books.decision(intent.key) or decision

    async def apply(self, update: OrderUpdate | FundingUpdate) -> None:
        """Take in news from the exchange and do what follows from it.

        Raises:
            OrderTransitionError: The news contradicts what is known: reconcile.
            LeaseLostError: Another process leads the account now.
        """
        try:
            is_news = await self.book(update)
        except OrderTransitionError:
            await self._settle(update.symbol)  # for what was executed all the same
            raise
        if is_news:
            await self._settle(update.symbol)

    async def book(self, update: OrderUpdate | FundingUpdate) -> bool:
        """Take in news and leave what follows to ``look_again``. Return whether it changed anything.

        Raises:
            OrderTransitionError: The news contradicts what is known: reconcile. What was
                executed is booked all the same.
            LeaseLostError: Another process leads the account now.
        """
        async with self._books.turn(update.symbol):
            return await self._books.book(update)

    async def adopt(self, order: Order) -> None:
        """Take over an order of ours that the books do not know; its fill has no plan."""
        async with self._books.turn(order.symbol):
            slot = self.slot(order.symbol)
            await self._books.change(slot.with_order(order), order)

    async def withdraw(self, order: Order) -> None:
        """Cancel an order that rests and should not, unless it has ended since it was found."""
        async with self._books.turn(order.symbol):
            known = await self._books.order(order.client_order_id)
            if order.is_live and known is not None and not known.is_live:
                return
            waiting = await self._record(Cancel(order))
        await self._carry_out(Cancel(order), waiting)
        await self.look_again(order.symbol)  # the answer goes on record also where nothing follows

    async def look_again(self, symbol: str) -> None:
        """Do what has to be done in a symbol now that time has passed."""
        slot = self.slot(symbol)
        if not slot.is_free:
            await self._settle(symbol)
            return
        async with self._books.turn(symbol):
            await self.recorder.flush(symbol)

    async def position_seen(
        self, symbol: str, side: PositionSide, quantity: Decimal, since_ms: int | None = None
    ) -> None:
        """Take in what the exchange shows as held: an entry in doubt gets its stop at once.

        Args:
            symbol: Where.
            side: Direction of what is shown.
            quantity: How much; zero for nothing. A smaller one than before must be certain.
            since_ms: When it was shown, on the exchange's clock; None for just now.
        """
        async with self._books.turn(symbol):
            slot = self.slot(symbol)
            seen = with_sight(slot, side, quantity)
            if seen == slot:
                return
            shown_ms = self._clock.now_ms() if since_ms is None else since_ms
            await self._books.change(with_exposure(seen, shown_ms))
        await self._settle(symbol)

    async def block(self, symbol: str, reason: str) -> None:
        """Let nobody enter a symbol for a reason; an empty one lets them again."""
        async with self._books.turn(symbol):
            slot = self.slot(symbol)
            if slot.blocked != reason:
                await self._books.change(replace(slot, blocked=reason))

    async def close_position(self, symbol: str, reason: str) -> None:
        """Close what is open in a symbol, with a reason that the round trip carries."""
        async with self._books.turn(symbol):
            slot = self.slot(symbol)
            if slot.is_idle:
                return
            slot = replace(slot, closing=slot.closing or reason)
            slot = await turn_away(self._books, self._entries, slot, "slot_busy", reason)
            await self._books.change(slot)
        await self._settle(symbol)

    async def candle_closed(self, symbol: str, close: Decimal) -> None:
        """Let trailing and break-even stops follow a closed candle; try again what was refused."""
        held = self.slot(symbol)
        if held.is_free:
            return
        if not held.position.is_flat and held.setup is not None:
            rules = held.setup.rules  # what is open keeps its grid, whatever becomes of the symbol
            async with self._books.turn(symbol):
                slot = self.slot(symbol)
                moved = moved_stop(slot, close, rules)
                if moved is not slot:
                    self._books.keep(moved)
                    self.recorder.hold(symbol, moved)  # on record with the order that follows
            if moved is slot and seems_settled(slot):
                return
        await self.look_again(symbol)

    async def _settle(self, symbol: str) -> None:
        """Carry out commands until the slot is as it should be, then free it or enter anew."""
        while True:
            async with self._books.turn(symbol):
                command = self._reviewed(symbol)
                before = self.slot(symbol)
                if command is None:
                    order = await self._free(symbol)
                else:
                    order = await self._record(command)
                if order is None:
                    await self.recorder.flush(symbol)
                    return
            if command is None:
                await self._send(order)
            elif not await self._carry_out(command, order) and not has_new_way(
                before, self.slot(symbol)
            ):
                break  # refused: the next look, news or candle tries again
        async with self._books.turn(symbol):
            await self.recorder.flush(symbol)

    def _reviewed(self, symbol: str) -> Command | None:
        """Return what has to be done next in a symbol; that it is closed goes on record with it."""
        slot = self.slot(symbol)
        reviewed, command = self._next_command(slot)
        if reviewed is not slot:
            self._books.keep(reviewed)
        if reviewed.closing != slot.closing:
            self.recorder.hold(symbol, reviewed)
        return command

    def _next_command(self, slot: Slot) -> tuple[Slot, Command | None]:
        now_ms = self._clock.now_ms()
        reviewed = review(slot, now_ms)
        return reviewed, next_command(reviewed, account=self._config.account, now_ms=now_ms)

    def _begun(self, slot: Slot) -> tuple[Slot, Order | None]:
        """Return a slot with the first order of what has to be done in it, if one has to be sent."""
        slot, command = self._next_command(slot)
        return self._prepared(slot, command) if isinstance(command, Place) else (slot, None)

    async def _free(self, symbol: str) -> Order | None:
        """Free a slot in which nothing is left; return the entry of who waited for it."""
        slot = self.slot(symbol)
        if not slot.is_idle or slot.is_free:
            return None
        released = slot.released()
        self._books.keep(released)
        # On record with what follows from it: who waits must not be lost between the two.
        self.recorder.hold(symbol, released)
        return (await self._entries.enter(slot.queued))[1] if slot.queued is not None else None

    async def _record(self, command: Command) -> Order:
        """Put on record what is about to be asked of the exchange."""
        slot, order = self._prepared(self.slot(command.order.symbol), command)
        await self._books.change(slot, order)
        return order

    def _prepared(self, slot: Slot, command: Command) -> tuple[Slot, Order]:
        """Return slot and order as they are once a command is on its way."""
        if isinstance(command, Cancel):
            order = replace(command.order, status=OrderStatus.CANCEL_PENDING)
        else:
            send_before_ms = self._clock.now_ms() + SEND_WITHIN_MS
            order = replace(command.order, send_before_ms=send_before_ms)
            slot = replace(slot, revision=slot.revision + 1)
        return slot.with_order(order), order

    async def _took(self, order: Order) -> bool:
        """Send the first order of a decision. Return whether to look for the next at once."""
        before = self.slot(order.symbol)
        if order.purpose is OrderPurpose.ENTRY:
            await self._send(order)
            return True
        return await self._carry_out(Place(order), order) or has_new_way(
            before, self.slot(order.symbol)
        )

    async def _carry_out(self, command: Command, order: Order) -> bool:
        """Return whether it makes sense to look for the next command at once."""
        match command:
            case Place():
                placed = await self._send(await self._priced(order))
                return placed.is_live or placed.filled_quantity > 0
            case Cancel():  # pragma: no branch - mypy proves that no command is left
                with self._books.busy(order):
                    await self._hear(order, await self._exchange.cancel_order(order))
                after = await self._books.order(order.client_order_id) or order
                return after.status not in {OrderStatus.SUBMITTED, OrderStatus.PARTIALLY_FILLED}

    async def _priced(self, order: Order) -> Order:
        """Return an order as it is sent: a limit order takes its price from the market now."""
        if order.type is not OrderType.LIMIT:
            return order
        try:
            last_price = await self._exchange.fetch_last_price(order.symbol)
        except ExchangeError:
            return order  # refused for having no price: tried again at the next look
        async with self._books.turn(order.symbol):
            slot = self.slot(order.symbol)
            rules = slot.setup.rules if slot.setup else SymbolRules(order.symbol)
            order = through_the_band(order, last_price, rules)
            await self._books.change(slot.with_order(order), order)
        return order

    async def _send(self, order: Order) -> Order:
        """Send an order that is on record, book the answer and return what the order is then."""
        with self._books.busy(order):
            await self._hear(order, await self._exchange.place_order(order))
        return await self._books.order(order.client_order_id) or order

    async def _hear(self, order: Order, answer: tuple[OrderUpdate, ...]) -> None:
        async with self._books.turn(order.symbol):
            for update in answer:
                try:
                    await self._books.book(update)
                except OrderTransitionError as error:
                    if self.contradicted is None:
                        raise
                    self.contradicted(order.symbol, error)
