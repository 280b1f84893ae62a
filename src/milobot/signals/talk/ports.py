"""What talking to people needs of a messenger."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PersonSays:
    """A message that a person wrote to the bot itself, in private or in a group.

    Attributes:
        person: Id of who wrote it, as the messenger vouches for it; never one that the text or
            a forward names. Messages of channels and of anonymous admins have no such id and
            are not handed in.
        text: As it came.
        time_ms: When it was written, by the messenger's clock.
        message_id: Identity within the chat with that person.
    """

    person: int
    text: str
    time_ms: int
    message_id: int


class Chat(Protocol):
    """Talks with people, each in private."""

    async def send(self, person: int, text: str) -> None:
        """Send a person a message of plain text: nothing in it is markup.

        Raises:
            ChatError: It may not have been sent. The error says whether to try again and when.
        """
        ...

    def messages(self) -> AsyncIterator[PersonSays]:
        """Return what people write from now on, in order.

        It may be asked for again when whoever listened has stopped. It goes on over lost
        connections, and ends when the chat is closed for good. What was written while the
        connection was away comes afterwards, each message once. Edits are not handed in.
        """
        ...
