"""Until when a request may be signed: after that it must not leave. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

Deadline = Callable[[], int | None]


def no_deadline() -> int | None:
    """Return that there is no end to signing: nobody else trades on the account."""
    return None


@dataclass(frozen=True, slots=True)
class Bounds:
    """Until when a request may be signed, on the exchange's clock; None for no end."""

    not_after_ms: int | None = None
    is_trading: bool = False

    def why_withheld(self, time_ms: int, deadline: Deadline) -> str:
        """Return why a request with this timestamp must not leave; empty when it may."""
        if self.not_after_ms is not None and time_ms > self.not_after_ms:
            late_ms = time_ms - self.not_after_ms
            return f"the request was ready {late_ms} ms after it had to be sent: nothing was sent"
        end_ms = deadline() if self.is_trading else None
        if end_ms is not None and time_ms > end_ms:
            return "this process may not trade on the account any more: nothing was sent"
        return ""
