"""The page of a run: the chart belongs to one symbol, the log to all of them."""

from dataclasses import replace
from typing import Any

from tests.support.records import DECISION, FILL, ORDER, TRIP, UPDATE
from tests.support.trading import SYMBOL, dec

from milobot.app.happenings import Passing
from milobot.app.run_page import RunPage, Standing, describe_decision
from milobot.domain.decisions import Outcome
from milobot.domain.intents import PositionSide, Side
from milobot.domain.market import CandleSeries
from milobot.domain.orders import OrderPurpose
from milobot.domain.positions import Position
from milobot.domain.slots import Slot, position_state
from milobot.marketdata.generated import generate_candles
from milobot.storage.memory import MemoryJournal
from milobot.web.state import Heading

CANDLES = generate_candles(minutes=5, seed=1)
STANDING = Standing(dec("10000"), dec("10010"))


class Shown:
    """A page with the journal that it watches."""

    def __init__(self, *slots: Slot) -> None:
        """Open an empty page on these slots."""
        self.passing = Passing()
        self.journal = self.passing.before(MemoryJournal())
        told = [(slot, position_state(slot)) for slot in slots]
        self.page = RunPage(Heading("testnet", SYMBOL, "1m", "x"), lambda: told, self.passing)

    def look(self, candles: CandleSeries = CANDLES) -> dict[str, Any]:
        """Return what the page shows now."""
        self.page.show(candles, candles, [], STANDING)
        self.page.publish(candles, running=True, what="trading,")
        found: dict[str, Any] = self.page.state.snapshot()
        return found


async def test_another_symbol_is_in_the_log_and_not_on_the_chart() -> None:
    """A mark at the price of another market would be a lie, and so would be to call it flat."""
    shown = Shown(Slot("ETHUSDT", Position("ETHUSDT", PositionSide.LONG, dec("1"), dec("2000"))))
    elsewhere = replace(DECISION, symbol="ETHUSDT", outcome=Outcome.DENIED, code="slot_owned")
    fill = replace(FILL, symbol="ETHUSDT")
    await shown.journal.commit(ORDER, replace(UPDATE, symbol="ETHUSDT", fills=(fill,)), elsewhere)

    seen = shown.look()

    assert (seen["fills"], seen["signals"]) == ([], [])
    (held,) = seen["positions"]["rows"]
    assert (held["symbol"], held["state"], held["on_chart"]) == ("ETHUSDT", "UNPROTECTED", False)
    assert [line["level"] for line in seen["log"]] == ["warning"]
    assert seen["log"][0]["text"] == describe_decision(elsewhere)
    assert "slot_owned" in seen["log"][0]["text"]


async def test_a_decision_of_long_ago_has_no_place_on_the_chart() -> None:
    """The second half of a reversal may be decided many candles after its own."""
    shown = Shown()
    await shown.journal.commit(replace(DECISION, time_ms=1, outcome=Outcome.ACCEPTED))

    seen = shown.look()

    assert seen["signals"] == []
    assert "accepted" in seen["log"][0]["text"]


async def test_an_exit_of_what_was_open_before_the_page_counts_its_gain() -> None:
    """After a restart the first exit must not look like an entry."""
    held = Position(SYMBOL, PositionSide.LONG, dec("1"), dec("40000"))
    shown = Shown(Slot(SYMBOL, held))
    await shown.journal.commit(DECISION)
    shown.page.take_over()
    out = replace(FILL, side=Side.SELL, quantity=dec("1"), price=dec("40100"), fee=dec("10"))
    await shown.journal.commit(
        replace(ORDER, purpose=OrderPurpose.TARGET), replace(UPDATE, fills=(out,)), TRIP
    )

    seen = shown.look()

    (fill,) = seen["fills"]
    assert (fill["reason"], fill["pnl"]) == ("target", "90")
    assert seen["signals"] == []
    assert seen["summary"]["Round trips"] == "1"
