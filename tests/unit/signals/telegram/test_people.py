"""A person's account: logging in, reading back, and talking in private."""

import asyncio

import pytest
from telethon.tl import types
from tests.support.mtproto.login import CODE, PASSWORD, PHONE
from tests.support.mtproto.world import ALICE_ID, marked
from tests.support.telegrams import CALLS, OTHER, KeptSession, Scene, until

from milobot.errors import ChatError, TelegramLoginError
from milobot.exchanges.times import SteadyClock
from milobot.signals.telegram.chat import LONGEST, pieces
from milobot.signals.telegram.cursors import Cursors
from milobot.signals.telegram.login import log_in_person
from milobot.signals.telegram.telethon_wire import TelethonWire


class Person:
    """Types what the test says; each code and password once."""

    def __init__(self, codes: list[str], passwords: list[str], phone: str = PHONE) -> None:
        """Have these ready."""
        self._phone = phone
        self._codes = codes
        self._passwords = passwords

    def phone(self) -> str:
        """Return the phone number."""
        return self._phone

    def code(self) -> str:
        """Return the next code."""
        return self._codes.pop(0)

    def password(self) -> str:
        """Return the next password."""
        return self._passwords.pop(0)


@pytest.fixture(name="person")
async def _person(stage: Scene) -> Scene:
    """Return the scene with a person logged in."""
    stage.token, stage.session = "", KeptSession()
    await log_in_person(stage.account(), Person([CODE], []))
    return stage


async def test_a_person_logs_in_by_code_and_second_password(stage: Scene) -> None:
    """Both may be mistyped once; neither is sent in the clear, says the server's own arithmetic."""
    stage.token, stage.session = "", KeptSession()
    stage.server.logins.password = PASSWORD

    name = await log_in_person(stage.account(), Person(["00000", CODE], ["wrong", PASSWORD]))

    assert name == "Tess"
    async with stage.listening() as listener:
        assert listener.state.account == "Tess"


async def test_a_login_that_fails_keeps_nothing(stage: Scene) -> None:
    """Three wrong codes, or an unknown number: a sentence, and no session."""
    stage.token, session = "", KeptSession()
    stage.session = session

    with pytest.raises(TelegramLoginError, match="wrong 3 times"):
        await log_in_person(stage.account(), Person(["1", "2", "3"], []))
    with pytest.raises(TelegramLoginError, match="PhoneNumberInvalid"):
        await log_in_person(stage.account(), Person([], [], "15550199"))

    assert not session.content


async def test_without_a_login_the_sentence_says_how(stage: Scene) -> None:
    """Who forgot to log in is told the command."""
    stage.token = ""
    wire = TelethonWire(stage.account(), lambda _: None)

    with pytest.raises(TelegramLoginError, match="milobot telegram login"):
        await wire.connect()
    await wire.disconnect()


async def test_a_person_reads_back_what_was_missed(person: Scene) -> None:
    """People's accounts read the history; bots ask by number."""
    async with person.listening():
        person.server.post(CALLS, "one")
        await until(lambda: len(person.door.incoming) == 1)
    for number in range(130):
        person.server.post(CALLS, f"missed {number}")

    async with person.listening():
        await until(lambda: len(person.door.incoming) == 131)

    assert person.door.texts == ["one", *(f"missed {number}" for number in range(130))]
    assert "GetHistoryRequest" in person.server.calls


async def test_a_person_begins_with_what_is_posted_from_now_on(person: Scene) -> None:
    """Also when the first post comes while the account is away."""
    person.server.post(CALLS, "old")
    cursors = Cursors(person.ledger.database, SteadyClock())
    async with person.listening():
        while await cursors.load(marked(CALLS)) is None:  # noqa: ASYNC110 - the ledger has no event
            await asyncio.sleep(0.01)
    person.server.post(CALLS, "new")

    async with person.listening():
        await until(lambda: bool(person.door.incoming))

    assert person.door.texts == ["new"]


