"""What a person is asked for to log in."""

from typing import Protocol


class Prompts(Protocol):
    """Asks the person."""

    def phone(self) -> str:
        """Return the phone number of the account."""
        ...

    def code(self) -> str:
        """Return the code that Telegram has sent."""
        ...

    def password(self) -> str:
        """Return the second password."""
        ...
