"""Messages of an export, whatever form it came in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PostedMessage:
    """One message as an export tells it.

    Attributes:
        number: Place in the export, counted from 1.
        message_id: As the export writes it; the number where it writes none.
        time_ms: When it was posted; None where the export does not say.
        reply_to: Id of the message that it answers; empty for none.
        is_edited: The text is that of its last version; earlier ones are lost.
        is_forwarded: It was first posted somewhere else.
    """

    number: int
    message_id: str
    text: str
    time_ms: int | None = None
    reply_to: str = ""
    is_edited: bool = False
    is_forwarded: bool = False


@dataclass(frozen=True, slots=True)
class Export:
    """What a file of messages holds.

    Attributes:
        name: Of the channel, else of the file.
        messages: In order of time where they have one, else as they came.
        service: Entries that are no messages: pins, calls, new members.
        empty: Messages without words, such as pictures.
        notes: Sentences on what was taken for granted.
    """

    name: str
    messages: tuple[PostedMessage, ...]
    service: int = 0
    empty: int = 0
    notes: tuple[str, ...] = ()
