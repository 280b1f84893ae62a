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


def test_who_trades_on_stays_prompt_when_another_account_ends() -> None:
    """Two accounts in one process: they begin and end in any order."""
    before_s = sys.getswitchinterval()
    first, second = prompt(), prompt()
    first.__enter__()
    second.__enter__()

    first.__exit__(None, None, None)
    between_s = sys.getswitchinterval()
    frozen = gc.get_freeze_count()
    second.__exit__(None, None, None)

    assert between_s == pytest.approx(0.000_5)
    assert frozen > 0
    assert sys.getswitchinterval() == pytest.approx(before_s)
    assert gc.get_freeze_count() == 0
