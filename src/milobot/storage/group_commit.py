"""Units of work that wait to be committed, together with others that came meanwhile."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import Connection

LARGEST_GROUP = 100

_T = TypeVar("_T")


@dataclass(slots=True, eq=False)
class Job(Generic[_T]):
    """One unit of work and who waits for it, in the event loop of whoever waits."""

    unit: Callable[[Connection], _T]
    done: "asyncio.Future[_T]"

    def succeed(self, result: _T) -> None:
        """Tell whoever waits what came out; it may have been cancelled meanwhile."""
        if not self.done.done():
            self.done.set_result(result)

    def fail(self, error: BaseException) -> None:
        """Tell whoever waits what went wrong."""
        if not self.done.done():
            self.done.set_exception(error)
            self.done.exception()  # looked at: nobody may be waiting any more
