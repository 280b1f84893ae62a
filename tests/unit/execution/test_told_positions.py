"""Positions that news tells of: what follows at once, and what is kept while a stop rests."""

from dataclasses import replace
from decimal import Decimal

from tests.support.trading import LONG, SYMBOL, dec

from milobot.domain.intents import PositionSide, Side
from milobot.domain.orders import Order, OrderPurpose, OrderStatus, OrderType
from milobot.domain.positions import Position
from milobot.domain.reports import PositionNews
from milobot.domain.slots import Slot
from milobot.execution.told_positions import ToldPositions, Unexplained

ENTRY = Order(
    "milo1",
    "k1",
    SYMBOL,
    Side.BUY,
    OrderType.MARKET,
    OrderPurpose.ENTRY,
    dec("2"),
    0,
    status=OrderStatus.PARTIALLY_FILLED,
    filled_quantity=dec("1"),
)
STOP = Order(
    "milo2",
    "k1",
    SYMBOL,
    Side.SELL,
    OrderType.STOP_MARKET,
    OrderPurpose.STOP,
    dec("1"),
    0,
    trigger_price=dec("95"),
    close_position=True,
    status=OrderStatus.SUBMITTED,
)
# Its first part was closed again; what became of the second nobody knows.
CLOSED = Slot(SYMBOL, Position(SYMBOL, LONG), orders=(ENTRY, STOP))
BARE = replace(CLOSED, orders=(ENTRY,))


def told(quantity: str, side: PositionSide | None = LONG, told_ms: int = 10) -> ToldPositions:
    """Return what is known after one position was told of and nothing has explained it."""
    positions = ToldPositions()
    positions.keep(PositionNews(SYMBOL, side, dec(quantity), dec("100")), told_ms, 10)
    return positions


def test_what_is_told_is_given_a_moment_to_be_explained() -> None:
    """The fill behind it mostly comes right after it."""
    positions = told("1")

    assert positions.look(BARE, 160) is None
    assert positions.look(BARE, 161) == Unexplained(
        is_new=True, side=LONG, quantity=dec("1"), since_ms=10
    )
    assert positions.look(BARE, 162) is None


def test_what_was_closed_is_given_a_second_where_fills_are_listed() -> None:
    """Nothing lies open, and where many are closed at once each has to be asked for."""
    held = replace(BARE, position=Position(SYMBOL, LONG, dec("1"), dec("100")), attached=("milo2",))
    positions = told("0", None)

    assert positions.look(held, 1_010) is None
    assert positions.look(held, 1_011) == Unexplained(is_new=True)


def test_what_was_closed_is_compared_soon_where_fills_are_told() -> None:
    """Two stormy seconds were over before the comparison was: what was told may be of the past."""
    held = replace(BARE, position=Position(SYMBOL, LONG, dec("1"), dec("100")))
    positions = told("0", None)

    assert positions.look(held, 160) is None
    assert positions.look(held, 161) == Unexplained(is_new=True)


def test_what_was_entered_with_its_stop_is_given_half_a_second() -> None:
    """The exchange has the stop already: a second one would have to be withdrawn again."""
    slot = replace(BARE, attached=("milo2",))
    positions = told("1")

    assert positions.look(slot, 510) is None
    assert positions.look(slot, 511) == Unexplained(
        is_new=True, side=LONG, quantity=dec("1"), since_ms=10
    )


def test_what_our_books_say_too_needs_nothing() -> None:
    """Most news of a position tells what the fills told."""
    assert told("0", None).look(BARE, 500) is None


def test_a_difference_that_no_entry_explains_is_compared_and_no_more() -> None:
    """Somebody else may hold it."""
    positions = told("1")

    assert positions.look(replace(CLOSED, orders=()), 500) == Unexplained(is_new=True)
    assert positions.look(BARE, 501) is None


def test_what_a_stop_guards_is_remembered_until_the_stop_has_ended() -> None:
    """Its trigger may come to nothing: then only that news has told that something is held."""
    positions = told("1")

    assert positions.look(CLOSED, 500) == Unexplained(is_new=True)
    assert positions.look(CLOSED, 5_000) is None

    assert positions.look(BARE, 9_000) == Unexplained(is_new=False, side=LONG, quantity=dec("1"))
    assert positions.look(BARE, 9_001) is None


def test_what_is_remembered_ends_with_the_next_fill() -> None:
    """It told of another moment; counted again, a stop would be asked for what is not there."""
    positions = told("1")
    positions.look(CLOSED, 500)
    filled = replace(BARE, position=Position(SYMBOL, LONG, Decimal(1), Decimal(100)))

    assert positions.look(filled, 9_000) is None
    assert positions.look(BARE, 9_001) is None


def test_what_is_remembered_ends_with_the_entry() -> None:
    """Once it is known what the entry has filled, nothing of ours is left to guess."""
    positions = told("1")
    positions.look(CLOSED, 500)

    assert positions.look(replace(CLOSED, orders=(STOP,)), 9_000) is None
    assert positions.look(BARE, 9_001) is None


def test_older_news_replaces_nothing() -> None:
    """The stream may bring them in the wrong order."""
    positions = told("1")
    positions.keep(PositionNews(SYMBOL, None, dec("0"), dec("0")), 9, 20)

    found = positions.look(BARE, 500)

    assert found is not None
    assert found.quantity == dec("1")
