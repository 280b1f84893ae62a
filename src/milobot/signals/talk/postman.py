"""The postman: brings people what there is to tell, whatever the messenger does meanwhile."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

from milobot.errors import ChatError
from milobot.exchanges.times import Sleep, real_sleep
from milobot.ports import Clock
from milobot.signals.talk.mailbox import Mailbox
from milobot.signals.talk.notices import Notice, NoticeKind
from milobot.signals.talk.plain import cut_lines
from milobot.signals.talk.ports import Chat
from milobot.telemetry import get_logger

LOOK_S = 0.2
_SEND_WITHIN_S = 20.0


class Postman:
    """Keeps a mailbox for each person. What is put into it never waits for the messenger."""

    def __init__(
        self,
        people: Iterable[int],
        kinds: frozenset[NoticeKind],
        clock: Clock,
        *,
        sleep: Sleep = real_sleep,
    ) -> None:
        """Prepare; ``run`` begins to send.

        Args:
            people: Who is told.
            kinds: Of which notices; others are left out.
            clock: Time.
            sleep: Waits.
        """
        self._boxes = {person: Mailbox() for person in people}
        self._kinds = kinds
        self._clock, self._sleep = clock, sleep

    def tell(self, notice: Notice) -> None:
        """Let everybody be told of something, soon."""
        if notice.kind not in self._kinds:
            return
        now_ms = self._clock.now_ms()
        for box in self._boxes.values():
            box.put(notice, now_ms)

    def answer(self, person: int, text: str) -> None:
        """Let a person be answered; others than those named at the start never are."""
        box = self._boxes.get(person)
        if box is not None:
            box.heard()
            box.answer(cut_lines(text))

    async def run(self, chat: Chat) -> None:
        """Send what there is until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for person, box in self._boxes.items():
                tasks.create_task(self._serve(chat, person, box))

    async def _serve(self, chat: Chat, person: int, box: Mailbox) -> None:
        while True:
            text = box.take(self._clock.now_ms())
            if text is None:
                await self._sleep(LOOK_S)
                continue
            await self._send(chat, person, box, text)

    async def _send(self, chat: Chat, person: int, box: Mailbox, text: str) -> None:
        failure = ChatError("the messenger did not answer in time")
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(_SEND_WITHIN_S):
                    await chat.send(person, text)
                box.sent()
                return
        except ChatError as error:
            failure = error
        except asyncio.CancelledError:
            box.failed(self._clock.now_ms(), may_retry=True, wait_s=0)  # told by whoever goes on
            raise
        get_logger().warning("message_not_sent", person=person, reason=str(failure))
        now_ms = self._clock.now_ms()
        box.failed(now_ms, may_retry=failure.retryable, wait_s=failure.wait_s)
