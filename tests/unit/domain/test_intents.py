"""Sides of a position and what an intent carries."""

import pytest
from tests.support.trading import LONG, SHORT, base, enter_long, intent

from milobot.domain.intents import Close, PositionSide, Side


@pytest.mark.parametrize(
    ("side", "sign", "opens", "closes", "other"),
    [(LONG, 1, Side.BUY, Side.SELL, SHORT), (SHORT, -1, Side.SELL, Side.BUY, LONG)],
)
def test_a_position_side_knows_its_orders(
    side: PositionSide, sign: int, opens: Side, closes: Side, other: PositionSide
) -> None:
    """Everything else is mirrored by these four; one wrong doubles a position instead of closing."""
    assert (side.sign, side.entry, side.exit, side.opposite) == (sign, opens, closes, other)


def test_the_entry_of_an_intent_is_its_action() -> None:
    """Planning works on the entry only."""
    action = enter_long(base("1"))

    assert intent(action).entry is action


def test_a_close_has_no_entry() -> None:
    """A close that reached the planning of an entry is a fault of the program, not of the user."""
    with pytest.raises(TypeError, match=r"Close\(\) is not an entry"):
        _ = intent(Close()).entry
