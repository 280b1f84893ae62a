"""Logging a person in: phone number, the code that Telegram sends, and the second password."""

from typing import Any

from telethon import errors, utils

from milobot.errors import TelegramLoginError
from milobot.signals.telegram.account import TelegramAccount
from milobot.signals.telegram.login_steps import Prompts
from milobot.signals.telegram.telethon_errors import translated
from milobot.signals.telegram.telethon_wire import make_client

_TRIES = 3


async def log_in_person(account: TelegramAccount, prompts: Prompts) -> str:
    """Log a person in and keep the session. Return what the account is called.

    Raises:
        TelegramError: It did not work; nothing was kept.
        KeystoreError: The session could not be kept.
    """
    client = make_client(account, "")
    try:
        with translated("the login", TelegramLoginError):
            await client.connect()
            me = await _sign_in(client, prompts)
        account.session.save(client.session.save())
        return str(utils.get_display_name(me))
    finally:
        await client.disconnect()


async def _sign_in(client: Any, prompts: Prompts) -> Any:
    phone = prompts.phone()
    await client.send_code_request(phone)
    for _ in range(_TRIES):
        try:
            return await client.sign_in(phone, prompts.code())
        except errors.SessionPasswordNeededError:
            return await _second_password(client, prompts)
        except (errors.PhoneCodeInvalidError, errors.PhoneCodeEmptyError):
            continue
    raise TelegramLoginError(f"the code was wrong {_TRIES} times: run this again for another one")


async def _second_password(client: Any, prompts: Prompts) -> Any:
    for _ in range(_TRIES):
        try:
            return await client.sign_in(password=prompts.password())
        except errors.PasswordHashInvalidError:
            continue
    raise TelegramLoginError(f"the second password was wrong {_TRIES} times: nothing was kept")
