"""Talking with people in private, over the same connection that listens to the channels."""

import asyncio
from collections.abc import AsyncIterator, Iterator

from milobot.errors import ChatError, TelegramChatError, TelegramError, TelegramWaitError
from milobot.signals.talk.ports import PersonSays
from milobot.signals.telegram.figures import Figures
from milobot.signals.telegram.ports import Post, Wire

LONGEST = 4_096
"""Of one message, in the units Telegram counts: UTF-16."""
_MOST_KNOWN = 1_000


class TelegramChat:
    """What ``signals.talk`` asks of a messenger."""

    def __init__(self, people: frozenset[int], figures: Figures) -> None:
        """Listen to these people only; others are ignored and counted."""
        self._people = people
        self._figures = figures
        self._wire: Wire | None = None
        self._said: asyncio.Queue[PersonSays | None] = asyncio.Queue()
        self._known: dict[int, None] = {}

    def use(self, wire: Wire) -> None:
        """Talk over this connection from now on."""
        self._wire = wire

    def hear(self, post: Post) -> None:
        """Take in a private message; each counts once, and edits of it do not."""
        if post.sender not in self._people:
            self._figures.ignored += 1
            return
        if post.edited_ms or not post.text or post.message_id in self._known:
            return
        self._known[post.message_id] = None
        if len(self._known) > _MOST_KNOWN:
            del self._known[next(iter(self._known))]
        said = PersonSays(post.sender, post.text, post.posted_ms, post.message_id)
        self._said.put_nowait(said)

    async def send(self, person: int, text: str) -> None:
        """Send a text, in pieces when it is long.

        Raises:
            ChatError: It may not have been sent.
        """
        if self._wire is None:
            raise ChatError("Telegram is not connected yet")
        try:
            for piece in pieces(text):
                await self._wire.send(person, piece)
        except TelegramWaitError as error:
            self._figures.flood_waits += 1
            raise ChatError(str(error), wait_s=error.wait_s) from error
        except TelegramChatError as error:
            raise ChatError(str(error), retryable=False) from error
        except TelegramError as error:
            raise ChatError(str(error)) from error

    async def messages(self) -> AsyncIterator[PersonSays]:
        """Yield what people write, until the chat is closed."""
        while (said := await self._said.get()) is not None:
            yield said

    def close(self) -> None:
        """End what ``messages`` yields."""
        self._said.put_nowait(None)


def pieces(text: str) -> Iterator[str]:
    """Yield a text in pieces that Telegram takes, cut at the ends of lines where there are any."""
    while _length(text) > LONGEST:
        cut = _longest_beginning(text)
        line_end = text.rfind("\n", 0, cut)
        end = line_end if line_end > 0 else cut
        yield text[:end]
        text = text[end:].lstrip("\n")
    if text:
        yield text


def _length(text: str) -> int:
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2


def _longest_beginning(text: str) -> int:
    units = 0
    for index, letter in enumerate(text):
        units += _length(letter)
        if units > LONGEST:
            return index
    return len(text)
