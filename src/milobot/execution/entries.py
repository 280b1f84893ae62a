"""Entries: an intent is planned, decided about and put on record, ready to be sent."""

from collections.abc import Awaitable
from dataclasses import dataclass, replace

from milobot.domain.decisions import Decision, Gate, Outcome
from milobot.domain.ids import client_order_id
from milobot.domain.intents import ChangeTargets, Close, Enter, MoveStop, Reduce, TradeIntent
from milobot.domain.orders import Order, OrderPurpose, OrderStatus, OrderType, Refusal
from milobot.domain.slots import Setup, Slot
from milobot.errors import (
    AuthenticationError,
    DataError,
    DuplicateIntentError,
    ExchangeError,
    LeaseLostError,
    OrderDeniedError,
    StorageError,
)
from milobot.execution.attached import with_exits
from milobot.execution.books import AccountBooks
from milobot.execution.exits import exit_order
from milobot.execution.gates import check_not_blocked
from milobot.execution.planning import Planner
from milobot.execution.verdicts import Judgement, Verdict
from milobot.ports import Clock, Record

# An order that has not left a second after it was put on record does not leave any more.
SEND_WITHIN_MS = 1_000
_UNSTORED = "ledger_unavailable"


@dataclass(frozen=True, slots=True)
class Planned:
    """What came of planning an addition, before the turn of its symbol.

    Attributes:
        gates: The checks made.
        setup: Its plan; None without one.
        failure: Why there is none; None when nothing was planned either.
    """

    gates: list[Gate]
    setup: Setup | None = None
    failure: OrderDeniedError | DataError | ExchangeError | None = None


