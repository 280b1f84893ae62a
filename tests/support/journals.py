"""Journals that fail as ledgers do."""

import asyncio

from milobot.errors import LedgerError
from milobot.ports import Record
from milobot.storage.memory import MemoryJournal


class FailingJournal(MemoryJournal):
    """A journal in memory that can be away.

    Attributes:
        failures: What the next commits raise, one after the other; None lets one pass.
        is_away: Whether every commit fails.
        hangs: Whether commits take a second, whoever still waits for them.
        loses_answers: Whether a commit that fails has stored its records all the same.
    """

    def __init__(self) -> None:
        """Work, to begin with."""
        super().__init__()
        self.failures: list[Exception | None] = []
        self.is_away = False
        self.loses_answers = False
        self.hangs = False

    async def commit(self, *records: Record) -> None:
        """Store the records, or fail as asked to."""
        if self.hangs:
            # A server goes on with what it was given, also when nobody waits for it any more.
            await asyncio.shield(self._store_late(*records))
            return
        await self._store(*records)

    async def _store_late(self, *records: Record) -> None:
        await asyncio.sleep(1)
        await self._store(*records)

    async def _store(self, *records: Record) -> None:
        failure = self.failures.pop(0) if self.failures else None
        if self.is_away:
            failure = LedgerError("the ledger is away: wait until it is back")
        if failure is None or self.loses_answers:
            await super().commit(*records)
        if failure is not None:
            raise failure
