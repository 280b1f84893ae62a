"""What is counted and logged of orders, decisions and positions when they go on record.

It stands behind the journal, and begins in the event loop's next turn: an order that is on record
leaves before its line is written. The same record may be stored twice, and states in between may
be left out; only a state that is new is told.
Every line of an order carries ``client_order_id`` and ``intent_key``, and those of a signal its
``signal_id``, so that one search shows a trade from message to fill.
"""

import asyncio
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Protocol

from milobot.app.happenings import ShownJournal
from milobot.app.metrics import Meters
from milobot.app.order_memory import OrderMemory
from milobot.domain.alerts import Alert
from milobot.domain.decisions import Decision
from milobot.domain.orders import Order, OrderPurpose, OrderStatus, OrderUpdate
from milobot.domain.slots import Slot
from milobot.execution.recent import Recent
from milobot.ports import Clock, Journal, Record
from milobot.telemetry import get_logger

_MOST_SENT, _MOST_FILLS = 1_000, 2_000
_FAILED = frozenset({OrderStatus.REJECTED, OrderStatus.NOT_EXECUTED})
_QUIET = frozenset({OrderStatus.CANCEL_PENDING})


class KnowsSignals(Protocol):
    """Knows which messages were handed in lately."""

    def signal_id(self, intent_key: str) -> int | None:
        """Return the number of the signal that an intent serves; None for none that is known."""
        ...

    def decided(self, intent_key: str) -> None:
        """Hear that what an intent wished for is decided, on record."""
        ...


