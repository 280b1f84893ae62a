"""Everything about one wish to trade: what came in, each gate, what was done."""

from typing import Any

from rich.console import Console

from milobot.app.account_status import order_to_json
from milobot.cli.tables import moment, number, print_table
from milobot.domain.money import format_decimal
from milobot.storage.queries import Explanation


def print_explanation(found: Explanation, out: Console) -> None:
    """Print what was decided about an intent and what followed, oldest first."""
    first = found.decisions[0].decision
    out.print(f"{found.account}: {first.action} {first.symbol}, asked for by {first.owner}")
    if found.intent is not None:
        price = number(found.intent.reference_price)
        out.print(f"candle of {moment(found.intent.time_ms)} UTC, reference price {price}")
    for line in found.decisions:
        decision = line.decision
        out.print(f"{decision.outcome.value}, {decision.code}: {decision.reason}")
        rows = (
            ("ok" if gate.is_passed else "FAILED", gate.name, gate.value, gate.threshold)
            for gate in decision.gates
        )
        print_table("  gates", ("", "gate", "was", "has to be"), rows, out)
    orders = (
        (
            o.purpose.value,
            o.side.value,
            number(o.quantity),
            number(o.trigger_price),
            o.status.value,
            o.reason,
        )
        for o in found.orders
    )
    titles = ("purpose", "side", "quantity", "trigger", "status", "")
    print_table("  orders", titles, orders, out)
    fills = (
        (moment(f.time_ms), f.side.value, number(f.quantity), number(f.price), number(f.fee))
        for f in found.fills
    )
    print_table("  fills", ("time (UTC)", "side", "quantity", "price", "fee"), fills, out)


def explanation_to_json(found: Explanation, decisions: list[dict[str, Any]]) -> dict[str, Any]:
    """Return an explanation for programs; ``decisions`` are those of it as JSON."""
    intent = found.intent
    return {
        "account": found.account,
        "intent": None
        if intent is None
        else {
            "key": intent.key,
            "owner": intent.owner,
            "symbol": intent.symbol,
            "time_ms": intent.time_ms,
            "due_ms": intent.due_ms,
            "reference_price": format_decimal(intent.reference_price),
        },
        "decisions": decisions,
        "orders": [order_to_json(order) for order in found.orders],
        "fills": [
            {
                "fill_id": fill.fill_id,
                "client_order_id": fill.client_order_id,
                "side": fill.side.value,
                "quantity": format_decimal(fill.quantity),
                "price": format_decimal(fill.price),
                "fee": format_decimal(fill.fee),
                "time_ms": fill.time_ms,
            }
            for fill in found.fills
        ],
    }
