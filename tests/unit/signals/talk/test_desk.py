"""The desk: who may ask, and what has to be confirmed before it is done."""

import asyncio
from dataclasses import dataclass, field

from tests.support.chats import ADMIN, OTHER_ADMIN, STRANGER, FakeChat, FakeOffice
from tests.support.virtual_time import VirtualTime

from milobot.errors import LedgerUnavailableError
from milobot.signals.talk.codes import Codes
from milobot.signals.talk.desk import Desk, People
from milobot.signals.talk.errands import Errand, Plan
from milobot.signals.talk.ports import PersonSays
from milobot.signals.talk.requests import Request
from milobot.storage.commands import CommandKind

CODES = ("1111", "2222", "3333", "4444", "5555")


@dataclass
class Talking:
    """A desk with people before it.

    Attributes:
        answers: Who was told what.
    """

    office: FakeOffice = field(default_factory=FakeOffice)
    time: VirtualTime = field(default_factory=VirtualTime)
    answers: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Open the desk."""
        self.reopen()
        self._number = 0

    def reopen(self) -> None:
        """Open it anew, as after a restart."""
        people = People(frozenset({ADMIN, OTHER_ADMIN}), "milo_bot")
        self.desk = Desk(
            people,
            self.office,
            lambda person, text: self.answers.append((person, text)),
            self.time,
            Codes(iter(CODES).__next__),
        )

    async def say(self, text: str, person: int = ADMIN, *, age_s: float = 0) -> str:
        """Let a person say something. Return the answer; empty when there is none."""
        self._number += 1
        return await self.repeat(text, self._number, person, age_s=age_s)

    async def repeat(self, text: str, number: int, person: int = ADMIN, *, age_s: float = 0) -> str:
        """Let a message arrive under a number that it may have had before."""
        before = len(self.answers)
        written_ms = self.time.now_ms() - round(age_s * 1000)
        work = self.desk.hear(PersonSays(person, text, written_ms, number))
        if work is not None:
            await work
        said = self.answers[before:]
        assert all(whom == person for whom, _ in said)
        return "\n".join(text for _, text in said)


async def test_questions_are_answered() -> None:
    """What changes nothing needs no confirmation."""
    talking = Talking()

    assert await talking.say("/status") == "answer to status"
    assert await talking.say("/why BTC") == "answer to why"
    assert talking.office.done == []


async def test_help_names_every_command() -> None:
    """It is short enough to be read."""
    said = await Talking().say("/help")

    for command in ("status", "positions", "orders", "profit", "balance", "why", "pause"):
        assert f"/{command}" in said
    for command in ("resume", "close SYMBOL", "halt", "yes CODE"):
        assert f"/{command}" in said


async def test_what_is_not_understood_is_said_so() -> None:
    """With the way to the help."""
    talking = Talking()

    assert await talking.say("close it!") == (
        "commands begin with a slash; /help shows what there is"
    )
    assert await talking.say("/sell") == "there is no command /sell; /help shows what there is"


async def test_others_get_no_answer_and_are_counted() -> None:
    """Not even that there is a bot."""
    talking = Talking()

    for text in ("/status", "/halt", "/yes 1111", "hello"):
        assert await talking.say(text, STRANGER) == ""

    assert talking.desk.strangers == 4
    assert talking.office.answered == []


async def test_closing_needs_a_confirmation() -> None:
    """The bot says what it will do, and does it when the code comes back."""
    talking = Talking()

    said = await talking.say("/close btc")
    assert said == "would close BTCUSDT\nTo confirm, within 60 s:\n/yes 1111"
    assert talking.office.done == []

    assert await talking.say("/yes 1111") == "done"
    plan = Plan((Errand("binance:default", CommandKind.CLOSE, "BTCUSDT"),), "would close BTCUSDT")
    assert talking.office.done == [(plan, f"telegram:{ADMIN}")]


async def test_a_code_does_nothing_twice_or_for_another() -> None:
    """Bound to the person, used once."""
    talking = Talking()
    await talking.say("/halt flatten")

    assert "nothing waits for that code" in await talking.say("/yes 1111", OTHER_ADMIN)
    assert await talking.say("/yes 1111") == "done"
    assert "nothing waits for that code" in await talking.say("/yes 1111")
    assert talking.office.kinds == [CommandKind.FLATTEN]


async def test_a_code_is_void_after_a_minute() -> None:
    """By our clock, however fresh the answer is."""
    talking = Talking()
    await talking.say("/halt")
    talking.time.step(60_000)

    assert "nothing waits" in await talking.say("/yes 1111")
    assert talking.office.done == []


async def test_a_code_is_void_after_a_restart() -> None:
    """What was asked before the crash was about another state of things."""
    talking = Talking()
    await talking.say("/halt")
    talking.reopen()

    assert "nothing waits" in await talking.say("/yes 1111")
    assert talking.office.done == []


async def test_asking_for_something_else_voids_the_code() -> None:
    """Also when nothing comes of the second question."""
    talking = Talking()
    await talking.say("/close BTC")

    assert await talking.say("/resume") == "nothing is halted"
    assert "nothing waits" in await talking.say("/yes 1111")
    assert talking.office.done == []


async def test_looking_does_not_void_the_code() -> None:
    """Who is asked looks at the position before confirming."""
    talking = Talking()
    await talking.say("/close BTC")
    await talking.say("/positions")

    assert await talking.say("/yes 1111") == "done"


async def test_pausing_is_done_at_once() -> None:
    """It moves no money; a stop that takes two messages is a stop too late."""
    talking = Talking()

    assert await talking.say("/pause") == "done"
    assert talking.office.kinds == [CommandKind.HALT]


async def test_a_pause_of_nothing_says_so() -> None:
    """No account, nothing to pause."""

    class Empty(FakeOffice):
        """An office without accounts."""

        async def plan(self, request: Request) -> Plan:
            """Return that there is nothing to do."""
            del request
            return Plan((), "no account")

    talking = Talking(office=Empty())

    assert await talking.say("/pause") == "no account"
    assert talking.office.done == []


async def test_old_commands_are_not_carried_out() -> None:
    """After an outage they all come at once: what was meant then is not meant now."""
    talking = Talking()

    assert await talking.say("/pause", age_s=61) == (
        "not done: /pause was written 61 s ago. Send it again if you still want it"
    )
    await talking.say("/close BTC")
    assert "not done: /yes" in await talking.say("/yes 1111", age_s=300)
    assert talking.office.done == []
    assert await talking.say("/status", age_s=59) == "answer to status"


async def test_commands_of_the_future_are_not_carried_out() -> None:
    """Where clocks differ nobody knows how old anything is."""
    talking = Talking()

    said = await talking.say("/pause", age_s=-120)

    assert said.startswith("not done: /pause is dated 120 s ahead of this machine's clock")
    assert talking.office.done == []


async def test_a_message_that_comes_twice_is_done_once() -> None:
    """Messengers tell some again after an outage."""
    talking = Talking()

    assert await talking.repeat("/pause", 7) == "done"
    assert await talking.repeat("/pause", 7) == ""
    assert await talking.repeat("/pause", 7, OTHER_ADMIN) == "done"
    assert len(talking.office.done) == 2


async def test_messages_are_remembered_for_a_while_only() -> None:
    """Memory is bounded; what is older than a minute is not done anyway."""
    talking = Talking()
    for number in range(1_001):
        await talking.repeat("/help", number)

    assert await talking.repeat("/help", 1_000) == ""
    assert await talking.repeat("/help", 0) != ""


async def test_commands_for_another_bot_get_no_answer() -> None:
    """They are heard in groups."""
    talking = Talking()

    assert await talking.say("/halt@other_bot") == ""
    assert "/yes" in await talking.say("/halt@milo_bot")


async def test_what_cannot_be_answered_is_said_why() -> None:
    """The ledger may be away."""

    class Away(FakeOffice):
        """An office without its ledger."""

        async def answer(self, request: Request) -> str:
            """Fail."""
            del request
            raise LedgerUnavailableError("the ledger is locked")

    said = await Talking(office=Away()).say("/status")

    assert said == "that did not work: the ledger is locked"


async def test_one_slow_answer_delays_no_other_but_a_flood_is_refused() -> None:
    """A close takes half a minute; meanwhile a person may look, and not ask without end."""

    class Slow(FakeOffice):
        """An office that takes its time."""

        async def answer(self, request: Request) -> str:
            """Wait."""
            await time.sleep(30)
            return await super().answer(request)

    time = VirtualTime()
    talking = Talking(office=Slow(), time=time)
    chat = FakeChat(time)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(talking.desk.run(chat.messages()))
        for number in range(6):
            chat.says(PersonSays(ADMIN, "/status", time.now_ms(), number))
        chat.says(PersonSays(OTHER_ADMIN, "/help", time.now_ms(), 1))
        await time.run_for(1)
        busy = list(talking.answers)
        chat.close()
        await time.run_for(60)
        await running

    assert [whom for whom, _ in busy] == [ADMIN, ADMIN, OTHER_ADMIN]
    assert busy[0][1] == "still at your earlier requests: ask again in a moment"
    assert [text for _, text in talking.answers[3:]] == ["answer to status"] * 4
