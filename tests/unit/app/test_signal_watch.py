"""Messages are timed from the door to the decision, each once."""

import pytest
from structlog.testing import capture_logs
from tests.support.doors import MemoryDoor

from milobot.app.metrics import Meters
from milobot.app.signal_watch import WatchedDoor
from milobot.errors import LedgerUnavailableError
from milobot.signals.door import Incoming, SignalState
from milobot.signals.life.record import intent_key


class Stage:
    """A door in memory, and a clock that the test moves."""

    def __init__(self) -> None:
        """Stand at zero."""
        self.inner, self.meters, self.now_s = MemoryDoor(), Meters(), 0.0
        self.door = WatchedDoor(self.inner, self.meters, elapsed=lambda: self.now_s)

    async def hand_in(
        self, state: SignalState, *, source: str = "http:default", name: str = "m|1"
    ) -> str:
        """Hand in a message that becomes so; return the key of its first intent."""
        text = f"{state.value} {name}"
        self.inner.answers[text] = state
        await self.door.receive(Incoming(source, name, text, 1))
        return intent_key(source, name, "1")

    def took(self, source: str = "http") -> tuple[float, float]:
        """Return how many messages of a source were timed, and for how long together."""
        name, labels = "signal_processing_duration_seconds", {"source": source}
        read = self.meters.registry.get_sample_value
        return read(f"{name}_count", labels) or 0, read(f"{name}_sum", labels) or 0


async def test_a_signal_is_timed_until_its_decision_is_on_record() -> None:
    """Only the first decision counts: what its position does later is another matter."""
    stage = Stage()
    key = await stage.hand_in(SignalState.ENTERING)
    stage.now_s = 0.25
    stage.door.decided(key)
    stage.now_s = 9
    stage.door.decided(key)

    assert stage.took() == (1, 0.25)
    assert stage.door.signal_id(key) == 1


async def test_one_that_is_refused_is_done_at_the_door() -> None:
    """Nothing else comes of it."""
    stage = Stage()
    await stage.hand_in(SignalState.REFUSED, source="telegram:-100", name="5")

    assert stage.took("telegram") == (1, 0)


async def test_one_that_waits_for_its_price_is_not_being_processed() -> None:
    """Hours until its entry is reached say nothing about the bot."""
    stage = Stage()
    key = await stage.hand_in(SignalState.WAITING)
    stage.now_s = 3_600
    stage.door.decided(key)

    assert stage.took() == (0, 0)


async def test_a_repetition_does_not_begin_anew() -> None:
    """Whoever got no answer sends the same again."""
    stage = Stage()
    key = await stage.hand_in(SignalState.ENTERING)
    stage.now_s = 2
    await stage.hand_in(SignalState.ENTERING)
    stage.now_s = 3
    stage.door.decided(key)

    assert stage.took() == (1, 3)


async def test_one_that_is_not_on_record_is_not_timed() -> None:
    """It is handed in again."""
    stage = Stage()
    stage.inner.is_away = True
    with pytest.raises(LedgerUnavailableError):
        await stage.hand_in(SignalState.ENTERING)
    stage.door.decided(intent_key("http:default", "m|1", "1"))

    assert stage.took() == (0, 0)


async def test_what_came_in_is_logged_with_its_number() -> None:
    """The number is what the lines of its orders carry."""
    stage = Stage()
    with capture_logs() as lines:
        await stage.hand_in(SignalState.ENTERING)

    assert lines[0]["event"] == "signal_received"
    assert lines[0]["signal_id"] == 1


async def test_an_unknown_source_is_one_label() -> None:
    """A label for each source that a sender makes up would have no bound."""
    stage = Stage()
    await stage.hand_in(SignalState.REFUSED, source="made-up:1")

    assert stage.took("other") == (1, 0)
    assert stage.door.signal_id("nobody|knows|it") is None
