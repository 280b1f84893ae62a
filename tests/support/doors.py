"""A door that keeps signals in memory: read by the real reader, acted on by nobody."""

import asyncio
from dataclasses import replace

from milobot.errors import LedgerUnavailableError
from milobot.signals.door import (
    Incoming,
    Receipt,
    SignalEvent,
    SignalHistory,
    SignalState,
)
from milobot.signals.reader import read
from milobot.signals.reading import ReadingKind

_STATES = {
    ReadingKind.NOT_A_SIGNAL: SignalState.NOT_A_SIGNAL,
    ReadingKind.REFUSED: SignalState.REFUSED,
}


class MemoryDoor:
    """Keeps what is handed in.

    Attributes:
        incoming: What was handed in, repetitions included.
        is_away: Whether the ledger takes nothing.
        answers: State of the next signals in place of what the reader says, by their text.
    """

    def __init__(self) -> None:
        """Begin with nothing on record."""
        self.incoming: list[Incoming] = []
        self.is_away = False
        self.answers: dict[str, SignalState] = {}
        self._histories: list[SignalHistory] = []
        self._numbers: dict[tuple[str, str], int] = {}

    @property
    def texts(self) -> list[str]:
        """Return the messages on record, oldest first."""
        return [history.text for history in self._histories]

    async def receive(self, incoming: Incoming) -> Receipt:
        """Put a message on record."""
        await asyncio.sleep(0)
        self._check()
        self.incoming.append(incoming)
        known = self._numbers.get((incoming.source, incoming.message_id))
        if known is not None:
            return replace(self._histories[known].receipt, is_known=True)
        history = self._record(incoming)
        self._numbers[incoming.source, incoming.message_id] = len(self._histories)
        self._histories.append(history)
        return history.receipt

    async def delete(self, source: str, message_id: str) -> Receipt | None:
        """Return the receipt of a message; nothing else comes of it."""
        self._check()
        known = self._numbers.get((source, message_id))
        return None if known is None else self._histories[known].receipt

    async def history(self, signal_id: int) -> SignalHistory | None:
        """Return everything about a signal."""
        self._check()
        known = 0 < signal_id <= len(self._histories)
        return self._histories[signal_id - 1] if known else None

    async def latest(self, limit: int) -> tuple[SignalHistory, ...]:
        """Return the last signals without their events."""
        self._check()
        return tuple(replace(history, events=()) for history in self._histories[: -limit - 1 : -1])

    def _check(self) -> None:
        if self.is_away:
            raise LedgerUnavailableError("the ledger is away")

    def _record(self, incoming: Incoming) -> SignalHistory:
        reading = read(incoming.text)
        state = _STATES.get(reading.kind, SignalState.ENTERING)
        state = self.answers.get(incoming.text, state)
        number = len(self._histories) + 1
        now = incoming.posted_ms
        return SignalHistory(
            receipt=Receipt(number, state, reading.code, reading.reason),
            account="bingx:default",
            source=incoming.source,
            message_id=incoming.message_id,
            text=incoming.text,
            received_ms=now,
            reading={"symbol": reading.symbol or ""},
            intent_keys=(f"{incoming.source}|{incoming.message_id}|entry",),
            events=(SignalEvent(now, "received", state, reading.code, reading.reason),),
        )
