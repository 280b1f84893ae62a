"""One supervised connection in virtual time: it lives, whatever happens to it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
from tests.support.fake_sockets import FakeConnector
from tests.support.virtual_time import VirtualTime

from milobot.errors import AuthenticationError, ExchangeUnavailableError
from milobot.exchanges.listen_keys import ListenKeyKeeper
from milobot.exchanges.sockets import Signal, SocketAddress
from milobot.exchanges.streams import StreamPlan, SupervisedStream

DAY_S = 86_400.0


@dataclass
class Channel:
    """Notes what a stream does with it."""

    heard: list[str | bytes] = field(default_factory=list)
    opened_as: list[bool] = field(default_factory=list)
    trouble: list[Exception] = field(default_factory=list)

    async def address(self) -> SocketAddress:
        """Return an address, or fail as told."""
        if self.trouble:
            raise self.trouble.pop(0)
        return SocketAddress("wss://x.test/ws?listenKey=secret")

    def greetings(self) -> Sequence[str]:
        """Return one subscription."""
        return ["subscribe"]

    def reply_to(self, frame: str | bytes) -> str | None:
        """Answer text pings."""
        return "Pong" if frame == "Ping" else None

    async def opened(self, *, is_first: bool) -> None:
        """Note it."""
        self.opened_as.append(is_first)

    async def received(self, frame: str | bytes) -> None:
        """Note it; choke on garbage."""
        if frame == "garbage":
            raise ValueError
        self.heard.append(frame)


@dataclass
class Stage:
    """A running stream."""

    time: VirtualTime
    connector: FakeConnector
    channel: Channel
    stream: SupervisedStream


@asynccontextmanager
async def running(
    plan: StreamPlan | None = None, **channel: list[Exception]
) -> AsyncIterator[Stage]:
    time = VirtualTime()
    stage = Stage(time, FakeConnector(time), Channel(**channel), None)  # type: ignore[arg-type]  # the stream is made next
    stage.stream = SupervisedStream(
        "x", stage.channel, stage.connector, time, plan=plan, sleep=time.sleep
    )
    async with asyncio.TaskGroup() as group:
        task = group.create_task(stage.stream.run())
        await time.run_for(0)
        yield stage
        task.cancel()


async def test_it_subscribes_and_hands_frames_on() -> None:
    """The plain case."""
    async with running() as stage:
        stage.connector.socket.push("one")
        stage.connector.socket.push(b"two")
        await stage.time.run_for(1)

        assert stage.connector.socket.sent == ["subscribe"]
        assert stage.channel.heard == ["one", b"two"]
        assert stage.channel.opened_as == [True]


async def test_text_pings_are_answered_and_not_handed_on() -> None:
    """BingX drops who does not say Pong."""
    async with running() as stage:
        stage.connector.socket.push("Ping")
        await stage.time.run_for(1)

        assert stage.connector.socket.sent == ["subscribe", "Pong"]
        assert stage.channel.heard == []


async def test_after_an_end_it_starts_again_after_five_seconds() -> None:
    """And tells that something may have been missed."""
    async with running() as stage:
        stage.connector.socket.push(Signal.CLOSED)
        await stage.time.run_for(3.9)
        assert len(stage.connector.sockets) == 1

        await stage.time.run_for(2.2)

        assert len(stage.connector.sockets) == 2
        assert stage.channel.opened_as == [True, False]
        assert stage.connector.socket.sent == ["subscribe"]


async def test_attempts_are_steady_for_half_a_minute() -> None:
    """Most interruptions last for seconds; a bot that is back late trades without prices till then."""
    async with running() as stage:
        stage.connector.refusals = 1000
        stage.connector.socket.push(Signal.CLOSED)
        await stage.time.run_for(20)
        stage.connector.refusals = 0

        await stage.time.run_for(6.1)

        assert len(stage.connector.sockets) == 2


async def test_attempts_get_rarer_up_to_a_minute() -> None:
    """An exchange in maintenance is not to be hammered; and it is never given up."""
    async with running() as stage:
        stage.connector.refusals = 1000
        stage.connector.socket.push(Signal.CLOSED)
        await stage.time.run_for(3600)

        assert 50 <= stage.stream.health.failures <= 90
        stage.connector.refusals = 0
        await stage.time.run_for(80)
        assert len(stage.connector.sockets) == 2


async def test_an_exchange_that_answers_again_is_not_waited_for_a_minute() -> None:
    """After a long outage the next attempt may be far away; prices and fills are missed till then."""
    async with running() as stage:
        stage.connector.refusals = 1000
        stage.connector.socket.push(Signal.CLOSED)
        await stage.time.run_for(600)
        stage.connector.refusals = 0
        before = stage.stream.health.failures

        stage.stream.hurry()
        await stage.time.run_for(6.1)

        assert len(stage.connector.sockets) == 2
        assert stage.stream.health.failures == before


async def test_to_be_hurried_helps_one_attempt_only() -> None:
    """Where requests are answered and streams are not, attempts go on getting rarer."""
    async with running() as stage:
        stage.connector.refusals = 1000
        stage.connector.socket.push(Signal.CLOSED)
        await stage.time.run_for(600)
        stage.stream.hurry()
        await stage.time.run_for(6.1)
        before = stage.stream.health.failures

        await stage.time.run_for(300)

        assert 4 <= stage.stream.health.failures - before <= 7


async def test_a_dead_socket_is_noticed_within_a_minute() -> None:
    """A half-open connection says nothing for ever; the usual libraries take nine minutes."""
    async with running() as stage:
        stage.connector.socket.answers_pings = False
        await stage.time.run_for(67)

        assert stage.stream.health.stale == 1
        assert len(stage.connector.sockets) == 2


async def test_a_quiet_stream_that_answers_pings_lives_on() -> None:
    """An account on which nothing happens is no dead connection."""
    async with running() as stage:
        await stage.time.run_for(3600)

        assert len(stage.connector.sockets) == 1
        assert stage.connector.socket.pings == 180


async def test_it_is_replaced_before_the_exchange_ends_it() -> None:
    """Both exchanges cut after 24 hours, at a moment of their choice; we choose ours."""
    async with running() as stage:
        await stage.time.run_for(3 * DAY_S)

        assert stage.stream.health.replaced == 3
        assert len(stage.connector.sockets) == 4
        assert [s.is_open for s in stage.connector.sockets] == [False, False, False, True]


async def test_garbage_is_counted_and_skipped() -> None:
    """One bad frame must not cost the connection."""
    async with running() as stage:
        for frame in ("garbage", "good", "garbage"):
            stage.connector.socket.push(frame)
        await stage.time.run_for(1)

        assert stage.channel.heard == ["good"]
        assert stage.stream.health.garbage == 2
        assert len(stage.connector.sockets) == 1


async def test_a_wished_reconnect_does_not_wait() -> None:
    """A new listen key must be listened to at once, but not in a hurried circle."""
    async with running() as stage:
        await stage.time.run_for(2)
        await stage.stream.reconnect("new key")
        await stage.time.run_for(0.1)
        assert len(stage.connector.sockets) == 2

        await stage.stream.reconnect("again at once")
        await stage.time.run_for(0.1)
        assert len(stage.connector.sockets) == 2
        await stage.time.run_for(7)
        assert len(stage.connector.sockets) == 3


async def test_an_address_that_cannot_be_had_is_tried_again() -> None:
    """A listen key is a request like any other and fails like one."""
    trouble: list[Exception] = [ExchangeUnavailableError("down")] * 2
    async with running(trouble=trouble) as stage:
        assert stage.connector.sockets == []

        await stage.time.run_for(30)

        assert len(stage.connector.sockets) == 1
        assert stage.stream.health.failures == 2


async def test_a_refused_key_ends_the_stream() -> None:
    """Trying again for ever would hide from the user that his key is wrong."""
    with pytest.raises(ExceptionGroup) as ended:
        async with running(trouble=[AuthenticationError("no such key")]):
            pass

    assert ended.group_contains(AuthenticationError)


def test_addresses_do_not_show_listen_keys() -> None:
    """They end up in logs."""
    assert "secret" not in repr(SocketAddress("wss://x.test/ws?listenKey=secret"))


@dataclass
class Keys:
    """Listen keys that may be gone."""

    fetched: int = 0
    extended: list[str] = field(default_factory=list)
    answers: list[bool | Exception] = field(default_factory=list)

    async def fetch(self) -> str:
        """Return a new key."""
        self.fetched += 1
        return f"key{self.fetched}"

    async def extend(self, key: str) -> bool:
        """Extend by script; for ever when it is used up."""
        self.extended.append(key)
        answer = self.answers.pop(0) if self.answers else True
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_a_listen_key_is_extended_for_ever() -> None:
    """A well-known library extends it once and never again; the key dies after an hour."""
    async with running() as stage:
        keys = Keys(answers=[True, ExchangeUnavailableError("down"), True, False])
        keeper = ListenKeyKeeper(keys, every_s=1800, sleep=stage.time.sleep)
        await keeper.fetch()
        task = asyncio.ensure_future(keeper.run(stage.stream))  # noqa: TID251 - ended below
        await stage.time.run_for(3 * 3600)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    # On the hour and half hour, a minute after the failure; gone means a new connection.
    assert keys.extended == ["key1"] * 4
    assert len(stage.connector.sockets) == 2
