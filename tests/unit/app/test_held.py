"""What is held, as the page shows it: nothing that is there may be missing."""

from dataclasses import replace

from tests.support.records import ORDER, SLOT
from tests.support.shown_accounts import slot_of
from tests.support.trading import SYMBOL, dec

from milobot.app.held import gain_at, held_view, rough_liquidation
from milobot.domain.intents import PositionSide
from milobot.domain.positions import Position
from milobot.domain.slots import Slot, position_state
from milobot.web.views import NOT_OURS, PositionView


def _view(slot: Slot) -> PositionView | None:
    return held_view(slot, position_state(slot), unrealized_pnl=None)


def test_a_position_is_shown_with_all_its_levels() -> None:
    """What protects it and where it gains is what a trader looks for first."""
    view = _view(slot_of(SYMBOL))

    assert view is not None
    assert (view.side, view.quantity, view.entry) == (PositionSide.LONG, dec("1"), dec("100"))
    assert (view.state, view.stop) == ("PROTECTED", dec("95"))
    assert view.targets == (dec("43000.0"), dec("44852.7"))
    assert view.owner == "http:default"


def test_nothing_is_held_in_a_slot_that_is_flat() -> None:
    """A row for every symbol ever traded would hide the ones that count."""
    assert _view(Slot(SYMBOL, Position(SYMBOL))) is None


def test_an_entry_on_its_way_is_shown_before_it_fills() -> None:
    """Between order and fill the account is not what Flat would say."""
    slot = replace(SLOT, position=Position(SYMBOL), orders=(ORDER,), seen=dec("0"), early=())
    view = _view(slot)

    assert view is not None
    assert (view.state, view.side, view.quantity) == ("OPENING", PositionSide.LONG, dec("1.0"))
    assert view.entry is None


def test_what_only_a_listing_has_told_counts_as_held() -> None:
    """A fill that was missed is a position all the same, and here one without a stop."""
    slot = replace(SLOT, position=Position(SYMBOL), seen=dec("0.3"), early=(), stop=None)
    view = _view(slot)

    assert view is not None
    assert (view.state, view.quantity, view.entry) == ("UNPROTECTED", dec("0.3"), None)
    assert gain_at(slot, dec("50000")) is None


def test_a_position_of_somebody_else_is_named_as_such() -> None:
    """It is never touched, but Flat would be a lie."""
    view = _view(Slot(SYMBOL, Position(SYMBOL), blocked="a position that milobot did not open"))

    assert view is not None
    assert (view.state, view.side) == (NOT_OURS, None)
    assert view.note == "a position that milobot did not open"


def test_gain_and_liquidation_need_a_position() -> None:
    """Figures of nothing are no figures."""
    held, flat = slot_of(SYMBOL), Slot(SYMBOL, Position(SYMBOL))

    assert gain_at(held, dec("110")) == dec("10")
    assert gain_at(held, None) is None
    assert rough_liquidation(flat) is None
    liquidation = rough_liquidation(held)
    assert liquidation is not None
    assert dec("89") < liquidation < dec("92")
