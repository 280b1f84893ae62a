"""Which ids are asked for, and how many at a time."""

from collections.abc import Sequence

import pytest

from milobot.signals.telegram.missed import MOST, WINDOW, missed, newest
from milobot.signals.telegram.ports import ChatInfo, ChatKind, Post
from milobot.signals.telegram.seen import Seen

CHAT = ChatInfo(-1_000_000_000_042, "Calls", ChatKind.CHANNEL)


def post(message_id: int, text: str = "hello", edited_ms: int = 0) -> Post:
    """Return a message."""
    return Post(CHAT.chat_id, message_id, text, 1_000, edited_ms)


class Shelf:
    """Has messages, and counts what is asked of it; as a wire, as far as reading back goes."""

    name = "shelf"

    def __init__(self, ids: Sequence[int], *, is_bot: bool) -> None:
        """Have messages of these ids."""
        self.is_bot = is_bot
        self.asked: list[int] = []
        self._ids = set(ids)

    async def by_ids(self, chat: ChatInfo, message_ids: Sequence[int]) -> dict[int, Post | None]:
        """Return messages by id."""
        self.asked.append(len(message_ids))
        return {one: post(one) if one in self._ids else None for one in message_ids}

    async def history(self, chat: ChatInfo, *, after: int, limit: int) -> list[Post]:
        """Return the newest messages after an id."""
        assert not self.is_bot
        self.asked.append(limit)
        return [post(one) for one in sorted(self._ids) if one > after][-limit:]

    async def connect(self) -> None:
        """Do nothing."""

    async def disconnect(self) -> None:
        """Do nothing."""

    async def wait_lost(self, timeout_s: float) -> bool:
        """Last."""
        return False

    async def check(self) -> None:
        """Do nothing."""

    async def open_chat(self, chat_id: int) -> ChatInfo:
        """Return the chat."""
        return CHAT

    async def chats(self) -> list[ChatInfo]:
        """Return the chat."""
        return [CHAT]

    async def send(self, person: int, text: str) -> None:
        """Do nothing."""


@pytest.mark.parametrize("is_bot", [True, False])
@pytest.mark.parametrize("before", [None, 251, 60])
async def test_all_that_is_there_is_found_in_order(*, is_bot: bool, before: int | None) -> None:
    """Deleted messages leave holes that end nothing."""
    there = [*range(1, 90), *range(150, 251)]
    shelf = Shelf(there, is_bot=is_bot)

    found = await missed(shelf, CHAT, 5, before)

    assert [one.message_id for one in found] == [
        one for one in there if one > 5 and (before is None or one < before)
    ]
    assert all(asked <= WINDOW for asked in shelf.asked) or not is_bot


async def test_a_bot_stops_at_a_hundred_empty_numbers() -> None:
    """It has to stop somewhere: it cannot ask for the newest."""
    shelf = Shelf([1, 2, 300], is_bot=True)

    found = await missed(shelf, CHAT, 0)

    assert [one.message_id for one in found] == [1, 2]
    assert len(shelf.asked) == 2


@pytest.mark.parametrize("is_bot", [True, False])
async def test_after_a_long_absence_only_the_newest_are_read(*, is_bot: bool) -> None:
    """Weeks of messages would hold up the one that counts."""
    shelf = Shelf(range(1, 5_001), is_bot=is_bot)

    found = await missed(shelf, CHAT, 0, 5_001)

    assert [one.message_id for one in found] == list(range(5_001 - MOST, 5_001))


async def test_only_a_person_can_ask_for_the_newest() -> None:
    """Where a listener begins."""
    assert await newest(Shelf([1, 2, 7], is_bot=False), CHAT) == 7
    assert await newest(Shelf([], is_bot=False), CHAT) == 0
    assert await newest(Shelf([1, 2, 7], is_bot=True), CHAT) is None


def test_what_was_seen_is_forgotten_oldest_first() -> None:
    """A busy chat must not fill the memory."""
    seen = Seen()
    for number in range(1, 1_502):
        seen.add(post(number), 0)
        seen.gone(number)

    assert seen.version(post(1_501)) is None
    assert seen.version(post(1)) == (0,)
    assert (seen.is_gone(1), seen.is_gone(1_501)) == (False, True)
