"""Comparing an account with the exchange's view of it, and doing what follows.

``reconciliation`` says what a difference means; here it is asked and carried out.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TypeVar

from milobot.domain.alerts import Alert, AlertKind
from milobot.domain.ids import is_ours
from milobot.domain.money import ZERO
from milobot.domain.orders import Fill, Order, OrderPurpose
from milobot.errors import OrderTransitionError
from milobot.execution.doubt import Terms
from milobot.execution.engine import ExecutionEngine
from milobot.execution.findings import Code, Findings, Needs, Notice, Sightings, Snapshot
from milobot.execution.reconciliation import compare
from milobot.ports import Clock, ExchangeAccount, Journal, MarketData

T = TypeVar("T")
# Every pass needs less than the one before; more of them mean that something is wrong.
_PASSES = 8
_OURS = frozenset({Code.ORDER_NEWS, Code.ORDER_VANISHED, Code.UNDECIDED})


@dataclass(slots=True)
class Reconciler:
    """Compares one account.

    Attributes:
        name: ``exchange:name``.
        tell: Takes alerts.
        rounds: How often it compared.
        compared_ms: When it last did; None before the first time.
        listed: Ids, ours and theirs, of what rested when it last compared.
        last: What the last comparison came to.
    """

    name: str
    engine: ExecutionEngine
    account: ExchangeAccount
    market: MarketData
    journal: Journal
    clock: Clock
    tell: Callable[[Alert], None]
    terms: Terms = field(default_factory=Terms)
    rounds: int = 0
    compared_ms: int | None = None
    listed: frozenset[str] = frozenset()
    last: Findings = field(default_factory=Findings)
    _fewer: dict[str, Decimal] = field(default_factory=dict)

    async def run(self) -> Findings:
        """Compare once and carry out what follows.

        Raises:
            ExchangeError: The exchange could not be asked; what was found before stands.
        """
        before = self.last.sightings
        snapshot = Snapshot(asked_ms=self.clock.now_ms())
        snapshot = replace(
            snapshot,
            open_orders=tuple(await self.account.fetch_open_orders()),
            positions=tuple(await self.account.fetch_positions()),
        )
        names = ((o.client_order_id, o.exchange_order_id) for o in snapshot.open_orders)
        self.listed = frozenset(name for pair in names for name in pair if name)
        findings = self._compare(snapshot, before)
        for _ in range(_PASSES):
            if not findings.needs:
                break
            snapshot = await self._completed(snapshot, findings.needs)
            findings = self._compare(snapshot, before)
        await self._look_at_seen(snapshot)
        # Once and at the end: what is carried out makes the snapshot old for its symbol.
        await self._carry_out(findings)
        self.last = findings
        self.rounds += 1
        self.compared_ms = self.clock.now_ms()
        for notice in findings.news:
            self._say(notice)
        return findings

    async def _look_at_seen(self, snapshot: Snapshot) -> None:
        """Give up what was seen as held and is not shown any more, twice.

        It was taken for an entry's fill before any fill was told; when no fill ever explains
        it and the position is gone, its stop must not rest for ever. While the entry is in doubt
        the listings may be older than what was seen.
        """
        shown = {position.symbol: position for position in snapshot.positions}
        fewer: dict[str, Decimal] = {}
        for slot, _ in self.engine.slots():
            if not slot.seen or slot.live(OrderPurpose.ENTRY):
                continue
            told = shown.get(slot.symbol)
            quantity = told.quantity if told and told.side is slot.held_side else ZERO
            if quantity >= slot.position.quantity + slot.seen:
                continue
            if self._fewer.get(slot.symbol) == quantity:
                await self.engine.position_seen(slot.symbol, slot.held_side, quantity)
            else:
                fewer[slot.symbol] = quantity
        self._fewer = fewer

    def _compare(self, snapshot: Snapshot, before: Sightings) -> Findings:
        return compare(self.engine.ours(), snapshot, before, self.terms, account=self.name)

    async def _completed(self, snapshot: Snapshot, needs: Needs) -> Snapshot:
        """Return the snapshot with everything that was needed beside it.

        All is asked at the same time: what is open without a stop may depend on any of it.
        """
        updates, fills, booked, records, strangers, prices = await asyncio.gather(
            _answers({o.client_order_id: self.account.fetch_update(o) for o in needs.updates}),
            _answers({s: self._fills(s, first_ms) for s, first_ms in needs.fills.items()}),
            _answers(
                {
                    symbol: self.journal.booked_fills(symbol, first_ms=first_ms)
                    for symbol, first_ms in needs.fills.items()
                }
            ),
            _answers({name: self._record(symbol, name) for symbol, name in needs.records}),
            _answers({name: self.account.fetch_stranger(s, name) for s, name in needs.strangers}),
            _answers({s: self._mark_price(s) for s in needs.mark_prices}),
        )
        return replace(
            snapshot,
            updates={**snapshot.updates, **updates},
            fills={**snapshot.fills, **fills},
            booked={**snapshot.booked, **booked},
            records={**snapshot.records, **records},
            strangers={**snapshot.strangers, **strangers},
            mark_prices={**snapshot.mark_prices, **prices},
        )

    async def _fills(self, symbol: str, first_ms: int) -> tuple[Fill, ...]:
        return tuple(await self.account.fetch_fills(symbol, first_ms=first_ms))

    async def _record(self, symbol: str, name: str) -> Order | None:
        """Return an order of ours by our id of it, or by the exchange's."""
        if is_ours(name):
            return await self.engine.find_order(name)
        return await self.journal.find_nameless(symbol, name)

    async def _mark_price(self, symbol: str) -> Decimal:
        return (await self.market.fetch_mark_price(symbol)).mark_price

    async def _carry_out(self, findings: Findings) -> None:
        for order in findings.adopted:
            await self.engine.adopt(order)
        for update in findings.updates:
            try:
                await self.engine.apply(update)
            except OrderTransitionError as error:
                # Two answers of the exchange contradict each other: the next look decides.
                now_ms = self.clock.now_ms()
                self.tell(Alert(AlertKind.CONTRADICTION, update.symbol, str(error), now_ms))
        for order in findings.withdraw:
            await self.engine.withdraw(order)
        for symbol, reason in findings.blocked.items():
            await self.engine.block(symbol, reason)

    def _say(self, notice: Notice) -> None:
        if notice.code in _OURS:
            return  # news that came late, nothing a person has to know
        kind = AlertKind.FOREIGN if notice.code.startswith("foreign") else AlertKind.DRIFT
        self.tell(Alert(kind, notice.symbol, notice.sentence, self.clock.now_ms()))


async def _answers(questions: Mapping[str, Awaitable[T]]) -> dict[str, T]:
    """Return what questions that are asked at the same time are answered with."""
    return dict(zip(questions, await asyncio.gather(*questions.values()), strict=True))
