"""What listening needs of Telegram, in words of our own; one module speaks Telethon's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class ChatKind(StrEnum):
    """What kind of chat it is; it decides how its messages are numbered."""

    CHANNEL = "channel"
    SUPERGROUP = "group"
    BASIC_GROUP = "small group"
    PRIVATE = "private"


@dataclass(frozen=True, slots=True)
class ChatInfo:
    """A chat that the account sees.

    Attributes:
        chat_id: As bots are told it: below zero, but for people.
    """

    chat_id: int
    title: str
    kind: ChatKind

    @property
    def has_own_ids(self) -> bool:
        """Return whether its messages are counted 1, 2, 3; all other chats share one count."""
        return self.kind in {ChatKind.CHANNEL, ChatKind.SUPERGROUP}


@dataclass(frozen=True, slots=True)
class Post:
    """A message, or a version of it.

    Attributes:
        text: Its text, or the caption of what it shows; empty when there is neither.
        edited_ms: When it was changed last; 0 when never.
        reply_to: Id of the message of the same chat that it answers.
        origin: ``telegram:chat|message`` that it was forwarded from, when that is told.
        sender: Id of the person who wrote it; None for channels and anonymous admins.
        is_private: Whether it was written to the account in private.
        is_own: Whether the account itself wrote it, other than in a channel or to itself.
        is_service: Whether it is a notice such as "X joined", no message of anybody.
    """

    chat_id: int
    message_id: int
    text: str
    posted_ms: int
    edited_ms: int = 0
    reply_to: int | None = None
    origin: str | None = None
    sender: int | None = None
    is_private: bool = False
    is_own: bool = False
    is_service: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Deleted:
    """Messages are gone.

    Attributes:
        chat_id: Where; None for chats without a count of their own, where Telegram does not say.
    """

    message_ids: tuple[int, ...]
    chat_id: int | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """Something about a chat itself changed, such as whether we may see it."""

    chat_id: int


Event = Post | Deleted | Changed


class Wire(Protocol):
    """A connection to Telegram that does not come back by itself.

    Everything but ``disconnect`` raises ``TelegramAwayError`` without connection or answer,
    ``TelegramWaitError`` for a flood wait, ``TelegramLoginError`` when the account is not logged
    in any more, ``TelegramChatError`` when it may not see a chat.
    """

    @property
    def name(self) -> str:
        """Return what the account is called; empty before the first connection."""
        ...

    @property
    def is_bot(self) -> bool:
        """Return whether the account is a bot: it cannot read back, but can ask by number."""
        ...

    async def connect(self) -> None:
        """Connect and make sure that the account is logged in."""
        ...

    async def disconnect(self) -> None:
        """End the connection; nothing is heard any more."""
        ...

    async def wait_lost(self, timeout_s: float) -> bool:
        """Return True when the connection is lost, False when it lasted that long."""
        ...

    async def check(self) -> None:
        """Make sure that there is somebody at the other end, and ask for what was missed."""
        ...

    async def open_chat(self, chat_id: int) -> ChatInfo:
        """Return what a chat is."""
        ...

    async def chats(self) -> list[ChatInfo]:
        """Return the chats of the account; a bot cannot know them."""
        ...

    async def by_ids(self, chat: ChatInfo, message_ids: Sequence[int]) -> dict[int, Post | None]:
        """Return messages of a chat by id: None for what is gone or never was.

        Ids that belong to other chats are left out. At most 100 at a time.
        """
        ...

    async def history(self, chat: ChatInfo, *, after: int, limit: int) -> list[Post]:
        """Return the newest messages after an id, oldest first. Not for bots."""
        ...

    async def send(self, person: int, text: str) -> None:
        """Send a person a plain text of at most 4,096 characters."""
        ...
