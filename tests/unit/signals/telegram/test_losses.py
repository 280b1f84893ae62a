"""Lost connections, restarts and refusals: nothing is missed, nothing counts twice."""

import asyncio

from tests.support.mtproto.world import marked
from tests.support.telegrams import CALLS, OTHER, RecordingDoor, Scene, until

from milobot.errors import SignalFormatError
from milobot.signals.door import Incoming, Receipt

SOURCE = f"telegram:{marked(CALLS)}"
_PROMISE_MS = 5_000


async def test_posts_missed_while_disconnected_come_at_once_and_in_order(stage: Scene) -> None:
    """Telethon alone would bring them with the channel's next message, or after 15 minutes."""
    async with stage.listening() as listener:
        stage.server.post(CALLS, "one")
        await until(lambda: len(stage.door.incoming) == 1)
        stage.server.answers.is_forgetful = True
        await stage.server.stop()
        for text in ("two", "three", "four"):
            stage.server.post(CALLS, text)
        await stage.server.start()
        await until(lambda: len(stage.door.incoming) == 4)

    assert stage.door.texts == ["one", "two", "three", "four"]
    assert stage.door.at_ms[-1] - stage.server.came_ms < _PROMISE_MS
    figures = listener.state.figures
    assert (figures.reconnects, figures.gaps_closed, figures.fetched) == (1, 1, 3)


async def test_ten_drops_lose_and_repeat_nothing(stage: Scene) -> None:
    """Connections break while messages are under way; the record must not show it."""
    async with stage.listening():
        for number in range(50):
            stage.server.post(CALLS, f"message {number}")
            if number % 5 == 4:
                stage.server.drop()
            await asyncio.sleep(0.01)
        await until(lambda: len(stage.door.incoming) == 50)

    assert stage.door.texts == [f"message {number}" for number in range(50)]


async def test_edits_and_deletions_missed_meanwhile_are_found(stage: Scene) -> None:
    """What was taken back while nobody listened must not be traded on."""
    async with stage.listening():
        first = stage.server.post(CALLS, "BUY BTCUSDT 1")
        second = stage.server.post(CALLS, "BUY ETHUSDT 1")
        await until(lambda: len(stage.door.incoming) == 2)
    stage.server.edit(CALLS, first, "BUY BTCUSDT 2")
    stage.server.delete(CALLS, second)

    async with stage.listening():
        await until(lambda: bool(stage.door.deleted) and len(stage.door.incoming) == 3)

    assert stage.door.texts[-1] == "BUY BTCUSDT 2"
    assert stage.door.deleted == [(SOURCE, "2")]


async def test_a_restart_goes_on_where_the_ledger_says(stage: Scene) -> None:
    """A new process knows nothing but its cursor."""
    async with stage.listening():
        stage.server.post(CALLS, "one")
        await until(lambda: len(stage.door.incoming) == 1)
    for number in range(130):  # more than Telegram looks up at a time
        stage.server.post(CALLS, f"missed {number}")

    async with stage.listening():
        await until(lambda: len(stage.door.incoming) == 131)
        stage.server.post(CALLS, "live")
        await until(lambda: len(stage.door.incoming) == 132)

    assert stage.door.texts == ["one", *(f"missed {number}" for number in range(130)), "live"]
    assert stage.door.repeats == 0


async def test_what_was_there_before_the_first_start_is_none_of_our_business(stage: Scene) -> None:
    """Nobody wants last month's signals traded on the day the bot is set up."""
    for number in range(5):
        stage.server.post(CALLS, f"old {number}")
    stage.server.edit(CALLS, 4, "old and changed")

    async with stage.listening():
        stage.server.post(CALLS, "new")
        await until(lambda: bool(stage.door.incoming))
    async with stage.listening():
        await asyncio.sleep(0.1)

    assert stage.door.texts == ["new"]


async def test_an_edit_of_an_old_post_does_not_bring_old_posts_back(stage: Scene) -> None:
    """A channel that edits last month's signal must not have the month since traded."""
    for number in range(5):
        stage.server.post(CALLS, f"old {number}")
    async with stage.listening():
        stage.server.edit(CALLS, 2, "old and changed")
        stage.server.post(CALLS, "new")
        await until(lambda: bool(stage.door.incoming))
        stage.server.edit(CALLS, 3, "old and changed, too")
        stage.server.post(CALLS, "newer")
        await until(lambda: "newer" in stage.door.texts)

    assert stage.door.texts == ["new", "newer"]


async def test_posts_that_nobody_told_of_are_found_by_looking(stage: Scene) -> None:
    """Telegram at times stops telling a session about a channel."""
    async with stage.listening():
        stage.server.post(CALLS, "one")
        await until(lambda: len(stage.door.incoming) == 1)
        stage.server.answers.is_forgetful = True
        stage.server.post(CALLS, "two", quietly=True)
        await until(lambda: len(stage.door.incoming) == 2)

    assert stage.door.texts == ["one", "two"]


async def test_a_gap_before_a_live_post_is_closed_first(stage: Scene) -> None:
    """A reply must not overtake the signal that it answers."""
    async with stage.listening():
        stage.server.post(CALLS, "one")
        await until(lambda: len(stage.door.incoming) == 1)
        stage.server.post(CALLS, "two", quietly=True)
        stage.server.post(CALLS, "three")
        await until(lambda: len(stage.door.incoming) == 3)

    assert stage.door.texts == ["one", "two", "three"]