class Entries:
    """Decides about what is sent once, for one account, each within the turn of its symbol."""

    def __init__(self, books: AccountBooks, planner: Planner, clock: Clock, account: str) -> None:
        """Work on an account's books; ``account`` is ``exchange:name``."""
        self._books = books
        self._planner = planner
        self._clock = clock
        self._account = account

    async def enter(self, intent: TradeIntent, *new: Record) -> tuple[Decision, Order | None]:
        """Plan an entry and put it on record; ``new`` goes there with the decision about it."""
        gates: list[Gate] = []
        try:
            return await self._decided(intent, gates, self._enter(intent, gates, *new), *new)
        finally:
            self._planner.release(intent.symbol)

    async def add(
        self, intent: TradeIntent, planned: Planned, *new: Record
    ) -> tuple[Decision, Order | None]:
        """Put an entry that enlarges a position on record, as it was planned before the turn."""
        return await self._decided(intent, planned.gates, self._add(planned, *new), *new)

    async def reduce(
        self, intent: TradeIntent, judged: Judgement, *new: Record
    ) -> tuple[Decision, Order | None]:
        """Put on record that a part of a position is sold by one order, which is sent once."""
        return await self._decided(intent, [], self._reduce(intent, judged, *new), *new)

    async def plan_addition(self, intent: TradeIntent, slot: Slot) -> Planned:
        """Return the plan of an entry that enlarges a position, or why there is none.

        What it promises is kept from others until ``forget_addition``.
        """
        gates: list[Gate] = []
        try:
            check_not_blocked(slot, gates)
            setup = await self._planner.plan(intent, self._books.slots(), gates, slot)
        except (OrderDeniedError, DataError, ExchangeError) as failure:
            return Planned(gates, failure=failure)
        return Planned(gates, setup)

    def forget_addition(self, symbol: str) -> None:
        """Let others have what was promised to an addition: it is on record, or will not be."""
        self._planner.release(symbol)

    async def _decided(
        self,
        intent: TradeIntent,
        gates: list[Gate],
        deciding: Awaitable[tuple[Decision, Order]],
        *new: Record,
    ) -> tuple[Decision, Order | None]:
        """Return a decision, on record also when it is a refusal."""
        try:
            return await deciding
        except OrderDeniedError as denied:
            judged = Judgement(Verdict.DENY, denied.code, str(denied))
            try:
                return await self.refuse(intent, Outcome.DENIED, judged, gates, *new), None
            except DuplicateIntentError:
                if denied.code != _UNSTORED:
                    raise
                # It was stored although the answer said otherwise: the denial is what counts.
                return await self.refuse(intent, Outcome.DENIED, judged, gates), None
        except DataError as unknown:
            judged = Judgement(Verdict.DENY, "symbol_not_traded", f"nothing was sent: {unknown}")
            return await self.refuse(intent, Outcome.DENIED, judged, gates, *new), None
        except ExchangeError as failure:
            is_refused = isinstance(failure, AuthenticationError)
            code = "key_refused" if is_refused else "exchange_unavailable"
            judged = Judgement(Verdict.DENY, code, f"nothing was sent: {failure}")
            decision = await self.refuse(intent, Outcome.DENIED, judged, gates, *new)
            if is_refused:
                raise  # on record, and now whoever runs this must stop
            return decision, None

    async def _enter(
        self, intent: TradeIntent, gates: list[Gate], *new: Record
    ) -> tuple[Decision, Order]:
        before = self._books.slot(intent.symbol)
        check_not_blocked(before, gates)
        setup = await self._planner.plan(intent, self._books.slots(), gates)
        order = self._entry_order(setup)
        slot = replace(
            before,
            owner=intent.owner,
            setup=setup,
            stop=setup.levels.stop,
            revision=before.revision + 1,
        ).with_order(order)
        if self._planner.attaches_exits:
            slot, order = with_exits(slot, order, setup, self._account)
        entry = Judgement(Verdict.ENTER, "accepted", "entry sent")
        decision = decision_about(intent, Outcome.ACCEPTED, entry, gates)
        return await self._demand(slot, order, decision, *new)

    async def _add(self, planned: Planned, *new: Record) -> tuple[Decision, Order]:
        if planned.setup is None:
            why = planned.failure or OrderDeniedError("slot_busy", "it was busy until just now")
            raise why
        leg, intent = planned.setup, planned.setup.intent
        before = self._books.slot(intent.symbol)
        check_not_blocked(before, planned.gates)
        order = self._entry_order(leg)
        plan = before.setup
        slot = replace(
            before,
            setup=plan and replace(plan, quantity=plan.quantity + leg.quantity),
            legs=(*before.legs, intent.key),
            revision=before.revision + 1,
        ).with_order(order)
        entry = Judgement(Verdict.ADD, "accepted", "entry sent, to what is held already")
        decision = decision_about(intent, Outcome.ACCEPTED, entry, planned.gates)
        return await self._demand(slot, order, decision, *new)

    async def _reduce(
        self, intent: TradeIntent, judged: Judgement, *new: Record
    ) -> tuple[Decision, Order]:
        before, now_ms = self._books.slot(intent.symbol), self._clock.now_ms()
        order = exit_order(before, OrderPurpose.REDUCE, OrderType.MARKET, self._account, now_ms)
        order = replace(
            order,
            client_order_id=self.reduction_name(intent),
            intent_key=intent.key,
            quantity=judged.quantity,
            send_before_ms=now_ms + SEND_WITHIN_MS,
        )
        legs, revision = (*before.legs, intent.key), before.revision + 1
        slot = replace(before, legs=legs, revision=revision).with_order(order)
        decision = decision_about(intent, Outcome.ACCEPTED, judged)
        return await self._demand(slot, order, decision, *new)

    async def _demand(
        self, slot: Slot, order: Order, decision: Decision, *new: Record
    ) -> tuple[Decision, Order]:
        """Put an order on record that must not be sent twice; nothing is sent without that."""
        before, orders = self._books.slot(slot.symbol), (order, *order.attached)
        try:
            await self._books.recorder.demand(slot.symbol, *new, decision, slot, *orders)
        except (LeaseLostError, DuplicateIntentError):
            raise
        except StorageError as error:
            # It may have been stored although the answer says otherwise: say that it never left.
            status, why = OrderStatus.NOT_EXECUTED, Refusal.UNAVAILABLE
            unsent = [replace(one, status=status, refusal=why) for one in orders]
            await self._books.recorder.note(before.symbol, before, *unsent)
            raise OrderDeniedError(_UNSTORED, f"nothing was sent: {error}") from error
        self._books.decide(decision)
        for one in orders:
            self._books.keep(slot, one)
        return decision, order

    def _entry_order(self, setup: Setup) -> Order:
        intent, now_ms = setup.intent, self._clock.now_ms()
        return Order(
            client_order_id=client_order_id(self._account, intent.key, "entry", 0),
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

    def reduction_name(self, intent: TradeIntent) -> str:
        """Return the id of the one order that an intent may reduce a position by."""
        return client_order_id(self._account, intent.key, OrderPurpose.REDUCE, 0)

    async def refuse(
        self,
        intent: TradeIntent,
        outcome: Outcome,
        judged: Judgement,
        gates: list[Gate],
        *new: Record,
    ) -> Decision:
        """Put a decision not to trade on record with ``new``, and return it."""
        decision = decision_about(intent, outcome, judged, gates)
        await self._books.recorder.note(intent.symbol, *new, decision)
        self._books.decide(decision)
        return decision


def decision_about(
    intent: TradeIntent, outcome: Outcome, judged: Judgement, gates: list[Gate] | None = None
) -> Decision:
    """Return a decision, not yet on record."""
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
    match intent.action:
        case Enter(side=side):
            return side.lower()
        case Close():
            return "close"
        case Reduce():
            return "reduce"
        case MoveStop():
            return "move_stop"
        case ChangeTargets():  # pragma: no branch - mypy proves that no action is left
            return "change_targets"
