"""Reversals: close, confirmed flat, then a newly sized and gated entry at the same open."""

from tests.support.trading import (
    LONG,
    SHORT,
    Stage,
    at_price,
    base,
    candle,
    dec,
    enter_long,
    enter_short,
    intent,
    percent,
    risk,
)

from milobot.domain.decisions import Outcome
from milobot.domain.intents import Close, Enter
from milobot.execution.engine import EngineConfig, ExecutionEngine
from milobot.ports import Record
from milobot.storage.memory import MemoryJournal

QUIET = candle(100, 101, 99, 100)
PLAN = enter_long(base("1"), stop=at_price("95"), target=at_price("120"))
TURN = enter_short(base("2"), stop=at_price("115"), target=at_price("90"))


async def test_the_opposite_side_closes_and_enters_at_the_same_open() -> None:
    """Order of events: close the old, cancel its exits, enter the new, protect it."""
    stage = Stage()
    await stage.play(QUIET, intent(PLAN))

    (decision,) = await stage.play(
        candle(110, 111, 109, 110), intent(TURN, key="k2", reference="110")
    )

    (trip,) = stage.journal.round_trips
    assert decision.outcome is Outcome.ACCEPTED
    assert (trip.exit_reason, trip.exit_price) == ("reversal", dec("110"))
    assert stage.slot.position.side is SHORT
    assert stage.slot.position.entry_price == 110
    assert stage.resting == [("stop", dec("115")), ("target", dec("90"))]
    story = [(o.purpose.value, o.status.value) for o in stage.journal.orders]
    assert story == [
        ("entry", "PENDING"),
        ("stop", "PENDING"),
        ("target", "PENDING"),
        ("close", "PENDING"),
        ("stop", "CANCEL_PENDING"),
        ("target", "CANCEL_PENDING"),
        ("entry", "PENDING"),
        ("stop", "PENDING"),
        ("target", "PENDING"),
    ]


async def test_the_new_entry_is_sized_after_the_close() -> None:
    """Ten more in the wallet less the close's fee: 1 % of 10,009.84 over 2.2 a unit."""
    stage = Stage(fee="0.0005")
    await stage.play(QUIET, intent(PLAN))

    await stage.play(
        candle(110, 111, 109, 110),
        intent(enter_short(risk("1"), stop=percent("2")), key="k2", reference="110"),
    )

    # 10000 + 10 - 0.05 - 0.055 = 10009.895; 100.09895 over 2.2 is 45.49952
    assert stage.slot.position.quantity == dec("45.499")


async def test_a_reversal_that_may_not_enter_still_closes() -> None:
    """The close is the safe half: it is done, and the denial of the entry is on record."""
    stage = Stage()
    await stage.play(QUIET, intent(PLAN))
    beyond = enter_short(base("2"), stop=at_price("109"))

    (decision,) = await stage.play(
        candle(110, 111, 109, 110), intent(beyond, key="k2", reference="100")
    )

    assert (decision.outcome, decision.code) == (Outcome.DENIED, "level_passed")
    assert stage.slot.position.is_flat
    assert stage.slot.owner == ""
    assert stage.journal.round_trips[0].exit_reason == "reversal"


async def test_a_denied_reversal_is_not_tried_again() -> None:
    """One intent, one try: a later candle does not enter on an old wish."""
    stage = Stage()
    await stage.play(QUIET, intent(PLAN))
    beyond = intent(enter_short(base("2"), stop=at_price("109")), key="k2")
    await stage.play(candle(110, 111, 109, 110), beyond)

    await stage.play(QUIET)
    (again,) = await stage.play(QUIET, beyond)

    assert again.code == "level_passed"
    assert len(stage.orders("entry")) == 1


async def test_reversals_back_and_forth_balance() -> None:
    """Four turns with fees, slippage and a risk size: no cent is lost between the trips."""
    stage = Stage(fee="0.0005", slippage="0.0002")
    for number, price in enumerate([100, 103, 101, 104, 99]):
        side = enter_short if number % 2 else enter_long
        wish = intent(
            side(risk("1"), leverage=3, stop=percent("10")), key=f"k{number}", reference=f"{price}"
        )
        await stage.play(candle(price, price + 1, price - 1, price), wish)
        assert stage.books_balance()

    assert [t.exit_reason for t in stage.journal.round_trips] == ["reversal"] * 4
    assert stage.slot.position.side is LONG


class WatchfulJournal(MemoryJournal):
    """A journal that looks after every commit whether a crash now would lose a wish.

    Attributes:
        batches: The kinds of records of each commit.
    """

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__()
        self.batches: list[list[str]] = []

    async def commit(self, *records: Record) -> None:
        """Keep the records; a wish that was taken waits, has an order, or was decided about again."""
        self.batches.append([type(record).__name__ for record in records])
        await super().commit(*records)
        waiting = {slot.queued.key for slot in self.slots.values() if slot.queued}
        ordered = {order.intent_key for order in self.latest.values()}
        refused = {key for key, d in self._decided.items() if d.outcome is not Outcome.ACCEPTED}
        entries = {i.key for i in self.intents.values() if isinstance(i.action, Enter)}
        assert entries <= waiting | ordered | refused


class WatchedStage(Stage):
    """A stage with such a journal."""

    def __init__(self) -> None:
        """Open an account."""
        super().__init__()
        self.journal: WatchfulJournal = WatchfulJournal()
        self.engine = ExecutionEngine(self.venue, self.journal, self.clock, EngineConfig())


async def test_no_crash_between_close_and_entry_loses_the_wish() -> None:
    """Found by kill -9: the slot was freed in one commit and the entry decided in the next."""
    stage = WatchedStage()
    await stage.play(QUIET, intent(PLAN))

    await stage.play(candle(110, 111, 109, 110), intent(TURN, key="k2", reference="110"))

    assert stage.slot.position.side is SHORT


async def test_no_crash_between_close_and_denial_loses_the_wish() -> None:
    """The same where the entry is refused: the denial and the free slot come together."""
    stage = WatchedStage()
    await stage.play(QUIET, intent(PLAN))
    beyond = intent(enter_short(base("2"), stop=at_price("109")), key="k2")

    await stage.play(candle(110, 111, 109, 110), beyond)

    assert stage.slot.owner == ""


async def test_a_wish_to_close_is_on_record_with_the_order_that_closes() -> None:
    """The order leaves after one transaction instead of two: each costs a write to the disk."""
    stage = WatchedStage()
    await stage.play(QUIET, intent(PLAN))
    begun = len(stage.journal.batches)

    await stage.play(candle(110, 111, 109, 110), intent(Close(), key="k2", reference="110"))

    assert stage.journal.batches[begun] == ["TradeIntent", "Decision", "Slot", "Order"]