class OrderLog:
    """Counts and logs what goes on record of one account."""

    def __init__(
        self,
        account: str,
        meters: Meters,
        clock: Clock,
        *,
        signals: KnowsSignals | None = None,
        elapsed: Callable[[], float] = monotonic,
    ) -> None:
        """Know nothing yet.

        Args:
            account: ``exchange:name``.
            meters: What counts.
            clock: The clock by which the engine stamps decisions and exposures.
            signals: Knows the signal behind an intent; None where there are none.
            elapsed: Seconds that pass evenly.
        """
        self._account, self._meters, self._clock = account, meters, clock
        self._signals, self._elapsed = signals, elapsed
        self._began_ms = clock.now_ms()
        self._known: OrderMemory[tuple[OrderStatus, str]] = OrderMemory()
        self._sent: Recent[str, float] = Recent(_MOST_SENT)
        self._fills: Recent[str, None] = Recent(_MOST_FILLS)
        self._exposed: dict[str, int] = {}
        self._waiting: list[tuple[Record, ...]] = []

    def before(self, journal: Journal) -> Journal:
        """Return a journal of which everything is counted that goes on record."""
        return ShownJournal(journal, self)

    def note(self, records: Iterable[Record]) -> None:
        """Take in what is on record now, once what follows from it has left."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._take_waiting)
        self._waiting.append(tuple(records))

    def _take_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        for records in waiting:
            self.take(records)

    def take(self, records: tuple[Record, ...]) -> None:
        """Count and log records at once; whatever goes wrong here stops no trade."""
        try:
            self._note(records)
        except Exception:  # noqa: BLE001 - a figure that is wrong must not end what trades
            get_logger().exception("records_not_counted", account=self._account)

    def _note(self, records: tuple[Record, ...]) -> None:
        """Count and log, orders first: they say what the fills are of."""
        for record in records:
            match record:
                case Order():
                    self._note_order(record)
                case Slot():
                    self._note_exposure(record)
                case Decision():
                    self._note_decision(record)
                case _:
                    pass
        for record in records:
            if isinstance(record, OrderUpdate):
                self._note_fills(record)

    def sent(self, order: Order) -> None:
        """Hear that an order's request leaves now."""
        self._sent[order.client_order_id] = self._elapsed()
        if order.purpose is OrderPurpose.ENTRY:
            waited_ms = self._clock.now_ms() - order.created_ms
            self._stage("decision_to_request", waited_ms / 1000)

    def answered(self, order: Order) -> None:
        """Hear that its answer is there, whatever it says."""
        sent_s = self._sent.get(order.client_order_id)
        if sent_s is not None:
            self._stage("request_to_answer", self._elapsed() - sent_s)

    def alert(self, alert: Alert) -> None:
        """Count an alert; its end is none."""
        if not alert.is_over:
            self._meters.alerts.labels(self._account, alert.kind.value).inc()

    def _note_order(self, order: Order) -> None:
        before = self._known.get(order.client_order_id)
        if before is not None and before[0] is order.status:
            return
        is_new = before is None and order.created_ms >= self._began_ms
        self._known.keep(order, (order.status, order.intent_key))
        purpose = order.purpose.value
        if is_new:
            self._meters.orders.labels(self._account, purpose).inc()
            self._log("order_created", order)
        if order.status is OrderStatus.PENDING:
            return
        self._meters.outcomes.labels(self._account, purpose, order.status.value).inc()
        if order.status in _FAILED:
            reason = order.refusal.value if order.refusal else "not_executed"
            self._meters.orders_failed.labels(self._account, purpose, reason).inc()
        if order.status not in _QUIET:
            self._log(f"order_{order.status.value.lower()}", order)

    def _note_fills(self, update: OrderUpdate) -> None:
        """Log each execution once; an exchange tells the earlier ones of an order again."""
        for fill in update.fills:
            identity = f"{fill.symbol} {fill.fill_id}"
            if identity in self._fills:
                continue
            self._fills[identity] = None
            sent_s = self._sent.pop(update.client_order_id)
            if sent_s is not None:
                self._stage("request_to_fill", self._elapsed() - sent_s)
            get_logger().info(
                "fill_booked",
                account=self._account,
                symbol=fill.symbol,
                side=fill.side.value,
                quantity=fill.quantity,
                price=fill.price,
                fee=fill.fee,
                fill_id=fill.fill_id,
                **self._ids(update.client_order_id),
            )

    def _note_exposure(self, slot: Slot) -> None:
        """Measure a time without a stop at its end; what is older than this process counts whole."""
        if slot.exposed_since_ms is not None:
            self._exposed[slot.symbol] = slot.exposed_since_ms
            return
        since_ms = self._exposed.pop(slot.symbol, None)
        if since_ms is not None:
            lasted_s = max(0, self._clock.now_ms() - since_ms) / 1000
            self._meters.unprotected.labels(self._account).observe(lasted_s)

    def _note_decision(self, decision: Decision) -> None:
        code = self._meters.code(decision.code)
        self._meters.decisions.labels(self._account, decision.outcome.value, code).inc()
        if self._signals is not None:
            self._signals.decided(decision.intent_key)

    def _stage(self, stage: str, seconds: float) -> None:
        self._meters.stages.labels(stage).observe(max(0.0, seconds))

    def _log(self, event: str, order: Order) -> None:
        log = get_logger().warning if order.status in _FAILED else get_logger().info
        log(
            event,
            account=self._account,
            symbol=order.symbol,
            side=order.side.value,
            type=order.type.value,
            purpose=order.purpose.value,
            quantity=order.quantity,
            filled_quantity=order.filled_quantity,
            price=order.price,
            trigger_price=order.trigger_price,
            exchange_order_id=order.exchange_order_id,
            reason=order.reason,
            **self._ids(order.client_order_id),
        )

    def _ids(self, client_order_id: str) -> dict[str, str | int]:
        """Return what ties a line to those before and after it."""
        known = self._known.get(client_order_id)
        key = known[1] if known is not None else ""
        signal_id = self._signals.signal_id(key) if self._signals and key else None
        ids: dict[str, str | int] = {"client_order_id": client_order_id, "intent_key": key}
        return ids if signal_id is None else {**ids, "signal_id": signal_id}
