"""The engine: intents go in by ``accept``, news comes back by ``apply``, nothing else.

Everything it decides is decided by pure functions (gates, ledger, protection); what is left
here is the order of things: commit, send, apply the answer, look again. Calls for one symbol
must not overlap, calls for different symbols may; whoever owns an engine sees to that.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal

from milobot.domain.decisions import Decision, Gate, Outcome
from milobot.domain.ids import client_order_id, is_ours
from milobot.domain.intents import Close, TradeIntent
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
from milobot.domain.positions import Position
from milobot.domain.slots import PositionState, Setup, Slot, position_state, with_exposure
from milobot.errors import (
    AuthenticationError,
    DuplicateIntentError,
    ExchangeError,
    LeaseLostError,
    OrderDeniedError,
    StorageError,
)
from milobot.execution.gates import Judgement, Limits, Verdict, judge
from milobot.execution.ledger import apply_funding, apply_update, order_of_exchange
from milobot.execution.planning import Planner
from milobot.execution.protection import Cancel, Command, Place, moved_stop, next_command
from milobot.execution.recent import Recent
from milobot.execution.recorder import Recorder
from milobot.ports import Books, Clock, Exchange, Journal, Record

# An order that has not left a second after it was put on record does not leave any more.
SEND_WITHIN_MS = 1_000
_REMEMBERED = 4_096


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
        self._journal = journal
        self._clock = clock
        self._config = config
        self._recorder = Recorder(journal)
        self._planner = Planner(exchange, config.limits)
        self._slots: dict[str, Slot] = {}
        self._orders: dict[str, Order] = {}
        # Ended orders and decisions are on record; those last used are also kept at hand.
        self._ended: Recent[str, Order] = Recent(_REMEMBERED)
        self._decisions: Recent[str, Decision] = Recent(_REMEMBERED)

    @property
    def recorder(self) -> Recorder:
        """Return what puts things on record."""
        return self._recorder

    def restore(self, books: Books) -> None:
        """Take over what a journal knows; how the exchange sees it is for reconciliation."""
        for slot in books.slots:
            self._slots[slot.symbol] = replace(slot, orders=())
        for order in books.orders:
            self._keep(self.slot(order.symbol).with_order(order), order)

    def slot(self, symbol: str) -> Slot:
        """Return the state of one symbol."""
        found = self._slots.get(symbol)
        if found is None:
            found = self._slots[symbol] = Slot(symbol, Position(symbol))
        return found

    def slots(self) -> Iterator[tuple[Slot, PositionState]]:
        """Yield every slot with how safe it is."""
        for slot in self._slots.values():
            yield slot, position_state(slot)

    async def accept(self, intent: TradeIntent) -> Decision:
        """Decide about an intent and carry it out; the same key again returns the same decision."""
        known = await self._decision_about(intent.key)
        if known is not None:
            return known
        slot = self.slot(intent.symbol)
        judged = judge(slot, intent)
        try:
            match judged.verdict:
                case Verdict.ENTER:
                    return await self._enter(intent, intent)
                case Verdict.REVERSE:
                    slot = replace(slot, closing="reversal", queued=intent)
                case Verdict.CLOSE:
                    slot = replace(slot, closing="close")
                case Verdict.IGNORE:
                    return await self._refuse(intent, Outcome.IGNORED, judged, [], intent)
                case Verdict.DENY:  # pragma: no branch - mypy proves that no verdict is left
                    return await self._refuse(intent, Outcome.DENIED, judged, [], intent)
            decision = _decision(intent, Outcome.ACCEPTED, judged)
            self._slots[intent.symbol] = slot
            self._decisions[intent.key] = decision
            # Closing is never held up by a ledger that is away.
            await self._recorder.note(intent, decision, slot)
        except DuplicateIntentError:
            return await self._decided_elsewhere(intent)
        await self._settle(intent.symbol)
        return self._decisions.get(intent.key) or decision

    async def apply(self, update: OrderUpdate | FundingUpdate) -> None:
        """Take in news from the exchange and do what follows from it.

        Raises:
            OrderTransitionError: The news contradicts what is known: reconcile.
        """
        if await self._book(update):
            await self._settle(update.symbol)

    async def look_again(self, symbol: str) -> None:
        """Do what has to be done in a symbol now that time has passed."""
        slot = self._slots.get(symbol)
        if slot is not None and not (slot.is_idle and not slot.owner):
            await self._settle(symbol)

    async def block(self, symbol: str, reason: str) -> None:
        """Let nobody enter a symbol for a reason; an empty one lets them again."""
        slot = self.slot(symbol)
        if slot.blocked != reason:
            self._slots[symbol] = replace(slot, blocked=reason)
            await self._recorder.note(self._slots[symbol])

    async def close_position(self, symbol: str, reason: str) -> None:
        """Close what is open in a symbol, with a reason that the round trip carries."""
        slot = self.slot(symbol)
        if not slot.position.is_flat or slot.orders:
            await self._change(replace(slot, closing=slot.closing or reason, queued=None))
            await self._settle(symbol)

    async def candle_closed(self, symbol: str, close: Decimal) -> None:
        """Let trailing and break-even stops follow a closed candle; try again what was refused."""
        slot = self.slot(symbol)
        if slot.position.is_flat:
            if slot.orders:
                await self._settle(symbol)
            return
        moved = moved_stop(slot, close, await self._exchange.fetch_rules(symbol))
        if moved != slot:
            await self._change(moved)
        if moved.stop != slot.stop or moved.closing:
            await self._settle(symbol)

    async def _settle(self, symbol: str) -> None:
        """Carry out commands until the slot is as it should be, then free it or enter anew."""
        while (command := self._next_command(symbol)) is not None:
            if not await self._carry_out(command):
                return  # refused: the next news, tick or candle tries again
        slot = self._slots[symbol]
        if slot.is_idle and slot.owner:
            await self._change(slot.released())
            if slot.queued is not None:
                await self._enter(slot.queued)

    def _next_command(self, symbol: str) -> Command | None:
        account, now_ms = self._config.account, self._clock.now_ms()
        return next_command(self._slots[symbol], account=account, now_ms=now_ms)

    async def _carry_out(self, command: Command) -> bool:
        """Return whether it makes sense to look for the next command at once."""
        match command:
            case Place(order):
                return await self._place(order) or order.purpose is not OrderPurpose.CLOSE
            case Cancel(order):  # pragma: no branch - mypy proves that no command is left
                return await self._cancel(order)

    async def _enter(self, intent: TradeIntent, *new: Record) -> Decision:
        """Plan an entry and send it; ``new`` goes on record with the decision about it."""
        gates: list[Gate] = []
        try:
            setup = await self._planner.plan(intent, self._reserved_risk(), gates)
            return await self._send_entry(setup, gates, *new)
        except OrderDeniedError as denied:
            judged = Judgement(Verdict.DENY, denied.code, str(denied))
            return await self._refuse(intent, Outcome.DENIED, judged, gates, *new)
        except ExchangeError as failure:
            is_refused = isinstance(failure, AuthenticationError)
            code = "key_refused" if is_refused else "exchange_unavailable"
            judged = Judgement(Verdict.DENY, code, f"nothing was sent: {failure}")
            decision = await self._refuse(intent, Outcome.DENIED, judged, gates, *new)
            if is_refused:
                raise  # on record, and now whoever runs this must stop
            return decision
        finally:
            self._planner.release(intent.symbol)

    async def _send_entry(self, setup: Setup, gates: list[Gate], *new: Record) -> Decision:
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
            await self._recorder.demand(*new, decision, slot, order)
        except (LeaseLostError, DuplicateIntentError):
            raise
        except StorageError as error:
            # It may have been stored although the answer says otherwise: say that it never left.
            unsent = replace(order, status=OrderStatus.NOT_EXECUTED, refusal=Refusal.UNAVAILABLE)
            await self._recorder.note(before, unsent)
            raise OrderDeniedError("ledger_unavailable", f"nothing was sent: {error}") from error
        self._decisions[intent.key] = decision
        self._keep(slot, order)
        self._planner.release(intent.symbol)
        await self._send(order)
        await self._settle(intent.symbol)
        return decision

    def _entry_order(self, setup: Setup) -> Order:
        intent = setup.intent
        return Order(
            client_order_id=client_order_id(self._config.account, intent.key, "entry", 0),
            intent_key=intent.key,
            symbol=intent.symbol,
            side=setup.action.side.entry,
            type=OrderType.MARKET,
            purpose=OrderPurpose.ENTRY,
            quantity=setup.quantity,
            created_ms=self._clock.now_ms(),
            leverage=setup.action.leverage,
            send_before_ms=self._clock.now_ms() + SEND_WITHIN_MS,
        )

    async def _place(self, order: Order) -> bool:
        """Put an exit on record, send it and book the answer. Return whether it was taken."""
        order = replace(order, send_before_ms=self._clock.now_ms() + SEND_WITHIN_MS)
        slot = self._slots[order.symbol]
        slot = replace(slot, revision=slot.revision + 1).with_order(order)
        self._keep(slot, order)
        await self._recorder.note(slot, order)
        placed = await self._send(order)
        return placed.is_live or placed.filled_quantity > 0

    async def _send(self, order: Order) -> Order:
        for update in await self._exchange.place_order(order):
            await self._book(update)
        return await self._order(order.client_order_id) or order

    async def _cancel(self, order: Order) -> bool:
        """Put a cancel on record, send it and book the answer. Return whether the order is going."""
        waiting = replace(order, status=OrderStatus.CANCEL_PENDING)
        self._keep(self._slots[order.symbol].with_order(waiting), waiting)
        await self._recorder.note(waiting)
        for update in await self._exchange.cancel_order(waiting):
            await self._book(update)
        after = await self._order(order.client_order_id) or waiting
        return after.status not in {OrderStatus.SUBMITTED, OrderStatus.PARTIALLY_FILLED}

    async def _book(self, update: OrderUpdate | FundingUpdate) -> bool:
        """Book news once. Return whether it changed anything."""
        slot = self.slot(update.symbol)
        if isinstance(update, FundingUpdate):
            paid = apply_funding(slot, update)
            if paid == slot:
                return False
            self._slots[update.symbol] = paid
            await self._recorder.note(update, paid)
            return True
        known = await self._order(update.client_order_id)
        if known is None:
            if update.purpose is None or not update.purpose.is_of_exchange or slot.position.is_flat:
                return False  # somebody else's order: reported by reconciliation, never touched
            known = order_of_exchange(slot, update)
        slot = self.slot(update.symbol)
        told = {f.fill_id: f for f in update.fills}
        new = tuple(fill for fill_id, fill in told.items() if fill_id not in known.booked)
        applied = apply_update(slot, known, update, new)
        if not new and applied.order == known:
            return False
        self._keep(with_exposure(applied.slot, self._clock.now_ms()), applied.order)
        trip = (applied.round_trip,) if applied.round_trip else ()
        await self._recorder.note(update, applied.order, self._slots[update.symbol], *trip)
        return True

    async def _order(self, client_order_id: str) -> Order | None:
        """Return an order of ours, however long ago it ended."""
        found = self._orders.get(client_order_id) or self._ended.get(client_order_id)
        if found is None and is_ours(client_order_id):
            found = await self._journal.find_order(client_order_id)
        return found

    def _keep(self, slot: Slot, order: Order) -> None:
        """Remember what a slot and an order of it are now."""
        self._slots[slot.symbol] = slot
        if order.is_live:
            self._orders[order.client_order_id] = order
        else:
            self._orders.pop(order.client_order_id, None)
            self._ended[order.client_order_id] = order

    async def _change(self, slot: Slot) -> None:
        self._slots[slot.symbol] = slot
        await self._recorder.note(slot)

    def _reserved_risk(self) -> Decimal:
        pending = (
            s.setup.risk
            for s in self._slots.values()
            if s.setup and position_state(s) is PositionState.OPENING
        )
        return sum(pending, ZERO)

    async def _decision_about(self, key: str) -> Decision | None:
        return self._decisions.get(key) or await self._journal.find_decision(key)

    async def _decided_elsewhere(self, intent: TradeIntent) -> Decision:
        """Return the decision of whoever took the same intent first."""
        found = await self._journal.find_decision(intent.key)
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
        self._decisions[intent.key] = decision
        await self._recorder.note(*new, decision)
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
