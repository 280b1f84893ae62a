"""Whether somebody leads an account, and which accounts there are.

A lease says until when it holds, by the exchange's clock, which need not be ours (a local
exchange may play the past); and one holds for some seconds after its holder has died. So it
is watched: a leader that lives renews it every second.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from milobot.app.paper_plan import PAPER
from milobot.errors import ConfigurationError
from milobot.storage.database_url import SqliteTarget, parse_database_url
from milobot.storage.leases import LeaseRow, read_lease
from milobot.storage.ledger import Ledger, lease_name, open_ledger
from milobot.storage.queries import list_accounts

_WATCH_S = 3.0
_LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Presence:
    """Who leads an account: a process that lives, or the last one that did."""

    is_alive: bool
    holder: str = ""
    epoch: int = 0


async def find_presence(
    ledger: Ledger,
    account: str,
    *,
    watch_s: float = _WATCH_S,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Presence:
    """Return who leads an account; that nobody does is certain after ``watch_s`` only."""
    name = lease_name(account)

    async def look() -> LeaseRow | None:
        return await ledger.read(lambda connection: read_lease(connection, name))

    first = await look()
    if first is None or not first.holder:
        return Presence(is_alive=False)
    while watch_s > 0:
        await sleep(_LOOK_S)
        watch_s -= _LOOK_S
        now = await look()
        if now is not None and now.until_ms > first.until_ms and now.holder:
            return Presence(is_alive=True, holder=now.holder, epoch=now.epoch)
    return Presence(is_alive=False, holder=first.holder, epoch=first.epoch)


async def open_known_ledger(url: str) -> Ledger:
    """Open a ledger that is there; asking about nothing must not make one.

    Raises:
        ConfigurationError: There is none yet, or its file is empty.
        LedgerError: It cannot be used.
    """
    await asyncio.to_thread(_refuse_missing, url)
    return await open_ledger(url, may_begin=False)


async def known_accounts(ledger: Ledger, named: str | None) -> list[str]:
    """Return the accounts that a command is about: the one named, or all.

    Args:
        ledger: Where they are on record.
        named: ``exchange:name``, or a name alone where it is clear; None for all.

    Raises:
        ConfigurationError: It is not on record, or several have that name.
    """
    known = await ledger.read(list_accounts)
    if named is None:
        return known
    found = [name for name in known if named in {name, name.partition(":")[2]}]
    if len(found) == 1:
        return found
    there = ", ".join(known) or "none"
    if found:
        raise ConfigurationError(f"--account {named} names several, {', '.join(found)}: name one")
    raise ConfigurationError(f"the ledger knows no account {named[:60]!r} (known: {there})")


async def accounts_to_command(ledger: Ledger, named: str | None) -> list[str]:
    """Return the accounts that a command may change: the one named, or all that can change.

    A paper account that nobody leads is left out beside others: its exchange has ended with its
    run, so nothing of it can be closed, and it must not stand in the way of those that hold money.

    Raises:
        ConfigurationError: As :func:`known_accounts`.
    """
    known = await known_accounts(ledger, named)
    if len(known) == 1:
        return known
    presences = await asyncio.gather(*(find_presence(ledger, name) for name in known))
    found = [
        name
        for name, presence in zip(known, presences, strict=True)
        if presence.is_alive or name.partition(":")[2] != PAPER
    ]
    return found or known


async def only_account(ledger: Ledger, named: str | None) -> str:
    """Return the one account that a command is about; see :func:`accounts_to_command`.

    Raises:
        ConfigurationError: There is none, or there are several and none is named.
    """
    found = await accounts_to_command(ledger, named)
    if not found:
        raise ConfigurationError("the ledger knows no account yet: milobot run makes one")
    if len(found) > 1:
        raise ConfigurationError(f"which account? Add --account, one of {', '.join(found)}")
    return found[0]


def _refuse_missing(url: str) -> None:
    target = parse_database_url(url)
    if not isinstance(target, SqliteTarget):
        return
    if not target.path.is_file():
        raise ConfigurationError(
            f"there is no ledger {target.name} here: milobot run makes one when it trades; start"
            " this command in the same folder, or set DATABASE_URL"
        )
    if not target.path.stat().st_size:  # opening alone would write into it
        raise ConfigurationError(
            f"there is no ledger in {target.name}, the file is empty: milobot run makes one when it"
            " trades; put a backup in its place if there was one"
        )
