"""What a real client hears of a server: each message once, in order, as what it is."""

import datetime as dt

from telethon.tl import types
from tests.support.mtproto.world import marked
from tests.support.telegrams import CALLS, OTHER, Scene, until

SOURCE = f"telegram:{marked(CALLS)}"


async def test_a_bot_logs_in_and_hears_posts_in_order(stage: Scene) -> None:
    """The order of a channel's messages is part of what they say."""
    async with stage.listening() as listener:
        for number in range(20):
            stage.server.post(CALLS, f"BUY BTCUSDT 0.00{number}")
        await until(lambda: len(stage.door.incoming) == 20)

    assert [one[1] for one in stage.door.handled] == [str(number) for number in range(1, 21)]
    assert stage.door.repeats == 0
    assert {one.source for one in stage.door.incoming} == {SOURCE}
    assert listener.state.account == "signals (@sigbot)"
    assert listener.state.figures.handled == 20


async def test_other_chats_are_ignored_and_counted(stage: Scene) -> None:
    """Whoever adds the bot to a channel must not trade with it."""
    async with stage.listening() as listener:
        stage.server.post(OTHER, "BUY ETHUSDT 1")
        stage.server.say("BUY ETHUSDT 1")
        stage.server.post(CALLS, "BUY BTCUSDT 1")
        await until(lambda: bool(stage.door.incoming))
        await until(lambda: listener.state.figures.ignored == 2)

    assert stage.door.texts == ["BUY BTCUSDT 1"]


async def test_edits_are_versions_and_deletions_are_told(stage: Scene) -> None:
    """Both change what becomes of a signal that has not filled."""
    async with stage.listening() as listener:
        first = stage.server.post(CALLS, "BUY BTCUSDT 1")
        stage.server.edit(CALLS, first, "BUY BTCUSDT 2")
        stage.server.delete(CALLS, first)
        await until(lambda: bool(stage.door.deleted))

    versions = [version for _, _, version, _ in stage.door.handled]
    assert stage.door.texts == ["BUY BTCUSDT 1", "BUY BTCUSDT 2"]
    assert versions[0] == 0 < versions[1]
    assert stage.door.deleted == [(SOURCE, "1")]
    assert listener.state.figures.deleted == 1


async def test_two_edits_within_a_second_are_two_versions(stage: Scene) -> None:
    """Telegram dates edits by the second; the later text must still win."""
    async with stage.listening():
        first = stage.server.post(CALLS, "BUY BTCUSDT 1")
        stage.server.edit(CALLS, first, "BUY BTCUSDT 2")
        await until(lambda: len(stage.door.incoming) == 2)
        message = stage.server.world.rooms[CALLS].messages[first]
        message.edit_date -= dt.timedelta(seconds=1)
        stage.server.edit(CALLS, first, "BUY BTCUSDT 3")
        await until(lambda: len(stage.door.incoming) == 3)

    versions = [version for _, _, version, _ in stage.door.handled]
    assert stage.door.texts[-1] == "BUY BTCUSDT 3"
    assert versions == sorted(set(versions))


async def test_replies_forwards_captions_and_authors_are_told(stage: Scene) -> None:
    """A reply names its signal, and a forward the message it must not trade twice."""
    forward = types.MessageFwdHeader(
        date=dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
        from_id=types.PeerChannel(OTHER),
        channel_post=7,
    )
    async with stage.listening():
        stage.server.post(CALLS, "BUY BTCUSDT 1", media=types.MessageMediaPhoto())
        stage.server.post(CALLS, "close", reply_to=types.MessageReplyHeader(reply_to_msg_id=1))
        stage.server.post(CALLS, "SELL ETHUSDT 1", fwd_from=forward, post_author="Ann")
        await until(lambda: len(stage.door.incoming) == 3)

    caption, reply, forwarded = stage.door.incoming
    assert caption.text == "BUY BTCUSDT 1"
    assert caption.metadata == {"media": "MessageMediaPhoto"}
    assert (reply.reply_to, caption.reply_to) == ("1", None)
    assert forwarded.origin == f"telegram:{marked(OTHER)}|7"
    assert forwarded.metadata == {"author": "Ann", "forwarded_posted_ms": "1767312000000"}


async def test_pictures_without_words_and_notices_are_passed_over(stage: Scene) -> None:
    """An album is one signal: its caption, once; that something was pinned is none."""
    async with stage.listening():
        for text in ("BUY BTCUSDT 1", "", ""):
            stage.server.post(CALLS, text, media=types.MessageMediaPhoto(), grouped_id=9)
        stage.server.pin(CALLS)
        stage.server.post(CALLS, "SELL BTCUSDT 1")
        await until(lambda: len(stage.door.incoming) == 2)

    assert [one[1] for one in stage.door.handled] == ["1", "5"]


async def test_a_text_that_is_taken_away_is_a_version_too(stage: Scene) -> None:
    """Who empties a message takes the signal back."""
    async with stage.listening():
        first = stage.server.post(CALLS, "BUY BTCUSDT 1", media=types.MessageMediaPhoto())
        stage.server.edit(CALLS, first, "")
        await until(lambda: len(stage.door.incoming) == 2)

    assert stage.door.texts == ["BUY BTCUSDT 1", ""]


async def test_private_chats_on_the_list_have_their_deletions_told(stage: Scene) -> None:
    """Telegram does not say where private messages were deleted; their ids are enough."""
    stage.chats = frozenset({5})
    async with stage.listening():
        said = stage.server.say("BUY BTCUSDT 1")
        await until(lambda: bool(stage.door.incoming))
        stage.server.unsay(said)
        await until(lambda: bool(stage.door.deleted))

    assert stage.door.deleted == [("telegram:5", str(said))]


async def test_what_the_ledger_does_not_take_is_handed_in_again(stage: Scene) -> None:
    """Without a receipt nothing counts as handled, and nothing overtakes it."""
    async with stage.listening() as listener:
        stage.door.is_away = True
        stage.server.post(CALLS, "BUY BTCUSDT 1")
        stage.server.post(CALLS, "BUY BTCUSDT 2")
        await until(lambda: listener.state.figures.failures > 1)
        stage.door.is_away = False
        await until(lambda: len(stage.door.incoming) == 2)

    assert stage.door.texts == ["BUY BTCUSDT 1", "BUY BTCUSDT 2"]
