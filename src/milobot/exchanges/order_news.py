"""News of an order whose fate an exchange did not plainly tell, and how it is asked for."""

from collections.abc import Awaitable, Collection, Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from milobot.domain.money import ZERO
from milobot.domain.orders import Fill, Order, OrderStatus, OrderUpdate, Refusal
from milobot.errors import ExchangeError, RequestRefusedError
from milobot.exchanges.gateway import Gateway
from milobot.exchanges.outcomes import Judgement, Outcome
from milobot.exchanges.wire import Call

_STATUS_OF = {
    Outcome.REJECTED: OrderStatus.REJECTED,
    Outcome.NOT_EXECUTED: OrderStatus.NOT_EXECUTED,
}


def not_taken(order: Order, judgement: Judgement, *, time_ms: int) -> OrderUpdate:
    """Return news of a placement that was not accepted; UNKNOWN unless that is certain."""
    status = _STATUS_OF.get(judgement.outcome, OrderStatus.UNKNOWN)
    return replace(in_doubt(order, judgement, time_ms=time_ms), status=status)


def in_doubt(order: Order, judgement: Judgement, *, time_ms: int) -> OrderUpdate:
    """Return news that an order's fate is UNKNOWN, for the reason that a judgement gives."""
    return unknown(order, judgement.reason, judgement.refusal, time_ms=time_ms)


def unknown(order: Order, reason: str, refusal: Refusal | None, *, time_ms: int) -> OrderUpdate:
    """Return news that an order's fate is UNKNOWN."""
    return OrderUpdate(
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        status=OrderStatus.UNKNOWN,
        time_ms=time_ms,
        reason=reason,
        refusal=refusal,
    )


async def quietly(question: Awaitable[OrderUpdate | None]) -> OrderUpdate | None:
    """Return what a question about an order brings; None also when it is not answered."""
    try:
        return await question
    except ExchangeError:
        return None


async def read_if_known(gateway: Gateway, call: Call, *, no_such_codes: Collection[str]) -> Any:
    """Return the payload of a query for one order; None when there is no such order.

    Args:
        gateway: The way to the exchange.
        call: The query.
        no_such_codes: How the exchange says that there is none.

    Raises:
        ExchangeError: It cannot be had.
    """
    try:
        return await gateway.read(call)
    except RequestRefusedError as refused:
        if refused.code in no_such_codes:
            return None
        raise


def sum_of(fills: Iterable[Fill]) -> Decimal:
    """Return the quantity of executions together."""
    return sum((fill.quantity for fill in fills), ZERO)


def of_order(fills: Iterable[Fill], client_order_id: str) -> tuple[Fill, ...]:
    """Return executions as those of one order of ours."""
    return tuple(replace(fill, client_order_id=client_order_id) for fill in fills)
