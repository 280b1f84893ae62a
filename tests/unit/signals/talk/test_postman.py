"""The postman: pace, patience and no waiting for him, on virtual time."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.chats import ADMIN, OTHER_ADMIN, STRANGER, FakeChat
from tests.support.virtual_time import VirtualTime

from milobot.errors import ChatError
from milobot.signals.talk.mailbox import LEAST_GAP_MS, PER_MINUTE, Mailbox, Pace
from milobot.signals.talk.notices import EVERYTHING, Notice, NoticeKind
from milobot.signals.talk.postman import Postman

AWAY = ChatError("the connection is gone")


def notice(text: str, kind: NoticeKind = NoticeKind.SIGNALS, time_ms: int = 0) -> Notice:
    """Return a notice."""
    return Notice(kind, "", text, time_ms or 1_700_000_000_000)


@asynccontextmanager
async def at_work(
    chat: FakeChat, time: VirtualTime, kinds: frozenset[NoticeKind] = EVERYTHING
) -> AsyncIterator[Postman]:
    """Give a postman who serves two people."""
    postman = Postman((ADMIN, OTHER_ADMIN), kinds, time, sleep=time.sleep)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(postman.run(chat))
        yield postman
        running.cancel()


async def test_everybody_is_told() -> None:
    """Each in private."""
    time = VirtualTime()
    chat = FakeChat(time)
    async with at_work(chat, time) as postman:
        postman.tell(notice("hello"))
        await time.run_for(3)

    assert chat.texts(ADMIN) == chat.texts(OTHER_ADMIN) == ["hello"]


async def test_urgent_notices_arrive_within_a_second() -> None:
    """Whatever else is waiting."""
    time = VirtualTime()
    chat = FakeChat(time)
    async with at_work(chat, time) as postman:
        postman.tell(notice("chat"))
        postman.tell(notice("⚠ no stop", NoticeKind.PROTECTION))
        await time.run_for(1)

    assert chat.texts() == ["⚠ no stop"]


async def test_kinds_that_nobody_wants_are_left_out() -> None:
    """The setting is meant."""
    time = VirtualTime()
    chat = FakeChat(time)
    async with at_work(chat, time, frozenset({NoticeKind.RESULTS})) as postman:
        postman.tell(notice("refused", NoticeKind.REFUSALS))
        postman.tell(notice("closed", NoticeKind.RESULTS))
        await time.run_for(5)

    assert chat.texts() == ["closed"]


async def test_a_flood_keeps_to_the_pace_and_is_told_in_the_end() -> None:
    """A thousand notices and fifty answers: never two in a second, never twenty-one a minute."""
    time = VirtualTime()
    chat = FakeChat(time)
    async with at_work(chat, time) as postman:
        for number in range(1_000):
            postman.tell(notice(f"refused {number}", NoticeKind.REFUSALS))
            if number % 20 == 0:
                postman.answer(ADMIN, f"answer {number}")
            if number % 50 == 0:
                postman.tell(notice(f"⚠ {number}", NoticeKind.PROTECTION))
            await time.run_for(0.1)
        await time.run_for(120)

    times = [when for whom, _, when in chat.sent if whom == ADMIN]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert min(gaps) >= LEAST_GAP_MS
    windows = zip(times, times[PER_MINUTE:], strict=False)
    assert all(later - earlier >= 60_000 for earlier, later in windows)
    told = "\n".join(chat.texts())
    assert all(f"⚠ {number}" in told for number in range(0, 1_000, 50))


async def test_answers_do_not_wait_behind_notices() -> None:
    """Who asks looks at the screen now."""
    time = VirtualTime()
    chat = FakeChat(time)
    async with at_work(chat, time) as postman:
        for second in range(60):
            postman.tell(notice(f"refused {second}", NoticeKind.REFUSALS))
            await time.run_for(1)
        asked_ms = time.now_ms()
        postman.answer(ADMIN, "the answer")
        await time.run_for(5)

    [answered_ms] = [when for _, text, when in chat.sent if text == "the answer"]
    assert answered_ms - asked_ms <= 1_200


async def test_while_the_chat_is_away_nothing_urgent_is_lost() -> None:
    """It is tried again, ever more slowly, and everything comes when it is back."""
    time = VirtualTime()
    chat = FakeChat(time, failures=[AWAY] * 14)
    async with at_work(chat, time) as postman:
        postman.tell(notice("⚠ no stop", NoticeKind.PROTECTION))
        for number in range(400):
            postman.tell(notice(f"refused {number}", NoticeKind.REFUSALS))
        postman.tell(notice("stop hit", NoticeKind.EXITS))
        await time.run_for(60)
        assert chat.texts() == []
        tried = chat.tried
        await time.run_for(600)

    assert tried <= 14
    urgent, rest = chat.texts()
    assert urgent.endswith("⚠ no stop")
    assert "stop hit" in rest
    assert "not told while you could not be reached: 101 refusals" in rest


async def test_a_messenger_that_wants_to_be_left_alone_is() -> None:
    """Trying sooner makes the wait longer."""
    time = VirtualTime()
    begun_ms = time.now_ms()
    chat = FakeChat(time, failures=[ChatError("flood", wait_s=90)])
    async with at_work(chat, time) as postman:
        postman.answer(ADMIN, "the answer")
        await time.run_for(200)

    [(_, _, when)] = chat.sent
    assert 90_000 <= when - begun_ms <= 91_000


async def test_who_has_blocked_the_bot_delays_nobody() -> None:
    """The other one is told as always; it is tried again when the person writes."""
    time = VirtualTime()
    chat = FakeChat(time, gone={ADMIN})
    async with at_work(chat, time) as postman:
        postman.tell(notice("one"))
        await time.run_for(10)
        postman.tell(notice("two"))
        await time.run_for(300)
        assert chat.texts(OTHER_ADMIN) == ["one", "two"]
        assert chat.tried == 3

        chat.gone.clear()
        postman.answer(ADMIN, "the answer")
        await time.run_for(10)

    answer, notices = chat.texts(ADMIN)
    assert answer == "the answer"
    assert [line[-3:] for line in notices.split("\n")] == ["one", "two"]


async def test_strangers_are_never_sent_anything() -> None:
    """Not even by mistake of whoever calls."""
    time = VirtualTime()
    chat = FakeChat(time)
    async with at_work(chat, time) as postman:
        postman.answer(STRANGER, "the answer")
        await time.run_for(10)

    assert chat.sent == []


async def test_what_was_on_its_way_when_he_stopped_is_sent_by_whoever_goes_on() -> None:
    """A fault elsewhere begins the talk anew; what was being sent is not forgotten."""

    class Hanging(FakeChat):
        """A chat that does not answer."""

        async def send(self, person: int, text: str) -> None:
            """Wait for ever."""
            await asyncio.Event().wait()

    time = VirtualTime()
    postman = Postman((ADMIN,), EVERYTHING, time, sleep=time.sleep)
    chat = FakeChat(time)
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(postman.run(Hanging(time)))
        postman.answer(ADMIN, "the answer")
        await time.run_for(1)
        first.cancel()
        await time.run_for(1)
        second = tasks.create_task(postman.run(chat))
        await time.run_for(5)
        second.cancel()

    assert chat.texts() == ["the answer"]


def test_a_pace_allows_one_a_second_and_twenty_a_minute() -> None:
    """At the bound, not before it."""
    pace = Pace()
    for second in range(PER_MINUTE):
        assert pace.allows(second * 1_000)
        pace.count(second * 1_000)
        assert not pace.allows(second * 1_000 + 999)

    assert not pace.allows(59_999)
    assert pace.allows(60_000)


def test_more_answers_than_can_be_sent_are_not_kept() -> None:
    """Memory is bounded however much a person asks while the chat is away."""
    box = Mailbox()
    for number in range(25):
        box.answer(f"answer {number}")

    assert box.lost_answers == 5
    assert box.take(0) == "answer 5"
