"""Records of an account as rows of the ledger, and back."""

from typing import Any

from sqlalchemy import RowMapping

from milobot.domain.decisions import Decision, Gate, Outcome
from milobot.domain.intents import PositionSide, Side, TradeIntent
from milobot.domain.orders import (
    Fill,
    FundingUpdate,
    Order,
    OrderPurpose,
    OrderStatus,
    OrderType,
    Refusal,
)
from milobot.domain.positions import Position
from milobot.domain.round_trips import RoundTrip
from milobot.domain.slots import Slot
from milobot.storage.codec import codec_of

Row = dict[str, Any]

_INTENT = codec_of(TradeIntent)
_GATES = codec_of(tuple[Gate, ...])
# The position has a row of its own, live orders are among the orders.
_SLOT = codec_of(Slot, without=("position", "orders"))
_ORDER_COLUMNS = (
    "client_order_id",
    "exchange_order_id",
    "intent_key",
    "symbol",
    "quantity",
    "filled_quantity",
    "price",
    "trigger_price",
    "reduce_only",
    "close_position",
    "leverage",
    "created_ms",
    "send_before_ms",
    "reason",
)
_POSITION_COLUMNS = ("quantity", "cost", "realized_pnl", "fees", "funding")
_TRIP_COLUMNS = (
    "symbol",
    "quantity",
    "signal_time_ms",
    "entry_time_ms",
    "entry_price",
    "stop",
    "target",
    "exit_time_ms",
    "exit_price",
    "exit_reason",
    "fees",
    "funding",
    "pnl",
)
_DECISION_COLUMNS = ("intent_key", "owner", "symbol", "time_ms", "action", "code", "reason")


def intent_row(account: str, intent: TradeIntent) -> Row:
    """Return the row of an intent."""
    return {
        "account": account,
        "key": intent.key,
        "owner": intent.owner,
        "symbol": intent.symbol,
        "time_ms": intent.time_ms,
        "content": _INTENT.encode(intent),
    }


def intent_of(row: RowMapping) -> TradeIntent:
    """Return the intent of a row."""
    return _INTENT.decode(row["content"])


def slot_row(account: str, slot: Slot) -> Row:
    """Return the row of a slot, without its position and its orders."""
    return {
        "account": account,
        "symbol": slot.symbol,
        "owner": slot.owner,
        "revision": slot.revision,
        "closing": slot.closing,
        "blocked": slot.blocked,
        "stop": slot.stop,
        "content": _SLOT.encode(slot),
    }


def slot_of(row: RowMapping) -> Slot:
    """Return the slot of a row that was joined with its position; its orders are elsewhere."""
    return _SLOT.decode(row["content"], position=position_of(row))


def intents_in(content: str) -> set[str]:
    """Return the keys of the intents that a slot's row refers to."""
    slot = _SLOT.decode(content, position=Position(""))
    wishes = (slot.setup.intent if slot.setup else None, slot.queued)
    return {intent.key for intent in wishes if intent is not None}.union(slot.legs)


def position_row(account: str, position: Position) -> Row:
    """Return the row of a position."""
    row: Row = {name: getattr(position, name) for name in _POSITION_COLUMNS}
    return row | {
        "account": account,
        "symbol": position.symbol,
        "side": position.side.value,
    }


def position_of(row: RowMapping) -> Position:
    """Return the position of a row."""
    values = {name: row[name] for name in _POSITION_COLUMNS}
    return Position(symbol=row["symbol"], side=PositionSide(row["side"]), **values)


def order_row(account: str, order: Order) -> Row:
    """Return the row of an order; the ids of its fills are rows of their own."""
    row: Row = {name: getattr(order, name) for name in _ORDER_COLUMNS}
    return row | {
        "account": account,
        "side": order.side.value,
        "type": order.type.value,
        "purpose": order.purpose.value,
        "status": order.status.value,
        "refusal": None if order.refusal is None else order.refusal.value,
    }


def order_of(row: RowMapping, booked: frozenset[str]) -> Order:
    """Return the order of a row with the ids of the fills that were booked."""
    values = {name: row[name] for name in _ORDER_COLUMNS}
    return Order(
        **values,
        side=Side(row["side"]),
        type=OrderType(row["type"]),
        purpose=OrderPurpose(row["purpose"]),
        status=OrderStatus(row["status"]),
        refusal=None if row["refusal"] is None else Refusal(row["refusal"]),
        booked=booked,
    )


def fill_row(account: str, client_order_id: str, fill: Fill) -> Row:
    """Return the row of a fill, under our order: the exchange may name a child of it."""
    return {
        "account": account,
        "symbol": fill.symbol,
        "fill_id": fill.fill_id,
        "client_order_id": client_order_id,
        "side": fill.side.value,
        "quantity": fill.quantity,
        "price": fill.price,
        "fee": fill.fee,
        "time_ms": fill.time_ms,
    }


def fill_of(row: RowMapping) -> Fill:
    """Return the fill of a row."""
    return Fill(
        fill_id=row["fill_id"],
        client_order_id=row["client_order_id"],
        symbol=row["symbol"],
        side=Side(row["side"]),
        quantity=row["quantity"],
        price=row["price"],
        fee=row["fee"],
        time_ms=row["time_ms"],
    )


def funding_row(account: str, payment: FundingUpdate) -> Row:
    """Return the row of a funding payment."""
    return {
        "account": account,
        "symbol": payment.symbol,
        "funding_id": payment.funding_id,
        "amount": payment.amount,
        "time_ms": payment.time_ms,
    }


def decision_row(account: str, decision: Decision) -> Row:
    """Return the row of a decision."""
    row: Row = {name: getattr(decision, name) for name in _DECISION_COLUMNS}
    return row | {
        "account": account,
        "outcome": decision.outcome.value,
        "gates": _GATES.encode(decision.gates),
    }


def decision_of(row: RowMapping) -> Decision:
    """Return the decision of a row."""
    values = {name: row[name] for name in _DECISION_COLUMNS}
    return Decision(**values, outcome=Outcome(row["outcome"]), gates=_GATES.decode(row["gates"]))


def trip_row(account: str, trip: RoundTrip) -> Row:
    """Return the row of a round trip."""
    row: Row = {name: getattr(trip, name) for name in _TRIP_COLUMNS}
    return row | {"account": account, "side": trip.side.value}


def trip_of(row: RowMapping) -> RoundTrip:
    """Return the round trip of a row."""
    values = {name: row[name] for name in _TRIP_COLUMNS}
    return RoundTrip(**values, side=PositionSide(row["side"]))