async def test_a_long_flood_wait_holds_up_no_live_post(stage: Scene) -> None:
    """A pause of minutes would make every signal late; the gap is closed afterwards."""
    async with stage.listening() as listener:
        stage.server.post(CALLS, "one")
        await until(lambda: len(stage.door.incoming) == 1)
        stage.server.refuse("GetMessagesRequest", 420, "FLOOD_WAIT_120", times=50)
        stage.server.post(CALLS, "late")
        await until(lambda: listener.state.figures.flood_waits > 0)
        stage.server.post(CALLS, "live")
        await until(lambda: "live" in stage.door.texts)

    assert stage.door.texts == ["one", "late", "live"]
    assert listener.state.figures.flood_waits == 1
    assert any("120 s" in sentence for sentence in stage.sentences())


async def test_a_short_flood_wait_is_waited_out(stage: Scene) -> None:
    """Obeyed, counted, and nothing lost."""
    stage.server.post(CALLS, "old")
    async with stage.listening():
        stage.server.post(CALLS, "one")
        await until(lambda: len(stage.door.incoming) == 1)
    stage.server.post(CALLS, "two")
    stage.server.refuse("GetMessagesRequest", 420, "FLOOD_WAIT_1")

    async with stage.listening() as listener:
        await until(lambda: len(stage.door.incoming) == 2)

    assert stage.door.texts == ["one", "two"]
    assert listener.state.figures.flood_waits == 1


async def test_a_chat_that_is_out_of_sight_is_told_of_once_and_the_rest_goes_on(
    stage: Scene,
) -> None:
    """The bot was removed from one channel; the others still trade."""
    other = marked(OTHER)
    stage.chats |= {other}
    async with stage.listening() as listener:
        stage.server.world.rooms[OTHER].is_open = False
        await until(lambda: other in listener.state.troubles)
        stage.server.post(CALLS, "BUY BTCUSDT 1")
        await until(lambda: bool(stage.door.incoming))
        told = stage.sentences()
        stage.server.world.rooms[OTHER].is_open = True
        stage.server.post(OTHER, "BUY ETHUSDT 1", quietly=True)
        await until(lambda: not listener.state.troubles)

    assert [sentence for sentence in told if str(other) in sentence] == told[:1]
    assert "ChannelPrivate" in told[0]
    assert any("can be read again" in sentence for sentence in stage.sentences(is_over=True))


async def test_a_bot_whose_sessions_were_ended_logs_in_again(stage: Scene) -> None:
    """The token is still good: nobody needs to get up for that."""
    async with stage.listening() as listener:
        stage.server.revoke()
        await until(lambda: listener.state.figures.reconnects > 0)
        stage.server.post(CALLS, "BUY BTCUSDT 1")
        await until(lambda: bool(stage.door.incoming))

    assert any("ended the session" in sentence for sentence in stage.sentences())
    assert any("connected as signals" in sentence for sentence in stage.sentences(is_over=True))


async def test_a_server_that_does_not_answer_counts_as_lost(stage: Scene) -> None:
    """A connection may be dead without being closed: a firewall dropped it."""
    async with stage.listening() as listener:
        stage.server.post(CALLS, "one")
        await until(lambda: len(stage.door.incoming) == 1)
        stage.server.is_mute = True
        await until(lambda: not listener.state.is_connected)
        stage.server.is_mute = False
        stage.server.post(CALLS, "two", quietly=True)
        await until(lambda: len(stage.door.incoming) == 2)

    assert stage.door.texts == ["one", "two"]


async def test_a_flood_wait_at_login_is_obeyed_and_told(stage: Scene) -> None:
    """Logging in at every start of a container that crashes leads there."""
    stage.server.refuse("ImportBotAuthorizationRequest", 420, "FLOOD_WAIT_1")
    async with stage.listening() as listener:
        pass

    assert listener.state.figures.flood_waits == 1
    assert "a pause of 1 s" in stage.sentences()[0]
    assert "connected as signals" in stage.sentences(is_over=True)[0]


async def test_a_message_that_cannot_be_handled_is_told_and_the_next_one_goes_on(
    stage: Scene,
) -> None:
    """One fault must not silence a channel."""

    class PickyDoor(RecordingDoor):
        """Refuses one text."""

        async def receive(self, incoming: Incoming) -> Receipt:
            """Take everything but that."""
            if incoming.text == "odd":
                raise SignalFormatError("odd", "this is odd")
            return await super().receive(incoming)

    stage.door = PickyDoor()
    async with stage.listening():
        stage.server.post(CALLS, "odd")
        stage.server.post(CALLS, "even")
        await until(lambda: bool(stage.door.incoming))

    assert stage.door.texts == ["even"]
    assert any("was not handled: this is odd" in sentence for sentence in stage.sentences())


async def test_a_token_that_is_refused_is_told_and_tried_again(stage: Scene) -> None:
    """A wrong token must not end the bot; it may be put right."""
    stage.server.logins.token = "777:OTHER"  # noqa: S105 - of no bot
    running = asyncio.ensure_future(stage.listener().run(stage.door))  # noqa: TID251 - cancelled below
    await until(lambda: bool(stage.sentences()))
    stage.server.logins.token = stage.token
    await until(lambda: bool(stage.sentences(is_over=True)))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert "AccessTokenInvalid" in stage.sentences()[0]
