"""An exchange with moods: it refuses, loses, does things unheard and tells them late.

It knows what is true: what is held, what rests, what has filled. What it says is drawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from random import Random

from tests.support.exchanges import SilentExchange, status_news
from tests.support.trading import LONG, SYMBOL

from milobot.domain.money import ZERO
from milobot.domain.orders import (
    Fill,
    Order,
    OrderPurpose,
    OrderStatus,
    OrderType,
    OrderUpdate,
    Refusal,
)

S, R, P = OrderStatus, Refusal, OrderPurpose
REFUSALS = (
    R.POSITION_NOT_VISIBLE,
    R.NOTHING_TO_REDUCE,
    R.BACKSTOP_EXISTS,
    R.NO_COUNTERPARTY,
    R.WOULD_TRIGGER,
    R.SYMBOL_NOT_TRADING,
    R.TOO_MANY_ORDERS,
    R.OTHER,
)


@dataclass
class FickleExchange(SilentExchange):
    """One long-only market; what is true of an order is kept beside what was told of it.

    Attributes:
        dice: Draws its moods.
        is_kind: Whether it does as asked and says so at once.
        held: What is open.
        truth: Every order that arrived, as it is.
        fills: The executions of an order.
        unsaid: News that is still to be told.
    """

    dice: Random = field(default_factory=Random)
    is_kind: bool = False
    held: Decimal = ZERO
    truth: dict[str, Order] = field(default_factory=dict)
    fills: dict[str, list[Fill]] = field(default_factory=dict)
    unsaid: list[OrderUpdate] = field(default_factory=list)
    _fill_count: int = 0

    async def place_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Do as asked, or not, and say so, or not."""
        self.placed.append(order)
        mood = 0.0 if self.is_kind else self.dice.random()
        if mood < 0.5 or (order.purpose is P.ENTRY and mood < 0.7):
            return self._arrive(order, is_told=True)
        if mood < 0.7:
            said = status_news(order, S.REJECTED, "a mood")
            return (replace(said, refusal=self.dice.choice(REFUSALS)),)
        if mood < 0.78:
            return (status_news(order, S.NOT_EXECUTED),)
        if mood < 0.9:
            self._arrive(order, is_told=False)
        return (status_news(order, S.UNKNOWN),) if self.dice.random() < 0.7 else ()

    async def cancel_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Withdraw what rests, or say that it does, or nothing."""
        self.cancelled.append(order)
        mood = 0.0 if self.is_kind else self.dice.random()
        if mood < 0.6:
            return self._withdraw(order)
        if mood < 0.75:
            return (status_news(order, S.SUBMITTED),)
        if mood < 0.9:
            self.unsaid += self._withdraw(order)
        return (status_news(order, S.UNKNOWN),)

    def story(self, order: Order) -> OrderUpdate:
        """Return the truth about an order, as a query tells it."""
        true = self.truth.get(order.client_order_id)
        if true is None:
            return status_news(order, S.NOT_EXECUTED)
        fills = tuple(self.fills.get(order.client_order_id, ()))
        return replace(status_news(order, true.status), fills=fills)

    def trigger(self, order: Order, *, dies: bool = False) -> None:
        """Let a resting order be set off; it fills, or its child is refused."""
        name = order.client_order_id
        true = self.truth[name]
        if dies or not self.held:
            self.truth[name] = replace(true, status=S.EXPIRED)
            self.unsaid += [status_news(order, S.TRIGGERED), status_news(order, S.EXPIRED)]
            return
        quantity = self.held if true.close_position else min(true.quantity, self.held)
        self._fill(true, quantity)
        self.unsaid.append(self.story(order))

    def reduce_by_hand(self, quantity: Decimal, number: int) -> None:
        """Let the account's owner sell a part."""
        self.held -= quantity
        fill = Fill(
            f"hand-{number}", f"hand-{number}", SYMBOL, LONG.exit, quantity, Decimal(99), ZERO, 0
        )
        news = OrderUpdate(
            fill.client_order_id, SYMBOL, S.FILLED, 0, (fill,), "by hand", P.EXTERNAL
        )
        self.unsaid.append(news)

    def resting(self) -> list[Order]:
        """Return what rests."""
        return [o for o in self.truth.values() if o.status is S.SUBMITTED]

    def _arrive(self, order: Order, *, is_told: bool) -> tuple[OrderUpdate, ...]:
        if order.reduce_only and not self.held:
            said = replace(status_news(order, S.REJECTED), refusal=R.NOTHING_TO_REDUCE)
            return (said,)
        if order.type.is_conditional:
            backstops = [o for o in self.resting() if o.close_position]
            if order.close_position and backstops:
                said = replace(status_news(order, S.REJECTED), refusal=R.BACKSTOP_EXISTS)
                return (said,)
            self.truth[order.client_order_id] = replace(order, status=S.SUBMITTED)
        else:
            parts = (Decimal(1), Decimal(1), Decimal("0.4")) if not self.is_kind else (Decimal(1),)
            most = self.held if order.reduce_only else order.quantity
            self._fill(order, min(order.quantity, most) * self.dice.choice(parts))
        news = self.story(order)
        if is_told and (self.is_kind or self.dice.random() < 0.8):
            return (news,)
        self.unsaid.append(news)
        return (status_news(order, S.SUBMITTED),)

    def _fill(self, order: Order, quantity: Decimal) -> None:
        self._fill_count += 1
        name = order.client_order_id
        self.held += -quantity if order.reduce_only else quantity
        fill = Fill(
            f"f{self._fill_count}", name, SYMBOL, order.side, quantity, Decimal(100), ZERO, 0
        )
        self.fills.setdefault(name, []).append(fill)
        self.truth[name] = replace(
            order, status=S.FILLED if quantity == order.quantity else S.EXPIRED
        )
        if order.close_position:
            self.truth[name] = replace(order, status=S.FILLED)
        if not self.held:
            self._expire_backstops()

    def _expire_backstops(self) -> None:
        for order in self.resting():
            if order.close_position:
                self.truth[order.client_order_id] = replace(order, status=S.EXPIRED)
                self.unsaid.append(status_news(order, S.EXPIRED))

    def _withdraw(self, order: Order) -> tuple[OrderUpdate, ...]:
        true = self.truth.get(order.client_order_id)
        if true is not None and true.status is S.SUBMITTED:
            self.truth[order.client_order_id] = replace(true, status=S.CANCELLED)
        return (self.story(order),)


def conditional(orders: Sequence[Order]) -> list[Order]:
    """Return the orders that wait for a trigger."""
    return [o for o in orders if o.type in {OrderType.STOP_MARKET, OrderType.TAKE_PROFIT_MARKET}]
