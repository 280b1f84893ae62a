"""Telegram beside a live run: it listens to channels, and people are told and may ask."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from milobot.app.live_messenger import Surroundings
from milobot.app.live_shows import HeardShow, LiveShow
from milobot.app.talk import Talk, TalkPlan
from milobot.app.talk_office import TalkOffice
from milobot.app.telegram import Telegram
from milobot.app.telegram_plan import TelegramPlan
from milobot.exchanges.times import Sleep, SteadyClock, real_sleep
from milobot.settings import Settings
from milobot.signals.door import SignalDoor
from milobot.signals.telegram.figures import ListenerState
from milobot.telemetry import get_logger

_AGAIN_S = 5.0


class TelegramMessenger:
    """Listens to channels by Telegram, and talks with people by the same connection."""

    def __init__(
        self, telegram: Telegram, talk: Talk | None, door: SignalDoor, sleep: Sleep = real_sleep
    ) -> None:
        """Connect to nothing yet.

        Args:
            telegram: The connection.
            talk: Talks with people; None when nobody is to be talked to.
            door: Where messages are handed in.
            sleep: Waits.
        """
        self._telegram, self._talk, self._door = telegram, talk, door
        self._sleep = sleep

    @property
    def listener(self) -> ListenerState | None:
        """Return where the listener stands."""
        return self._telegram.state

    def beside(self, show: LiveShow, account: str, holder: str) -> LiveShow:
        """Return a show of an account of which people are told, too."""
        return show if self._talk is None else HeardShow(show, self._talk.ear(account, holder))

    async def run(self) -> None:
        """Listen and talk until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._again("telegram_failed", self._listen))
            if self._talk is not None:
                tasks.create_task(self._again("talk_failed", self._speak))

    async def _listen(self) -> None:
        await self._telegram.run(self._door)

    async def _speak(self) -> None:
        if self._talk is not None:
            await self._talk.run(self._telegram.chat)

    async def _again(self, event: str, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except Exception:  # noqa: BLE001 - trading goes on without a messenger
                get_logger().exception(event)
            await self._sleep(_AGAIN_S)


def telegram_messenger(
    plan: TelegramPlan, settings: Settings, beside: Surroundings
) -> TelegramMessenger:
    """Return who listens and talks by Telegram.

    Raises:
        ConfigurationError: The library for it is not installed.
    """
    if not beside.takes_signals:
        plan = replace(plan, chats=frozenset())
    telegram = Telegram(plan, beside.ledger.database, beside.tell)
    talk = _talk(settings, beside) if settings.telegram_admins else None
    return TelegramMessenger(telegram, talk, beside.door)


def _talk(settings: Settings, beside: Surroundings) -> Talk:
    office = TalkOffice(
        beside.ledger,
        settings.governor_limits(),
        SteadyClock(),
        price_of=beside.price_of,
        door=beside.door if beside.takes_signals else None,
    )
    return Talk(TalkPlan(settings.telegram_admins, settings.notify, beside.accounts), office)
