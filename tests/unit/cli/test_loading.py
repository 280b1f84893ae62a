"""Modules are loaded without a search for garbage, which goes on afterwards."""

import gc

import pytest

from milobot.cli.loading import loading


def test_nothing_is_searched_while_modules_are_loaded() -> None:
    """Left off, a bot that runs for weeks would never give memory back."""
    with loading():
        while_loading = gc.isenabled()

    assert not while_loading
    assert gc.isenabled()


def test_a_module_that_fails_leaves_the_search_on() -> None:
    """The sentence about it is written by the same process."""
    with pytest.raises(ImportError), loading():
        raise ImportError("gone")

    assert gc.isenabled()
