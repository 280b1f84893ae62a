"""What the ledger asks of a database, whichever it is."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection

_T = TypeVar("_T")

APPLICATION = "milobot"
"""What our sessions call themselves at a server."""
FROZEN_MS = 2_000
"""A session that keeps its transaction waiting for so long is that of a frozen process."""


class Database(Protocol):
    """Runs plain functions of a connection: each write is one transaction.

    A function may be run again when the first try certainly stored nothing, so it must not
    change anything but the database.
    """

    @property
    def name(self) -> str:
        """Return what a sentence calls the database."""
        ...

    async def write(self, unit: Callable[[Connection], _T]) -> _T:
        """Run ``unit`` as one transaction; when this returns, it survives a crash.

        Raises:
            LedgerUnavailableError: Nothing was stored; waiting may help.
            CommitUnknownError: Nobody can say whether it was stored.
            LedgerError: Nothing was stored.
        """
        ...

    async def write_early(self, unit: Callable[[Connection], _T], seen: Callable[[_T], None]) -> _T:
        """As ``write``, and tell what came out as soon as other transactions see it.

        That may be before it survives the end of the machine, but not before it survives that of
        this process. What is written next survives only together with it: whoever puts on record
        what follows before anything of it leaves needs not wait any longer.

        Args:
            unit: What is done; may be run again.
            seen: Is called at most once, before this returns.

        Raises:
            LedgerUnavailableError: Nothing was stored; waiting may help.
            CommitUnknownError: Nobody can say whether it was stored.
            LedgerError: Nothing was stored.
        """
        ...

    async def read(self, query: Callable[[Connection], _T]) -> _T:
        """Run ``query`` on what was committed last, without holding up writes.

        Raises:
            LedgerError: It could not be read.
        """
        ...

    async def maintain(self) -> None:
        """Give unused space back and renew the planner's statistics, without a long pause.

        Raises:
            LedgerError: It could not be done; nothing is lost.
        """
        ...

    async def close(self) -> None:
        """Finish what was asked for and let go of the database."""
        ...
