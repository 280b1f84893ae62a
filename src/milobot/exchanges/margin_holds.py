"""Margin of entries that the last answer about the account may not show yet. Pure.

What has left counts as tied up at once, before the exchange has said anything, and until an
answer was asked for so late that it must contain it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from milobot.domain.margin import initial_margin
from milobot.domain.money import ZERO
from milobot.domain.orders import Fill, Order, OrderStatus, OrderUpdate

# What an entry may fill worse than the price it was sent at, until its fills are told.
_SLACK = Decimal("1.005")
_FEE_RATE = Decimal("0.001")  # until an answer has told it
_NOTHING_HAPPENED = frozenset({OrderStatus.REJECTED, OrderStatus.NOT_EXECUTED})


@dataclass(frozen=True, slots=True)
class HoldTimes:
    """When an answer about the account contains an order for certain.

    Attributes:
        settle_ms: After its last news: balances may lag behind orders.
        unknown_ms: After an order was sent whose outcome is not known: as long as it may
            take to be executed and to become visible.
    """

    settle_ms: int = 2_000
    unknown_ms: int = 14_000


@dataclass(slots=True)
class Hold:
    """One entry that ties up margin.

    Attributes:
        price: What it is expected to fill at; None when nothing is known.
        contained_ms: An answer asked for from then on contains it; None while it is on its way.
    """

    order: Order
    price: Decimal | None
    contained_ms: int | None = None
    has_ended: bool = False
    fills: dict[str, Fill] = field(default_factory=dict)

    @property
    def filled_quantity(self) -> Decimal:
        """Return what is known to be filled."""
        return sum((fill.quantity for fill in self.fills.values()), ZERO)

    def amount(self, fee_rate: Decimal) -> Decimal | None:
        """Return margin and fees in USDT; None when it may be any amount."""
        fills = self.fills.values()
        notional = sum((fill.quantity * fill.price for fill in fills), ZERO)
        spent = initial_margin(notional, self.order.leverage)
        spent += sum((fill.fee for fill in fills), ZERO)
        rest = ZERO if self.has_ended else self.order.quantity - self.filled_quantity
        if rest <= 0:
            return spent
        if self.price is None:
            return None
        waiting = rest * self.price * _SLACK
        return spent + initial_margin(waiting, self.order.leverage) + waiting * fee_rate


class MarginHolds:
    """The entries that are on their way or were just taken; sums are kept, not counted anew."""

    def __init__(self, times: HoldTimes) -> None:
        """Hold nothing yet."""
        self._times = times
        self._fee_rate = _FEE_RATE
        self._holds: dict[str, Hold] = {}
        self._spent: dict[tuple[str, str], tuple[Decimal, int]] = {}
        self._sums = _Sums()

    def leaves(self, order: Order, price: Decimal | None) -> None:
        """Hold the margin of an entry that is about to be sent; exits tie up nothing."""
        if is_exit(order):
            return
        self._drop(order.client_order_id)
        hold = self._holds[order.client_order_id] = Hold(order, price)
        self._sums.add(hold, self._fee_rate)

    def lost(self, client_order_id: str, now_ms: int) -> None:
        """Note that nobody waits for the answer to an entry any more."""
        hold = self._holds.get(client_order_id)
        if hold is not None and hold.contained_ms is None:
            hold.contained_ms = now_ms + self._times.unknown_ms

    def hear(self, update: OrderUpdate, now_ms: int) -> bool:
        """Take in news of an order. Return whether it is one that is held."""
        hold = self._holds.get(update.client_order_id)
        if hold is None:
            return False
        if update.status in _NOTHING_HAPPENED and not hold.fills:
            self._drop(update.client_order_id)
            return True
        self._sums.remove(hold, self._fee_rate)
        hold.fills.update({fill.fill_id: fill for fill in update.fills})
        hold.has_ended = hold.has_ended or update.status.is_final
        self._sums.add(hold, self._fee_rate)
        is_unknown = update.status is OrderStatus.UNKNOWN and not update.fills
        wait_ms = self._times.unknown_ms if is_unknown else self._times.settle_ms
        hold.contained_ms = now_ms + wait_ms
        return True

    def spends(self, fill: Fill, loss: Decimal, now_ms: int) -> None:
        """Hold what an exit has cost: its fee and its loss, in USDT; the same fill counts once."""
        name = (fill.symbol, fill.fill_id)
        if name not in self._spent:
            self._spent[name] = (fill.fee + loss, now_ms + self._times.settle_ms)
            self._sums.amount += fill.fee + loss

    def answered(self, asked_ms: int, fee_rate: Decimal) -> None:
        """Let go of what an answer about the account, asked for at that time, contains."""
        self._fee_rate = fee_rate
        self._holds = {
            name: hold
            for name, hold in self._holds.items()
            if hold.contained_ms is None or asked_ms < hold.contained_ms
        }
        self._spent = {name: one for name, one in self._spent.items() if asked_ms < one[1]}
        self._sums = _Sums(sum((one[0] for one in self._spent.values()), ZERO))
        for hold in self._holds.values():
            self._sums.add(hold, fee_rate)

    def learn_prices(self, price_of: Callable[[Order], Decimal | None]) -> list[str]:
        """Give a price to those that had none when they left, as after a restart.

        Returns:
            Symbols of those that still have none.
        """
        if not self._sums.unbounded:
            return []
        priceless = [h for h in self._holds.values() if h.amount(self._fee_rate) is None]
        for hold in priceless:
            self._sums.remove(hold, self._fee_rate)
            hold.price = price_of(hold.order)
            self._sums.add(hold, self._fee_rate)
        return sorted({hold.order.symbol for hold in priceless if hold.price is None})

    def has_settled(self, now_ms: int) -> bool:
        """Return whether an answer asked for now would contain something that is held."""
        waits = (hold.contained_ms for hold in self._holds.values())
        return any(contained_ms is not None and contained_ms <= now_ms for contained_ms in waits)

    def total(self) -> Decimal | None:
        """Return all that is held, in USDT; None when it may be any amount."""
        return None if self._sums.unbounded else self._sums.amount

    def quantity(self, symbol: str) -> Decimal:
        """Return by how much held entries may let a position grow."""
        return self._sums.quantities.get(symbol, ZERO)

    def _drop(self, client_order_id: str) -> None:
        hold = self._holds.pop(client_order_id, None)
        if hold is not None:
            self._sums.remove(hold, self._fee_rate)


@dataclass(slots=True)
class _Sums:
    """What all holds come to.

    Attributes:
        unbounded: How many may tie up any amount.
        quantities: By symbol.
    """

    amount: Decimal = ZERO
    unbounded: int = 0
    quantities: dict[str, Decimal] = field(default_factory=dict)

    def add(self, hold: Hold, fee_rate: Decimal) -> None:
        self._count(hold, fee_rate, 1)

    def remove(self, hold: Hold, fee_rate: Decimal) -> None:
        self._count(hold, fee_rate, -1)

    def _count(self, hold: Hold, fee_rate: Decimal, sign: int) -> None:
        symbol, amount = hold.order.symbol, hold.amount(fee_rate)
        self.quantities[symbol] = self.quantities.get(symbol, ZERO) + sign * hold.order.quantity
        if amount is None:
            self.unbounded += sign
        else:
            self.amount += sign * amount


def is_exit(order: Order) -> bool:
    """Return whether an order can only make a position smaller."""
    return order.reduce_only or order.close_position
