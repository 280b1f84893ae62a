"""How streams live, as it is shown: fresh, silent, gone, and counted."""

import asyncio

import pytest
from tests.support.fake_sockets import FakeConnector, QuietChannel
from tests.support.virtual_time import VirtualTime

from milobot.exchanges.pulses import Pulse, Pulses
from milobot.exchanges.sockets import Signal
from milobot.exchanges.streams import StreamPlan, SupervisedStream


class Stage:
    """One stream in virtual time, pinged every 1.5 s."""

    def __init__(self) -> None:
        """Make it; nothing runs yet."""
        self.time = VirtualTime()
        self.connector = FakeConnector(self.time)
        self.pulses = Pulses(self.time)
        self.stream = SupervisedStream(
            "x user",
            QuietChannel(),
            self.connector,
            self.time,
            plan=StreamPlan(ping_every_s=1.5),
            sleep=self.time.sleep,
        )
        self.pulses.add(self.stream)

    def pulse(self) -> Pulse:
        """Return how it is now."""
        (pulse,) = self.pulses.now()
        return pulse


async def test_a_stream_that_answers_is_fresh_and_a_silent_one_is_not_within_5_s() -> None:
    """A frozen exchange keeps its connections open: only unanswered pings tell of it."""
    stage = Stage()
    assert stage.pulses.now() == []
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(stage.stream.run())
        await stage.time.run_for(20)
        assert stage.pulse().is_fresh

        stage.connector.socket.answers_pings = False
        await stage.time.run_for(5)
        assert not stage.pulse().is_fresh

        stage.connector.socket.answers_pings = True
        await stage.time.run_for(2)
        assert stage.pulse().is_fresh
        running.cancel()
    assert stage.pulses.now() == []


async def test_one_that_answers_no_ping_at_all_is_given_more_time() -> None:
    """A server that pings us every 5 s and answers none of ours must not flap."""
    stage = Stage()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(stage.stream.run())
        stage.connector.on_open = lambda socket: setattr(socket, "answers_pings", False)
        await stage.time.run_for(10)

        assert stage.pulse().is_fresh
        running.cancel()


async def test_silence_is_counted_over_all_attempts() -> None:
    """A stream that cannot be had, or opens and says nothing, is what an operator is told of."""
    stage = Stage()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(stage.stream.run())
        await stage.time.run_for(20)
        assert stage.pulse().silent_ms < 2_000

        stage.connector.refusals = 20
        stage.connector.socket.push(Signal.CLOSED)
        await stage.time.run_for(100)
        assert stage.pulse().age_ms is None
        assert 98_000 < stage.pulse().silent_ms < 102_000

        stage.connector.refusals = 0
        stage.connector.on_open = lambda socket: setattr(socket, "answers_pings", False)
        await stage.time.run_for(200)
        assert stage.stream.health.stale > 0
        assert stage.pulse().silent_ms > 290_000
        running.cancel()


async def test_what_happened_is_counted_over_all_streams_that_ever_ran() -> None:
    """A counter that falls when an account is led anew would be no counter."""
    stage = Stage()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(stage.stream.run())
        await stage.time.run_for(1)
        stage.connector.socket.push("garbage")
        stage.connector.socket.push(Signal.CLOSED)
        await stage.time.run_for(0.1)
        assert stage.pulse().age_ms is None

        await stage.time.run_for(10)
        assert stage.pulses.totals() == {"reconnected": 1, "garbage": 1}
        running.cancel()

    assert stage.pulses.totals() == {"reconnected": 1, "garbage": 1}


@pytest.mark.parametrize(("age_ms", "is_fresh"), [(None, False), (10, True), (11, False)])
def test_a_pulse_is_fresh_up_to_its_limit(age_ms: int | None, *, is_fresh: bool) -> None:
    """One that is not connected never is."""
    assert Pulse("x", age_ms, 10).is_fresh is is_fresh
