"""Whether the ledger answers, in which version, and who leads what: asked every second."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

from sqlalchemy import Connection

from milobot.app.health import LedgerSight
from milobot.errors import StorageError
from milobot.exchanges.times import Sleep, real_sleep
from milobot.storage.leases import LeaseRow, read_lease
from milobot.storage.ledger import Ledger, lease_name
from milobot.storage.schema import REVISIONS, read_revision

EVERY_S = 1.0
_PATIENCE_S = 2.0
_LED_S = 6.0  # a leader renews its lease every second, and it holds for four


@dataclass(slots=True)
class _Lead:
    """A lease as it was last seen, and when its end last moved."""

    row: LeaseRow
    moved_s: float


class LedgerWatch:
    """Asks a ledger again and again; what it knows is as old as the last answer."""

    def __init__(
        self,
        accounts: Sequence[str],
        *,
        sleep: Sleep = real_sleep,
        elapsed: Callable[[], float] = monotonic,
    ) -> None:
        """Know nothing yet.

        Args:
            accounts: Whose leases are of interest.
            sleep: Waits.
            elapsed: Seconds that pass evenly.
        """
        self._accounts, self._sleep, self._elapsed = tuple(accounts), sleep, elapsed
        self._answered_s: float | None = None
        self._revision = ""
        self._leads: dict[str, _Lead] = {}
        self.trouble = ""

    @property
    def sight(self) -> LedgerSight:
        """Return what is known of the ledger."""
        age_s = None if self._answered_s is None else self._elapsed() - self._answered_s
        return LedgerSight(
            age_ms=None if age_s is None else round(age_s * 1000),
            trouble=self.trouble,
            revision=self._revision,
            needed=REVISIONS[-1],
            is_newer=bool(self._revision) and self._revision not in REVISIONS,
        )

    def leader(self, account: str) -> tuple[str, int]:
        """Return who leads an account and the number of its lead; ``("", 0)`` for nobody.

        Leases end by the exchange's clock, which need not be ours: so it counts that a leader
        which lives moves the end of its lease.
        """
        lead = self._leads.get(account)
        if lead is None or not lead.row.holder or self._elapsed() - lead.moved_s > _LED_S:
            return "", 0
        return lead.row.holder, lead.row.epoch

    async def run(self, ledger: Ledger) -> None:
        """Ask until cancelled."""
        while True:
            await self.ask(ledger)
            await self._sleep(EVERY_S)

    async def ask(self, ledger: Ledger) -> None:
        """Ask once; that there is no answer is known after two seconds."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                revision, rows = await ledger.read(self._read)
        except TimeoutError:
            self.trouble = f"no answer within {_PATIENCE_S:g} s"
        except StorageError as error:
            self.trouble = str(error)
        else:
            self.trouble, self._revision = "", revision or ""
            self._answered_s = self._elapsed()
            self._take(rows)

    def _read(self, connection: Connection) -> tuple[str | None, Mapping[str, LeaseRow | None]]:
        rows = {name: read_lease(connection, lease_name(name)) for name in self._accounts}
        return read_revision(connection), rows

    def _take(self, rows: Mapping[str, LeaseRow | None]) -> None:
        for account, row in rows.items():
            known = self._leads.get(account)
            if row is None:
                self._leads.pop(account, None)
            elif (
                known is None or row.until_ms != known.row.until_ms or row.epoch != known.row.epoch
            ):
                self._leads[account] = _Lead(row, self._elapsed())
