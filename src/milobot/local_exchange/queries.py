"""Selecting from an account's history, as both dialects ask for it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from milobot.local_exchange.core.accounts import Account
from milobot.local_exchange.core.orders import (
    Conditional,
    Execution,
    Refusal,
    RefusedError,
    VenueOrder,
)

Item = TypeVar("Item", VenueOrder, Conditional)


def find_order(
    account: Account, number: int | None, client_id: str | None, *, hides_ended: bool = False
) -> VenueOrder:
    """Return an order by id or client id, the newest of that name.

    Raises:
        RefusedError: There is none.
    """
    return _find(account.orders, number, client_id, hides_ended=hides_ended)


def find_conditional(
    account: Account, number: int | None, client_id: str | None, *, hides_ended: bool = False
) -> Conditional:
    """Return a conditional order by id or client id, the newest of that name.

    Raises:
        RefusedError: There is none.
    """
    return _find(account.conditionals, number, client_id, hides_ended=hides_ended)


def _find(
    items: dict[int, Item], number: int | None, client_id: str | None, *, hides_ended: bool
) -> Item:
    found = None
    if number is not None:
        found = items.get(number)
    elif client_id:
        found = next((i for i in reversed(items.values()) if i.ticket.client_id == client_id), None)
    if found is None or (hides_ended and not found.is_open):
        raise RefusedError(Refusal.NOT_FOUND, "no such order")
    return found


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which orders a listing is about; None and False leave nothing out.

    Attributes:
        hides_ended: Leave out orders that have ended.
    """

    symbol: str | None = None
    first_ms: int | None = None
    last_ms: int | None = None
    from_id: int | None = None
    hides_ended: bool = False


def select(items: Iterable[Item], wanted: Wanted) -> list[Item]:
    """Return the orders that are wanted, oldest first."""
    return [
        item
        for item in items
        if wanted.symbol in {None, item.ticket.symbol}
        and _is_within(item.created_ms, wanted.first_ms, wanted.last_ms)
        and (wanted.from_id is None or item.id >= wanted.from_id)
        and not (wanted.hides_ended and not item.is_open)
    ]


def fills_in_window(
    account: Account,
    *,
    symbol: str | None,
    first_ms: int | None,
    last_ms: int | None,
    order_id: int | None = None,
) -> list[Execution]:
    """Return fills of a symbol in [first_ms, last_ms], oldest first."""
    return [
        item
        for item in account.executions
        if (symbol is None or item.symbol == symbol)
        and _is_within(item.time_ms, first_ms, last_ms)
        and (order_id is None or item.order_id == order_id)
    ]


def _is_within(time_ms: int, first_ms: int | None, last_ms: int | None) -> bool:
    return (first_ms is None or time_ms >= first_ms) and (last_ms is None or time_ms <= last_ms)
