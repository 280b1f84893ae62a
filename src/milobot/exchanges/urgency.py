"""Questions that protection waits for: asked within ``vital``, they use what is kept for exits."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace

from milobot.exchanges.wire import Call, Priority

_IS_VITAL: ContextVar[bool] = ContextVar("is_vital", default=False)


@contextmanager
def vital() -> Iterator[None]:
    """Make every question asked within the block a vital one, in tasks begun there as well.

    A start that has to wait for its comparison protects nothing meanwhile, and a fill that is
    not known is not protected either.
    """
    token = _IS_VITAL.set(True)
    try:
        yield
    finally:
        _IS_VITAL.reset(token)


def is_vital() -> bool:
    """Return whether what is asked here is asked within ``vital``."""
    return _IS_VITAL.get()


def as_urgent(call: Call) -> Call:
    """Return a call with the priority that it has where it is asked."""
    is_question = call.is_read and call.priority is not Priority.DOWNLOAD
    if is_question and is_vital():
        return replace(call, priority=Priority.VITAL)
    return call
