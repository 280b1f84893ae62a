"""Sockets without a network: frames by plan, in virtual time."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.support.virtual_time import VirtualTime

from milobot.exchanges.sockets import Signal, SocketAddress, SocketError

Frame = str | bytes | Signal


@dataclass
class FakeSocket:
    """One connection; the test pushes frames into it.

    Attributes:
        answers_pings: Whether the other side is alive enough for that.
    """

    time: VirtualTime
    address: SocketAddress
    answers_pings: bool = True
    sent: list[str] = field(default_factory=list)
    pings: int = 0
    is_open: bool = True
    _frames: list[Frame] = field(default_factory=list)
    _waiter: asyncio.Future[None] | None = None

    def push(self, frame: Frame) -> None:
        """Let a frame arrive."""
        self._frames.append(frame)
        self._wake()

    async def receive(self, timeout_s: float) -> Frame | None:
        """Return the next frame; None when time is up."""
        if not self._frames:
            self._waiter = asyncio.get_running_loop().create_future()
            waiter = self._waiter
            self.time.call_later(timeout_s, self._wake_one(waiter))
            await waiter
        return self._frames.pop(0) if self._frames else None

    async def send(self, text: str) -> None:
        """Note a text."""
        if not self.is_open:
            raise SocketError("gone")
        self.sent.append(text)

    async def ping(self) -> None:
        """Answer a ping, if alive."""
        self.pings += 1
        if self.answers_pings:
            self.push(Signal.ALIVE)

    async def close(self) -> None:
        """Close; whoever waits hears it."""
        if self.is_open:
            self.is_open = False
            self.push(Signal.CLOSED)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    @staticmethod
    def _wake_one(waiter: asyncio.Future[None]) -> Callable[[], None]:
        return lambda: None if waiter.done() else waiter.set_result(None)


@dataclass
class FakeConnector:
    """Opens fake sockets; refuses as often as told."""

    time: VirtualTime
    refusals: int = 0
    sockets: list[FakeSocket] = field(default_factory=list)
    on_open: Callable[[FakeSocket], None] | None = None

    async def connect(self, address: SocketAddress) -> FakeSocket:
        """Return a new socket."""
        if self.refusals:
            self.refusals -= 1
            raise SocketError("refused")
        socket = FakeSocket(self.time, address)
        self.sockets.append(socket)
        if self.on_open is not None:
            self.on_open(socket)
        return socket

    @property
    def socket(self) -> FakeSocket:
        """Return the latest socket."""
        return self.sockets[-1]


class QuietChannel:
    """A channel of a stream that carries nothing of interest."""

    async def address(self) -> SocketAddress:
        """Return an address."""
        return SocketAddress("wss://x.test/ws")

    def greetings(self) -> Sequence[str]:
        """Subscribe to nothing."""
        return []

    def reply_to(self, frame: str | bytes) -> str | None:
        """Answer nothing."""
        return None

    async def opened(self, *, is_first: bool) -> None:
        """Hear nothing."""

    async def received(self, frame: str | bytes) -> None:
        """Hear nothing; garbage makes no sense."""
        if frame == "garbage":
            raise ValueError