async def test_a_person_whose_session_was_ended_is_told_to_log_in(person: Scene) -> None:
    """Only they can do it; the listener goes on once they did."""
    async with person.listening() as listener:
        person.server.revoke()
        await until(lambda: bool(person.sentences()))
        assert "milobot telegram login" in person.sentences()[0]
        await log_in_person(person.account(), Person([CODE], []))
        await until(lambda: listener.state.is_connected)
        person.server.post(CALLS, "BUY BTCUSDT 1")
        await until(lambda: bool(person.door.incoming))


async def test_chats_are_listed_with_their_ids(person: Scene) -> None:
    """The ids are what the allow-list takes."""
    wire = TelethonWire(person.account(), lambda _: None)
    await wire.connect()
    try:
        found = await wire.chats()
    finally:
        await wire.disconnect()

    assert {(chat.chat_id, chat.title) for chat in found} == {
        (marked(CALLS), "Calls"),
        (marked(OTHER), "Chatter"),
    }


async def test_commands_come_from_listed_people_only(stage: Scene) -> None:
    """Anybody can write to a bot."""
    stage.people = frozenset({ALICE_ID})
    stranger = 6
    async with stage.listening() as listener:
        said = listener.chat.messages()
        stage.server.say("/halt", stranger)
        stage.server.say("/status")
        first = await anext(said)
        await listener.chat.send(ALICE_ID, "all is well")

    assert (first.person, first.text) == (ALICE_ID, "/status")
    assert stage.server.answers.sent == [(ALICE_ID, "all is well")]
    assert listener.state.figures.ignored == 1
    assert not stage.door.incoming


async def test_commands_written_while_away_come_afterwards_once(stage: Scene) -> None:
    """Who typed `/halt` while the connection was down meant it."""
    stage.people = frozenset({ALICE_ID})
    async with stage.listening() as listener:
        said = listener.chat.messages()
        stage.server.say("/status")
        await anext(said)
        await stage.server.stop()
        stage.server.say("/halt")
        await stage.server.start()
        second = await anext(said)
        stage.server.say("/positions")
        third = await anext(said)

    assert (second.text, third.text) == ("/halt", "/positions")


async def test_a_person_who_cannot_be_reached_is_no_reason_to_try_again(stage: Scene) -> None:
    """Who blocked the bot stays blocked; a flood wait ends."""
    async with stage.listening() as listener:
        stage.server.say("/start")
        stage.server.refuse("SendMessageRequest", 400, "USER_IS_BLOCKED")
        with pytest.raises(ChatError) as blocked:
            await listener.chat.send(ALICE_ID, "hello")
        stage.server.refuse("SendMessageRequest", 420, "FLOOD_WAIT_7")
        with pytest.raises(ChatError) as flooded:
            await listener.chat.send(ALICE_ID, "hello")

    assert not blocked.value.retryable
    assert (flooded.value.retryable, flooded.value.wait_s) == (True, 7.0)


async def test_nothing_is_sent_without_connection(stage: Scene) -> None:
    """The sender tries again later."""
    listener = stage.listener()

    with pytest.raises(ChatError, match="not connected") as away:
        await listener.chat.send(ALICE_ID, "hello")

    assert away.value.retryable


def test_long_texts_are_cut_at_line_ends() -> None:
    """Telegram refuses more than 4,096 units; an emoji counts as two."""
    lines = "\n".join(["x" * 1_000] * 9)
    emoji = "\N{ROCKET}" * 5_000

    assert [len(piece) for piece in pieces(lines)] == [4_003, 4_003, 1_000]
    assert [len(piece) for piece in pieces(emoji)] == [LONGEST // 2, LONGEST // 2, 904]
    assert "".join(pieces(emoji)) == emoji
    assert list(pieces("")) == []


async def test_posts_of_a_topic_answer_nothing(stage: Scene) -> None:
    """In a group with topics, every post names its topic; that is no reply."""
    topic = types.MessageReplyHeader(reply_to_msg_id=1, forum_topic=True)
    within = types.MessageReplyHeader(reply_to_msg_id=2, forum_topic=True, reply_to_top_id=1)
    async with stage.listening():
        stage.server.post(CALLS, "BUY BTCUSDT 1", reply_to=topic)
        stage.server.post(CALLS, "close", reply_to=within)
        await until(lambda: len(stage.door.incoming) == 2)

    assert [one.reply_to for one in stage.door.incoming] == [None, "2"]
