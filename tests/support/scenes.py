"""What the contract of exchanges is played with: candles around 1000, orders, expected fills."""

from decimal import Decimal
from typing import Any

from tests.support.venues import BTC, FEE, LEVERAGE, Execution, State

from milobot.domain.intents import Side
from milobot.domain.orders import Order, OrderPurpose, OrderStatus, OrderType

START_MS = 1_704_067_200_000
EIGHT_HOURS = 8 * 3_600_000
FLAT = (1000.0, 1000.0, 1000.0, 1000.0)
RISES = (1000.0, 1060.0, 1000.0, 1050.0)
FALLS = (1000.0, 1000.0, 940.0, 950.0)
JUMPS_UP = (1100.0, 1110.0, 1090.0, 1100.0)
JUMPS_DOWN = (900.0, 910.0, 890.0, 900.0)
ENDED = {OrderStatus.CANCELLED, OrderStatus.EXPIRED}


def dec(value: str) -> Decimal:
    """Return an exact decimal."""
    return Decimal(value)


def fill(side: Side, quantity: str, price: str, symbol: str = BTC) -> Execution:
    """Return a fill with the fee that it costs everywhere."""
    return Execution(symbol, side, dec(quantity), dec(price), dec(quantity) * dec(price) * FEE)


def wallet_of(state: State, *amounts: str) -> bool:
    """Return whether the wallet has changed by the sum of some amounts."""
    return state.wallet == (Decimal(10_000) + sum(map(Decimal, amounts))).quantize(dec("0.0001"))


def entry(
    side: Side = Side.BUY,
    quantity: str = "1",
    *,
    symbol: str = BTC,
    name: str = "entry",
    leverage: int = LEVERAGE,
) -> Order:
    """Return a market entry."""
    kind, purpose = OrderType.MARKET, OrderPurpose.ENTRY
    return _order(name, symbol, side, kind, purpose, quantity, leverage=leverage)


def close(
    side: Side = Side.SELL, quantity: str = "1", *, symbol: str = BTC, name: str = "close"
) -> Order:
    """Return a market order that can only reduce."""
    kind, purpose = OrderType.MARKET, OrderPurpose.CLOSE
    return _order(name, symbol, side, kind, purpose, quantity, reduce_only=True)


def stop(
    trigger: str,
    side: Side = Side.SELL,
    quantity: str = "1",
    *,
    symbol: str = BTC,
    name: str = "stop",
    closes: bool = False,
) -> Order:
    """Return a stop, by quantity or for whatever is open."""
    return _order(
        name,
        symbol,
        side,
        OrderType.STOP_MARKET,
        OrderPurpose.STOP,
        quantity,
        reduce_only=True,
        close_position=closes,
        trigger_price=Decimal(trigger),
    )


def target(
    trigger: str,
    side: Side = Side.SELL,
    quantity: str = "1",
    *,
    symbol: str = BTC,
    name: str = "target",
) -> Order:
    """Return a target by quantity."""
    return _order(
        name,
        symbol,
        side,
        OrderType.TAKE_PROFIT_MARKET,
        OrderPurpose.TARGET,
        quantity,
        reduce_only=True,
        trigger_price=Decimal(trigger),
    )


def _order(
    name: str,
    symbol: str,
    side: Side,
    kind: OrderType,
    purpose: OrderPurpose,
    quantity: str,
    **more: Any,
) -> Order:
    created = more.pop("created_ms", START_MS)
    return Order(name, "intent", symbol, side, kind, purpose, Decimal(quantity), created, **more)
