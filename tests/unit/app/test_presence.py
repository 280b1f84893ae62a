"""Whether somebody leads an account: told by a lease that is renewed, not by one that is there."""

from pathlib import Path

import pytest

from milobot.app.presence import (
    Presence,
    accounts_to_command,
    find_presence,
    known_accounts,
    only_account,
    open_known_ledger,
)
from milobot.errors import ConfigurationError
from milobot.exchanges.times import SteadyClock
from milobot.storage.account_records import save_governor
from milobot.storage.ledger import Ledger, open_ledger

ACCOUNT = "binance:default"


class Past:
    """The clock of an exchange that plays the past."""

    def __init__(self) -> None:
        """Begin in 2024."""
        self.time_ms = 1_704_067_200_000

    def now_ms(self) -> int:
        """Return its time."""
        return self.time_ms


async def opened(folder: Path) -> Ledger:
    """Return a ledger in a folder."""
    return await open_ledger(f"sqlite:///{folder / 'ledger.db'}")


async def know(ledger: Ledger, *accounts: str) -> None:
    """Put accounts on record."""
    for account in accounts:
        await ledger.write(lambda c, of=account: save_governor(c, of, "{}", now_ms=1))  # type: ignore[misc]  # a loop's own name


async def test_who_renews_its_lease_is_there_whatever_its_clock_says(tmp_path: Path) -> None:
    """A local exchange may play 2024; the bot that trades there lives now."""
    clock = Past()
    async with await opened(tmp_path) as ledger:
        lease = ledger.lease(ACCOUNT, "bot", clock)
        await lease.take()

        async def renew(seconds: float) -> None:
            clock.time_ms += round(seconds * 1000)
            await lease.take()

        found = await find_presence(ledger, ACCOUNT, sleep=renew)

    assert found == Presence(is_alive=True, holder="bot", epoch=1)


async def test_who_has_died_is_not_there_although_its_lease_still_holds(tmp_path: Path) -> None:
    """A halt that is left to a dead process is no halt."""

    async def wait(seconds: float) -> None:
        del seconds

    async with await opened(tmp_path) as ledger:
        nobody = await find_presence(ledger, ACCOUNT, sleep=wait)
        lease = ledger.lease(ACCOUNT, "bot", SteadyClock())
        await lease.take()
        dead = await find_presence(ledger, ACCOUNT, sleep=wait)
        await lease.give_up()
        gone = await find_presence(ledger, ACCOUNT, sleep=wait)

    assert (nobody.is_alive, dead.is_alive, gone.is_alive) == (False, False, False)
    assert (dead.holder, gone.holder) == ("bot", "")


async def test_accounts_are_named_in_full_or_by_name_where_that_is_clear(tmp_path: Path) -> None:
    """What is halted or closed must be what was meant."""
    async with await opened(tmp_path) as ledger:
        with pytest.raises(ConfigurationError, match="knows no account yet"):
            await only_account(ledger, None)
        await know(ledger, "binance:default", "bingx:default", "binance:second")

        assert await known_accounts(ledger, None) == [
            "binance:default",
            "binance:second",
            "bingx:default",
        ]
        assert await only_account(ledger, "second") == "binance:second"
        assert await only_account(ledger, "bingx:default") == "bingx:default"
        with pytest.raises(ConfigurationError, match="names several"):
            await only_account(ledger, "default")
        with pytest.raises(ConfigurationError, match="Add --account, one of"):
            await only_account(ledger, None)
        with pytest.raises(ConfigurationError, match="no account 'third'"):
            await known_accounts(ledger, "third")


async def test_paper_that_has_ended_is_in_nobodys_way(tmp_path: Path) -> None:
    """Whoever went from paper to money in one folder must close the money without a further word."""
    async with await opened(tmp_path) as ledger:
        await know(ledger, "binance:paper", "bingx:paper")
        assert await accounts_to_command(ledger, None) == ["binance:paper", "bingx:paper"]
        await know(ledger, "binance:default")

        assert await accounts_to_command(ledger, None) == ["binance:default"]
        assert await only_account(ledger, None) == "binance:default"
        assert await only_account(ledger, "bingx:paper") == "bingx:paper"


async def test_asking_makes_no_ledger(tmp_path: Path) -> None:
    """In a wrong folder an empty status would look like peace."""
    for _ in range(2):  # the second would find what the first had made
        with pytest.raises(ConfigurationError, match="there is no ledger"):
            await open_known_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
