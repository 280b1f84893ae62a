"""Telethon's errors in our own words."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from telethon import errors

from milobot.errors import (
    TelegramAwayError,
    TelegramChatError,
    TelegramError,
    TelegramLoginError,
    TelegramWaitError,
)

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
    except errors.FloodError as error:
        wait_s = float(getattr(error, "seconds", 1) or 1)
        raise TelegramWaitError(
            f"Telegram asks for a pause of {wait_s:.0f} s ({what})", wait_s
        ) from None
    except (errors.UnauthorizedError, errors.AuthKeyError, errors.AuthKeyNotFound) as error:
        raise TelegramLoginError(
            f"Telegram has ended the session ({_name(error)}): {LOG_IN_AGAIN}"
        ) from None
    except _AWAY as error:
        raise TelegramAwayError(f"Telegram cannot be reached ({_reason(error)}): {what}") from None
    except errors.RPCError as error:
        raise refused(f"Telegram refuses {what} ({_name(error)})") from None
    except ValueError:  # Telethon's way to say that it knows no such chat or person
        raise refused(f"Telegram knows nothing of {what} that this account may see") from None


def _name(error: Exception) -> str:
    return type(error).__name__.removesuffix("Error")


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
