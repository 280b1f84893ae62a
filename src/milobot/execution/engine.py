"""The engine: intents go in by ``accept``, news comes back by ``apply``, nothing else.

Everything it decides is decided by pure functions (gates, ledger, protection); what is left
here is the order of things: commit, send, apply the answer, look again. Calls for one symbol
must not overlap; the loop that owns an engine makes them one after the other.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal

from milobot.domain.decisions import Decision, Gate, Outcome
from milobot.domain.ids import client_order_id
from milobot.domain.intents import Close, TradeIntent
from milobot.domain.money import ZERO
from milobot.domain.orders import (
    FundingUpdate,
    Order,
    OrderPurpose,
    OrderStatus,
    OrderType,
    OrderUpdate,
)
from milobot.domain.positions import Position
from milobot.domain.reports import MarginMode
from milobot.errors import AuthenticationError, ExchangeError, OrderDeniedError
from milobot.execution.gates import EntryFacts, Judgement, Limits, Verdict, judge, plan_entry
from milobot.execution.ledger import apply_funding, apply_update, order_of_exchange
from milobot.execution.protection import Cancel, Command, Place, moved_stop, next_command
from milobot.execution.slots import PositionState, Setup, Slot, position_state
from milobot.ports import Clock, Exchange, Journal


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
        """Start with nothing known: every slot is flat and free."""
        self._exchange = exchange
        self._journal = journal
        self._clock = clock
        self._config = config
        self._slots: dict[str, Slot] = {}
        self._orders: dict[str, Order] = {}
        self._booked: set[tuple[str, str]] = set()  # fill ids are unique per symbol only
        self._decisions: dict[str, Decision] = {}

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
        known = self._decisions.get(intent.key)
        if known is not None:
            return known
        slot = self.slot(intent.symbol)
        judged = judge(slot, intent)
        match judged.verdict:
            case Verdict.ENTER:
                return await self._enter(intent)
            case Verdict.REVERSE:
                self._slots[intent.symbol] = replace(slot, closing="reversal", queued=intent)
            case Verdict.CLOSE:
                self._slots[intent.symbol] = replace(slot, closing="close")
            case Verdict.IGNORE:
                return await self._decide(intent, Outcome.IGNORED, judged)
            case Verdict.DENY:  # pragma: no branch - mypy proves that no verdict is left
                return await self._decide(intent, Outcome.DENIED, judged)
        decision = await self._decide(intent, Outcome.ACCEPTED, judged)
        await self._settle(intent.symbol)
        return self._decisions.get(intent.key, decision)

    async def apply(self, update: OrderUpdate | FundingUpdate) -> None:
        """Take in news from the exchange and do what follows from it."""
        if await self._book(update):
            await self._settle(update.symbol)

    async def close_position(self, symbol: str, reason: str) -> None:
        """Close what is open in a symbol, with a reason that the round trip carries."""
        slot = self.slot(symbol)
        if not slot.position.is_flat:
            self._slots[symbol] = replace(slot, closing=slot.closing or reason)
            await self._settle(symbol)

    async def candle_closed(self, symbol: str, close: Decimal) -> None:
        """Let trailing and break-even stops follow a closed candle; try again what was refused."""
        slot = self.slot(symbol)
        if slot.position.is_flat:
            if slot.orders:
                await self._settle(symbol)
            return
        moved = moved_stop(slot, close, await self._exchange.fetch_rules(symbol))
        self._slots[symbol] = moved
        if moved.stop != slot.stop or moved.closing:
            await self._settle(symbol)

    async def _settle(self, symbol: str) -> None:
        """Carry out commands until the slot is as it should be, then free it or enter anew."""
        while (command := self._next_command(symbol)) is not None:
            if not await self._carry_out(command):
                return  # refused: the next news, tick or candle tries again
        slot = self._slots[symbol]
        if slot.is_idle and slot.owner:
            self._slots[symbol] = slot.released()
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

    async def _enter(self, intent: TradeIntent) -> Decision:
        gates: list[Gate] = []
        try:
            setup = await self._plan(intent, gates)
            await self._prepare(setup, gates)
        except OrderDeniedError as denied:
            judged = Judgement(Verdict.DENY, denied.code, str(denied))
            return await self._decide(intent, Outcome.DENIED, judged, gates)
        except ExchangeError as failure:
            is_refused = isinstance(failure, AuthenticationError)
            code = "key_refused" if is_refused else "exchange_unavailable"
            judged = Judgement(Verdict.DENY, code, f"nothing was sent: {failure}")
            decision = await self._decide(intent, Outcome.DENIED, judged, gates)
            if is_refused:
                raise  # on record, and now whoever runs this must stop
            return decision
        self._slots[intent.symbol] = replace(
            self.slot(intent.symbol),
            owner=intent.owner,
            setup=setup,
            stop=setup.levels.stop,
        )
        entry = Judgement(Verdict.ENTER, "accepted", "entry sent")
        decision = await self._decide(intent, Outcome.ACCEPTED, entry, gates)
        await self._place(self._entry_order(setup))
        await self._settle(intent.symbol)
        return decision

    async def _plan(self, intent: TradeIntent, gates: list[Gate]) -> Setup:
        account = await self._exchange.fetch_account()
        facts = EntryFacts(
            account=account,
            equity=account.equity - self._reserved_risk(),
            rules=await self._exchange.fetch_rules(intent.symbol),
            last_price=await self._exchange.fetch_last_price(intent.symbol),
        )
        return plan_entry(intent, intent.entry, facts, self._config.limits, gates)

    async def _prepare(self, setup: Setup, gates: list[Gate]) -> None:
        """Set leverage and margin mode, and believe only what is read back."""
        wanted = setup.action.leverage
        found = await self._exchange.prepare_symbol(
            setup.intent.symbol, leverage=wanted, margin_mode=MarginMode.ISOLATED
        )
        is_set = found.leverage == wanted and found.margin_mode is MarginMode.ISOLATED
        shown = f"{found.leverage}x {found.margin_mode.value}"
        gates.append(Gate("settings", shown, f"{wanted}x {MarginMode.ISOLATED.value}", is_set))
        if not is_set:
            raise OrderDeniedError(
                "settings_not_taken",
                f"{found.symbol} stays at {shown} although {wanted}x"
                f" {MarginMode.ISOLATED.value} was set: close what is open there by hand",
            )

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
        )

    async def _place(self, order: Order) -> bool:
        """Commit an order, send it and book the answer. Return whether it was taken."""
        slot = self._slots[order.symbol]
        self._orders[order.client_order_id] = order
        self._slots[order.symbol] = replace(slot, revision=slot.revision + 1).with_order(order)
        await self._journal.commit(order)
        for update in await self._exchange.place_order(order):
            await self._book(update)
        placed = self._orders[order.client_order_id]
        return placed.is_live or placed.filled_quantity > 0

    async def _cancel(self, order: Order) -> bool:
        """Commit a cancel, send it and book the answer. Return whether the order is going."""
        waiting = replace(order, status=OrderStatus.CANCEL_PENDING)
        self._orders[order.client_order_id] = waiting
        self._slots[order.symbol] = self._slots[order.symbol].with_order(waiting)
        await self._journal.commit(waiting)
        for update in await self._exchange.cancel_order(waiting):
            await self._book(update)
        status = self._orders[order.client_order_id].status
        return status not in {OrderStatus.SUBMITTED, OrderStatus.PARTIALLY_FILLED}

    async def _book(self, update: OrderUpdate | FundingUpdate) -> bool:
        """Book news once. Return whether it changed anything."""
        slot = self.slot(update.symbol)
        if isinstance(update, FundingUpdate):
            booking = (update.symbol, update.funding_id)
            if booking in self._booked:
                return False
            self._booked.add(booking)
            self._slots[update.symbol] = apply_funding(slot, update)
            await self._journal.commit(update)
            return True
        known = self._orders.get(update.client_order_id)
        if known is None:
            if update.purpose is not OrderPurpose.LIQUIDATION or slot.position.is_flat:
                return False  # somebody else's order: reported by reconciliation, never touched
            known = order_of_exchange(slot, update)
        told = {(f.symbol, f.fill_id): f for f in update.fills}
        new = {booking: fill for booking, fill in told.items() if booking not in self._booked}
        applied = apply_update(slot, known, update, tuple(new.values()))
        if not new and applied.order == known:
            return False
        self._booked.update(new)
        self._slots[update.symbol] = applied.slot
        self._orders[update.client_order_id] = applied.order
        trip = (applied.round_trip,) if applied.round_trip else ()
        await self._journal.commit(update, *trip)
        return True

    def _reserved_risk(self) -> Decimal:
        pending = (
            s.setup.risk
            for s in self._slots.values()
            if s.setup and position_state(s) is PositionState.OPENING
        )
        return sum(pending, ZERO)

    async def _decide(
        self,
        intent: TradeIntent,
        outcome: Outcome,
        judged: Judgement,
        gates: list[Gate] | None = None,
    ) -> Decision:
        decision = Decision(
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
        self._decisions[intent.key] = decision
        await self._journal.commit(decision)
        return decision


def describe(intent: TradeIntent) -> str:
    """Return an intent's action in one word, for decision rows."""
    return "close" if isinstance(intent.action, Close) else intent.action.side.lower()
