"""Isolated margin by leverage brackets: what a position ties up and where it is liquidated."""

import itertools
from decimal import Decimal

from milobot.domain.intents import PositionSide
from milobot.domain.market import LeverageBracket
from milobot.domain.money import ZERO

# Only where no brackets are known: the lowest rate that both exchanges use on majors.
DEFAULT_MAINTENANCE_MARGIN_RATE = Decimal("0.004")
_NO_LIMIT = Decimal("Infinity")
_UNKNOWN_BRACKETS = (LeverageBracket(ZERO, _NO_LIMIT, 125, DEFAULT_MAINTENANCE_MARGIN_RATE, ZERO),)


def initial_margin(notional: Decimal, leverage: int) -> Decimal:
    """Return the margin in USDT that a position of ``notional`` ties up."""
    return notional / leverage


def bracket_of(notional: Decimal, brackets: tuple[LeverageBracket, ...]) -> LeverageBracket | None:
    """Return the bracket that a position notional falls into; None beyond the last cap.

    Without brackets one stands in that allows 125x at a maintenance rate of 0.004.
    """
    for bracket in brackets or _UNKNOWN_BRACKETS:
        if notional <= bracket.notional_cap:
            return bracket
    return None


def maintenance_margin(notional: Decimal, brackets: tuple[LeverageBracket, ...]) -> Decimal:
    """Return the margin in USDT below which a position of ``notional`` is liquidated.

    Beyond the last cap the last bracket counts.
    """
    bracket = bracket_of(notional, brackets) or brackets[-1]
    return notional * bracket.maintenance_margin_rate - bracket.maintenance_amount


def liquidation_price(
    *,
    side: PositionSide,
    quantity: Decimal,
    cost: Decimal,
    margin: Decimal,
    brackets: tuple[LeverageBracket, ...],
) -> Decimal | None:
    """Return the mark price at which an isolated position has just its maintenance margin.

    ``(margin + amount - sign * cost) / (quantity * (rate - sign))`` with the rate and amount
    of the bracket in which the notional at that very price falls. Source: Binance, "How to
    Calculate Liquidation Price of USD-M Futures Contracts", isolated one-way mode.

    Args:
        side: Direction of the position.
        quantity: Open quantity, positive.
        cost: Sum of quantity * entry price.
        margin: Isolated margin of the position, in USDT.
        brackets: Leverage brackets of the symbol; empty when unknown.

    Returns:
        The price, or None where no positive price liquidates the position.
    """
    sign = side.sign
    notional = ZERO
    for bracket in brackets or _UNKNOWN_BRACKETS:
        # The margin balance is monotone in the notional, so the first bracket whose own
        # solution lies below its cap holds the solution; past the last cap its rate goes on.
        notional = (margin + bracket.maintenance_amount - sign * cost) / (
            bracket.maintenance_margin_rate - sign
        )
        if notional <= bracket.notional_cap:
            break
    return notional / quantity if notional > 0 else None


def bankruptcy_price(
    *, side: PositionSide, quantity: Decimal, cost: Decimal, margin: Decimal
) -> Decimal:
    """Return the price at which the whole isolated margin is lost, not below zero."""
    return max(ZERO, (cost - side.sign * margin) / quantity)


def brackets_are_continuous(brackets: tuple[LeverageBracket, ...]) -> bool:
    """Return whether the maintenance margin has no jump from one bracket to the next.

    ``amount[i] = amount[i-1] + floor[i] * (rate[i] - rate[i-1])``, the recurrence behind
    the table that exchanges publish.
    """
    return all(
        later.maintenance_amount
        == earlier.maintenance_amount
        + later.notional_floor * (later.maintenance_margin_rate - earlier.maintenance_margin_rate)
        and later.notional_floor == earlier.notional_cap
        for earlier, later in itertools.pairwise(brackets)
    )


def max_leverage(notional: Decimal, brackets: tuple[LeverageBracket, ...]) -> int:
    """Return the highest leverage for a position of ``notional``; 0 beyond the last cap."""
    bracket = bracket_of(notional, brackets)
    return bracket.max_leverage if bracket else 0
