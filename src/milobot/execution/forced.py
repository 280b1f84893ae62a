"""Liquidations that explain what our books lack.

What an exchange takes off a position that it has not shown to us yet is no news that could be
booked: nothing of ours was known to be held. It counts once the fill behind it is shown, and what
is held differs from our books by just those executions.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from milobot.domain.intents import Side
from milobot.domain.money import ZERO
from milobot.domain.orders import Fill, OrderPurpose, OrderStatus, OrderUpdate
from milobot.execution.findings import Code
from milobot.execution.ledger import order_of_exchange
from milobot.execution.look import Look

P = OrderPurpose


def book_forced(look: Look, foreign: Sequence[Fill], difference: Decimal) -> None:
    """Book the exchange's own executions where they alone are the difference to our books.

    Args:
        look: What is known of the symbol, with what is told of the orders behind executions.
        foreign: Executions that are not booked and not of our orders.
        difference: What is held beyond our books, negative when short.
    """
    orders: dict[str, list[Fill]] = {}
    for fill in foreign:
        orders.setdefault(fill.client_order_id, []).append(fill)
    told = [(look.snapshot.strangers.get(name), fills) for name, fills in orders.items()]
    forced = [(one, fills) for one, fills in told if one and one.purpose is P.LIQUIDATION]
    if not forced or len(forced) < len(told) or _total(foreign) != difference:
        return
    for update, fills in forced:
        _book(look, update, fills)


def _book(look: Look, told: OrderUpdate, fills: Sequence[Fill]) -> None:
    name = told.client_order_id
    named = tuple(replace(fill, client_order_id=name) for fill in fills)
    reason = "closed or reduced by the exchange before it was shown: liquidation"
    update = replace(told, status=OrderStatus.FILLED, fills=named, reason=reason)
    look.adopt(replace(order_of_exchange(look.slot, update), side=fills[0].side))
    look.tell(update)
    look.note(Code.POSITION_REDUCED, f"{abs(_total(fills))} {reason}")


def _total(fills: Sequence[Fill]) -> Decimal:
    return sum((f.quantity if f.side is Side.BUY else -f.quantity for f in fills), ZERO)
