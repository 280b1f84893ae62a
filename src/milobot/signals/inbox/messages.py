"""What a unit of work is given about a message, and what it gives back."""

from dataclasses import dataclass, replace

from sqlalchemy import Connection

from milobot.signals.door import Incoming, Receipt
from milobot.signals.inbox.rows import (
    Details,
    details_of,
    events_of,
    pairs_of,
    with_details,
    words_of,
)
from milobot.signals.life.happenings import Happening, Note, Stepped
from milobot.signals.life.plans import SignalTerms
from milobot.signals.life.record import Signal
from milobot.signals.life.steps import step
from milobot.signals.profile import ChannelProfile
from milobot.signals.reading import SignalReading
from milobot.storage.signal_records import SignalRow, find_signal, save_signal


@dataclass(frozen=True, slots=True)
class Message:
    """A message, read, on its way into the ledger.

    Attributes:
        reading: As the profile of its source lets it be.
    """

    account: str
    incoming: Incoming
    reading: SignalReading
    profile: ChannelProfile
    terms: SignalTerms
    now_ms: int

    def details(self, signal: Signal) -> Details:
        """Return what is kept of the message beside its columns."""
        return Details(signal, words_of(self.reading), pairs_of(self.incoming.metadata))


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a message.

    Attributes:
        changed: Every signal that it made or changed.
    """

    receipt: Receipt
    changed: tuple[SignalRow, ...]


def bare(reading: SignalReading) -> SignalReading:
    """Return a reading without its text, as it is kept inside a signal."""
    return replace(reading, text="", spans=())


def save_step(
    connection: Connection, row: SignalRow, details: Details, stepped: Stepped, now_ms: int
) -> SignalRow:
    """Keep a signal after a step, with the lines of its history."""
    fresh = with_details(row, replace(details, signal=stepped.signal), now_ms)
    return save_signal(connection, fresh, events_of(stepped.notes, now_ms))


def happen(
    connection: Connection,
    signal_id: int,
    happening: Happening,
    terms: SignalTerms,
    now_ms: int,
) -> tuple[SignalRow, Note | None] | None:
    """Let something happen to a signal as it stands on record.

    Returns:
        The row afterwards, and why a change was not carried out, if it was not; None when
        there is no such signal.

    Raises:
        LedgerError: What is on record of it cannot be read.
    """
    row = find_signal(connection, signal_id)
    if row is None:
        return None
    details = details_of(row)
    stepped = step(details.signal, happening, terms, now_ms)
    if stepped.signal == details.signal and not stepped.notes:
        return row, None
    return save_step(connection, row, details, stepped, now_ms), stepped.refusal
