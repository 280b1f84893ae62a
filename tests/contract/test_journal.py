"""What every journal must do: keep what was committed, in order, nothing else."""

from dataclasses import replace

import pytest
from tests.support.trading import SYMBOL, dec

from milobot.domain.decisions import Decision, Outcome
from milobot.domain.intents import PositionSide, Side
from milobot.domain.orders import (
    FundingUpdate,
    Order,
    OrderPurpose,
    OrderStatus,
    OrderType,
    OrderUpdate,
)
from milobot.domain.round_trips import RoundTrip
from milobot.storage.memory import MemoryJournal

ORDER = Order("milo1", "k1", SYMBOL, Side.BUY, OrderType.MARKET, OrderPurpose.ENTRY, dec("1"), 0)
UPDATE = OrderUpdate("milo1", SYMBOL, OrderStatus.FILLED, 1)
FUNDING = FundingUpdate("f1", SYMBOL, dec("0.5"), 2)
DECISION = Decision("k1", "demo", SYMBOL, 0, "long", Outcome.ACCEPTED, "accepted", "entry sent")
TRIP = RoundTrip(
    symbol=SYMBOL,
    side=PositionSide.LONG,
    quantity=dec("1"),
    signal_time_ms=0,
    entry_time_ms=1,
    entry_price=dec("100"),
    stop=None,
    target=None,
    exit_time_ms=2,
    exit_price=dec("101"),
    exit_reason="close",
    fees=dec("0"),
    funding=dec("0"),
    pnl=dec("1"),
)


@pytest.fixture
def journal() -> MemoryJournal:
    """Return a fresh journal."""
    return MemoryJournal()


async def test_every_kind_of_record_is_kept(journal: MemoryJournal) -> None:
    """One commit holds what belongs together: an update and the round trip it ended."""
    await journal.commit(ORDER, UPDATE, FUNDING, DECISION, TRIP)

    assert journal.orders == [ORDER]
    assert journal.updates == [UPDATE]
    assert journal.funding == [FUNDING]
    assert journal.decisions == [DECISION]
    assert journal.round_trips == [TRIP]


async def test_records_keep_their_order(journal: MemoryJournal) -> None:
    """The story of an order is read from first to last."""
    waiting = replace(ORDER, status=OrderStatus.CANCEL_PENDING)

    await journal.commit(ORDER)
    await journal.commit(waiting)

    assert journal.orders == [ORDER, waiting]


async def test_an_empty_commit_keeps_nothing(journal: MemoryJournal) -> None:
    """Nothing said, nothing stored."""
    await journal.commit()

    assert journal.orders == []
    assert journal.updates == []
