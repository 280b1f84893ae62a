"""Telethon's errors in our own words."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from telethon import errors

from milobot.errors import (
    MilobotError,
    TelegramAwayError,
    TelegramChatError,
    TelegramError,
    TelegramLoginError,
    TelegramWaitError,
)
from milobot.telemetry import get_logger

LOG_IN_AGAIN = "log in again with `milobot telegram login`"
_AWAY = (OSError, EOFError, TimeoutError, errors.ServerError, errors.TimedOutError)


@contextmanager
def translated(what: str, refused: type[TelegramError] = TelegramChatError) -> Iterator[None]:
    """Turn what Telethon raises into errors of ours.

    Args:
        what: What was being done, for the sentence.
        refused: What a refusal of Telegram's means here.

    Raises:
        TelegramError: The class says what to do next.
    """
    try:
        yield
    except asyncio.CancelledError:
        # Telethon cancels what waits for an answer when the connection ends.
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise TelegramAwayError(f"the connection to Telegram ended ({what})") from None
    except MilobotError:
        raise
    except Exception as error:
        raise _translation(error, what, refused) from error


def _translation(error: Exception, what: str, refused: type[TelegramError]) -> TelegramError:
    match error:
        case errors.FloodError():
            wait_s = float(getattr(error, "seconds", 1) or 1)
            said = f"Telegram asks for a pause of {wait_s:.0f} s ({what})"
            return TelegramWaitError(said, wait_s)
        case errors.UnauthorizedError() | errors.AuthKeyError() | errors.AuthKeyNotFound():
            said = f"Telegram has ended the session ({_name(error)}): {LOG_IN_AGAIN}"
            return TelegramLoginError(said)
        case _ if isinstance(error, _AWAY):
            return TelegramAwayError(f"Telegram cannot be reached ({_reason(error)}): {what}")
        case errors.RPCError():
            return refused(f"Telegram refuses {what} ({_name(error)})")
        case ValueError():  # Telethon's way to say that it knows no such chat or person
            return refused(f"Telegram knows nothing of {what} that this account may see")
        case _:
            get_logger().warning("telegram_library_failed", what=what, exc_info=error)
            said = f"{what} failed in Telegram's library ({_name(error)})"
            return TelegramAwayError(said)


def _name(error: Exception) -> str:
    return type(error).__name__.removesuffix("Error")


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
