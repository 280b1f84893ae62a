"""An API key as it is handed around: usable, never shown."""

from dataclasses import dataclass, field

from milobot.telemetry import hide

_LEAST_SHOWN = 16


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key and its secret; neither is shown, printed or logged."""

    key: str = field(repr=False)
    secret: str = field(repr=False)

    def __post_init__(self) -> None:
        """Keep both out of the log, whoever writes it."""
        hide(self.key)
        hide(self.secret)

    @property
    def masked(self) -> str:
        """Return enough of the key's id to recognize it, never the secret."""
        if len(self.key) < _LEAST_SHOWN:
            return "****"
        return f"{self.key[:4]}…{self.key[-4:]}"
