"""The engine: intents go in by ``accept``, news comes back by ``apply``, nothing else.

Everything it decides is decided by pure functions (gates, ledger, protection); what is left
here is the order of things: commit, send, apply the answer, look again. A symbol's slot is
looked at and changed within its turn. Nothing is sent within a turn: while an answer is
waited for, news of the same symbol is taken in, and a fill gets its stop.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal

from milobot.domain.decisions import Decision, Gate, Outcome
from milobot.domain.ids import client_order_id
from milobot.domain.intents import Close, PositionSide, TradeIntent
from milobot.domain.market import SymbolRules
from milobot.domain.money import ZERO
from milobot.domain.orders import (
    FundingUpdate,
    Order,
    OrderPurpose,
    OrderStatus,
    OrderType,
    OrderUpdate,
    Refusal,
)
from milobot.domain.slots import PositionState, Setup, Slot, position_state, with_exposure
from milobot.errors import (
    AuthenticationError,
    DuplicateIntentError,
    ExchangeError,
    LeaseLostError,
    OrderDeniedError,
    StorageError,
)
from milobot.execution.books import AccountBooks
from milobot.execution.exits import Cancel, Command, Place
from milobot.execution.findings import Ours
from milobot.execution.gates import Judgement, Limits, Verdict, judge
from milobot.execution.ledger import with_sight
from milobot.execution.moving_stops import moved_stop
from milobot.execution.planning import Planner
from milobot.execution.protection import next_command, review, through_the_band
from milobot.execution.recorder import Recorder
from milobot.execution.setbacks import has_new_way
from milobot.ports import Books, Clock, Exchange, Journal, Record

# An order that has not left a second after it was put on record does not leave any more.
SEND_WITHIN_MS = 1_000


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """Who the engine trades for and within what limits.

    Attributes:
        account: ``exchange:name``; part of every client order id.
    """

    account: str = "paper:default"
    limits: Limits = field(default_factory=Limits)


class ExecutionEngine:
    """Turns intents into protected positions on one account."""

    def __init__(
        self, exchange: Exchange, journal: Journal, clock: Clock, config: EngineConfig
    ) -> None:
        """Start with nothing known: every slot is flat and free, until ``restore``."""
        self._exchange = exchange
        self._clock = clock
        self._config = config
        self._books = AccountBooks(journal, clock)
        self._planner = Planner(exchange, config.limits)

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
        async with self._books.turn(intent.symbol):
            known = await self._books.decision(intent.key)
            if known is not None:
                return known
            try:
                decision, entry = await self._judge(intent)
            except DuplicateIntentError:
                return await self._decided_elsewhere(intent)
        if decision.outcome is not Outcome.ACCEPTED:
            return decision
        if entry is not None:
            await self._send(entry)
        await self._settle(intent.symbol)
        return await self._books.decision(intent.key) or decision

    async def apply(self, update: OrderUpdate | FundingUpdate) -> None:
        """Take in news from the exchange and do what follows from it.

        Raises:
            OrderTransitionError: The news contradicts what is known: reconcile.
            LeaseLostError: Another process leads the account now.
        """
        if await self.book(update):
            await self._settle(update.symbol)

    async def book(self, update: OrderUpdate | FundingUpdate) -> bool:
        """Take in news and leave what follows to ``look_again``. Return whether it changed anything.

        Raises:
            OrderTransitionError: The news contradicts what is known: reconcile.
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
        """Cancel an order that rests and should not."""
        async with self._books.turn(order.symbol):
            waiting = await self._record(Cancel(order))
        await self._carry_out(Cancel(order), waiting)

    async def look_again(self, symbol: str) -> None:
        """Do what has to be done in a symbol now that time has passed."""
        slot = self.slot(symbol)
        if slot.owner or not slot.is_idle:
            await self._settle(symbol)

    async def position_seen(self, symbol: str, side: PositionSide, quantity: Decimal) -> None:
        """Take in what the exchange shows as held: an entry in doubt gets its stop at once.

        Args:
            symbol: Where.
            side: Direction of what is shown.
            quantity: How much; zero for nothing. A smaller one than before must be certain.
        """
        async with self._books.turn(symbol):
            slot = self.slot(symbol)
            seen = with_sight(slot, side, quantity)
            if seen == slot:
                return
            await self._books.change(with_exposure(seen, self._clock.now_ms()))
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
            closing = slot.closing or reason
            await self._books.change(replace(slot, closing=closing, queued=None))
        await self._settle(symbol)

    async def candle_closed(self, symbol: str, close: Decimal) -> None:
        """Let trailing and break-even stops follow a closed candle; try again what was refused."""
        if not self.slot(symbol).position.is_flat:
            rules = await self._exchange.fetch_rules(symbol)
            async with self._books.turn(symbol):
                slot = self.slot(symbol)
                moved = moved_stop(slot, close, rules)
                if moved != slot:
                    await self._books.change(moved)
            if moved.stop == slot.stop and not moved.closing:
                return
        await self.look_again(symbol)

    async def _judge(self, intent: TradeIntent) -> tuple[Decision, Order | None]:
        """Return the decision about an intent, on record, and the entry to be sent."""
        slot = self.slot(intent.symbol)
        judged = judge(slot, intent)
        match judged.verdict:
            case Verdict.ENTER:
                return await self._enter(intent, intent)
            case Verdict.REVERSE:
                slot = replace(slot, closing="reversal", queued=intent)
            case Verdict.CLOSE:
                slot = replace(slot, closing="close")
            case Verdict.IGNORE:
                return await self._refuse(intent, Outcome.IGNORED, judged, [], intent), None
            case Verdict.DENY:  # pragma: no branch - mypy proves that no verdict is left
                return await self._refuse(intent, Outcome.DENIED, judged, [], intent), None
        decision = _decision(intent, Outcome.ACCEPTED, judged)
        self._books.keep(slot)
        self._books.decide(decision)
        # Closing is never held up by a ledger that is away.
        await self.recorder.note(intent, decision, slot)
        return decision, None

    async def _settle(self, symbol: str) -> None:
        """Carry out commands until the slot is as it should be, then free it or enter anew."""
        while True:
            async with self._books.turn(symbol):
                command = await self._next_command(symbol)
                before = self.slot(symbol)
                if command is None:
                    order = await self._free(symbol)
                else:
                    order = await self._record(command)
            if order is None:
                return
            if command is None:
                await self._send(order)
            elif not await self._carry_out(command, order) and not has_new_way(
                before, self.slot(symbol)
            ):
                return  # refused: the next look, news or candle tries again

    async def _next_command(self, symbol: str) -> Command | None:
        slot, account, now_ms = self.slot(symbol), self._config.account, self._clock.now_ms()
        reviewed = review(slot, now_ms)
        if reviewed.closing != slot.closing:
            await self._books.change(reviewed)
        elif reviewed is not slot:
            self._books.keep(reviewed)
        return next_command(reviewed, account=account, now_ms=now_ms)

    async def _free(self, symbol: str) -> Order | None:
        """Free a slot in which nothing is left; return the entry of who waited for it."""
        slot = self.slot(symbol)
        if not (slot.is_idle and slot.owner):
            return None
        await self._books.change(slot.released())
        return (await self._enter(slot.queued))[1] if slot.queued is not None else None

    async def _record(self, command: Command) -> Order:
        """Put on record what is about to be asked of the exchange."""
        slot = self.slot(command.order.symbol)
        if isinstance(command, Cancel):
            order = replace(command.order, status=OrderStatus.CANCEL_PENDING)
        else:
            send_before_ms = self._clock.now_ms() + SEND_WITHIN_MS
            order = replace(command.order, send_before_ms=send_before_ms)
            slot = replace(slot, revision=slot.revision + 1)
        await self._books.change(slot.with_order(order), order)
        return order

    async def _carry_out(self, command: Command, order: Order) -> bool:
        """Return whether it makes sense to look for the next command at once."""
        match command:
            case Place():
                placed = await self._send(await self._priced(order))
                return placed.is_live or placed.filled_quantity > 0
            case Cancel():  # pragma: no branch - mypy proves that no command is left
                with self._books.busy(order.symbol):
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
        with self._books.busy(order.symbol):
            await self._hear(order, await self._exchange.place_order(order))
        return await self._books.order(order.client_order_id) or order

    async def _hear(self, order: Order, answer: tuple[OrderUpdate, ...]) -> None:
        async with self._books.turn(order.symbol):
            for update in answer:
                await self._books.book(update)

    async def _enter(self, intent: TradeIntent, *new: Record) -> tuple[Decision, Order | None]:
        """Plan an entry and put it on record; ``new`` goes there with the decision about it."""
        gates: list[Gate] = []
        try:
            setup = await self._planner.plan(intent, self._reserved_risk(), gates)
            return await self._record_entry(setup, gates, *new)
        except OrderDeniedError as denied:
            judged = Judgement(Verdict.DENY, denied.code, str(denied))
            return await self._refuse(intent, Outcome.DENIED, judged, gates, *new), None
        except ExchangeError as failure:
            is_refused = isinstance(failure, AuthenticationError)
            code = "key_refused" if is_refused else "exchange_unavailable"
            judged = Judgement(Verdict.DENY, code, f"nothing was sent: {failure}")
            decision = await self._refuse(intent, Outcome.DENIED, judged, gates, *new)
            if is_refused:
                raise  # on record, and now whoever runs this must stop
            return decision, None
        finally:
            self._planner.release(intent.symbol)

    async def _record_entry(
        self, setup: Setup, gates: list[Gate], *new: Record
    ) -> tuple[Decision, Order]:
        intent, order = setup.intent, self._entry_order(setup)
        before = self.slot(intent.symbol)
        slot = replace(
            before,
            owner=intent.owner,
            setup=setup,
            stop=setup.levels.stop,
            revision=before.revision + 1,
        ).with_order(order)
        entry = Judgement(Verdict.ENTER, "accepted", "entry sent")
        decision = _decision(intent, Outcome.ACCEPTED, entry, gates)
        try:
            await self.recorder.demand(*new, decision, slot, order)
        except (LeaseLostError, DuplicateIntentError):
            raise
        except StorageError as error:
            # It may have been stored although the answer says otherwise: say that it never left.
            unsent = replace(order, status=OrderStatus.NOT_EXECUTED, refusal=Refusal.UNAVAILABLE)
            await self.recorder.note(before, unsent)
            raise OrderDeniedError("ledger_unavailable", f"nothing was sent: {error}") from error
        self._books.decide(decision)
        self._books.keep(slot, order)
        return decision, order

    def _entry_order(self, setup: Setup) -> Order:
        intent, now_ms = setup.intent, self._clock.now_ms()
        return Order(
            client_order_id=client_order_id(self._config.account, intent.key, "entry", 0),
            intent_key=intent.key,
            symbol=intent.symbol,
            side=setup.action.side.entry,
            type=OrderType.MARKET,
            purpose=OrderPurpose.ENTRY,
            quantity=setup.quantity,
            created_ms=now_ms,
            leverage=setup.action.leverage,
            send_before_ms=now_ms + SEND_WITHIN_MS,
        )

    def _reserved_risk(self) -> Decimal:
        opening = (s for s, state in self.slots() if state is PositionState.OPENING)
        return sum((s.setup.risk for s in opening if s.setup), ZERO)

    async def _decided_elsewhere(self, intent: TradeIntent) -> Decision:
        """Return the decision of whoever took the same intent first."""
        found = await self._books.decision(intent.key)
        if found is None:
            raise DuplicateIntentError(f"the intent {intent.key} is on record without a decision")
        return found

    async def _refuse(
        self,
        intent: TradeIntent,
        outcome: Outcome,
        judged: Judgement,
        gates: list[Gate],
        *new: Record,
    ) -> Decision:
        decision = _decision(intent, outcome, judged, gates)
        self._books.decide(decision)
        await self.recorder.note(*new, decision)
        return decision


def _decision(
    intent: TradeIntent, outcome: Outcome, judged: Judgement, gates: list[Gate] | None = None
) -> Decision:
    return Decision(
        intent_key=intent.key,
        owner=intent.owner,
        symbol=intent.symbol,
        time_ms=intent.time_ms,
        action=describe(intent),
        outcome=outcome,
        code=judged.code,
        reason=judged.reason,
        gates=tuple(gates or ()),
    )


def describe(intent: TradeIntent) -> str:
    """Return an intent's action in one word, for decision rows."""
    return "close" if isinstance(intent.action, Close) else intent.action.side.lower()
