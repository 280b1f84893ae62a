"""What becomes of an intent that waits for its slot to be flat: the second half of a reversal."""

from dataclasses import replace

from milobot.domain.decisions import Outcome
from milobot.domain.slots import Slot
from milobot.execution.books import AccountBooks
from milobot.execution.entries import Entries
from milobot.execution.verdicts import Judgement, Verdict


async def turn_away(books: AccountBooks, entries: Entries, slot: Slot, code: str, why: str) -> Slot:
    """Return a slot for which nobody waits any more; that who waited enters nothing is decided."""
    if slot.queued is None:
        return slot
    alone = replace(slot, queued=None)
    books.keep(alone)
    judged = Judgement(
        Verdict.DENY, code, f"{slot.symbol} is closed, and nothing is entered: {why}"
    )
    await entries.refuse(slot.queued, Outcome.DENIED, judged, [], alone)
    return alone


async def turn_away_unrecorded(books: AccountBooks, entries: Entries, slot: Slot) -> None:
    """Let nobody wait whom the ledger does not know: lost with this process, without a word."""
    if books.recorder.is_behind:
        await turn_away(books, entries, slot, "ledger_unavailable", books.recorder.reason)
