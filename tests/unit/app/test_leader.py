"""Leading: one process trades, the other stands by and takes over."""

import asyncio
from pathlib import Path

import pytest
from tests.support.virtual_time import VirtualTime

from milobot.app.leader import Leader, SigningDeadline
from milobot.domain.alerts import Alert
from milobot.errors import LeaseLostError, LedgerError
from milobot.storage.ledger import Ledger, open_ledger

ACCOUNT = "binance:test"


class Office:
    """Two would-be leaders of one account on one ledger."""

    def __init__(self, ledger: Ledger, time: VirtualTime) -> None:
        """Nobody leads yet."""
        self.time = time
        self.told: list[Alert] = []
        self.working: list[str] = []
        self._ledger = ledger

    def leader(self, name: str) -> Leader:
        """Return somebody who wants to lead."""
        lease = self._ledger.lease(ACCOUNT, name, self.time)
        return Leader(ACCOUNT, lease, self.time, self.told.append, self._sleep)

    async def work(self, name: str) -> None:
        """Be at work until stopped."""
        self.working.append(name)
        try:
            await asyncio.Event().wait()
        finally:
            self.working.remove(name)

    async def pass_time(self, seconds: float) -> None:
        """Let time pass in small steps; the ledger's thread answers in between."""
        for _ in range(round(seconds * 4)):
            await self.time.run_for(0.25)
            await asyncio.sleep(0.02)

    async def _sleep(self, seconds: float) -> None:
        await self.time.sleep(seconds)


async def _office(folder: Path) -> tuple[Ledger, Office]:
    ledger = await open_ledger(f"sqlite:///{folder / 'ledger.db'}")
    return ledger, Office(ledger, VirtualTime())


async def test_the_second_stands_by_and_takes_over_when_the_first_is_gone(tmp_path: Path) -> None:
    """Two processes on one account must never trade beside each other."""
    ledger, office = await _office(tmp_path)
    async with ledger, asyncio.TaskGroup() as tasks:
        first = tasks.create_task(office.leader("a").run(lambda: office.work("a")))
        await office.pass_time(1)
        second = tasks.create_task(office.leader("b").run(lambda: office.work("b")))
        await office.pass_time(8)
        assert office.working == ["a"]

        first.cancel()
        await office.pass_time(2)

        assert office.working == ["b"]
        second.cancel()
    assert "stands by" in office.told[0].sentence
    assert office.told[1].is_over


async def test_the_successor_of_who_was_killed_waits_for_the_end_of_the_lease_and_no_longer(
    tmp_path: Path,
) -> None:
    """What is restarted at once waits for itself: up to a second more would be a second lost."""
    ledger, office = await _office(tmp_path)
    async with ledger, asyncio.TaskGroup() as tasks:
        killed = ledger.lease(ACCOUNT, "a", office.time)
        assert await killed.take()
        second = tasks.create_task(office.leader("b").run(lambda: office.work("b")))
        await office.pass_time(0.25)
        await office.pass_time(3.5)
        assert office.working == []

        await office.pass_time(0.5)

        assert office.working == ["b"]
        second.cancel()


async def test_who_slept_through_its_lease_stops_and_stands_by(tmp_path: Path) -> None:
    """A process that was frozen for minutes wakes up to somebody else's positions."""
    ledger, office = await _office(tmp_path)
    async with ledger, asyncio.TaskGroup() as tasks:
        sleeper = office.leader("a")
        first = tasks.create_task(sleeper.run(lambda: office.work("a")))
        await office.pass_time(1)
        office.time.step(60_000)  # frozen: time goes on, nobody is woken
        usurper = ledger.lease(ACCOUNT, "b", office.time)
        assert await usurper.take()

        await office.pass_time(3)

        assert office.working == []
        assert "another process leads" in office.told[0].sentence
        first.cancel()


async def test_who_learns_of_its_loss_from_a_commit_stands_by_as_well(tmp_path: Path) -> None:
    """Whichever notices first, the next renewal or a record refused, the process goes on."""
    ledger, office = await _office(tmp_path)
    usurper = ledger.lease(ACCOUNT, "b", office.time)

    async def find_out() -> None:
        office.time.step(60_000)
        assert await usurper.take()
        raise LeaseLostError("a commit was refused")

    async with ledger, asyncio.TaskGroup() as tasks:
        first = tasks.create_task(office.leader("a").run(find_out))
        await office.pass_time(2)

        assert not first.done()
        assert [alert.is_over for alert in office.told] == [False, False]
        first.cancel()


async def test_nothing_may_be_signed_without_a_lease_or_after_its_end(tmp_path: Path) -> None:
    """The deadline is what keeps a frozen process from sending what it had begun."""
    ledger, office = await _office(tmp_path)
    async with ledger:
        deadline = SigningDeadline()
        assert deadline() == 0
        lease = ledger.lease(ACCOUNT, "a", office.time)
        deadline.follow(lease)
        assert deadline() == 0
        began_ms = office.time.now_ms()
        await lease.take()

        assert deadline() == began_ms + 4_000


async def test_what_ends_the_work_ends_the_lead(tmp_path: Path) -> None:
    """A refused key must reach the user, not be tried again for ever; the lease is free at once."""
    ledger, office = await _office(tmp_path)

    async def fail() -> None:
        raise ValueError("refused")

    async with ledger:
        with pytest.raises(ExceptionGroup) as raised:
            await office.leader("a").run(fail)
        assert raised.group_contains(ValueError, match="refused")
        assert await ledger.lease(ACCOUNT, "b", office.time).take()


async def test_work_that_cannot_read_the_ledger_is_begun_again(tmp_path: Path) -> None:
    """A server that restarts at the wrong moment must not end the bot without a word."""
    ledger, office = await _office(tmp_path)
    tries: list[int] = []

    async def work() -> None:
        tries.append(len(tries))
        if len(tries) == 1:
            raise LedgerError("the ledger is away: wait until it is back")
        await office.work("a")

    async with ledger, asyncio.TaskGroup() as tasks:
        leading = tasks.create_task(office.leader("a").run(work))
        await office.pass_time(3)

        assert office.working == ["a"]
        leading.cancel()
    assert "is away" in office.told[0].sentence
