"""How to log in to Telegram, and where the session is kept."""

from dataclasses import dataclass, field
from typing import Protocol


class SessionStore(Protocol):
    """Where the session is between two starts."""

    def load(self) -> str:
        """Return it; empty when there is none."""
        ...

    def save(self, session: str) -> None:
        """Keep it."""
        ...


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """A server in place of Telegram's own.

    Attributes:
        public_key: By which it is known, as PEM.
    """

    host: str
    port: int
    public_key: bytes


@dataclass(frozen=True, slots=True)
class TelegramAccount:
    """How to log in.

    Attributes:
        bot_token: Of a bot; empty for a person, whose session was made by ``telegram login``.
        server: None for Telegram's own.
    """

    api_id: int
    api_hash: str = field(repr=False)
    bot_token: str = field(repr=False)
    session: SessionStore
    server: ServerAddress | None = None
