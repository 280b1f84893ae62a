"""How Python is set while an account is traded."""

import gc
import sys

import pytest

from milobot.app.promptness import prompt


def test_threads_have_their_turn_soon_and_garbage_is_not_searched_among_what_stays() -> None:
    """The ledger's thread would wait 5 ms for its turn, longer than an order may be held up."""
    before_s = sys.getswitchinterval()

    with prompt():
        assert sys.getswitchinterval() == pytest.approx(0.000_5)
        assert gc.get_freeze_count() > 0

    assert sys.getswitchinterval() == pytest.approx(before_s)


def test_all_is_as_it_was_after_a_failure() -> None:
    """Losing the lead ends with an exception; another account may come."""
    before_s = sys.getswitchinterval()

    with pytest.raises(ValueError, match="lost"), prompt():
        raise ValueError("lost")

    assert sys.getswitchinterval() == pytest.approx(before_s)
