"""What becomes of a wish within the turn of its symbol, and what has to be known before it.

Questions that change what is held are asked before the turn: while an answer is waited for,
news of the position is taken in, and its stop does not wait. Within the turn the slot is judged
once more.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal

from milobot.domain.decisions import Decision, Outcome
from milobot.domain.intents import ChangeTargets, Close, Enter, MoveStop, Reduce, TradeIntent
from milobot.domain.orders import Order
from milobot.domain.slots import Slot
from milobot.errors import DataError, DuplicateIntentError, ExchangeError, OrderDeniedError
from milobot.execution.books import AccountBooks
from milobot.execution.entries import Entries, Planned, decision_about
from milobot.execution.plan_changes import changed
from milobot.execution.verdicts import Judgement, Verdict, judge
from milobot.execution.waiting import turn_away_unrecorded
from milobot.ports import Exchange

Begin = Callable[[Slot], tuple[Slot, Order | None]]


@dataclass(frozen=True, slots=True)
class Facts:
    """What was asked before the turn of a symbol.

    Attributes:
        price: Price of the latest trade; None when it was not asked for or not answered.
        planned: The plan of an addition; None for other wishes.
    """

    price: Decimal | None = None
    planned: Planned | None = None


class Wishes:
    """Decides about the wishes of one account."""

    def __init__(
        self,
        books: AccountBooks,
        entries: Entries,
        exchange: Exchange,
        begin: Begin,
        patience_s: float,
    ) -> None:
        """Decide.

        Args:
            books: The account's books.
            entries: What is sent once.
            exchange: What is asked for prices.
            begin: Returns a slot with the first order of what has to be done in it, if any.
            patience_s: How long a wish waits for what is on its way.
        """
        self._books = books
        self._entries = entries
        self._exchange = exchange
        self._begin = begin
        self._patience_s = patience_s

    @asynccontextmanager
    async def facts(self, intent: TradeIntent) -> AsyncIterator[Facts]:
        """Ask what a wish needs before the turn of its symbol, and hold it until that is over."""
        action, symbol = intent.action, intent.symbol
        is_plain = isinstance(action, Enter) and not (action.adds_to or action.is_net)
        if is_plain or isinstance(action, Close) or self._books.recent_decision(intent.key):
            yield Facts()
            return
        await self._books.until_calm(symbol, self._patience_s)
        if isinstance(action, MoveStop | ChangeTargets):
            yield Facts(price=await self._price(symbol))
        elif isinstance(action, Enter) and action.adds_to:
            async with self._books.turn(f"{symbol} additions"):  # planned one after the other
                await self._books.until_calm(symbol, self._patience_s)
                try:
                    yield Facts(planned=await self._planned(intent))
                finally:
                    self._entries.forget_addition(symbol)
        else:
            yield Facts()

    async def decide(self, intent: TradeIntent, facts: Facts) -> tuple[Decision, Order | None]:
        """Return the decision about an intent, on record, and the order to be sent first.

        Raises:
            DuplicateIntentError: It was decided before.
        """
        slot = self._books.slot(intent.symbol)
        judged = judge(slot, intent)
        match judged.verdict:
            case Verdict.ENTER:
                return await self._entries.enter(intent, intent)
            case Verdict.ADD:
                return await self._entries.add(intent, facts.planned or Planned([]), intent)
            case Verdict.REDUCE:
                return await self._entries.reduce(intent, judged, intent)
            case Verdict.REVERSE:
                slot = replace(slot, closing="reversal", queued=judged.queued)
            case Verdict.CLOSE:
                slot = replace(slot, closing="close")
            case Verdict.CHANGE:
                judged, slot = _change(slot, intent, judged, facts)
            case _:
                pass  # nothing is done; why is on record below
        if judged.verdict in {Verdict.IGNORE, Verdict.DENY}:
            outcome = Outcome.IGNORED if judged.verdict is Verdict.IGNORE else Outcome.DENIED
            return await self._entries.refuse(intent, outcome, judged, [], intent), None
        return await self._carry_out(intent, judged, slot)

    async def decided_elsewhere(self, intent: TradeIntent) -> Decision:
        """Return the decision of whoever took the same intent first."""
        found = await self.latest(intent)
        if found is None:
            raise DuplicateIntentError(f"the intent {intent.key} is on record without a decision")
        return found

    async def ended(self, intent: TradeIntent) -> None:
        """Put on record that a reduction was refused: its intent was accepted for nothing."""
        if may_reduce(intent):
            async with self._books.turn(intent.symbol):
                await self.latest(intent)

    async def latest(self, intent: TradeIntent) -> Decision | None:
        """Return what is decided about an intent by now; its reduction may have come to nothing."""
        known = await self._books.decision(intent.key)
        if known is None or known.outcome is not Outcome.ACCEPTED or not may_reduce(intent):
            return known
        order = await self._books.order(self._entries.reduction_name(intent))
        if order is None or order.is_live or order.filled_quantity:
            return known
        why = f"nothing was taken off {order.symbol}: {order.reason or order.status}"
        judged = Judgement(Verdict.DENY, "not_reduced", why)
        return await self._entries.refuse(intent, Outcome.DENIED, judged, [])

    async def _price(self, symbol: str) -> Decimal | None:
        try:
            return await self._exchange.fetch_last_price(symbol)
        except (ExchangeError, DataError):
            return None

    async def _planned(self, intent: TradeIntent) -> Planned:
        slot = self._books.slot(intent.symbol)
        if judge(slot, intent).verdict is not Verdict.ADD:
            return Planned([])  # the turn says why
        return await self._entries.plan_addition(intent, slot)

    async def _carry_out(
        self, intent: TradeIntent, judged: Judgement, slot: Slot
    ) -> tuple[Decision, Order | None]:
        """Put on record that a position is closed or changed, and why; the slot says how already."""
        match await self._books.recorder.was_decided(intent):
            case True:
                raise DuplicateIntentError(f"the intent {intent.key} is on record already")
            case None if not isinstance(intent.action, Close | MoveStop):
                # It may be an old one that came again.
                why = "nothing was sent: the ledger does not say whether it was decided before"
                judged = Judgement(Verdict.DENY, "ledger_unavailable", why)
                return await self._entries.refuse(intent, Outcome.DENIED, judged, [], intent), None
        decision = decision_about(intent, Outcome.ACCEPTED, judged)
        slot, order = self._begin(slot)  # on record with the decision that it follows from
        # Closing is never held up by a ledger that is away.
        records = (intent, decision, slot, *((order,) if order else ()))
        await self._books.recorder.note(slot.symbol, *records)
        self._books.keep(slot, order)
        self._books.decide(decision)
        await turn_away_unrecorded(self._books, self._entries, slot)
        return self._books.recent_decision(intent.key) or decision, order


def may_reduce(intent: TradeIntent) -> bool:
    """Return whether an intent may lead to a reduction."""
    action = intent.action
    return isinstance(action, Reduce) or (isinstance(action, Enter) and action.is_net)


def _change(
    slot: Slot, intent: TradeIntent, judged: Judgement, facts: Facts
) -> tuple[Judgement, Slot]:
    """Return the slot with its levels changed, or why they are not."""
    action, setup = intent.action, slot.setup
    if not isinstance(action, MoveStop | ChangeTargets) or setup is None:
        raise TypeError(f"{action} changes no levels of {slot.symbol}")
    if facts.price is None:
        why = f"nothing is changed: the price of {slot.symbol} is not known"
        return Judgement(Verdict.DENY, "exchange_unavailable", why), slot
    try:
        after = changed(slot, setup, action, facts.price)
    except OrderDeniedError as denied:
        return Judgement(Verdict.DENY, denied.code, str(denied)), slot
    if after is slot:
        why = f"the levels of {slot.symbol} are where they should be already"
        return Judgement(Verdict.IGNORE, "already_there", why), slot
    return judged, after
