"""One symbol inside the simulated venue: its price, position, margin and resting orders."""

from decimal import Decimal
from typing import NamedTuple

from milobot.domain.intents import PositionSide, Side
from milobot.domain.margin import bankruptcy_price, liquidation_price, max_leverage
from milobot.domain.market import SymbolRules
from milobot.domain.money import ONE, ZERO, round_down, round_up, to_money
from milobot.domain.orders import Fill, Order, OrderType, Refusal
from milobot.domain.positions import Position, apply_fill
from milobot.simulation.matching import Bar, Phase


class Refused(NamedTuple):
    """Why an order is not taken: a word for the engine, a sentence for the user."""

    refusal: Refusal | None
    reason: str


TAKEN = Refused(None, "")


class Book:
    """State of one symbol; the venue's wallet is kept by the venue.

    Attributes:
        last_price: Price at which a market order fills now, before slippage.
        mark_price: Price at which open gains are valued: the last close.
        position: What is held.
        leverage: Leverage of the position, set by its entry.
        orders: Resting conditional orders by client order id.
    """

    def __init__(self, rules: SymbolRules) -> None:
        """Start flat, without a price."""
        self.rules = rules
        self.last_price = ZERO
        self.mark_price = ZERO
        self.position = Position(rules.symbol)
        self.leverage = 1
        self.orders: dict[str, Order] = {}
        self.bar = Bar(0, ZERO, ZERO, ZERO, ZERO)
        self.phase = Phase.CLOSED
        self._liquidation: Decimal | None = None

    @property
    def margin(self) -> Decimal:
        """Return the isolated margin of the open position, in USDT."""
        return self.position.cost / self.leverage

    @property
    def unrealized_pnl(self) -> Decimal:
        """Return the open gain at mark price."""
        return self.position.unrealized_pnl(self.mark_price) if not self.position.is_flat else ZERO

    @property
    def liquidation(self) -> Decimal | None:
        """Return the liquidation price of the open position; None without one."""
        return self._liquidation

    def adverse_price(self, side: Side, price: Decimal, slippage: Decimal) -> Decimal:
        """Return the price of a market fill: worse by ``slippage``, then on the grid, worse again."""
        if slippage:
            price = price * (ONE + slippage if side is Side.BUY else ONE - slippage)
        return (round_up if side is Side.BUY else round_down)(price, self.rules.tick_size)

    def refusal(self, order: Order, price: Decimal, fee: Decimal, available: Decimal) -> Refused:
        """Return why the venue would refuse an entry; ``TAKEN`` when it takes it."""
        notional = order.quantity * price
        rules = self.rules
        if order.quantity < rules.min_quantity or order.quantity % rules.quantity_step:
            return Refused(
                Refusal.SIZE_OR_PRICE,
                f"the quantity must be a multiple of {rules.quantity_step}, {rules.min_quantity} at least",
            )
        if notional < rules.min_notional:
            return Refused(
                Refusal.SIZE_OR_PRICE, f"{notional:.2f} USDT are below {rules.min_notional}"
            )
        allowed = max_leverage(notional, rules.brackets)
        if order.leverage > allowed:
            return Refused(
                Refusal.POSITION_LIMIT,
                f"{order.leverage}x is above {allowed}x, the most for this notional",
            )
        needed = notional / order.leverage + fee
        if needed > available:
            return Refused(
                Refusal.INSUFFICIENT_MARGIN,
                f"margin and fee are {needed:.2f} USDT, available are {available:.2f}",
            )
        return TAKEN

    def book(self, fill: Fill, leverage: int) -> Decimal:
        """Book a fill and return what it adds to the wallet: gain less fee."""
        before = self.position
        if before.is_flat:
            self.leverage = leverage
        self.position = apply_fill(before, fill)
        self._liquidation = self._liquidation_now()
        return self.position.net_pnl - before.net_pnl

    def resume(self, position: Position, leverage: int) -> None:
        """Take over a position as it was before a restart."""
        self.position, self.leverage = position, leverage
        self._liquidation = self._liquidation_now()

    def change_leverage(self, leverage: int) -> None:
        """Set the leverage; an open position's margin and liquidation price follow."""
        self.leverage = leverage
        self._liquidation = self._liquidation_now()

    def bankruptcy(self) -> Decimal:
        """Return the price at which the position has lost its whole margin."""
        held = self.position
        return bankruptcy_price(
            side=held.side, quantity=held.quantity, cost=held.cost, margin=self.margin
        )

    def funding_payment(self, rate: Decimal, price: Decimal) -> Decimal:
        """Return what the position pays at a funding time; longs pay a positive rate."""
        return to_money(self.position.side.sign * self.position.quantity * price * rate)

    def why_not_rest(self, order: Order) -> Refused:
        """Return why a conditional order cannot rest; ``TAKEN`` when it can."""
        if order.trigger_price is None or not order.reduce_only:
            return Refused(Refusal.OTHER, "only exits with a trigger price rest in here")
        sells = order.side is PositionSide.LONG.exit
        falls = sells == (order.type is OrderType.STOP_MARKET)
        away = self.last_price - order.trigger_price
        if (away <= 0) if falls else (away >= 0):
            return Refused(Refusal.WOULD_TRIGGER, "the price is beyond the trigger already")
        return TAKEN

    def _liquidation_now(self) -> Decimal | None:
        held = self.position
        if held.is_flat:
            return None
        return liquidation_price(
            side=held.side,
            quantity=held.quantity,
            cost=held.cost,
            margin=self.margin,
            brackets=self.rules.brackets,
        )
