"""The orderly end of trading an account: no entry is left on its way, no stop is left out."""

from collections.abc import Iterable
from typing import Protocol

from milobot.domain.orders import Order, OrderPurpose, OrderStatus
from milobot.domain.slots import PositionState, Slot
from milobot.exchanges.times import Sleep
from milobot.telemetry import get_logger

SETTLED_WITHIN_S = 4.0
_LOOK_S = 0.05
_RESTS = frozenset({OrderStatus.SUBMITTED, OrderStatus.PARTIALLY_FILLED})
_UNSETTLED = frozenset({PositionState.UNPROTECTED, PositionState.OPENING})


class Decides(Protocol):
    """Who trades an account; ``AccountTrader`` does."""

    @property
    def is_deciding(self) -> bool:
        """Return whether an intent is being decided or carried out."""
        ...


class Holds(Protocol):
    """What is held; an ``Engine`` knows."""

    def slots(self) -> Iterable[tuple[Slot, PositionState]]:
        """Return every slot with its state."""
        ...

    async def withdraw(self, order: Order) -> None:
        """Cancel an order that rests."""
        ...


async def settle(trader: Decides, engine: Holds, sleep: Sleep) -> None:
    """Withdraw entries that rest, and wait until what has filled is protected.

    Nothing new may be asked for by now. What was asked for a moment ago still stands in no slot
    while its price and its margin are looked up: it is waited for too.
    """
    withdrawn: set[str] = set()
    left_s = SETTLED_WITHIN_S
    while True:
        await _withdraw_entries(engine, withdrawn)
        if left_s <= 0 or not _is_unsettled(trader, engine):
            return
        await sleep(_LOOK_S)
        left_s -= _LOOK_S


def say_what_stays(engine: Holds) -> None:
    """Log every position that stays open, with its stop."""
    for slot, state in engine.slots():
        if state is PositionState.FLAT:
            continue
        stop = "no stop" if slot.stop is None else f"stop {slot.stop}"
        get_logger().warning(
            "position_stays_open",
            symbol=slot.symbol,
            side=slot.held_side.value,
            quantity=slot.held,
            state=state.value,
            stop=slot.stop,
            said=f"{describe_position(slot)} stays open at the exchange, {stop} ({state.value})",
        )


def describe_position(slot: Slot) -> str:
    """Return what is held in a slot in a few words."""
    return f"{slot.held_side.value.lower()} {slot.held} {slot.symbol}"


def _is_unsettled(trader: Decides, engine: Holds) -> bool:
    return trader.is_deciding or any(state in _UNSETTLED for _, state in engine.slots())


async def _withdraw_entries(engine: Holds, withdrawn: set[str]) -> None:
    """Cancel each entry that rests, once: one that cannot be reached now is found at the start."""
    found = [order for slot, _ in engine.slots() for order in slot.live(OrderPurpose.ENTRY)]
    for order in found:
        if order.status in _RESTS and order.client_order_id not in withdrawn:
            withdrawn.add(order.client_order_id)
            await engine.withdraw(order)
