"""What an account holds, as the page shows it."""

from decimal import Decimal

from milobot.domain.margin import liquidation_price
from milobot.domain.money import ZERO
from milobot.domain.slots import PositionState, Slot
from milobot.web.views import NOT_OURS, PositionView


def held_view(
    slot: Slot,
    state: PositionState,
    *,
    unrealized_pnl: Decimal | None,
    liquidation: Decimal | None = None,
    account: str = "",
    on_chart: bool = False,
) -> PositionView | None:
    """Return what is held in a slot or about to be; None when it is nothing at all.

    Args:
        slot: One symbol of one account.
        state: How safe it is.
        unrealized_pnl: Open gain in USDT; None while there is no price.
        liquidation: Price at which it would be liquidated; None without one.
        account: Where it is held; empty where there is one account only.
        on_chart: Whether its levels are drawn on the chart.
    """
    if state is PositionState.FLAT:
        return _blocked(slot, account)
    setup, held = slot.setup, slot.held
    planned = setup.quantity if setup is not None else ZERO
    return PositionView(
        symbol=slot.symbol,
        side=slot.held_side if held else slot.side,
        quantity=held or planned,
        entry=None if slot.position.is_flat else slot.position.entry_price,
        state=state.value,
        unrealized_pnl=unrealized_pnl,
        stop=slot.stop,
        targets=tuple(t.price for t in setup.levels.targets) if setup is not None else (),
        liquidation=liquidation,
        owner=slot.owner,
        account=account,
        note=slot.blocked,
        on_chart=on_chart,
    )


def rough_liquidation(slot: Slot) -> Decimal | None:
    """Return about where a position would be liquidated: brackets are left out."""
    held, setup = slot.position, slot.setup
    if held.is_flat or setup is None:
        return None
    price = liquidation_price(
        side=held.side,
        quantity=held.quantity,
        cost=held.cost,
        margin=held.cost / setup.action.leverage,
        brackets=(),
    )
    return None if price is None else Decimal(f"{price:.8g}")


def gain_at(slot: Slot, price: Decimal | None) -> Decimal | None:
    """Return the open gain of a slot's position at a price; None without a price or a fill."""
    if price is None or slot.position.is_flat:
        return None
    return slot.position.unrealized_pnl(price)


def _blocked(slot: Slot, account: str) -> PositionView | None:
    """Return a position that is somebody else's: it is there, and nobody enters beside it."""
    if not slot.blocked:
        return None
    return PositionView(
        slot.symbol, None, ZERO, None, NOT_OURS, None, account=account, note=slot.blocked
    )
