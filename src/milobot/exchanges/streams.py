"""Streams that live: one supervised connection, whatever happens to it.

``SupervisedStream.run`` connects, subscribes, answers pings, watches for silence,
replaces the connection before the exchange drops it, and starts again after every end.
Attempts get rarer while they fail, and an exchange that answers again ends that at once:
``hurry`` tells the stream so.

What runs over it is the business of a ``Channel``; what comes of that, of its listener.
"""

import asyncio
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from milobot.errors import AuthenticationError, ExchangeError, ProtocolError
from milobot.exchanges.sockets import Connector, Signal, Socket, SocketAddress, SocketError
from milobot.exchanges.times import Sleep, real_sleep
from milobot.ports import Clock
from milobot.telemetry import get_logger

T = TypeVar("T")
_HOUR_S = 3600.0
_SPREAD = 0.2
_REPORTED_GARBAGE = 20
_MOST_DOUBLINGS = 20
_LEAST_LIFE_S = 1.0  # what is asked to end sooner waits like a failure: no hurried circle


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """When a connection is looked after.

    Attributes:
        reconnect_delay_s: Before a new attempt, spread by a fifth.
        steady_attempts: How many are made at that distance, since most interruptions last for
            seconds; then it doubles each time.
        most_delay_s: Where that ends.
        stable_after_s: How long a connection must have lasted for the delay to start anew.
        stale_after_s: Silence, pings included, that counts as death.
        ping_every_s: How often we ping, so that a quiet stream is heard of too.
        replace_after_s: Age at which a connection is replaced; both exchanges end them
            after 24 hours.
    """

    reconnect_delay_s: float = 5.0
    steady_attempts: int = 6
    most_delay_s: float = 60.0
    stable_after_s: float = 60.0
    stale_after_s: float = 60.0
    ping_every_s: float = 20.0
    replace_after_s: float = 23 * _HOUR_S

    def delay_s(self, attempt: int) -> float:
        """Return the seconds before an attempt, of which the first is 1.

        >>> [StreamPlan().delay_s(attempt) for attempt in (1, 6, 7, 8, 99)]
        [5.0, 5.0, 10.0, 20.0, 60.0]
        """
        doublings = min(max(0, attempt - self.steady_attempts), _MOST_DOUBLINGS)
        longest = max(self.most_delay_s, self.reconnect_delay_s)
        return min(self.reconnect_delay_s * 2.0**doublings, longest)


class Channel(Protocol):
    """What one connection carries."""

    async def address(self) -> SocketAddress:
        """Return where to connect; may fetch a listen key and raise ``ExchangeError``."""
        ...

    def greetings(self) -> Sequence[str]:
        """Return what is sent once connected: the subscriptions."""
        ...

    def reply_to(self, frame: str | bytes) -> str | None:
        """Return the answer to a ping in a data frame; None for every other frame."""
        ...

    async def opened(self, *, is_first: bool) -> None:
        """Hear that the subscriptions are sent; news before this moment may be missing."""
        ...

    async def received(self, frame: str | bytes) -> None:
        """Hear a frame; raise ``ValueError`` or ``ProtocolError`` if it makes no sense."""
        ...


@dataclass(slots=True)
class StreamHealth:
    """What happened to a stream so far, for metrics and tests.

    Attributes:
        garbage: Frames that made no sense.
        heard_ms: When it was connected or heard of last, a ping's answer included, on our own
            clock.
        told_ms: When it said anything last; until then, when it was first tried.
        answers_pings: Whether the other side has ever answered one of ours.
        is_running: Whether it is being kept alive.
        has_ended: Whether it was, and is no more.
    """

    connections: int = 0
    failures: int = 0
    stale: int = 0
    replaced: int = 0
    garbage: int = 0
    heard_ms: int = 0
    told_ms: int = 0
    answers_pings: bool = False
    is_connected: bool = False
    is_running: bool = False
    has_ended: bool = False


@dataclass(frozen=True, slots=True)
class _End:
    """Why a connection is over, and whether we wanted it so."""

    reason: str
    is_planned: bool = False


