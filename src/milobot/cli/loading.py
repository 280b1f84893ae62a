"""Loads the modules of a command that runs for long, as fast as they can be."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Import in the body without a search for garbage.

    What is loaded stays; to look through all of it again and again meanwhile, which finds
    nothing, takes a quarter of the time of a start.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
