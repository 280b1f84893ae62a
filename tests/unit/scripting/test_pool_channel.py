"""What the pool takes from a worker's pipe: one frame for one question, and not a byte more."""

import asyncio
import os
from collections.abc import Iterator

import pytest

from milobot.errors import DataError
from milobot.scripting.channel import ChannelClosedError
from milobot.scripting.pool_channel import MAX_HEADER_BYTES, FrameBuffer, PoolChannel
from milobot.scripting.protocol import LENGTHS, decode_lengths, encode


class Peer:
    """The worker's ends of two pipes."""

    def __init__(self) -> None:
        """Open them."""
        self.bot_reads, self.says = os.pipe()
        self.hears, self.bot_writes = os.pipe()

    def say(self, data: bytes) -> None:
        """Write to the bot."""
        os.write(self.says, data)

    def hear(self) -> bytes:
        """Return the frame that the bot has sent."""
        prefix = os.read(self.hears, LENGTHS.size)
        return os.read(self.hears, sum(decode_lengths(prefix)))

    def close(self) -> None:
        """Close all ends but those that are closed."""
        for end in (self.bot_reads, self.says, self.hears, self.bot_writes):
            if end >= 0:
                os.close(end)


@pytest.fixture
def peer() -> Iterator[Peer]:
    """Yield the other side of a conversation."""
    peer = Peer()
    yield peer
    peer.close()


@pytest.mark.parametrize("size", [1, 3, 7, 10_000])
def test_frame_comes_whole_however_it_is_cut(size: int) -> None:
    """A pipe gives what it has, not what was written."""
    frame, buffer = encode({"a": 1}, b"xyz"), FrameBuffer()
    buffer.expect(3)
    found = [buffer.feed(frame[first : first + size]) for first in range(0, len(frame), size)]

    assert found[-1] == ({"a": 1}, b"xyz")
    assert found[:-1] == [None] * (len(found) - 1)
    assert len(buffer) == 0


@pytest.mark.parametrize(
    "data",
    [
        LENGTHS.pack(MAX_HEADER_BYTES + 1, 0),
        LENGTHS.pack(2, 4),
        LENGTHS.pack(2**32 - 1, 2**32 - 1),
        encode({}) + b"x",
        encode({}) * 2,
        LENGTHS.pack(2, 0) + b"[]",
        LENGTHS.pack(3, 0) + b"{]}",
        LENGTHS.pack(0, 0),
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    """Lengths that lie, more than one frame, a header that is no JSON object."""
    buffer = FrameBuffer()
    buffer.expect(3)
    with pytest.raises(DataError):
        buffer.feed(data)


async def test_answer_with_the_id_of_its_question_passes(peer: Peer) -> None:
    """The refusals below mean something only if this passes."""
    channel = PoolChannel(peer.bot_reads, peer.bot_writes, lambda: None)
    for number in (1, 2, 3):
        async with asyncio.TaskGroup() as group:
            asked = group.create_task(channel.ask({"op": "x"}, b"body", 4))
            await asyncio.sleep(0)
            assert peer.hear().endswith(b"body")
            peer.say(encode({"id": number, "x": 5}, b"1234"))
        assert asked.result() == ({"id": number, "x": 5}, b"1234")
    channel.close()


@pytest.mark.parametrize("answer_id", [0, 2, -1, True, 1.0, "1", None])
async def test_answer_to_another_question_ends_the_conversation(
    peer: Peer, answer_id: object
) -> None:
    """True is 1 and 1.0 is 1, in Python but not here."""
    ended: list[bool] = []
    channel = PoolChannel(peer.bot_reads, peer.bot_writes, lambda: ended.append(True))
    async with asyncio.TaskGroup() as group:
        group.create_task(_say_soon(peer, encode({"id": answer_id})))
        with pytest.raises(DataError, match="another question"):
            await channel.ask({})
    with pytest.raises(DataError, match="another question"):
        await channel.ask({})
    assert ended == [True]


async def test_word_that_nobody_asked_for_ends_the_conversation(peer: Peer) -> None:
    """Left in the pipe it would be read as the answer to the next question."""
    ended = asyncio.Event()
    channel = PoolChannel(peer.bot_reads, peer.bot_writes, ended.set)
    peer.say(encode({"id": 1}, b"\x01"))
    async with asyncio.timeout(2):
        await ended.wait()

    with pytest.raises(DataError, match="without being asked"):
        await channel.ask({}, body_limit=1)


async def test_word_before_the_loop_could_see_it_does_not_pass_for_an_answer(peer: Peer) -> None:
    """It lies in the pipe when the question is asked: its id is the one of a question to come."""
    channel = PoolChannel(peer.bot_reads, peer.bot_writes, lambda: None)
    peer.say(encode({"id": 1, "forged": True}) + encode({"id": 2, "forged": True}))

    with pytest.raises(DataError, match="more than it was asked"):
        await channel.ask({})


async def test_end_of_the_worker_is_told_at_once(peer: Peer) -> None:
    """Before a question and during one."""
    channel = PoolChannel(peer.bot_reads, peer.bot_writes, lambda: None)
    os.close(peer.says)
    peer.says = -1
    with pytest.raises(ChannelClosedError):
        await channel.ask({})
    with pytest.raises(ChannelClosedError):
        await channel.receive()


async def test_worker_that_reads_no_more_is_told_too(peer: Peer) -> None:
    """Writing into a pipe that nobody reads is an error, not a wait."""
    channel = PoolChannel(peer.bot_reads, peer.bot_writes, lambda: None)
    os.close(peer.hears)
    peer.hears = -1
    with pytest.raises(ChannelClosedError):
        await channel.ask({})


async def test_long_question_waits_for_room_in_the_pipe(peer: Peer) -> None:
    """A history is larger than a pipe; the event loop goes on meanwhile."""
    channel = PoolChannel(peer.bot_reads, peer.bot_writes, lambda: None)
    os.set_blocking(peer.hears, False)
    heard = 0
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(channel.ask({}, bytes(1 << 20)))
        while heard < 1 << 20:
            try:
                heard += len(os.read(peer.hears, 1 << 16))
            except BlockingIOError:
                await asyncio.sleep(0)
        peer.say(encode({"id": 1}))
    assert asked.result() == ({"id": 1}, b"")
    channel.close()


async def _say_soon(peer: Peer, data: bytes) -> None:
    await asyncio.sleep(0.01)
    peer.say(data)
