"""One chat: what comes in is handed in, in order, and the cursor follows the receipts.

Handing in happens at least once; the door knows a message and version that it was given
before, so each takes effect exactly once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from typing import TypeVar

from milobot.errors import (
    MilobotError,
    TelegramAwayError,
    TelegramChatError,
    TelegramLoginError,
    TelegramWaitError,
)
from milobot.signals.door import Incoming
from milobot.signals.telegram.common import Common
from milobot.signals.telegram.cursors import Cursor, source_of
from milobot.signals.telegram.missed import WINDOW, missed, newest
from milobot.signals.telegram.ports import ChatInfo, ChatKind, Deleted, Post
from milobot.signals.telegram.seen import Seen
from milobot.telemetry import get_logger

_T = TypeVar("_T")
_BREATH_S = 0.05
_CHANNELS_END = -1_000_000_000_000
"""Ids of channels and supergroups are below this; their messages have a count of their own."""


class Look(Enum):
    """What a line does when nothing came in."""

    REVIEW = auto()
    """After connecting: messages that were missed, edits and deletions of the last 100."""
    PROBE = auto()
    """Now and then: messages that nobody told us of."""


Work = Post | Deleted | Look


class ChatLine:
    """Handles one chat's messages one after the other."""

    def __init__(self, chat_id: int, common: Common) -> None:
        """Wait for work."""
        self._chat_id = chat_id
        self._common = common
        kind = ChatKind.CHANNEL if chat_id < _CHANNELS_END else ChatKind.PRIVATE
        self.info = ChatInfo(chat_id, "", kind)
        self._queue: asyncio.Queue[Work] = asyncio.Queue()
        self._cursor: Cursor | None = None
        self._seen = Seen()
        self._has_hole = True
        self._losses = 0
        self._retry_ms = 0
        self._needs_review = True

    def put(self, work: Work) -> None:
        """Have something handled after what came before; a probe only when there is nothing."""
        if work is not Look.PROBE or self._queue.empty():
            self._queue.put_nowait(work)

    def lost(self) -> None:
        """Learn that the connection is gone: from here on messages may be missing."""
        self._has_hole = self._needs_review = True
        self._losses += 1

    async def run(self) -> None:
        """Handle what comes, until cancelled."""
        self._cursor = await self._common.insist(lambda: self._common.cursors.load(self._chat_id))
        while True:
            work = await self._queue.get()
            match work:
                case Post():
                    await self._take(work)
                case Deleted():
                    await self._delete(work.message_ids)
                case Look.REVIEW | Look.PROBE:
                    await self._look(work)

    async def _look(self, look: Look) -> None:
        is_put_off = self._common.clock.now_ms() < self._retry_ms
        if look is Look.PROBE and is_put_off:
            return
        if look is Look.REVIEW or self._needs_review or self._cursor is None:
            await self._review()
        else:
            await self._fill()

    async def _review(self) -> None:
        """Find out all that happened while nobody listened."""
        losses = self._losses
        info = await self._ask(lambda: self._common.wire.open_chat(self._chat_id))
        if info is None:
            return
        self.info = info
        self._common.state.chats[self._chat_id] = info.title
        if await self._fill() and await self._look_back():
            self._needs_review = self._losses != losses

    async def _take(self, post: Post) -> None:
        first = post.message_id if self._cursor is None else self._cursor.first
        if post.edited_ms and post.message_id <= first:
            return  # it was posted before we listened
        if self._cursor is None:
            await self._begin(post.message_id - 1)
        elif self._is_after_gap(post):
            await self._fill(before=post.message_id)
        await self._hand_in(post, is_next=not self._has_hole)

    def _is_after_gap(self, post: Post) -> bool:
        last = post.message_id if self._cursor is None else self._cursor.last
        is_gap = self.info.has_own_ids and post.message_id > last + 1
        return is_gap and self._common.clock.now_ms() >= self._retry_ms

    async def _begin(self, last: int) -> None:
        """Listen from here on: what is older is none of our business."""
        self._cursor = Cursor(last, last)
        cursor = self._cursor
        await self._common.insist(lambda: self._common.cursors.save(self._chat_id, cursor))

    async def _fill(self, before: int | None = None) -> bool:
        """Hand in what was missed. Return whether there is no hole any more."""
        losses = self._losses
        if self._cursor is None:
            return await self._begin_at_newest()
        after = self._cursor.last
        posts = await self._ask(lambda: missed(self._common.wire, self.info, after, before))
        if posts is None:
            self._has_hole = True
            return False
        fresh = [post for post in posts if self._is_for_door(post) and self._seen.version(post)]
        if fresh:
            self._common.state.figures.gaps_closed += 1
            self._common.state.figures.fetched += len(fresh)
            get_logger().info("telegram_gap_closed", chat=self._chat_id, messages=len(fresh))
        for post in posts:
            await self._hand_in(post, is_next=True)
        if before is not None:
            self._cursor = self._cursor.moved(before - 1)
        self._has_hole = self._losses != losses
        return not self._has_hole

    async def _begin_at_newest(self) -> bool:
        if not self._common.wire.is_bot:
            last = await self._ask(lambda: newest(self._common.wire, self.info))
            if last is None:
                return False
            await self._begin(last)
        self._has_hole = False  # a bot cannot know; it begins with the first message it hears
        return True

    async def _look_back(self) -> bool:
        """Hand in edits and deletions of the last messages. Return whether that could be known."""
        if self._cursor is None:
            return True
        last = self._cursor.last
        ids = range(max(self._cursor.first + 1, last - WINDOW + 1), last + 1)
        if not ids:
            return True
        found = await self._ask(lambda: self._common.wire.by_ids(self.info, ids))
        if found is None:
            return False
        for message_id, post in sorted(found.items()):
            if post is None:
                await self._delete((message_id,))
            elif post.edited_ms:
                await self._hand_in(post, is_next=False)
        return True

    async def _hand_in(self, post: Post, *, is_next: bool) -> None:
        version = self._seen.version(post)
        if version is not None:
            if self._is_for_door(post):
                await self._receive(post, version[0])
            self._seen.add(post, version[0])
        if is_next:
            await self._move(post.message_id)

    def _is_for_door(self, post: Post) -> bool:
        if post.is_service or post.is_own:
            return False
        if post.text or not post.edited_ms:
            return bool(post.text)
        # A text that was taken away matters when there was one.
        before = self._seen.text(post.message_id)
        is_old = self._cursor is not None and post.message_id <= self._cursor.last
        return bool(before) if before is not None else is_old

    async def _receive(self, post: Post, version: int) -> None:
        incoming = Incoming(
            source=source_of(self._chat_id),
            message_id=str(post.message_id),
            text=post.text,
            posted_ms=post.posted_ms,
            version=version,
            reply_to=None if post.reply_to is None else str(post.reply_to),
            origin=post.origin,
            metadata=post.metadata,
        )
        try:
            await self._common.insist(lambda: self._common.door.receive(incoming))
        except MilobotError as error:  # one message must not end the listening to all others
            self._common.say(
                f"message {post.message_id} of {self._title} was not handled: {error}",
                False,  # noqa: FBT003 - it is not over
            )
        self._common.state.figures.handled += 1

    async def _delete(self, message_ids: tuple[int, ...]) -> None:
        for message_id in message_ids:
            if self._seen.is_gone(message_id):
                continue
            source, name = source_of(self._chat_id), str(message_id)
            receipt = await self._common.insist(
                lambda source=source, name=name: self._common.door.delete(source, name)  # type: ignore[misc]  # defaults bind the loop's values
            )
            self._seen.gone(message_id)
            self._common.state.figures.deleted += receipt is not None

    async def _move(self, message_id: int) -> None:
        if self._cursor is not None and message_id > self._cursor.last:
            moved = self._cursor.moved(message_id)
            await self._common.insist(lambda: self._common.cursors.save(self._chat_id, moved))
            self._cursor = moved

    async def _ask(self, question: Callable[[], Awaitable[_T]]) -> _T | None:
        """Return the answer; None when it does not come in time, or the chat is out of sight."""
        try:
            async with asyncio.timeout(self._common.terms.patience_s):
                answer = await self._keep_asking(question)
        except TimeoutError:
            self._put_off(self._common.terms.probe_s / 2)
            return None
        except TelegramChatError as error:
            self._put_off(self._common.terms.probe_s / 2)
            self._set_trouble(str(error))
            return None
        self._retry_ms = 0
        self._set_trouble("")
        return answer

    async def _keep_asking(self, question: Callable[[], Awaitable[_T]]) -> _T:
        while True:
            await self._common.link.wait()
            try:
                return await question()
            except TelegramWaitError as error:
                self._common.note_wait(error.wait_s, f"reading {self._title}")
                if error.wait_s >= self._common.terms.patience_s:
                    self._put_off(error.wait_s)
                    raise TimeoutError from error
                await self._common.sleep(error.wait_s)
            except (TelegramAwayError, TelegramLoginError):
                await self._common.sleep(_BREATH_S)  # who keeps the connection sees it too

    def _put_off(self, seconds: float) -> None:
        """Let what comes in pass for a while; a look after that closes the gap."""
        until_ms = self._common.clock.now_ms() + round(seconds * 1000)
        self._retry_ms = max(self._retry_ms, until_ms)

    def _set_trouble(self, sentence: str) -> None:
        known = self._common.state.troubles.get(self._chat_id, "")
        if sentence and not known:
            self._common.state.troubles[self._chat_id] = sentence
            self._common.say(sentence, False)  # noqa: FBT003 - it is not over
        elif known and not sentence:
            del self._common.state.troubles[self._chat_id]
            self._common.say(f"{self._title} can be read again", True)  # noqa: FBT003 - it is over

    @property
    def _title(self) -> str:
        return (
            f"the chat {self._chat_id} ({self.info.title})"
            if self.info.title
            else (f"the chat {self._chat_id}")
        )
