"""WebSocket connections: who listens, what is sent, and what goes wrong with it."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum

from aiohttp import WSMessage, WSMsgType, web

from milobot.local_exchange.core.accounts import Account
from milobot.local_exchange.core.timing import Agenda, ServerTime
from milobot.local_exchange.faults import FaultPlan


class Ping(Enum):
    """A ping of the WebSocket protocol, in the queue of what is to be sent."""

    FRAME = "ping"


Frame = str | bytes | Ping
_NEXT_EVENT_MS = 1_000
_SECOND_MS = 1_000
_DRAIN_S = 2.0


@dataclass(slots=True, eq=False)
class Connection:
    """One socket.

    Attributes:
        account: Whose user stream it is; None for market data.
        subscriptions: Names of the streams it wants, as the dialect writes them.
        silent_until_ms: Until which moment of the timer nothing is sent.
        unanswered: Heartbeats without an answer so far.
        heard: Moments of the timer at which it sent something during the last second.
    """

    account: Account | None = None
    listen_key: str = ""
    is_combined: bool = False
    subscriptions: list[str] = field(default_factory=list)
    silent_until_ms: int = 0
    unanswered: int = 0
    heard: list[int] = field(default_factory=list)
    is_closing: bool = False
    frames: "asyncio.Queue[Frame | None]" = field(default_factory=asyncio.Queue)

    def put(self, frame: Frame) -> None:
        """Queue a frame."""
        if not self.is_closing:
            self.frames.put_nowait(frame)

    def close(self) -> None:
        """Close the socket once what is queued has left."""
        if not self.is_closing:
            self.is_closing = True
            self.frames.put_nowait(None)


class Hub:
    """All sockets of one dialect.

    Attributes:
        connections: Those that are open, in order of arrival.
        on_expire: Lets an account's listen key expire; set by the dialect.
    """

    def __init__(self, clock: ServerTime, plan: FaultPlan, agenda: Agenda) -> None:
        """Start without sockets."""
        self.connections: list[Connection] = []
        self._clock = clock
        self._plan = plan
        self._agenda = agenda
        self._held: dict[str, Callable[[], None]] = {}
        self.on_expire: Callable[[Account], None] = _ignore

    async def serve(
        self,
        request: web.Request,
        connection: Connection,
        on_text: Callable[[Connection, str], None],
    ) -> web.WebSocketResponse:
        """Run a socket until either side closes it."""
        socket = web.WebSocketResponse(compress=False, autoping=False)
        await socket.prepare(request)
        self.connections.append(connection)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_write(socket, connection))
                async for message in socket:
                    await _read(socket, connection, message, on_text)
                connection.close()
        finally:
            connection.is_closing = True
            self.connections.remove(connection)
            _empty(connection.frames)
        return socket

    async def drain(self) -> None:
        """Wait until everything queued has been sent, but not for clients that never read."""
        for connection in list(self.connections):
            try:
                async with asyncio.timeout(_DRAIN_S):
                    await connection.frames.join()
            except TimeoutError:
                continue

    def send_market(self, connection: Connection, frame: Frame) -> None:
        """Send market data, unless a fault says otherwise."""
        self._guarded(connection, frame, "stream.market")

    def send_user(self, account: Account, kind: str, frame: Frame) -> None:
        """Send an event to the account's user streams, as late and as often as faults say."""
        faults = {rule.fault: rule for rule in self._plan.decide(f"event.{kind}")}
        if "listen_key_expired" in faults:
            self.on_expire(account)
        times = 0 if "events_missing" in faults else 2 if "events_twice" in faults else 1
        delay_ms = self._veil_ms(account)
        if "events_late" in faults:
            delay_ms += int(faults["events_late"].number("seconds") * 1000)

        def deliver() -> None:
            for connection in self._listeners(account):
                for _ in range(times):
                    self._guarded(connection, frame, "stream.user")

        if "events_out_of_order" in faults:
            self._hold(account, deliver)
        elif delay_ms:
            self._agenda.schedule(delay_ms, deliver)
        else:
            deliver()
            self._release(account)

    def hears_too_much(self, connection: Connection, most_a_second: int) -> bool:
        """Note a message of a client; return whether it sends more than it may."""
        now = self._clock.timer_ms()
        connection.heard = [t for t in connection.heard if t > now - _SECOND_MS]
        connection.heard.append(now)
        return len(connection.heard) > most_a_second

    def beat(self, interval_ms: int, frame: Frame, most_unanswered: int) -> None:
        """Send a heartbeat now and then; close a socket that left too many unanswered."""

        def send() -> None:
            for connection in list(self.connections):
                if connection.unanswered >= most_unanswered:
                    connection.close()
                connection.unanswered += 1
                if self._clock.timer_ms() >= connection.silent_until_ms:
                    connection.put(frame)
            self._agenda.schedule(interval_ms, send)

        self._agenda.schedule(interval_ms, send)

    def drop(self, *, users: bool, markets: bool) -> int:
        """Close sockets; return how many."""
        chosen = [c for c in self.connections if (users if c.account else markets)]
        for connection in chosen:
            connection.close()
        return len(chosen)

    def of(self, keys: Iterable[str]) -> list[Connection]:
        """Return the user sockets of some listen keys."""
        names = set(keys)
        return [c for c in self.connections if c.listen_key in names]

    def _listeners(self, account: Account) -> list[Connection]:
        return [c for c in self.connections if c.account is account and c.listen_key]

    def _veil_ms(self, account: Account) -> int:
        if account.veil is None:
            return 0
        return max(0, account.veil[0] - self._clock.timer_ms())

    def _hold(self, account: Account, deliver: Callable[[], None]) -> None:
        self._held[account.key] = deliver
        # Without a next event it still arrives, only late.
        self._agenda.schedule(_NEXT_EVENT_MS, lambda: self._release(account, deliver))

    def _release(self, account: Account, expected: Callable[[], None] | None = None) -> None:
        held = self._held.get(account.key)
        if held is not None and expected in {None, held}:
            del self._held[account.key]
            held()

    def _guarded(self, connection: Connection, frame: Frame, call: str) -> None:
        now = self._clock.timer_ms()
        for rule in self._plan.decide(call):
            if rule.fault == "stream_dropped":
                connection.close()
            if rule.fault == "stream_silent":
                connection.silent_until_ms = now + int(rule.number("seconds") * 1000)
        if now >= connection.silent_until_ms:
            connection.put(frame)


def _ignore(account: Account) -> None:
    """Stand in until the dialect has said what to do."""


async def _read(
    socket: web.WebSocketResponse,
    connection: Connection,
    message: WSMessage,
    on_text: Callable[[Connection, str], None],
) -> None:
    if message.type is WSMsgType.TEXT:
        on_text(connection, message.data)
    elif message.type is WSMsgType.PING:
        await socket.pong(message.data)
    elif message.type is WSMsgType.PONG:
        connection.unanswered = 0


async def _write(socket: web.WebSocketResponse, connection: Connection) -> None:
    while True:
        frame = await connection.frames.get()
        try:
            if frame is None:
                await socket.close()
                return
            await _send(socket, frame)
        except ConnectionError:
            connection.is_closing = True
            return
        finally:
            connection.frames.task_done()


async def _send(socket: web.WebSocketResponse, frame: Frame) -> None:
    if isinstance(frame, Ping):
        await socket.ping()
    elif isinstance(frame, bytes):
        await socket.send_bytes(frame)
    else:
        await socket.send_str(frame)


def _empty(frames: "asyncio.Queue[Frame | None]") -> None:
    while not frames.empty():
        frames.get_nowait()
        frames.task_done()
