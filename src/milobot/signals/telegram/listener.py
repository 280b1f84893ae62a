"""Keeps a connection to Telegram for ever, and every listed chat's messages going to the door."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from milobot.domain.alerts import Alert, AlertKind
from milobot.errors import (
    TelegramAwayError,
    TelegramError,
    TelegramLoginError,
    TelegramWaitError,
)
from milobot.exchanges.times import Sleep, real_sleep
from milobot.ports import Clock
from milobot.signals.door import SignalDoor
from milobot.signals.telegram.chat import TelegramChat
from milobot.signals.telegram.common import Common
from milobot.signals.telegram.cursors import Cursors
from milobot.signals.telegram.figures import ListenerState, Terms
from milobot.signals.telegram.line import ChatLine, Look
from milobot.signals.telegram.ports import Changed, Deleted, Event, Post, Wire
from milobot.telemetry import get_logger

MakeWire = Callable[[Callable[[Event], None]], Wire]
_LEAST_SPACING_S = 1.0
"""Between two probes, whichever chats they are of: many chats are looked into less often each."""


@dataclass(frozen=True, slots=True)
class World:
    """What the listener is given of the world around it."""

    clock: Clock
    cursors: Cursors
    tell: Callable[[Alert], None]
    sleep: Sleep = real_sleep


class TelegramListener:
    """Listens to chats; it may be run again after it was cancelled.

    Attributes:
        state: Where it stands, for status pages and metrics.
        chat: The same connection, for talking with people.
    """

    def __init__(
        self,
        make_wire: MakeWire,
        chats: frozenset[int],
        people: frozenset[int],
        world: World,
        terms: Terms | None = None,
    ) -> None:
        """Connect to nothing yet.

        Args:
            make_wire: Makes the connection; it is told where to deliver events.
            chats: Chats whose messages are handed in; all others are ignored and counted.
            people: Who may give commands in private.
            world: Clock, cursors, and where alerts go.
            terms: How patient to be.
        """
        self._chats = chats
        self._world = world
        self._terms = terms or Terms()
        self.state = ListenerState()
        self.chat = TelegramChat(people, self.state.figures)
        self._wire = make_wire(self._hear)
        self.chat.use(self._wire)
        self._link = asyncio.Event()
        self._lines: dict[int, ChatLine] = {}
        self._connections = 0

    async def run(self, door: SignalDoor) -> None:
        """Hand in the messages of the chats until cancelled; nothing of Telegram's ends it."""
        common = Common(
            self._wire,
            door,
            *(self._world.cursors, self._world.clock, self._world.sleep, self._terms),
            self.state,
            self._link,
            self._say,
        )
        self._lines = {chat: ChatLine(chat, common) for chat in sorted(self._chats)}
        try:
            async with asyncio.TaskGroup() as tasks:
                for line in self._lines.values():
                    tasks.create_task(line.run())
                tasks.create_task(self._probe())
                tasks.create_task(self._keep_connected())
        finally:
            self._end()
            await self._wire.disconnect()

    def _hear(self, event: Event) -> None:
        """Pass an event on; called by the connection, in order."""
        match event:
            case Post():
                self._hear_post(event)
            case Deleted(chat_id=None):
                for line in self._lines.values():
                    if not line.info.has_own_ids:
                        line.put(event)
            case Deleted() | Changed():
                line_or_none = self._lines.get(event.chat_id or 0)
                if line_or_none is not None:
                    line_or_none.put(event if isinstance(event, Deleted) else Look.PROBE)

    def _hear_post(self, post: Post) -> None:
        line = self._lines.get(post.chat_id)
        is_command = post.is_private and not post.is_own and post.text.startswith("/")
        if line is not None and not is_command:
            line.put(post)
        elif post.is_private and not post.is_own:
            self.chat.hear(post)
        else:
            self.state.figures.ignored += 1

    async def _keep_connected(self) -> None:
        pause_s = self._terms.first_pause_s
        while True:
            try:
                await self._wire.connect()
            except TelegramError as error:
                await self._world.sleep(self._pause_after(error, pause_s))
                pause_s = min(pause_s * 2, self._terms.longest_pause_s)
                continue
            pause_s = self._terms.first_pause_s
            self._begin()
            try:
                await self._watch()
            except TelegramError as error:
                get_logger().warning("telegram_disconnected", reason=str(error))
                if isinstance(error, TelegramLoginError):
                    self._set_trouble(self._why_ended(error))
            finally:
                self._end()
                await self._wire.disconnect()

    def _why_ended(self, error: TelegramLoginError) -> str:
        if self._wire.is_bot:
            return "Telegram has ended the session of the bot: it logs in again by its token"
        return str(error)

    def _pause_after(self, error: TelegramError, pause_s: float) -> float:
        """Return how long to wait after a failure to connect, and tell of it."""
        if isinstance(error, TelegramWaitError):
            self.state.figures.flood_waits += 1
            self._set_trouble(f"{error}: nothing is heard until then")
            return error.wait_s
        self._set_trouble(str(error))
        if isinstance(error, TelegramAwayError):
            return pause_s
        return self._terms.login_pause_s

    def _begin(self) -> None:
        self.state.is_connected = True
        self.state.account = self._wire.name
        self._connections += 1
        self.state.figures.reconnects = self._connections - 1
        self._set_trouble("")
        get_logger().info("telegram_connected", account=self._wire.name)
        self._link.set()
        for line in self._lines.values():
            line.put(Look.REVIEW)

    def _end(self) -> None:
        self.state.is_connected = False
        self._link.clear()
        for line in self._lines.values():
            line.lost()

    async def _watch(self) -> None:
        """Look after the connection until it is lost.

        Raises:
            TelegramError: Why it counts as lost.
        """
        while True:
            try:
                async with asyncio.timeout(self._terms.answer_s):
                    await self._wire.check()
                pause_s = self._terms.beat_s
            except TelegramWaitError as error:
                self.state.figures.flood_waits += 1
                pause_s = error.wait_s
            except TimeoutError:
                raise TelegramAwayError("Telegram does not answer any more") from None
            if await self._wire.wait_lost(pause_s):
                raise TelegramAwayError("the connection to Telegram broke")

    async def _probe(self) -> None:
        """Look into each chat now and then: Telegram does not always tell of what is posted."""
        while self._lines:
            spacing_s = self._terms.probe_s / len(self._lines)
            if self._terms.probe_s >= _LEAST_SPACING_S:
                spacing_s = max(spacing_s, _LEAST_SPACING_S)
            for line in self._lines.values():
                await self._world.sleep(spacing_s)
                if self._link.is_set():
                    line.put(Look.PROBE)

    def _set_trouble(self, sentence: str) -> None:
        was, self.state.trouble = self.state.trouble, sentence
        if sentence and sentence != was:
            self._say(sentence, is_over=False)
        elif was and not sentence:
            self._say(f"Telegram is connected as {self._wire.name}", is_over=True)

    def _say(self, sentence: str, is_over: bool) -> None:  # noqa: FBT001 - one shape for all who tell
        get_logger().warning("telegram_alert", sentence=sentence, is_over=is_over)
        now_ms = self._world.clock.now_ms()
        self._world.tell(Alert(AlertKind.TELEGRAM, "", sentence, now_ms, is_over))
