"""Orders as an exchange has them, with everything that they have been."""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum

from milobot.domain.intents import Side
from milobot.domain.money import ZERO
from milobot.domain.orders import (
    Fill,
    Order,
    OrderPurpose,
    OrderStatus,
    OrderUpdate,
    Refusal,
)
from milobot.domain.reports import OrderReport

RESTS = frozenset({OrderStatus.SUBMITTED, OrderStatus.PARTIALLY_FILLED})


class Whose(Enum):
    """Who sent an order."""

    OURS = "ours"
    HAND = "hand"
    EXCHANGE = "exchange"


@dataclass(slots=True)
class Remote:
    """One order at the exchange.

    Attributes:
        exchange_id: The exchange's name of it.
        visible_ms: Queries do not know it before.
        is_silent: Whether nothing tells of it before it is visible, neither answer nor news: the
            assumption on visibility is broken.
        is_late: Whether it stayed invisible for longer than is assumed of exchanges.
        took_late: Whether it took off something that such an order had opened.
        took_theirs: Whether it executed where nothing of ours was left, only somebody else's.
        story: When it became what, with how much filled by then.
        fill_name: What its executions are listed under: a triggered condition executes as an
            order of its own.
    """

    order: Order
    exchange_id: str
    taken_ms: int
    visible_ms: int
    whose: Whose = Whose.OURS
    purpose: OrderPurpose | None = None
    status: OrderStatus = OrderStatus.SUBMITTED
    filled: Decimal = ZERO
    reason: str = ""
    is_silent: bool = False
    is_late: bool = False
    took_late: bool = False
    took_theirs: bool = False
    fills: list[Fill] = field(default_factory=list)
    story: list[tuple[int, OrderStatus, Decimal]] = field(default_factory=list)

    @property
    def fill_name(self) -> str:
        """Return the name that its executions are listed under."""
        return self.exchange_id.replace("x", "c") if self.is_conditional else self.exchange_id

    @property
    def is_conditional(self) -> bool:
        """Return whether it waits for a trigger."""
        return self.order.type.is_conditional

    @property
    def rests(self) -> bool:
        """Return whether it waits to execute; a condition that was met waits no more."""
        return self._is_resting(self.status)

    def _is_resting(self, status: OrderStatus) -> bool:
        return status is OrderStatus.SUBMITTED or (status in RESTS and not self.is_conditional)

    @property
    def is_stop(self) -> bool:
        """Return whether it is a stop of ours."""
        return self.whose is Whose.OURS and self.order.purpose is OrderPurpose.STOP

    @property
    def sign(self) -> int:
        """Return +1 for what buys, -1 for what sells."""
        return 1 if self.order.side is Side.BUY else -1

    def become(self, status: OrderStatus, now_ms: int) -> None:
        """Change into another status."""
        self.status = status
        self.story.append((now_ms, status, self.filled))

    def at(self, as_of_ms: int) -> tuple[OrderStatus, Decimal] | None:
        """Return status and filled quantity as they were; None before it was taken."""
        for time_ms, status, filled in reversed(self.story):
            if time_ms <= as_of_ms:
                return status, filled
        return None

    def update(self, as_of_ms: int, *, fills: tuple[Fill, ...] | None = None) -> OrderUpdate:
        """Return it as news, as it was; with all fills so far unless some are named."""
        status, _ = self.at(as_of_ms) or (self.status, self.filled)
        name = self.order.client_order_id
        if fills is None:
            fills = tuple(f for f in self.fills if f.time_ms <= as_of_ms)
        return OrderUpdate(
            client_order_id=name,
            symbol=self.order.symbol,
            status=status,
            time_ms=as_of_ms,
            fills=tuple(replace(fill, client_order_id=name) for fill in fills),
            reason=self.reason if status.is_final else "",
            purpose=self.purpose,
            exchange_order_id=self.exchange_id,
        )

    def report(self, as_of_ms: int) -> OrderReport | None:
        """Return it as a listing shows it, as it was; None when it did not rest then."""
        found = self.at(as_of_ms)
        if found is None or not self._is_resting(found[0]):
            return None
        order = self.order
        return OrderReport(
            client_order_id=order.client_order_id,
            exchange_order_id=self.exchange_id,
            symbol=order.symbol,
            side=order.side,
            type=order.type,
            status=found[0],
            quantity=ZERO if order.close_position else order.quantity,
            time_ms=self.taken_ms,
            filled_quantity=found[1],
            price=order.price,
            trigger_price=order.trigger_price,
            reduce_only=order.reduce_only,
            close_position=order.close_position,
            is_conditional=self.is_conditional,
        )


@dataclass(frozen=True, slots=True)
class Refused:
    """An order that was not taken."""

    refusal: Refusal
