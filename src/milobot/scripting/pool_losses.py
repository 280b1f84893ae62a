"""Why a worker of the pool could not be kept."""

from milobot.errors import ScriptError, ScriptForbiddenError, ScriptTimeoutError


class WorkerLostError(Exception):
    """A worker could not be kept, because of what it did with one script.

    Attributes:
        reason: A clause for the user.
        line: Where the script was, 0 when unknown.
        index: Candle at which it was, -1 when unknown.
        is_late: The script did not come to an end in time.
        is_escape: The kernel ended it for a call that no calculation makes.
        is_from_outside: It was killed by somebody else; the script may be innocent.
    """

    def __init__(
        self,
        reason: str,
        *,
        line: int = 0,
        index: int = -1,
        is_late: bool = False,
        is_escape: bool = False,
        is_from_outside: bool = False,
    ) -> None:
        """Keep what happened."""
        super().__init__(reason)
        self.reason = reason
        self.line = line
        self.index = index
        self.is_late = is_late
        self.is_escape = is_escape
        self.is_from_outside = is_from_outside

    def as_script_error(self) -> ScriptError:
        """Return it as what its user should read."""
        kind = ScriptForbiddenError if self.is_escape else ScriptError
        kind = ScriptTimeoutError if self.is_late else kind
        reason = f"the script was stopped: {self.reason}"
        return kind(reason, line=self.line, column=1 if self.line else 0)
