"""An exchange as it really is: orders, executions, positions. What it shows is another matter.

Written from what exchanges do, without a line of the engine's: one position per symbol,
whoever trades in it; reduce-only orders are cut to what is held; one close-position stop per
direction; a trigger is an order of its own, and may come to nothing.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from random import Random

from tests.support.simulated.loop import SimulatedLoop
from tests.support.simulated.remote import Refused, Remote, Whose
from tests.support.simulated.weather import ENGINE_DELAY_MS, Chance

from milobot.domain.intents import PositionSide, Side
from milobot.domain.market import SymbolRules
from milobot.domain.money import ZERO, to_money
from milobot.domain.orders import Fill, Order, OrderPurpose, OrderStatus, OrderType, Refusal
from milobot.domain.reports import AccountNews, NewsKind, PositionNews
from milobot.ports import News

P, R, S = OrderPurpose, Refusal, OrderStatus
TAKER_FEE = Decimal("0.0005")
_START = 1_000.0
_STEP = 0.0025
# Chance refusals of the exchange's own, by what is asked for.
_WHIMS = {
    P.ENTRY: (R.INSUFFICIENT_MARGIN, R.OTHER, R.POSITION_LIMIT),
    P.STOP: (R.POSITION_NOT_VISIBLE, R.NOTHING_TO_REDUCE, R.TOO_MANY_ORDERS),
    P.TARGET: (R.POSITION_NOT_VISIBLE, R.NOTHING_TO_REDUCE, R.TOO_MANY_ORDERS),
    P.CLOSE: (R.NO_COUNTERPARTY,),
    P.REDUCE: (R.NO_COUNTERPARTY, R.NOTHING_TO_REDUCE, R.OTHER),
}


class Venue:
    """The truth about one account.

    Attributes:
        is_away: Whether nobody reaches it.
        held: What is held by symbol, negative when short, whoever bought it.
        own: What of it is ours.
        mixed: Where somebody else holds something beside us, since it was last flat.
        late: Where an order has stayed invisible for longer than is assumed.
        told: Takes everything that the user stream is going to say.
        executed: Is called after every execution, with what was held before.
    """

    def __init__(self, loop: SimulatedLoop, chance: Chance, symbols: tuple[str, ...]) -> None:
        """Open for trading at a price of 1,000."""
        self._loop = loop
        self._chance = chance
        self._prices = dict.fromkeys(symbols, _START)
        self._market = Random(chance.dice.random())  # noqa: S311 - to be played again
        self._count = 0
        self.symbols = symbols
        self.rules = {
            s: SymbolRules(s, Decimal("0.1"), Decimal("0.001"), Decimal("0.001"), None, Decimal(5))
            for s in symbols
        }
        self.is_away = False
        self.held = dict.fromkeys(symbols, ZERO)
        self.own = dict.fromkeys(symbols, ZERO)
        self.mixed: set[str] = set()
        self.late: set[str] = set()
        self._opened_late: set[str] = set()
        self._unseen_until_ms = dict.fromkeys(symbols, 0)
        self.orders: dict[str, list[Remote]] = {s: [] for s in symbols}
        self.fills: dict[str, list[tuple[Fill, Remote]]] = {s: [] for s in symbols}
        self.told: Callable[[News, Remote | None], None] = lambda _news, _remote: None
        self.executed: Callable[[Remote, Fill, Decimal], None] = lambda _remote, _fill, _held: None
        self.changed: Callable[[str], None] = lambda _symbol: None

    # --- what is there

    def price(self, symbol: str) -> Decimal:
        """Return the price now, on the grid."""
        return Decimal(round(self._prices[symbol] * 10)) / 10

    def resting(self, symbol: str) -> Iterator[Remote]:
        """Yield what rests in a symbol."""
        return (remote for remote in self.orders[symbol] if remote.rests)

    def find(self, symbol: str, name: str) -> Remote | None:
        """Return an order by either name of it; the newest when there are several."""
        for remote in reversed(self.orders[symbol]):
            if name in {remote.order.client_order_id, remote.exchange_id, remote.fill_name}:
                return remote
        return None

    # --- what is asked of it

    def take(self, order: Order) -> Remote | Refused:
        """Take an order that has arrived, or say why not."""
        refusal = self._why_not(order)
        if refusal is not None:
            return Refused(refusal)
        hidden_ms = 0
        if self._chance.strikes("hidden"):
            hidden_ms = round(self._chance.between(100, self._chance.weather.hidden_ms))
        is_silent = order.purpose is P.ENTRY and self._chance.strikes("silent")
        if is_silent:
            hidden_ms = round(self._chance.between(500, ENGINE_DELAY_MS - 1_000))
        remote = self._enter(order, hidden_ms=hidden_ms)
        if hidden_ms > ENGINE_DELAY_MS:
            remote.is_late = True
            self.late.add(order.symbol)
        if is_silent or remote.is_late:
            remote.is_silent = True
            self._loop.in_world(hidden_ms / 1000, self.speak, remote)
        if order.purpose is P.ENTRY and self._chance.strikes("unseen"):
            unseen_ms = round(self._chance.between(300, 5_000))
            self._unseen_until_ms[order.symbol] = self._loop.now_ms() + unseen_ms
        if not order.type.is_conditional:
            self._execute(remote)
        else:
            self._tell(remote)
        return remote

    def cancel(self, remote: Remote) -> bool:
        """Withdraw an order. Return whether it rested."""
        if not remote.rests:
            return False
        self._end(remote, S.CANCELLED)
        return True

    def _why_not(self, order: Order) -> Refusal | None:
        known = self.find(order.symbol, order.client_order_id)
        if known is not None and known.rests:
            return R.DUPLICATE_ID
        held = self.held[order.symbol]
        is_exit = order.reduce_only or order.close_position
        if is_exit and (held == 0 or (held > 0) == (order.side is Side.BUY)):
            is_first = order.close_position
            return R.POSITION_NOT_VISIBLE if is_first else R.NOTHING_TO_REDUCE
        if order.type is OrderType.LIMIT and order.price is None:
            return R.SIZE_OR_PRICE
        if order.type.is_conditional:
            found = self._why_not_resting(order)
            if found is not None:
                return found
        if order.type is not OrderType.LIMIT and self._chance.strikes("rejected"):
            return self._chance.dice.choice(_WHIMS[order.purpose])
        return None

    def _why_not_resting(self, order: Order) -> Refusal | None:
        if self._is_set_off(order):
            return R.WOULD_TRIGGER
        if self._loop.now_ms() < self._unseen_until_ms[order.symbol]:
            return R.POSITION_NOT_VISIBLE
        others = (r.order for r in self.resting(order.symbol))
        is_second = any(
            o.close_position and o.side is order.side and o.type is order.type for o in others
        )
        return R.BACKSTOP_EXISTS if order.close_position and is_second else None

    # --- what others do

    def trade_by_hand(self, symbol: str, quantity: Decimal) -> None:
        """Let somebody else buy, or sell when negative, at the market."""
        if quantity:
            self._fill(self._others(symbol, quantity, Whose.HAND, "web"), abs(quantity))

    def rest_by_hand(self, symbol: str) -> Remote:
        """Let an order of somebody else's rest far from the price."""
        remote = self._others(symbol, Decimal(1), Whose.HAND, "web")
        self._tell(remote)
        return remote

    def take_down(self, symbol: str, share: Decimal) -> None:
        """Let the exchange take a position, or a part of it: liquidation, auto-deleveraging."""
        step = self.rules[symbol].quantity_step
        quantity = abs(self.held[symbol]) * share // step * step
        if quantity <= 0:
            return
        if share == 1:
            for resting in list(self.resting(symbol)):
                self._end(resting, S.CANCELLED)
        signed = quantity if self.held[symbol] < 0 else -quantity
        remote = self._others(symbol, signed, Whose.EXCHANGE, "autoclose-")
        self._fill(remote, quantity)

    def _others(self, symbol: str, quantity: Decimal, whose: Whose, prefix: str) -> Remote:
        side = Side.BUY if quantity > 0 else Side.SELL
        now_ms = self._loop.now_ms()
        order = Order(
            client_order_id=f"{prefix}{self._count}",
            intent_key="",
            symbol=symbol,
            side=side,
            type=OrderType.LIMIT,
            purpose=P.EXTERNAL,
            quantity=abs(quantity),
            created_ms=now_ms,
        )
        remote = self._enter(order)
        remote.whose = whose
        remote.purpose = P.LIQUIDATION if whose is Whose.EXCHANGE else None
        return remote

    # --- the market

    def move(self) -> None:
        """Let prices move, and set off what waits for them."""
        for symbol in self.symbols:
            self._prices[symbol] *= 1 + self._market.gauss(0, _STEP)
            for remote in list(self.resting(symbol)):
                if remote.is_conditional and self._is_set_off(remote.order):
                    self._set_off(remote)

    def _is_set_off(self, order: Order) -> bool:
        trigger = order.trigger_price
        if trigger is None:
            return False
        is_below = (order.side is Side.SELL) == (order.type is OrderType.STOP_MARKET)
        price = self._prices[order.symbol]
        return price <= trigger if is_below else price >= trigger

    def _set_off(self, remote: Remote) -> None:
        remote.become(S.TRIGGERED, self._loop.now_ms())
        self._tell(remote)
        self._loop.in_world(self._chance.between(0, 0.3), self._bear_child, remote)

    def _bear_child(self, remote: Remote) -> None:
        if self._room(remote) <= 0 or self._chance.strikes("child_refused"):
            remote.reason = "the order that came of the trigger was refused"
            self._end(remote, S.REJECTED)
            self.told(
                AccountNews(
                    NewsKind.TRIGGER_REJECTED,
                    self._loop.now_ms(),
                    remote.order.symbol,
                    exchange_order_id=remote.exchange_id,
                    reason=remote.reason,
                ),
                None,
            )
            return
        self._execute(remote)

    # --- executions

    def _room(self, remote: Remote) -> Decimal:
        """Return how much an order may still execute."""
        order, held = remote.order, self.held[remote.order.symbol]
        left = abs(held) if order.close_position else order.quantity - remote.filled
        if not (order.reduce_only or order.close_position):
            return left
        if held == 0 or (held > 0) == (remote.sign > 0):
            return ZERO
        return min(left, abs(held))

    def _execute(self, remote: Remote) -> None:
        room = self._room(remote)
        step = self.rules[remote.order.symbol].quantity_step
        part = room / 2 // step * step
        if part <= 0 or not self._chance.strikes("in_parts"):
            self._fill(remote, room)
            return
        self._fill(remote, part, is_last=False)
        self._loop.in_world(self._chance.between(0.01, 0.8), self._go_on, remote)

    def _go_on(self, remote: Remote) -> None:
        if remote.status.is_final:
            return
        room = self._room(remote)
        if room <= 0 or (not remote.order.reduce_only and self._chance.strikes("cut_short")):
            self._end(remote, S.EXPIRED)
        else:
            self._fill(remote, room)

    def _fill(self, remote: Remote, quantity: Decimal, *, is_last: bool = True) -> None:
        symbol, now_ms = remote.order.symbol, self._loop.now_ms()
        price = self.price(symbol)
        self._count += 1
        fill = Fill(
            fill_id=f"{self._count}",
            client_order_id=remote.fill_name,
            symbol=symbol,
            side=remote.order.side,
            quantity=quantity,
            price=price,
            fee=to_money(quantity * price * TAKER_FEE),
            time_ms=now_ms,
        )
        held_before = self.held[symbol]
        self.held[symbol] = held_before + remote.sign * quantity
        self._attribute(remote, quantity, held_before)
        remote.filled += quantity
        remote.fills.append(fill)
        self.fills[symbol].append((fill, remote))
        is_whole = remote.filled >= remote.order.quantity or remote.order.close_position
        ended = S.FILLED if is_whole else S.EXPIRED
        remote.become(ended if is_last else S.PARTIALLY_FILLED, now_ms)
        self._tell(remote, fill)
        self.executed(remote, fill, held_before)
        if not remote.is_silent:
            self._tell_position(symbol)
        if not self.own[symbol]:
            self._opened_late.discard(symbol)
        if not self.held[symbol]:
            self.mixed.discard(symbol)
            self.own[symbol] = ZERO  # what was ours and what was not have cancelled out
            for resting in list(self.resting(symbol)):
                if resting.order.close_position:
                    self._end(resting, S.EXPIRED)
        self.changed(symbol)

    def _attribute(self, remote: Remote, quantity: Decimal, held_before: Decimal) -> None:
        """Say whose is what was traded: others' is theirs first; our exits take ours first."""
        symbol, change = remote.order.symbol, remote.sign * quantity
        own = self.own[symbol]
        if remote.whose is Whose.OURS and remote.order.purpose is P.ENTRY:
            self.own[symbol] = own + change
            if abs(held_before) > abs(own):
                self.mixed.add(symbol)
            if remote.is_late:
                self._opened_late.add(symbol)
            return
        remote.took_late |= symbol in self._opened_late
        remote.took_theirs |= own == 0
        if own == 0 or (own > 0) == (change > 0):
            self.mixed.add(symbol)
            return
        theirs = ZERO if remote.whose is Whose.OURS else max(ZERO, abs(held_before) - abs(own))
        taken = min(abs(own), max(ZERO, quantity - theirs))
        self.own[symbol] = own - taken if own > 0 else own + taken

    # --- bookkeeping

    def _enter(self, order: Order, *, hidden_ms: int = 0) -> Remote:
        self._count += 1
        now_ms = self._loop.now_ms()
        remote = Remote(order, f"x{self._count}", now_ms, now_ms + hidden_ms)
        remote.become(S.SUBMITTED, now_ms)
        self.orders[order.symbol].append(remote)
        self.changed(order.symbol)
        return remote

    def _end(self, remote: Remote, status: OrderStatus) -> None:
        remote.become(status, self._loop.now_ms())
        self._tell(remote)
        self.changed(remote.order.symbol)

    def speak(self, remote: Remote) -> None:
        """Tell at last of what nobody was told of."""
        if remote.is_silent:
            remote.is_silent = False
            self._tell(remote, *remote.fills)

    def _tell(self, remote: Remote, *fills: Fill) -> None:
        if remote.is_silent:
            return
        self.told(remote.update(self._loop.now_ms(), fills=fills), remote)

    def _tell_position(self, symbol: str) -> None:
        held = self.held[symbol]
        side = None
        if held:
            side = PositionSide.LONG if held > 0 else PositionSide.SHORT
        news = PositionNews(symbol, side, abs(held), self.price(symbol))
        now_ms = self._loop.now_ms()
        self.told(AccountNews(NewsKind.POSITION, now_ms, symbol, positions=(news,)), None)
