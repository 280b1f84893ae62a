"""A model of an exchange: what is true there, and what it shows of it."""

from dataclasses import dataclass, replace
from decimal import Decimal

from tests.support.trading import SYMBOL, dec

from milobot.domain.intents import PositionSide, Side
from milobot.domain.money import ZERO
from milobot.domain.orders import Fill, Order, OrderPurpose, OrderStatus, OrderType, OrderUpdate
from milobot.domain.reports import OrderReport, PositionReport
from milobot.execution.findings import Snapshot
from milobot.simulation.clock import ReplayClock

S = OrderStatus


@dataclass
class Remote:
    """An order as the exchange has it.

    Attributes:
        fill_name: The name that a listing of executions gives it.
        is_known: Whether asking for it finds it.
        is_listed: Whether the listing of open orders shows it while it rests.
        takes_id: Whether the exchange keeps our id of it.
    """

    order: Order
    exchange_id: str
    fill_name: str
    status: OrderStatus = OrderStatus.SUBMITTED
    filled: Decimal = ZERO
    purpose: OrderPurpose | None = None
    trigger: Decimal | None = None
    is_known: bool = True
    is_listed: bool = True
    takes_id: bool = True

    def report(self) -> OrderReport:
        """Return the exchange's view."""
        order = self.order
        return OrderReport(
            client_order_id=order.client_order_id if self.takes_id else "",
            exchange_order_id=self.exchange_id,
            symbol=order.symbol,
            side=order.side,
            type=order.type,
            status=self.status,
            quantity=order.quantity,
            time_ms=order.created_ms,
            filled_quantity=self.filled,
            trigger_price=self.trigger,
            reduce_only=order.reduce_only,
            close_position=order.close_position,
        )


class ModelExchange:
    """An account at an exchange, moved by a test.

    Attributes:
        told_late: Ids of executions that are not listed yet.
        leverage: What the listing of positions says of it.
    """

    def __init__(self) -> None:
        """Start with an account that has never traded."""
        self.clock = ReplayClock(1_000_000)
        self.remotes: dict[str, Remote] = {}
        self.fills: list[Fill] = []
        self.held: dict[str, Decimal] = {}
        self.moved_ms: dict[str, int] = {}
        self.told_late: set[str] = set()
        self.leverage: int | None = None
        self._count = 0

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.time_ms += round(seconds * 1000)

    def stand(self, symbol: str = SYMBOL) -> Decimal:
        """Return what is held at the exchange."""
        return self.held.get(symbol, ZERO)

    def execute(self, remote: Remote, quantity: Decimal, price: str = "100") -> Fill:
        """Execute a part of an order at the exchange; nobody is told."""
        self._count += 1
        order = remote.order
        remote.filled += quantity
        is_whole = remote.filled >= order.quantity
        remote.status = S.FILLED if is_whole else S.PARTIALLY_FILLED
        sign = 1 if order.side is Side.BUY else -1
        self.held[order.symbol] = self.stand(order.symbol) + sign * quantity
        self.moved_ms[order.symbol] = self.clock.time_ms
        fill = Fill(
            f"f{self._count}",
            remote.fill_name,
            order.symbol,
            order.side,
            quantity,
            dec(price),
            dec("0.01"),
            self.clock.time_ms,
        )
        self.fills.append(fill)
        return fill

    def others_trade(
        self,
        quantity: str | Decimal,
        *,
        symbol: str = SYMBOL,
        purpose: OrderPurpose | None = None,
        name: str = "",
    ) -> Fill:
        """Let somebody else buy, or sell when negative."""
        self._count += 1
        amount = Decimal(quantity)
        side = Side.BUY if amount > 0 else Side.SELL
        number = f"x{self._count}"
        kind, why = OrderType.MARKET, OrderPurpose.EXTERNAL
        now_ms = self.clock.time_ms
        order = Order(name or f"web_{number}", "", symbol, side, kind, why, abs(amount), now_ms)
        remote = Remote(order, number, number, purpose=purpose)
        self.remotes[order.client_order_id] = remote
        return self.execute(remote, abs(amount))

    def others_rest(self, name: str = "web_rest", symbol: str = SYMBOL) -> Remote:
        """Let an order of somebody else's rest."""
        kind, why = OrderType.LIMIT, OrderPurpose.EXTERNAL
        order = Order(name, "", symbol, Side.BUY, kind, why, dec("1"), self.clock.time_ms)
        return self.arrive(order)

    def snapshot(self) -> Snapshot:
        """Return what the exchange lists now."""
        return Snapshot(
            asked_ms=self.clock.time_ms,
            positions=tuple(self.position(s, q) for s, q in self.held.items() if q),
            open_orders=self.listed(),
        )

    def update_of(self, name: str) -> OrderUpdate | None:
        """Return what asking for an order by our id finds."""
        remote = self.remotes.get(name)
        if remote is None or not remote.is_known:
            return None
        fills = [f for f in self.told(remote.order.symbol) if f.client_order_id == remote.fill_name]
        return OrderUpdate(
            name,
            remote.order.symbol,
            remote.status,
            self.clock.time_ms,
            tuple(replace(fill, client_order_id=name) for fill in fills),
            purpose=remote.purpose,
            exchange_order_id=remote.exchange_id,
        )

    def stranger(self, fill_name: str) -> OrderUpdate | None:
        """Return what asking for an order by the exchange's name finds."""
        found = (n for n, r in self.remotes.items() if r.fill_name == fill_name)
        name = next(found, None)
        return self.update_of(name) if name else None

    def told(self, symbol: str) -> tuple[Fill, ...]:
        """Return the executions of a symbol that are listed."""
        return tuple(
            f for f in self.fills if f.symbol == symbol and f.fill_id not in self.told_late
        )

    def listed(self) -> tuple[OrderReport, ...]:
        """Return what rests."""
        resting = {S.SUBMITTED, S.PARTIALLY_FILLED}
        return tuple(
            remote.report()
            for remote in self.remotes.values()
            if remote.status in resting and remote.is_listed
        )

    def position(self, symbol: str, quantity: Decimal) -> PositionReport:
        """Return a position as it is listed."""
        side = PositionSide.LONG if quantity > 0 else PositionSide.SHORT
        price, time_ms = dec("100"), self.moved_ms[symbol]
        return PositionReport(
            symbol, side, abs(quantity), price, price, ZERO, time_ms, leverage=self.leverage
        )

    def arrive(self, order: Order, *, takes_id: bool = True) -> Remote:
        """Let an order reach the exchange; nobody is told."""
        self._count += 1
        number = f"x{self._count}"
        # Binance executes a condition as an order of its own, with a name of its own.
        fill_name = f"child-{number}" if order.type.is_conditional else number
        remote = Remote(order, number, fill_name, trigger=order.trigger_price, takes_id=takes_id)
        self.remotes[order.client_order_id] = remote
        return remote
