"""What the command line and the page ask of the ledger."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from tests.support.records import CLOSE_INTENT, DECISION, FILL, INTENT, ORDER, SLOT, TRIP, UPDATE
from tests.support.trading import SYMBOL

from milobot.domain.decisions import Outcome
from milobot.domain.orders import OrderStatus
from milobot.domain.positions import Position
from milobot.storage import queries
from milobot.storage.ledger import Ledger, open_ledger

HALF = replace(
    ORDER,
    status=OrderStatus.PARTIALLY_FILLED,
    filled_quantity=FILL.quantity,
    booked=frozenset({FILL.fill_id}),
)
DONE = replace(ORDER, client_order_id="milo2", symbol="ETHUSDT", status=OrderStatus.CANCELLED)
DENIED = replace(
    DECISION, intent_key="other", symbol="ETHUSDT", outcome=Outcome.DENIED, code="slot_owned"
)


@pytest.fixture
async def filled(ledger: Ledger) -> Ledger:
    """Give a ledger in which some trading has been done on two accounts."""
    ours = ledger.journal("binance:default")
    await ours.commit(INTENT, DECISION, SLOT, ORDER)
    await ours.commit(replace(UPDATE, fills=(FILL,)), HALF)
    flat = replace(SLOT, symbol="ETHUSDT", position=Position("ETHUSDT"))
    await ours.commit(DENIED, replace(DONE, created_ms=ORDER.created_ms + 1), flat, TRIP)
    await ledger.journal("bingx:default").commit(
        replace(ORDER, client_order_id="milo3", created_ms=1), CLOSE_INTENT
    )
    return ledger


async def test_positions_are_what_is_open_with_what_guards_it(filled: Ledger) -> None:
    """Nobody wants to read a list of symbols that are flat."""
    [line] = await filled.read(queries.list_positions)

    assert (line.account, line.position, line.owner) == ("binance:default", SLOT.position, "s1")
    assert (line.stop, line.closing, line.blocked) == (SLOT.stop, "", "foreign_position")
    assert await filled.read(partial(queries.list_positions, account="bingx:default")) == []


async def test_orders_come_latest_first_and_can_be_filtered(filled: Ledger) -> None:
    """By account, by symbol, by whether they still may do something."""

    async def ids(**filters: object) -> list[str]:
        lines = await filled.read(partial(queries.list_orders, **filters))  # type: ignore[arg-type]  # filters by their names
        return [line.order.client_order_id for line in lines]

    assert await ids() == ["milo2", "milo1", "milo3"]
    assert await ids(limit=1) == ["milo2"]
    assert await ids(live_only=True) == ["milo1", "milo3"]
    assert await ids(symbol="ETHUSDT") == ["milo2"]
    assert await ids(account="bingx:default") == ["milo3"]


async def test_a_listed_order_names_its_fills(filled: Ledger) -> None:
    """The same order as the engine knows."""
    lines = await filled.read(partial(queries.list_orders, symbol=SYMBOL))

    assert lines[0].order == HALF


async def test_fills_and_round_trips_are_listed(filled: Ledger) -> None:
    """What was executed and what came of it."""
    assert await filled.read(partial(queries.list_fills, account="binance:default")) == [FILL]
    assert await filled.read(queries.list_round_trips) == [TRIP]
    assert await filled.read(partial(queries.list_round_trips, account="bingx:default")) == []


async def test_decisions_come_latest_first_with_their_numbers(filled: Ledger) -> None:
    """`milobot decisions --symbol` is the answer to why something was not traded."""
    lines = await filled.read(queries.list_decisions)
    of_symbol = await filled.read(
        partial(queries.list_decisions, account="binance:default", symbol=SYMBOL)
    )

    assert [line.decision for line in lines] == [DENIED, DECISION]
    assert [line.decision for line in of_symbol] == [DECISION]
    assert lines[0].number > lines[1].number


async def test_why_shows_everything_about_an_intent(filled: Ledger) -> None:
    """What came in, each gate, each order and each fill of it."""
    lines = await filled.read(partial(queries.list_decisions, symbol=SYMBOL))

    why = await filled.read(partial(queries.explain, number=lines[0].number))

    assert why is not None
    assert [line.decision for line in why.decisions] == [DECISION]
    assert why.decisions[0].decision.gates == DECISION.gates
    assert (why.intent, why.orders[0], why.fills) == (INTENT, HALF, (FILL,))


async def test_why_of_what_never_became_an_order(filled: Ledger) -> None:
    """A denial has no orders and perhaps no intent; a wrong number has nothing."""
    [denied, _] = await filled.read(queries.list_decisions)

    why = await filled.read(partial(queries.explain, number=denied.number))

    assert why is not None
    assert (why.intent, why.orders, why.fills) == (None, (), ())
    assert await filled.read(partial(queries.explain, number=10_000)) is None


async def test_accounts_are_those_that_left_a_trace(filled: Ledger) -> None:
    """For status: nobody has to name them."""
    assert await filled.read(queries.list_accounts) == ["binance:default"]


async def test_no_query_walks_through_a_large_table(tmp_path: Path) -> None:
    """Ten thousand orders later `milobot orders` must answer as quickly as today."""
    plans: list[str] = []

    def explained(connection: Connection) -> None:
        for statement in (
            "SELECT * FROM orders WHERE account='a' AND status IN ('PENDING','UNKNOWN')",
            "SELECT * FROM orders WHERE account='a' AND symbol='s' ORDER BY created_ms DESC LIMIT 9",
            "SELECT * FROM orders WHERE account='a' ORDER BY created_ms DESC LIMIT 9",
            "SELECT * FROM orders WHERE account='a' AND intent_key='k' ORDER BY created_ms",
            "SELECT * FROM fills WHERE account='a' AND client_order_id='o'",
            "SELECT fill_id FROM fills WHERE account='a' AND symbol='s' AND time_ms >= 5",
            "SELECT * FROM fills WHERE account='a' ORDER BY time_ms DESC LIMIT 9",
            "SELECT * FROM decisions WHERE account='a' ORDER BY id DESC LIMIT 9",
            "SELECT * FROM decisions WHERE account='a' AND symbol='s' ORDER BY id DESC LIMIT 9",
            "SELECT * FROM decisions WHERE account='a' AND intent_key='k' ORDER BY id DESC LIMIT 1",
            "SELECT * FROM round_trips WHERE account='a' ORDER BY exit_time_ms DESC LIMIT 9",
            "SELECT * FROM equity_snapshots WHERE account='a' AND time_ms>=1 ORDER BY time_ms DESC",
            "SELECT * FROM commands WHERE account='a' AND done_ms IS NULL ORDER BY id LIMIT 1",
            "SELECT * FROM signals WHERE account='a' ORDER BY received_ms DESC LIMIT 9",
            "SELECT * FROM signals WHERE account='a' AND is_live IS 1 ORDER BY id",
            "SELECT * FROM signals WHERE account='a' AND fingerprint='f' AND received_ms>=1",
            "SELECT * FROM signal_events WHERE signal_id=1 ORDER BY id",
            "DELETE FROM decisions WHERE time_ms < 1",
            "DELETE FROM orders WHERE created_ms < 1",
        ):
            rows = connection.execute(text(f"EXPLAIN QUERY PLAN {statement}")).all()
            plans.append(" ".join(str(row[-1]) for row in rows))

    async with await open_ledger(f"sqlite:///{tmp_path}/milobot.db") as ledger:
        await ledger.read(explained)

    assert [plan for plan in plans if "SCAN" in plan] == []
