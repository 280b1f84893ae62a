"""What a candle does to resting orders: pure, and pessimistic where a candle is silent.

A candle tells four prices, not their order. Within one candle the open comes first: a level
that the market gapped through fills at the open. Then the adverse extreme is taken to come
before the favourable one, so a candle that touches both stop and target hits the stop.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from typing import Self

from milobot.domain.intents import PositionSide
from milobot.domain.market import Candle
from milobot.domain.money import decimal_from_float
from milobot.domain.orders import Order, OrderType


class Phase(IntEnum):
    """How far a candle has been played."""

    OPEN = 0
    ADVERSE = 1
    FAVOURABLE = 2
    CLOSED = 3


@dataclass(frozen=True, slots=True)
class Bar:
    """Prices of one candle as exact decimals."""

    time_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal

    @classmethod
    def from_candle(cls, candle: Candle) -> Self:
        """Return the bar of a candle; the one place where its prices become money."""
        return cls(
            candle.time,
            decimal_from_float(candle.open),
            decimal_from_float(candle.high),
            decimal_from_float(candle.low),
            decimal_from_float(candle.close),
        )


@dataclass(frozen=True, slots=True)
class Hit:
    """The next thing that happens inside a candle.

    Attributes:
        order: The conditional order that triggers; None for a liquidation.
        price: Market price at that moment, before slippage.
    """

    order: Order | None
    price: Decimal


def next_hit(
    phase: Phase,
    bar: Bar,
    side: PositionSide,
    orders: Iterable[Order],
    liquidation: Decimal | None,
) -> Hit | None:
    """Return what happens next to a position in this phase of a candle, or None.

    Args:
        phase: Part of the candle being played.
        bar: The candle.
        side: Direction of the open position; the orders given all reduce it.
        orders: Resting conditional orders of the position.
        liquidation: Liquidation price; None where there is none.
    """
    match phase:
        case Phase.OPEN:
            return _at_open(bar.open, side, orders, liquidation)
        case Phase.ADVERSE:
            extreme = bar.low if side is PositionSide.LONG else bar.high
            return _on_the_way(extreme, side, orders, liquidation)
        case Phase.FAVOURABLE:
            extreme = bar.high if side is PositionSide.LONG else bar.low
            return _favourable(extreme, side, orders)
        case Phase.CLOSED:  # pragma: no branch - mypy proves that no phase is left
            return None


def _at_open(
    price: Decimal, side: PositionSide, orders: Iterable[Order], liquidation: Decimal | None
) -> Hit | None:
    if liquidation is not None and _is_beyond(price, liquidation, -side.sign):
        return Hit(None, liquidation)
    for order in orders:
        direction = -side.sign if order.type is OrderType.STOP_MARKET else side.sign
        if _is_beyond(price, _trigger(order), direction):
            return Hit(order, price)
    return None


def _on_the_way(
    extreme: Decimal, side: PositionSide, orders: Iterable[Order], liquidation: Decimal | None
) -> Hit | None:
    stops = [o for o in orders if o.type is OrderType.STOP_MARKET]
    nearest = max(stops, key=lambda o: side.sign * _trigger(o), default=None)
    if nearest is not None and not _is_nearer(liquidation, _trigger(nearest), side):
        level = _trigger(nearest)
        return Hit(nearest, level) if _is_beyond(extreme, level, -side.sign) else None
    if liquidation is not None and _is_beyond(extreme, liquidation, -side.sign):
        return Hit(None, liquidation)
    return None


def _favourable(extreme: Decimal, side: PositionSide, orders: Iterable[Order]) -> Hit | None:
    targets = [o for o in orders if o.type is OrderType.TAKE_PROFIT_MARKET]
    nearest = min(targets, key=lambda o: side.sign * _trigger(o), default=None)
    if nearest is None or not _is_beyond(extreme, _trigger(nearest), side.sign):
        return None
    return Hit(nearest, _trigger(nearest))


def _is_beyond(price: Decimal, level: Decimal, direction: int) -> bool:
    """Return whether ``price`` has reached ``level`` going up (+1) or down (-1)."""
    return price >= level if direction > 0 else price <= level


def _is_nearer(liquidation: Decimal | None, stop: Decimal, side: PositionSide) -> bool:
    return liquidation is not None and side.sign * (liquidation - stop) > 0


def _trigger(order: Order) -> Decimal:
    if order.trigger_price is None:
        msg = f"order {order.client_order_id} rests without a trigger price"
        raise ValueError(msg)
    return order.trigger_price
