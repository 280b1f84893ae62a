"""Errors of milobot: the class tells the caller what to do next, attributes carry the facts."""


class MilobotError(Exception):
    """Root of all expected errors; its text is one sentence meant for the user."""

    retryable = False


class ConfigurationError(MilobotError):
    """A setting, flag or argument is wrong: stop at start and name it."""


class KeystoreError(ConfigurationError):
    """The file of keys cannot be used: missing, readable by others, damaged, or not opened."""


class DataError(MilobotError):
    """Market data is missing, malformed or contradictory: drop it or fetch it again."""


class StorageError(MilobotError):
    """A database or file could not be read or written; nothing was half done."""


class LedgerError(StorageError):
    """The ledger cannot take a record now: no entry leaves until it can; try again."""


class LedgerUnavailableError(LedgerError):
    """The ledger is locked, away or cannot grow: pause trading, try again."""

    retryable = True


class CommitUnknownError(LedgerError):
    """The connection broke while a commit was under way: load the books before going on."""


class SchemaTooOldError(LedgerError):
    """The ledger's tables are older than this version needs: migrate them first."""


class SchemaTooNewError(LedgerError):
    """The ledger's tables belong to a newer version: use that one."""


class LeaseLostError(LedgerError):
    """Another process leads this account: send nothing more and stand by."""


class DuplicateIntentError(LedgerError):
    """The intent is on record already, taken by whoever was faster: look at its decision."""


class ScriptError(MilobotError):
    """A script is wrong: show the line to its author, the bot goes on.

    Attributes:
        script: Name of the script, set by whoever knows it.
        line: Line of the script, counted from 1; 0 when the fault has no place.
        column: Column in that line, counted from 1; 0 when unknown.
        reason: The sentence without its place.
    """

    def __init__(self, reason: str, *, line: int = 0, column: int = 0) -> None:
        """Keep the place beside the reason."""
        super().__init__(reason)
        self.script = ""
        self.reason = reason
        self.line = line
        self.column = column

    def __str__(self) -> str:
        """Return the reason behind the place, as far as that is known."""
        place = [self.script] if self.script else []
        if self.line:
            place.append(f"line {self.line}, column {self.column}")
        return ": ".join([", ".join(place), self.reason]) if place else self.reason


class ScriptForbiddenError(ScriptError):
    """The script uses something the language does not have."""


class ScriptTimeoutError(ScriptError):
    """The script used more time or memory than it may."""


class ActionFormatError(ScriptError):
    """An action string does not follow the grammar.

    Attributes:
        text: The whole action string.
        position: Offset of the first wrong character, counted from 0.
    """

    def __init__(self, reason: str, *, text: str, position: int) -> None:
        """Show the text with a caret under the fault."""
        super().__init__(f"{reason}\n  {text}\n  {' ' * position}^")
        self.text = text
        self.position = position


class SignalFormatError(MilobotError):
    """A message looks like a signal and is not certain: record the refusal, answer the sender.

    Attributes:
        code: Stable reason code, such as ``two_symbols``.
    """

    def __init__(self, code: str, reason: str) -> None:
        """Keep the code for the record."""
        super().__init__(reason)
        self.code = code


class ChatError(MilobotError):
    """A message to a person could not be sent.

    Attributes:
        retryable: Whether it may be sent later: not to who blocked the bot.
        wait_s: How long the messenger wants to be left alone; 0 when it does not say.
    """

    def __init__(self, reason: str, *, retryable: bool = True, wait_s: float = 0.0) -> None:
        """Keep what to do next."""
        super().__init__(reason)
        self.retryable = retryable
        self.wait_s = wait_s


class TelegramError(MilobotError):
    """Telegram did not do what was asked."""


class TelegramAwayError(TelegramError):
    """There is no connection, or no answer: connect and ask again."""

    retryable = True


class TelegramWaitError(TelegramError):
    """Telegram wants to be left alone for a while.

    Attributes:
        wait_s: How long.
    """

    retryable = True

    def __init__(self, reason: str, wait_s: float) -> None:
        """Keep how long to wait."""
        super().__init__(reason)
        self.wait_s = wait_s


class TelegramLoginError(TelegramError):
    """The account is not logged in, or not any more: a person has to do something."""


class TelegramChatError(TelegramError):
    """The account cannot see a chat: go on with the others, and look again later."""


class OrderError(MilobotError):
    """Something about an order."""


class OrderDeniedError(OrderError):
    """Our own rule said no; nothing was sent.

    Attributes:
        code: Stable reason code, such as ``below_min_quantity``.
    """

    def __init__(self, code: str, reason: str) -> None:
        """Keep the code for the decision record."""
        super().__init__(reason)
        self.code = code


class OrderRejectedError(OrderError):
    """The exchange said no, for good."""


class OrderTransitionError(OrderError):
    """Two sources disagree about an order: reconcile."""


class ExchangeError(MilobotError):
    """Something about talking to an exchange.

    Attributes:
        code: The exchange's own code, as text; empty when it gave none.
    """

    def __init__(self, reason: str, *, code: str = "") -> None:
        """Keep the exchange's code beside the sentence."""
        super().__init__(reason)
        self.code = code


class ExchangeUnavailableError(ExchangeError):
    """The request was certainly not carried out; it may be repeated."""

    retryable = True


class RateLimitedError(ExchangeUnavailableError):
    """Too many requests: wait.

    Attributes:
        retry_after_s: How long nothing may be sent.
    """

    def __init__(self, reason: str, *, retry_after_s: float, code: str = "") -> None:
        """Keep the time to wait."""
        super().__init__(reason, code=code)
        self.retry_after_s = retry_after_s


class CircuitOpenError(ExchangeUnavailableError):
    """The exchange failed so often that nothing is sent for a while."""


class OutcomeUnknownError(ExchangeError):
    """The request may have been carried out: look before anything is repeated."""


class AuthenticationError(ExchangeError):
    """The exchange refuses key, signature or address: stop trading and tell the user."""


class RequestRefusedError(ExchangeError):
    """The exchange understood the request and said no; repeating it changes nothing."""


class ProtocolError(ExchangeError):
    """The answer is not what the exchange's interface promises."""
