"""The truth: every request, what was done with it, and what every account holds."""

from dataclasses import dataclass, field
from typing import Any

from milobot.domain.money import format_decimal
from milobot.local_exchange.core.accounts import Account
from milobot.local_exchange.core.orders import Conditional, Execution, VenueOrder
from milobot.local_exchange.core.venue import Venue


@dataclass(slots=True, eq=False)
class RequestRecord:
    """One request that could change something.

    Attributes:
        call: What was asked, free of dialect.
        executed: Whether it took effect, now or, with a late execution, later.
        answer: HTTP status, or ``dropped``, ``silent``, ``cut`` where none came whole.
        key: API key that it came with; an account may have several.
        faults: Names of the faults that struck it.
    """

    number: int
    dialect: str
    call: str
    client_id: str
    time_ms: int
    key: str = ""
    faults: list[str] = field(default_factory=list)
    executed: bool = False
    order_id: int = 0
    code: int | None = None
    answer: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the record as JSON says it."""
        return {name: getattr(self, name) for name in self.__slots__}


class Ledger:
    """Keeps the requests and reads the rest from the venues."""

    def __init__(self) -> None:
        """Start empty."""
        self.requests: list[RequestRecord] = []

    def note(
        self, dialect: str, call: str, client_id: str, time_ms: int, key: str
    ) -> RequestRecord:
        """Add a request."""
        record = RequestRecord(len(self.requests) + 1, dialect, call, client_id, time_ms, key)
        self.requests.append(record)
        return record

    def to_dict(self, venues: dict[str, Venue]) -> dict[str, Any]:
        """Return the whole truth."""
        return {
            "requests": [record.to_dict() for record in self.requests],
            "accounts": [
                {"dialect": name, **describe_account(venue, account)}
                for name, venue in venues.items()
                for account in venue.accounts.values()
            ],
        }


def describe_account(venue: Venue, account: Account) -> dict[str, Any]:
    """Return everything an account holds and did; numbers as plain text."""
    return {
        "key": account.key,
        "wallet": format_decimal(account.wallet),
        "available": format_decimal(account.available),
        "positions": [
            {
                "symbol": symbol,
                "quantity": format_decimal(book.position.side.sign * book.position.quantity),
                "entry_price": format_decimal(book.position.entry_price),
                "leverage": book.leverage,
                "unrealized_pnl": format_decimal(
                    account.unrealized_pnl(symbol, venue.tape(symbol).last_price)
                ),
                "liquidation_price": (
                    None if book.liquidation is None else format_decimal(book.liquidation)
                ),
            }
            for symbol, book in account.books.items()
            if not book.position.is_flat
        ],
        "orders": [_order(order) for order in account.orders.values()],
        "conditionals": [_conditional(c) for c in account.conditionals.values()],
        "fills": [_fill(execution) for execution in account.executions],
        "incomes": [
            {
                "id": income.id,
                "symbol": income.symbol,
                "kind": income.kind,
                "amount": format_decimal(income.amount),
                "time_ms": income.time_ms,
            }
            for income in account.incomes
        ],
    }


def _order(order: VenueOrder) -> dict[str, Any]:
    ticket = order.ticket
    return {
        "id": order.id,
        "client_id": ticket.client_id,
        "symbol": ticket.symbol,
        "side": ticket.side.value,
        "kind": ticket.kind.value,
        "origin": order.origin.value,
        "parent_id": order.parent_id,
        "quantity": format_decimal(order.quantity),
        "price": None if ticket.price is None else format_decimal(ticket.price),
        "reduce_only": ticket.reduce_only,
        "status": order.status.value,
        "filled": format_decimal(order.filled),
        "average_price": format_decimal(order.average_price),
        "reason": order.reason,
        "created_ms": order.created_ms,
        "updated_ms": order.updated_ms,
    }


def _conditional(conditional: Conditional) -> dict[str, Any]:
    ticket, quantity = conditional.ticket, conditional.quantity
    return {
        "id": conditional.id,
        "client_id": ticket.client_id,
        "symbol": ticket.symbol,
        "side": ticket.side.value,
        "kind": conditional.trigger.kind.value,
        "trigger_price": format_decimal(conditional.trigger.price),
        "quantity": None if quantity is None else format_decimal(quantity),
        "reduce_only": ticket.reduce_only,
        "close_position": ticket.close_position,
        "status": conditional.status.value if conditional.is_armed else "WAITING",
        "entry_id": conditional.entry_id,
        "child_id": conditional.child.id if conditional.child else 0,
        "reason": conditional.reason,
    }


def _fill(execution: Execution) -> dict[str, Any]:
    return {
        "id": execution.id,
        "order_id": execution.order_id,
        "client_id": execution.client_id,
        "symbol": execution.symbol,
        "side": execution.side.value,
        "quantity": format_decimal(execution.quantity),
        "price": format_decimal(execution.price),
        "fee": format_decimal(execution.fee),
        "realized": format_decimal(execution.realized),
        "time_ms": execution.time_ms,
    }
