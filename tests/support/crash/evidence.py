"""Reads what the judge is shown: the exchange's ledger, and rows of the bot's database."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, select
from tests.support.crash.exposure import ExposureWatch
from tests.support.crash.judge import (
    Execution,
    OurDecision,
    OurOrder,
    Records,
    TheirOrder,
    Truth,
)

from milobot.local_exchange.server import LocalExchange
from milobot.storage import tables

# How long each fault keeps the exchange from taking any order: for as long as its answer says.
# Whoever drops a connection, answers with nonsense or not at all can be asked again at once.
_OUTAGES_MS = {"rate_limited": 1_000}


def truth_of(
    exchange: LocalExchange,
    dialect: str,
    watch: ExposureWatch,
    stalls: Iterable[tuple[int, int]] = (),
) -> Truth:
    """Return what the exchange's ledger says of its one account.

    Args:
        exchange: The exchange.
        dialect: Which of its accounts.
        watch: What listened to it.
        stalls: When its process looked at no socket.
    """
    ledger = exchange.ledger()
    account = next(a for a in ledger["accounts"] if a["dialect"] == dialect)
    return Truth(
        orders=tuple(
            TheirOrder(
                client_id=o["client_id"],
                symbol=o["symbol"],
                quantity=Decimal(o["quantity"]),
                filled=Decimal(o["filled"]),
                reduces=o["reduce_only"] or bool(o["parent_id"]) or o["origin"] != "client",
            )
            for o in account["orders"]
        ),
        fills=tuple(
            Execution(
                fill_id=str(f["id"]),
                symbol=f["symbol"],
                side=f["side"],
                quantity=Decimal(f["quantity"]),
                price=Decimal(f["price"]),
                fee=Decimal(f["fee"]),
            )
            for f in account["fills"]
        ),
        positions={p["symbol"]: Decimal(p["quantity"]) for p in account["positions"]},
        resting=frozenset(_resting(account)),
        exposures=tuple(watch.all()),
        outages=tuple(_outages(ledger["requests"])),
        stalls=tuple(stalls),
        ended_ms=exchange.clock.now_ms(),
    )


def _resting(account: dict[str, Any]) -> Iterable[str]:
    open_states = {"NEW", "PARTIALLY_FILLED"}
    for order in (*account["orders"], *account["conditionals"]):
        if order["status"] in open_states:
            # BingX takes no client id for a stop: there it is known by the exchange's own.
            yield order["client_id"] or str(order["id"])


def _outages(requests: Iterable[dict[str, Any]]) -> Iterable[tuple[int, int]]:
    for request in requests:
        ms = max((_OUTAGES_MS.get(fault, 0) for fault in request["faults"]), default=0)
        if ms:
            yield request["time_ms"], request["time_ms"] + ms


def records_of(connection: Connection, account: str) -> Records:
    """Return what the database says of an account."""

    def rows(table: Any, *order: Any) -> list[Any]:
        found = select(table).where(table.c.account == account).order_by(*order)
        return list(connection.execute(found))

    return Records(
        intents=frozenset(row.key for row in rows(tables.intents)),
        orders=tuple(
            OurOrder(
                client_id=row.client_order_id,
                exchange_id=row.exchange_order_id,
                intent_key=row.intent_key,
                symbol=row.symbol,
                purpose=row.purpose,
                status=row.status,
                filled=row.filled_quantity,
            )
            for row in rows(tables.orders)
        ),
        fills=tuple(
            Execution(
                fill_id=row.fill_id,
                symbol=row.symbol,
                side=row.side,
                quantity=row.quantity,
                price=row.price,
                fee=row.fee,
            )
            for row in rows(tables.fills)
        ),
        positions={
            row.symbol: row.quantity if row.side == "LONG" else -row.quantity
            for row in rows(tables.positions)
            if row.quantity
        },
        decisions=tuple(
            OurDecision(row.intent_key, row.outcome, row.code, row.action)
            for row in rows(tables.decisions, tables.decisions.c.id)
        ),
        slots=tuple(str(row) for row in rows(tables.slots)),
    )
