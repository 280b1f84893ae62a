"""Codes: for one person, one plan, one minute, once."""

import pytest

from milobot.signals.talk.codes import MOST_TRIES, VALID_MS, Codes, draw_code
from milobot.signals.talk.errands import Errand, Plan
from milobot.storage.commands import CommandKind

CLOSE = Plan((Errand("binance:default", CommandKind.CLOSE, "BTCUSDT"),), "close it")
HALT = Plan((Errand("binance:default", CommandKind.HALT),), "halt it")


def codes(*drawn: str) -> Codes:
    """Return codes that are drawn in this order."""
    return Codes(iter(drawn).__next__)


def test_a_code_confirms_its_plan_once() -> None:
    """A code that is sent twice must not close what was opened in between."""
    asked = codes("0042")

    assert asked.issue(1, CLOSE, 0) == "0042"
    assert asked.redeem(1, "0042", 1) is CLOSE
    assert asked.redeem(1, "0042", 2) is None


def test_a_code_is_of_the_person_who_was_asked() -> None:
    """Who reads along cannot confirm, and does not use it up."""
    asked = codes("0042")
    asked.issue(1, CLOSE, 0)

    assert asked.redeem(2, "0042", 1) is None
    assert asked.redeem(1, "0042", 1) is CLOSE


def test_a_code_holds_for_a_minute() -> None:
    """What was true when it was asked may not be any more."""
    asked = codes("0042", "0043")
    asked.issue(1, CLOSE, 0)
    assert asked.redeem(1, "0042", VALID_MS) is None

    asked.issue(1, CLOSE, 0)
    assert asked.redeem(1, "0043", VALID_MS - 1) is CLOSE


def test_a_later_question_voids_the_earlier() -> None:
    """Two codes on the screen: only the last one does anything."""
    asked = codes("0042", "0043")
    asked.issue(1, CLOSE, 0)
    asked.issue(1, HALT, 1)

    assert asked.redeem(1, "0042", 2) is None
    assert asked.redeem(1, "0043", 2) is HALT


def test_codes_cannot_be_tried_out() -> None:
    """Three of ten thousand are no way in."""
    asked = codes("0042")
    asked.issue(1, CLOSE, 0)
    for _ in range(MOST_TRIES):
        assert asked.redeem(1, "9999", 1) is None

    assert asked.redeem(1, "0042", 1) is None


def test_a_code_can_be_voided() -> None:
    """Asking for something else means that the first is not meant any more."""
    asked = codes("0042")
    asked.issue(1, CLOSE, 0)
    asked.void(1)
    asked.void(1)

    assert asked.redeem(1, "0042", 1) is None


@pytest.mark.parametrize("_", range(20))
def test_codes_have_four_digits(_: int) -> None:
    """Leading noughts included."""
    code = draw_code()

    assert len(code) == 4
    assert code.isdecimal()
