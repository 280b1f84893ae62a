"""How far each chat was handled, in the ledger: a restart goes on from there."""

from dataclasses import dataclass, replace

from milobot.ports import Clock
from milobot.storage.account_records import load_cursor, save_cursor
from milobot.storage.database import Database


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a chat was handled.

    Attributes:
        first: Everything up to here was there before we listened, and is none of our business.
        last: Everything up to here has a receipt.
    """

    first: int
    last: int

    def moved(self, last: int) -> "Cursor":
        """Return the cursor after one more message; it never goes back."""
        return replace(self, last=max(self.last, last))


class Cursors:
    """Reads and writes cursors."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Keep them in this database."""
        self._database = database
        self._clock = clock

    async def load(self, chat_id: int) -> Cursor | None:
        """Return how far a chat was handled; None when it never was.

        Raises:
            LedgerError: It could not be read.
        """
        text = await self._database.read(lambda connection: load_cursor(connection, _name(chat_id)))
        if text is None:
            return None
        first, _, last = text.partition(" ")
        return Cursor(int(first), int(last))

    async def save(self, chat_id: int, cursor: Cursor) -> None:
        """Keep how far a chat was handled.

        Raises:
            LedgerError: It is not on record.
        """
        now_ms = self._clock.now_ms()
        position = f"{cursor.first} {cursor.last}"
        await self._database.write(
            lambda connection: save_cursor(connection, _name(chat_id), position, now_ms=now_ms)
        )


def _name(chat_id: int) -> str:
    return source_of(chat_id)


def source_of(chat_id: int) -> str:
    """Return under which name a chat hands in."""
    return f"telegram:{chat_id}"
