"""``milobot positions``, ``orders`` and ``decisions``: what is on record, for people and programs."""

from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from milobot.app.account_status import Held, held_of, held_to_json, order_to_json
from milobot.app.presence import known_accounts
from milobot.cli.account_flags import Account, AsJson, OnSymbol, with_ledger
from milobot.cli.explanation import explanation_to_json, print_explanation
from milobot.cli.position_table import print_held
from milobot.cli.tables import console, moment, number, print_json, print_table
from milobot.domain.decisions import Decision
from milobot.errors import ConfigurationError
from milobot.settings import Settings
from milobot.storage.ledger import Ledger
from milobot.storage.queries import (
    DecisionLine,
    Explanation,
    OrderLine,
    explain,
    list_decisions,
    list_orders,
)

Last = Annotated[int, typer.Option("--last", min=1, max=10_000, help="How many, at most.")]


def positions(*, account: Account = None, json: AsJson = False) -> None:
    """Show what is open, on its way or blocked, with stop and owner."""

    async def read(settings: Settings, ledger: Ledger) -> dict[str, tuple[Held, ...]]:
        del settings
        names = await known_accounts(ledger, account)
        return {name: held_of(await ledger.journal(name).load()) for name in names}

    found = with_ledger(read)
    if json:
        rows = [{"account": n, **held_to_json(one)} for n, held in found.items() for one in held]
        print_json(rows)
        return
    out = console()
    for name, held in found.items():
        print_held(name, held, out)
    if not any(found.values()):
        out.print("nothing is open")


def orders(
    *,
    symbol: OnSymbol = None,
    show_all: Annotated[
        bool, typer.Option("--all", help="Those that have ended as well, latest first.")
    ] = False,
    last: Last = 50,
    account: Account = None,
    json: AsJson = False,
) -> None:
    """Show the orders that rest or are on their way; with --all also those that have ended."""

    async def read(settings: Settings, ledger: Ledger) -> list[OrderLine]:
        del settings
        wanted, names = symbol.upper() if symbol else None, await known_accounts(ledger, account)

        def listed(connection: Connection) -> list[OrderLine]:
            return [
                line
                for name in names
                for line in list_orders(
                    connection, name, symbol=wanted, live_only=not show_all, limit=last
                )
            ]

        return await ledger.read(listed)

    found = with_ledger(read)
    if json:
        print_json([{"account": line.account, **order_to_json(line.order)} for line in found])
        return
    out = console()
    titles = (
        *("account", "created (UTC)", "symbol", "side", "type", "purpose", "quantity", "filled"),
        *("trigger", "status", "order"),
    )
    print_table("orders", titles, (_order_row(line) for line in found), out)
    if not found:
        out.print("no orders" if show_all else "no order rests or is on its way (--all shows more)")


def decisions(
    *,
    symbol: OnSymbol = None,
    why: Annotated[
        int | None, typer.Option("--why", help="Number of a decision: show everything about it.")
    ] = None,
    last: Last = 20,
    account: Account = None,
    json: AsJson = False,
) -> None:
    """Show what was decided about each wish to trade, and why; latest first."""
    if why is not None:
        _explain(why, as_json=json)
        return

    async def read(settings: Settings, ledger: Ledger) -> list[DecisionLine]:
        del settings
        wanted, names = symbol.upper() if symbol else None, await known_accounts(ledger, account)

        def listed(connection: Connection) -> list[DecisionLine]:
            return [
                line
                for name in names
                for line in list_decisions(connection, name, symbol=wanted, limit=last)
            ]

        return await ledger.read(listed)

    found = with_ledger(read)
    if json:
        print_json([decision_to_json(line) for line in found])
        return
    out = console()
    titles = ("number", "account", "candle (UTC)", "symbol", "action", "outcome", "code", "reason")
    print_table("decisions", titles, (_decision_row(line) for line in found), out)
    out.print("milobot decisions --why NUMBER tells more" if found else "no decisions yet")


def decision_to_json(line: DecisionLine) -> dict[str, Any]:
    """Return a decision with its gates, for programs."""
    decision: Decision = line.decision
    return {
        "number": line.number,
        "account": line.account,
        "intent_key": decision.intent_key,
        "owner": decision.owner,
        "symbol": decision.symbol,
        "time_ms": decision.time_ms,
        "action": decision.action,
        "outcome": decision.outcome.value,
        "code": decision.code,
        "reason": decision.reason,
        "gates": [
            {
                "name": gate.name,
                "value": gate.value,
                "threshold": gate.threshold,
                "is_passed": gate.is_passed,
            }
            for gate in decision.gates
        ],
    }


def _explain(number_: int, *, as_json: bool) -> None:
    async def read(settings: Settings, ledger: Ledger) -> Explanation | None:
        del settings
        return await ledger.read(lambda connection: explain(connection, number_))

    found = with_ledger(read)
    if found is None:
        raise ConfigurationError(
            f"there is no decision {number_}: milobot decisions lists the latest with their numbers"
        )
    if as_json:
        lines = [decision_to_json(line) for line in found.decisions]
        print_json(explanation_to_json(found, lines))
    else:
        print_explanation(found, console())


def _order_row(line: OrderLine) -> tuple[str, ...]:
    order = line.order
    return (
        line.account,
        moment(order.created_ms),
        order.symbol,
        order.side.value,
        order.type.value,
        order.purpose.value,
        number(order.quantity),
        number(order.filled_quantity),
        number(order.trigger_price),
        order.status.value,
        order.client_order_id,
    )


def _decision_row(line: DecisionLine) -> tuple[str, ...]:
    decision = line.decision
    return (
        str(line.number),
        line.account,
        moment(decision.time_ms),
        decision.symbol,
        decision.action,
        decision.outcome.value,
        decision.code,
        decision.reason,
    )
