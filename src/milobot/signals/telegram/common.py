"""What all chats of one listener share."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from milobot.errors import StorageError
from milobot.exchanges.times import Sleep
from milobot.ports import Clock
from milobot.signals.door import SignalDoor
from milobot.signals.telegram.cursors import Cursors
from milobot.signals.telegram.figures import ListenerState, Terms
from milobot.signals.telegram.ports import Wire
from milobot.telemetry import get_logger

_T = TypeVar("_T")
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0


@dataclass(frozen=True, slots=True)
class Common:
    """What a chat's line needs beside its chat.

    Attributes:
        link: Set while there is a connection.
        say: Tells a person a sentence; the flag says that a trouble is over.
    """

    wire: Wire
    door: SignalDoor
    cursors: Cursors
    clock: Clock
    sleep: Sleep
    terms: Terms
    state: ListenerState
    link: asyncio.Event
    say: Callable[[str, bool], None]

    async def insist(self, what: Callable[[], Awaitable[_T]]) -> _T:
        """Return what comes of it; repeated for as long as the ledger takes nothing."""
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                return await what()
            except StorageError as error:
                self.state.figures.failures += 1
                get_logger().warning("telegram_hand_in_repeated", reason=str(error))
            await self.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def note_wait(self, wait_s: float, what: str) -> None:
        """Count a flood wait, and tell of a long one."""
        self.state.figures.flood_waits += 1
        get_logger().warning("telegram_flood_wait", wait_s=wait_s, what=what)
        if wait_s >= self.terms.long_wait_s:
            self.say(
                f"Telegram wants to be left alone for {wait_s:.0f} s ({what}): messages that are"
                " told meanwhile are handled, missed ones are read afterwards",
                False,  # noqa: FBT003 - it is not over
            )
