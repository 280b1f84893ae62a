"""The keys of all accounts: from the environment, and from the encrypted file."""

from collections.abc import Callable
from dataclasses import dataclass

from milobot.app.exchanges import (
    DEFAULT_NAME,
    TITLES,
    AccountName,
    describe_hosts,
    key_from_environment,
    open_client,
    refuse_rights,
)
from milobot.domain.reports import KeyRights
from milobot.errors import AuthenticationError, ExchangeError, KeystoreError
from milobot.exchanges.gateway import Timeouts
from milobot.settings import EXCHANGES, Settings
from milobot.storage.api_key import ApiKey
from milobot.storage.keystore import (
    Keystore,
    check_form,
    new_keystore,
    open_keystore,
)
from milobot.storage.private_file import PrivateFile

Ask = Callable[[], str]
"""Asks the user for the password; None where nobody can be asked."""
_TIMEOUTS = Timeouts(query_s=4.0)
_FROM_ENVIRONMENT = "environment"


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key and where it was found."""

    account: AccountName
    key: ApiKey
    place: str


def open_store(settings: Settings, ask: Ask | None) -> Keystore:
    """Open the file of keys with the password of the settings or the user's.

    Raises:
        KeystoreError: Missing, readable by others, damaged, or not opened by the password.
    """
    file = PrivateFile(settings.keys_file)
    password = configured_password(settings)
    if password is None and ask is not None and check_form(file) == "encrypted":
        password = ask()
    return open_keystore(file, password)


def open_or_make_store(settings: Settings, ask: Ask | None, ask_new: Ask | None) -> Keystore:
    """Open the file of keys, or prepare one under a new password.

    Raises:
        KeystoreError: It cannot be opened, or there is no password for a new one.
    """
    file = PrivateFile(settings.keys_file)
    if file.is_there:
        return open_store(settings, ask)
    password = configured_password(settings) or (ask_new() if ask_new else None)
    if password is None:
        raise KeystoreError(
            f"{file.path.name} needs a password: set KEYS_PASSWORD_FILE or KEYS_PASSWORD, or"
            " give it as the third line"
        )
    return new_keystore(file, password)


def known_keys(settings: Settings, ask: Ask | None) -> list[KnownKey]:
    """Return every key there is; those of the environment come first and win.

    Raises:
        KeystoreError: There is a file of keys and it cannot be opened.
    """
    found = {}
    for exchange in EXCHANGES:
        key = key_from_environment(settings, exchange)
        if key is not None:
            account = AccountName(exchange, DEFAULT_NAME)
            found[str(account)] = KnownKey(account, key, _FROM_ENVIRONMENT)
    if PrivateFile(settings.keys_file).is_there:
        for name, key in sorted(open_store(settings, ask).keys.items()):
            exchange, _, label = name.partition(":")
            known = KnownKey(AccountName(exchange, label), key, settings.keys_file.name)
            found.setdefault(name, known)
    return list(found.values())


def find_key(settings: Settings, account: AccountName, ask: Ask | None) -> ApiKey:
    """Return the key of an account.

    Raises:
        KeystoreError: There is none, or the file of keys cannot be opened.
    """
    if account.name == DEFAULT_NAME:
        key = key_from_environment(settings, account.exchange)
        if key is not None:
            return key
    known = {str(one.account): one.key for one in known_keys(settings, ask)}
    if str(account) not in known:
        there = ", ".join(known) or "none"
        raise KeystoreError(
            f"there is no key of {account} (known: {there}): set one with"
            f" `milobot keys set {account.name} --exchange {account.exchange}`"
        )
    return known[str(account)]


async def ask_rights(settings: Settings, exchange: str, key: ApiKey) -> KeyRights:
    """Ask the exchange what a key may do.

    Raises:
        ExchangeError: It refuses the key, or cannot be asked.
    """
    async with open_client(settings, exchange, key, timeouts=_TIMEOUTS) as client:
        await client.market.fetch_server_time()  # says best why an exchange cannot be reached
        return await client.account.fetch_key_rights()


async def try_out(settings: Settings, exchange: str, key: ApiKey) -> list[str]:
    """Return what there is to say about a key before it is stored.

    One that the exchange cannot be asked about, or that cannot trade yet, is still good
    to store.

    Raises:
        AuthenticationError: The exchange refuses the key, or it may withdraw.
    """
    try:
        rights = await ask_rights(settings, exchange, key)
    except AuthenticationError:
        raise
    except ExchangeError as error:
        return [f"not tested: {error}"]
    if rights.can_withdraw:
        refuse_rights(rights, exchange)
    return describe_rights(rights, settings, exchange)


def describe_rights(rights: KeyRights, settings: Settings, exchange: str) -> list[str]:
    """Return in sentences what a key may do and where that was asked."""
    title = TITLES[exchange]
    lines = [f"{title} knows the key at {describe_hosts(settings, exchange)}"]
    trade = "read and trade" if rights.can_trade else "read, not trade"
    lines.append(f"it may {trade} futures")
    if rights.can_withdraw is None:
        lines.append(f"whether it may withdraw is not told there: make sure at {title} it may not")
    else:
        lines.append("it may withdraw" if rights.can_withdraw else "it may not withdraw")
    if rights.is_address_bound is False:
        lines.append(f"it works from every address: bind it to yours at {title}")
    elif rights.is_address_bound:
        lines.append("it works from listed addresses only")
    return lines


def configured_password(settings: Settings) -> str | None:
    """Return the password that the settings hold; None without one."""
    return settings.keys_password.get_secret_value() if settings.keys_password else None
