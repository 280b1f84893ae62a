"""The newest signals, as the page shows them."""

from typing import Protocol

from milobot.scripting.text import clean
from milobot.signals.door import SignalHistory
from milobot.web.views import LONGEST_NOTE, MOST_MESSAGES, MessageView

LONGEST_TEXT = 160


class TellsSignals(Protocol):
    """Tells the signals that came last, such as a ``SignalDoor``."""

    async def latest(self, limit: int) -> tuple[SignalHistory, ...]:
        """Return the newest first; raises ``StorageError`` when they cannot be read."""
        ...


async def read_board(source: TellsSignals) -> list[MessageView]:
    """Return the newest signals, newest first.

    Raises:
        StorageError: They cannot be read.
    """
    return [message_view(history) for history in await source.latest(MOST_MESSAGES)]


def message_view(history: SignalHistory) -> MessageView:
    """Return a signal as one line: texts of strangers lose what could steer a display."""
    receipt = history.receipt
    text = " ".join(history.text[: 4 * LONGEST_TEXT].split())
    return MessageView(
        signal_id=receipt.signal_id,
        time_ms=history.received_ms,
        source=history.source,
        text=clean(text, LONGEST_TEXT),
        read=clean(_read(history), LONGEST_NOTE),
        state=receipt.state.value,
        code=receipt.code,
        reason=clean(receipt.reason, LONGEST_NOTE),
    )


def _read(history: SignalHistory) -> str:
    """Return what a message was read as: which way and what, or its kind, and what else it names."""
    words = dict(history.reading)
    kind = words.pop("kind", "").replace("_", " ")
    side = words.pop("side", "").lower()
    head = " ".join(filter(None, (side or kind, words.pop("symbol", ""))))
    return ", ".join(filter(None, (head, *(f"{name} {value}" for name, value in words.items()))))
