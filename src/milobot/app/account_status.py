"""How accounts stand, as their ledger tells: who leads, what is held, what may still be lost."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from milobot.app.presence import Presence
from milobot.app.upkeep import task_cursor
from milobot.domain.governor import GovernorLimits, GovernorState, parse_state
from milobot.domain.money import ZERO, format_decimal
from milobot.domain.orders import Order, OrderStatus
from milobot.domain.slots import PositionState, Slot, position_state
from milobot.domain.times import format_time
from milobot.ports import Books
from milobot.storage.account_records import (
    EquitySnapshot,
    Session,
    list_cursors,
    list_sessions,
    load_governor,
)
from milobot.storage.ledger import Ledger
from milobot.storage.queries import list_equity

_IN_DOUBT = frozenset(
    {
        OrderStatus.PENDING,
        OrderStatus.UNKNOWN,
        OrderStatus.CANCEL_PENDING,
        OrderStatus.TRIGGERED,
    }
)


@dataclass(frozen=True, slots=True)
class TaskRun:
    """When a task ran last and what came of it."""

    name: str
    said: str
    time_ms: int


@dataclass(frozen=True, slots=True)
class Held:
    """What a slot holds and how safe it is."""

    slot: Slot
    state: PositionState


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """One account.

    Attributes:
        presence: Who leads it.
        sessions: Of its scripts, oldest first.
        governor: None before the first reading.
        equity: The latest reading; None before the first.
        held: Every slot in which something is open, on its way or blocked.
        doubtful: Orders whose end nobody knows yet.
        tasks: Each with its last run.
    """

    account: str
    presence: Presence
    sessions: tuple[Session, ...]
    governor: GovernorState | None
    equity: EquitySnapshot | None
    held: tuple[Held, ...]
    doubtful: tuple[Order, ...]
    tasks: tuple[TaskRun, ...]

    @property
    def mode(self) -> str:
        """Return how it was traded last: ``testnet``, ``live`` or ``demo``; empty when never."""
        return self.sessions[-1].mode if self.sessions else ""


async def read_status(ledger: Ledger, account: str, presence: Presence) -> AccountStatus:
    """Return how an account stands."""
    books = await ledger.journal(account).load()
    told = await ledger.read(lambda connection: _read(connection, account))
    sessions, governor, equity, tasks = told
    return AccountStatus(
        account=account,
        presence=presence,
        sessions=sessions,
        governor=governor,
        equity=equity,
        held=held_of(books),
        doubtful=tuple(order for order in books.orders if order.status in _IN_DOUBT),
        tasks=tasks,
    )


def held_of(books: Books) -> tuple[Held, ...]:
    """Return every slot that is of interest with its live orders, by symbol."""
    slots = {slot.symbol: replace(slot, orders=()) for slot in books.slots}
    for order in books.orders:
        if order.symbol in slots:
            slots[order.symbol] = slots[order.symbol].with_order(order)
    return tuple(
        Held(slot, position_state(slot))
        for _, slot in sorted(slots.items())
        if not slot.is_idle or slot.blocked
    )


def loss_today(state: GovernorState | None) -> Decimal:
    """Return the fraction lost since the start of the UTC day, as of the last reading."""
    if state is None or state.day_start is None or state.last is None:
        return ZERO
    return state.day_start.loss(state.last.equity)


def drawdown(state: GovernorState | None) -> Decimal:
    """Return the fraction lost since the highest equity, as of the last reading."""
    if state is None or state.high_water is None or state.last is None:
        return ZERO
    return state.high_water.loss(state.last.equity)


def status_to_json(status: AccountStatus, limits: GovernorLimits) -> dict[str, Any]:
    """Return a status for programs; money as text, times as UTC milliseconds."""
    governor, equity = status.governor, status.equity
    return {
        "account": status.account,
        "mode": status.mode,
        "is_led": status.presence.is_alive,
        "leader": status.presence.holder,
        "equity": None if equity is None else format_decimal(equity.equity),
        "equity_time_ms": None if equity is None else equity.time_ms,
        "daily_loss": format_decimal(loss_today(governor)),
        "daily_loss_limit": format_decimal(limits.daily_loss),
        "drawdown": format_decimal(drawdown(governor)),
        "max_drawdown": format_decimal(limits.max_drawdown),
        "halts": [
            {"kind": halt.kind.value, "reason": halt.reason, "since_ms": halt.since_ms}
            for halt in (governor.halts if governor else ())
        ],
        "positions": [held_to_json(held) for held in status.held],
        "orders_in_doubt": [order_to_json(order) for order in status.doubtful],
        "scripts": [
            {"owner": s.owner, "anchor": format_time(s.anchor_ms or 0), "mode": s.mode}
            for s in status.sessions
        ],
        "tasks": {task.name: {"said": task.said, "time_ms": task.time_ms} for task in status.tasks},
    }


def held_to_json(held: Held) -> dict[str, Any]:
    """Return what a slot holds, for programs."""
    slot, setup = held.slot, held.slot.setup
    return {
        "symbol": slot.symbol,
        "side": slot.held_side.value,
        "quantity": format_decimal(slot.held),
        "entry_price": format_decimal(slot.position.entry_price),
        "stop": None if slot.stop is None else format_decimal(slot.stop),
        "target": None
        if not (setup and setup.levels.target)
        else format_decimal(setup.levels.target),
        "state": held.state.value,
        "owner": slot.owner,
        "closing": slot.closing,
        "blocked": slot.blocked,
    }


def order_to_json(order: Order) -> dict[str, Any]:
    """Return an order, for programs."""
    prices = {"price": order.price, "trigger_price": order.trigger_price}
    return {
        "client_order_id": order.client_order_id,
        "exchange_order_id": order.exchange_order_id,
        "symbol": order.symbol,
        "side": order.side.value,
        "type": order.type.value,
        "purpose": order.purpose.value,
        "status": order.status.value,
        "quantity": format_decimal(order.quantity),
        "filled_quantity": format_decimal(order.filled_quantity),
        **{name: None if n is None else format_decimal(n) for name, n in prices.items()},
        "created_ms": order.created_ms,
        "intent_key": order.intent_key,
        "reason": order.reason,
    }


def _read(
    connection: Connection, account: str
) -> tuple[tuple[Session, ...], GovernorState | None, EquitySnapshot | None, tuple[TaskRun, ...]]:
    content = load_governor(connection, account)
    latest = list_equity(connection, account, limit=1)
    beginning = task_cursor(account, "")
    return (
        tuple(list_sessions(connection, account)),
        parse_state(content) if content else None,
        latest[-1] if latest else None,
        tuple(
            TaskRun(name.removeprefix(beginning), said, time_ms)
            for name, said, time_ms in list_cursors(connection, beginning)
        ),
    )