class SupervisedStream:
    """Keeps one connection alive.

    Attributes:
        name: What logs call it.
        plan: When its connection is looked after.
        health: What happened to it so far.
    """

    def __init__(
        self,
        name: str,
        channel: Channel,
        connector: Connector,
        clock: Clock,
        *,
        plan: StreamPlan | None = None,
        sleep: Sleep = real_sleep,
    ) -> None:
        """Connect nothing yet.

        Args:
            name: For the log.
            channel: What runs over it.
            connector: Opens sockets.
            clock: Our own time.
            plan: When the connection is looked after; None for the defaults.
            sleep: Waits some seconds.
        """
        self.health = StreamHealth()
        self.name = name
        self._channel = channel
        self._connector = connector
        self._clock = clock
        self.plan = plan or StreamPlan()
        self._sleep = sleep
        self._chance = random.Random()  # noqa: S311 - spreads delays, guards nothing
        self._socket: Socket | None = None
        self._asked = ""
        self._is_hurried = False

    def hurry(self) -> None:
        """Wait no longer than a first attempt would: the exchange answers again."""
        self._is_hurried = True

    async def reconnect(self, reason: str) -> None:
        """End the present connection and open a new one at once, such as for a new listen key."""
        self._asked = reason
        if self._socket is not None:
            await self._socket.close()

    async def run(self) -> None:
        """Keep the stream alive until cancelled.

        Raises:
            AuthenticationError: The exchange refuses the key; trying again would not help.
        """
        self.health.is_running, self.health.told_ms = True, self._clock.now_ms()
        try:
            await self._live()
        finally:
            self.health.is_running, self.health.has_ended = False, True

    async def _live(self) -> None:
        attempt = 0
        while True:
            started_ms = self._clock.now_ms()
            end = await self._live_once()
            lasted_s = (self._clock.now_ms() - started_ms) / 1000
            get_logger().info(
                "stream_ended", stream=self.name, reason=end.reason, lasted_s=lasted_s
            )
            if end.is_planned and lasted_s >= _LEAST_LIFE_S:
                continue
            attempt = 1 if lasted_s >= self.plan.stable_after_s else attempt + 1
            spread = self._chance.uniform(1 - _SPREAD, 1 + _SPREAD)
            await self._wait(self.plan.delay_s(attempt) * spread)

    async def _wait(self, delay_s: float) -> None:
        """Wait for a new attempt, in parts as long as the first wait."""
        parts = max(1, round(delay_s / self.plan.reconnect_delay_s))
        for _ in range(parts):
            await self._sleep(delay_s / parts)
            if self._is_hurried:
                return

    async def _live_once(self) -> _End:
        self._asked, self._is_hurried = "", False
        try:
            socket = await self._connector.connect(await self._channel.address())
        except AuthenticationError:
            raise
        except (SocketError, ExchangeError) as failed:
            self.health.failures += 1
            return _End(str(failed))
        self._socket = socket
        try:
            await self._open(socket)
            return await self._listen(socket)
        except SocketError as failed:
            return _End(str(failed))
        finally:
            self._socket = None
            self.health.is_connected = False
            await socket.close()

    async def _open(self, socket: Socket) -> None:
        for text in self._channel.greetings():
            await socket.send(text)
        self.health.connections += 1
        self.health.is_connected, self.health.heard_ms = True, self._clock.now_ms()
        await self._channel.opened(is_first=self.health.connections == 1)

    async def _listen(self, socket: Socket) -> _End:
        plan, now_ms = self.plan, self._clock.now_ms()
        replace_ms = now_ms + int(plan.replace_after_s * 1000)
        heard_ms = pinged_ms = now_ms
        while True:
            now_ms = self._clock.now_ms()
            stale_ms = heard_ms + int(plan.stale_after_s * 1000)
            if now_ms >= replace_ms:
                self.health.replaced += 1
                return _End("replaced before the exchange ends it", is_planned=True)
            if now_ms >= stale_ms:
                self.health.stale += 1
                return _End(f"silent for {plan.stale_after_s:g} s")
            if now_ms >= pinged_ms + int(plan.ping_every_s * 1000):
                pinged_ms = now_ms
                await socket.ping()
            next_ms = min(stale_ms, replace_ms, pinged_ms + int(plan.ping_every_s * 1000))
            frame = await socket.receive((next_ms - now_ms) / 1000)
            if frame is Signal.CLOSED:
                return _End(self._asked or "closed by the other side", is_planned=bool(self._asked))
            if frame is not None:
                heard_ms = self.health.heard_ms = self.health.told_ms = self._clock.now_ms()
                await self._take(socket, frame)

    async def _take(self, socket: Socket, frame: str | bytes | Signal) -> None:
        if isinstance(frame, Signal):
            self.health.answers_pings = True
            return
        try:
            answer = self._channel.reply_to(frame)
            if answer is not None:
                await socket.send(answer)
                return
            await self._channel.received(frame)
        except (ValueError, ProtocolError):
            self.health.garbage += 1
            if self.health.garbage == 1 or self.health.garbage % _REPORTED_GARBAGE == 0:
                get_logger().warning("stream_garbage", stream=self.name, frames=self.health.garbage)


def chunks(items: Sequence[T], most: int) -> list[Sequence[T]]:
    """Return a sequence in parts of at most ``most``: connections carry only so many streams."""
    return [items[at : at + most] for at in range(0, len(items), most)]


async def run_all(streams: Iterable[SupervisedStream]) -> None:
    """Keep several streams alive until cancelled."""
    async with asyncio.TaskGroup() as group:
        for stream in streams:
            group.create_task(stream.run())
