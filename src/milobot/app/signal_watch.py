"""What is counted and logged of messages, from the door to the decision about them."""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from milobot.app.metrics import Meters
from milobot.execution.recent import Recent
from milobot.signals.door import Incoming, Receipt, SignalDoor, SignalHistory, SignalState
from milobot.signals.life.record import intent_key
from milobot.telemetry import get_logger

SOURCES = ("telegram", "http", "tradingview")
_MOST_MESSAGES = 5_000


@dataclass(slots=True)
class _Message:
    """A message that was handed in: its number, and since when a decision is waited for."""

    signal_id: int | None
    waits_since_s: float | None


class WatchedDoor:
    """A door that knows what went in lately."""

    def __init__(
        self, door: SignalDoor, meters: Meters, *, elapsed: Callable[[], float] = monotonic
    ) -> None:
        """Stand before ``door``; ``elapsed`` returns seconds that pass evenly."""
        self._door, self._meters, self._elapsed = door, meters, elapsed
        self._messages: Recent[str, _Message] = Recent(_MOST_MESSAGES)

    async def receive(self, incoming: Incoming) -> Receipt:
        """Put a message on record; raises what the door raises."""
        name = intent_key(incoming.source, incoming.message_id)
        before, message = self._messages.get(name), _Message(None, self._elapsed())
        self._messages[name] = message
        try:
            receipt = await self._door.receive(incoming)
        except BaseException:
            message.waits_since_s = None
            raise
        message.signal_id = receipt.signal_id
        if receipt.is_known and before is not None:
            self._messages[name] = before  # it may still be waiting for its decision
        if receipt.state is not SignalState.ENTERING:
            self._settled(incoming, receipt, message)
        get_logger().info(
            "signal_received",
            signal_id=receipt.signal_id,
            source=incoming.source,
            message_id=incoming.message_id,
            state=receipt.state.value,
            code=receipt.code,
            is_known=receipt.is_known,
        )
        return receipt

    async def delete(self, source: str, message_id: str) -> Receipt | None:
        """Take in that a message was deleted; raises what the door raises."""
        return await self._door.delete(source, message_id)

    async def history(self, signal_id: int) -> SignalHistory | None:
        """Return everything about a signal; raises what the door raises."""
        return await self._door.history(signal_id)

    async def latest(self, limit: int) -> tuple[SignalHistory, ...]:
        """Return the signals that came last; raises what the door raises."""
        return await self._door.latest(limit)

    def signal_id(self, intent_key: str) -> int | None:
        """Return the number of the signal that an intent serves; None for none that is known."""
        message = self._messages.get(_message_of(intent_key))
        return None if message is None else message.signal_id

    def decided(self, intent_key: str) -> None:
        """Hear that what an intent wished for is decided, on record; only the first counts."""
        name = _message_of(intent_key)
        message = self._messages.get(name)
        if message is not None:
            self._measure(name, message)

    def _settled(self, incoming: Incoming, receipt: Receipt, message: _Message) -> None:
        """Count what needs no order; a signal that waits for its price is not being processed."""
        if receipt.state.is_final and not receipt.is_known:
            self._measure(incoming.source, message)
        message.waits_since_s = None

    def _measure(self, source: str, message: _Message) -> None:
        if message.waits_since_s is None:
            return
        kind = source.partition(":")[0].partition("|")[0]
        label = kind if kind in SOURCES else "other"
        took_s = self._elapsed() - message.waits_since_s
        self._meters.signal_processing.labels(label).observe(took_s)
        message.waits_since_s = None


def _message_of(key: str) -> str:
    """Return the first two parts of an intent's key: who says it, and in which message."""
    return "|".join(key.split("|")[:2])
