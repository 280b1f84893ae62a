"""Forgetting by age: what is old and done goes, what still trades or proves something stays."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from tests.support.records import DECISION, FILL, FUNDING, INTENT, ORDER, SLOT, TRIP, UPDATE
from tests.support.trading import dec

from milobot.domain.orders import OrderStatus
from milobot.errors import ConfigurationError
from milobot.storage import tables
from milobot.storage.account_records import EquitySnapshot, save_equity
from milobot.storage.audit import append_audit
from milobot.storage.ledger import Ledger
from milobot.storage.ledger_pruning import prune

DAY_MS = 86_400_000
NOW_MS = ORDER.created_ms + 100 * DAY_MS
OLD, NEW = ORDER.created_ms, NOW_MS - DAY_MS


async def ids_in(ledger: Ledger, column: sa.Column[Any]) -> set[Any]:
    """Return what a column holds."""
    return await ledger.read(lambda c: set(c.execute(sa.select(column)).scalars()))


async def trade(ledger: Ledger, name: str, time_ms: int, status: OrderStatus) -> None:
    """Keep an intent with its decision, order and fill."""
    fill = replace(FILL, fill_id=name, time_ms=time_ms)
    order = replace(
        ORDER,
        client_order_id=name,
        intent_key=name,
        created_ms=time_ms,
        status=status,
        filled_quantity=fill.quantity,
        booked=frozenset({name}),
    )
    await ledger.journal("a").commit(
        replace(INTENT, key=name, time_ms=time_ms),
        replace(DECISION, intent_key=name, time_ms=time_ms),
        order,
        replace(UPDATE, client_order_id=name, fills=(fill,)),
    )


async def test_what_is_old_and_done_goes_and_the_rest_stays(ledger: Ledger) -> None:
    """Finished orders of a closed trade go with all that belongs to them."""
    await trade(ledger, "old", OLD, OrderStatus.FILLED)
    await trade(ledger, "new", NEW, OrderStatus.FILLED)

    gone = await prune(ledger.database, now_ms=NOW_MS, days=30)

    for column in (
        tables.orders.c.client_order_id,
        tables.fills.c.fill_id,
        tables.decisions.c.intent_key,
        tables.intents.c.key,
    ):
        assert await ids_in(ledger, column) == {"new"}
    assert gone.total == 4


async def test_what_still_trades_stays_whatever_its_age(ledger: Ledger) -> None:
    """A position held for a year must know its plan, its entry and the fills of it."""
    await trade(ledger, "live", OLD, OrderStatus.PARTIALLY_FILLED)
    await trade(ledger, "plan", OLD, OrderStatus.FILLED)
    await trade(ledger, "waits", OLD, OrderStatus.CANCELLED)
    await trade(ledger, "leg", OLD, OrderStatus.FILLED)
    assert SLOT.setup is not None
    plan = replace(SLOT.setup, intent=replace(INTENT, key="plan"))
    slot = replace(SLOT, setup=plan, queued=replace(INTENT, key="waits"), legs=("leg",))
    await ledger.journal("a").commit(slot)

    gone = await prune(ledger.database, now_ms=NOW_MS, days=30)

    assert gone.total == 0
    assert await ids_in(ledger, tables.fills.c.fill_id) == {"live", "plan", "waits", "leg"}


async def test_snapshots_and_payments_go_results_and_the_audit_log_stay(ledger: Ledger) -> None:
    """What proves something later is kept for good."""
    await ledger.journal("a").commit(replace(FUNDING, time_ms=OLD), replace(TRIP, exit_time_ms=OLD))
    snapshot = EquitySnapshot("a", OLD, dec("1"), dec("1"), dec("0"))
    await ledger.write(partial(save_equity, snapshot=snapshot))
    await ledger.write(
        partial(append_audit, account="a", actor="u", event="halt", details="", now_ms=OLD)
    )

    gone = await prune(ledger.database, now_ms=NOW_MS, days=30)

    assert (gone.rows["funding"], gone.rows["equity_snapshots"], gone.total) == (1, 1, 2)
    assert await ids_in(ledger, tables.round_trips.c.pnl) == {TRIP.pnl}
    assert await ids_in(ledger, tables.audit.c.event) == {"halt"}


async def test_many_rows_go_in_pieces(ledger: Ledger) -> None:
    """Each piece is a short transaction, so that no order waits for the pruning."""
    many = [replace(DECISION, intent_key=f"{n}", time_ms=OLD) for n in range(2_500)]
    await ledger.journal("a").commit(*many)

    gone = await prune(ledger.database, now_ms=NOW_MS, days=30)

    assert gone.rows["decisions"] == 2_500


async def test_too_short_a_memory_is_refused(ledger: Ledger) -> None:
    """A message that comes again after two days must still be known."""
    with pytest.raises(ConfigurationError, match="2 days are too few to keep: name 7 or more"):
        await prune(ledger.database, now_ms=NOW_MS, days=2)
