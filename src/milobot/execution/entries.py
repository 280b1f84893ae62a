"""Entries: an intent is planned, decided about and put on record, ready to be sent."""

from dataclasses import replace

from milobot.domain.decisions import Decision, Gate, Outcome
from milobot.domain.ids import client_order_id
from milobot.domain.intents import ChangeTargets, Close, Enter, MoveStop, Reduce, TradeIntent
from milobot.domain.orders import Order, OrderPurpose, OrderStatus, OrderType, Refusal
from milobot.domain.slots import Setup
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
from milobot.execution.gates import Judgement, Verdict, check_not_blocked
from milobot.execution.planning import Planner
from milobot.ports import Clock, Record

# An order that has not left a second after it was put on record does not leave any more.
SEND_WITHIN_MS = 1_000
_UNSTORED = "ledger_unavailable"


class Entries:
    """Decides about entries of one account, each within the turn of its symbol."""

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
            check_not_blocked(self._books.slot(intent.symbol), gates)
            setup = await self._planner.plan(intent, self._books.slots(), gates)
            return await self._record_entry(setup, gates, *new)
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
        finally:
            self._planner.release(intent.symbol)

    async def _record_entry(
        self, setup: Setup, gates: list[Gate], *new: Record
    ) -> tuple[Decision, Order]:
        intent, order = setup.intent, self._entry_order(setup)
        before = self._books.slot(intent.symbol)
        slot = replace(
            before,
            owner=intent.owner,
            setup=setup,
            stop=setup.levels.stop,
            revision=before.revision + 1,
        ).with_order(order)
        if self._planner.attaches_exits:
            slot, order = with_exits(slot, order, setup, self._account)
        orders = (order, *order.attached)
        entry = Judgement(Verdict.ENTER, "accepted", "entry sent")
        decision = decision_about(intent, Outcome.ACCEPTED, entry, gates)
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

    async def decided_elsewhere(self, intent: TradeIntent) -> Decision:
        """Return the decision of whoever took the same intent first."""
        found = await self._books.decision(intent.key)
        if found is None:
            raise DuplicateIntentError(f"the intent {intent.key} is on record without a decision")
        return found

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
