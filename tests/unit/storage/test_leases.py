"""Who leads an account: one at a time, for a while, provably at every commit."""

import asyncio
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.process import ROOT, child_environment
from tests.support.records import ORDER
from tests.support.virtual_time import VirtualTime

from milobot.errors import LeaseLostError
from milobot.storage.leases import TTL_MS, is_anybody_alive, read_lease
from milobot.storage.ledger import Ledger, lease_name, open_ledger

ACCOUNT = "binance:default"


# Takes the lease and commits as fast as it can, saying which order it is with.
LEAD = """
import asyncio, sys, time
from dataclasses import replace
from tests.support.records import ORDER
from milobot.errors import LeaseLostError
from milobot.storage.leases import Lease
from milobot.storage.ledger import lease_name, open_ledger
class Clock:
    def now_ms(self):
        return time.time_ns() // 1_000_000
async def main():
    async with await open_ledger(sys.argv[1]) as ledger:
        name = lease_name("binance:default")
        lease = Lease(ledger.database, Clock(), name=name, holder=sys.argv[2], ttl_ms=1_000)
        while not await lease.take():
            await asyncio.sleep(0.02)
        journal = ledger.journal("binance:default", lease)
        for number in range(10_000):
            await journal.commit(replace(ORDER, client_order_id=f"{sys.argv[2]}-{number}"))
            print(number, flush=True)
            if number % 10 == 0:
                await lease.take()
asyncio.run(main())
"""


async def test_the_first_takes_it_and_the_second_waits(ledger: Ledger) -> None:
    """Two processes on one account must never both trade."""
    clock = VirtualTime(1_000)
    first = ledger.lease(ACCOUNT, "one", clock)
    second = ledger.lease(ACCOUNT, "two", clock)

    assert await first.take()
    assert not await second.take()

    assert (first.epoch, first.is_held, first.deadline_ms) == (1, True, 1_000 + TTL_MS)
    assert not second.is_held


async def test_renewing_keeps_the_epoch_and_moves_the_deadline(ledger: Ledger) -> None:
    """The epoch says whose hold it is, so it must not change while nobody else had it."""
    clock = VirtualTime(1_000)
    lease = ledger.lease(ACCOUNT, "one", clock)
    await lease.take()

    clock.step(3_000)
    assert await lease.take()

    assert (lease.epoch, lease.deadline_ms) == (1, 4_000 + TTL_MS)


async def test_what_runs_out_is_taken_over(ledger: Ledger) -> None:
    """The leader died: after its time the next one trades, under a new epoch."""
    clock = VirtualTime(1_000)
    first = ledger.lease(ACCOUNT, "one", clock)
    second = ledger.lease(ACCOUNT, "two", clock)
    await first.take()

    clock.step(TTL_MS)
    assert not await second.take()
    assert not first.is_held
    clock.step(1)

    assert await second.take()
    assert (second.epoch, second.is_held) == (2, True)
    with pytest.raises(LeaseLostError, match="another process leads the account binance:default"):
        await first.take()
    assert first.epoch == 0


async def test_a_lost_lease_commits_nothing(ledger: Ledger) -> None:
    """A process that slept through its end wakes up in the middle of a commit."""
    clock = VirtualTime(1_000)
    first = ledger.lease(ACCOUNT, "one", clock)
    second = ledger.lease(ACCOUNT, "two", clock)
    await first.take()
    journal = ledger.journal(ACCOUNT, first)
    await journal.commit(ORDER)
    clock.step(TTL_MS + 1)
    await second.take()

    with pytest.raises(LeaseLostError):
        await journal.commit(ORDER)

    await ledger.journal(ACCOUNT, second).commit(ORDER)


async def test_without_a_hold_nothing_is_committed(ledger: Ledger) -> None:
    """Who stands by must not write."""
    journal = ledger.journal(ACCOUNT, ledger.lease(ACCOUNT, "one", VirtualTime(0)))

    with pytest.raises(LeaseLostError):
        await journal.commit(ORDER)


async def test_giving_up_lets_the_next_one_start_at_once(ledger: Ledger) -> None:
    """A graceful stop should not cost the four seconds of a crash."""
    clock = VirtualTime(1_000)
    first = ledger.lease(ACCOUNT, "one", clock)
    second = ledger.lease(ACCOUNT, "two", clock)
    await first.take()

    await first.give_up()

    assert not first.is_held
    assert await second.take()
    assert second.epoch == 2


async def test_one_can_see_whether_anybody_is_alive(ledger: Ledger) -> None:
    """`milobot close` must say when nobody is there to do it."""
    clock = VirtualTime(1_000)
    name = lease_name(ACCOUNT)

    async def alive() -> bool:
        return await ledger.read(lambda c: is_anybody_alive(c, name, now_ms=clock.now_ms()))

    assert not await alive()
    await ledger.lease(ACCOUNT, "one", clock).take()
    assert await alive()
    clock.step(TTL_MS + 1)
    assert not await alive()
    row = await ledger.read(lambda c: read_lease(c, name))
    assert row is not None
    assert row.holder == "one"


async def test_renewing_waits_for_no_commit(ledger: Ledger) -> None:
    """A leader under load must not lose its lease to its own commits."""
    clock = VirtualTime(1_000)
    lease = ledger.lease(ACCOUNT, "one", clock)
    await lease.take()
    journal = ledger.journal(ACCOUNT, lease)
    waits: list[float] = []

    async def commit(worker: int) -> None:
        for number in range(25):
            await journal.commit(replace(ORDER, client_order_id=f"{worker}-{number}"))

    async def renew() -> None:
        for _ in range(10):
            begun = time.monotonic()
            await lease.take()
            waits.append(time.monotonic() - begun)

    await asyncio.gather(renew(), *(commit(worker) for worker in range(8)))

    assert max(waits) < 1.0


async def test_many_who_stand_by_make_one_leader(ledger: Ledger) -> None:
    """All of them see the lease run out at the same moment."""
    clock = VirtualTime(1_000)
    await ledger.lease(ACCOUNT, "gone", clock).take()
    clock.step(TTL_MS + 1)
    standing_by = [ledger.lease(ACCOUNT, f"{n}", clock) for n in range(8)]

    taken = await asyncio.gather(*(lease.take() for lease in standing_by))

    assert sum(taken) == 1
    assert [lease.epoch for lease in standing_by if lease.is_held] == [2]


async def test_accounts_have_leases_of_their_own(ledger: Ledger) -> None:
    """Replicas may share the accounts among them."""
    clock = VirtualTime(0)

    assert await ledger.lease("binance:default", "one", clock).take()
    assert await ledger.lease("bingx:default", "two", clock).take()


async def test_two_processes_hand_over_and_what_the_first_wrote_is_there(ledger_url: str) -> None:
    """Killed in the middle of its commits: every acknowledged order is there, then the next leads."""
    with lead(ledger_url, "one") as first, lead(ledger_url, "two", after=first) as second:
        acknowledged = read_until(first, 200)
        first.kill()
        taken_over = read_until(second, 0)
        second.kill()

    assert (acknowledged, taken_over) == (200, 0)
    async with await open_ledger(ledger_url) as ledger:
        journal = ledger.journal(ACCOUNT)
        for number in range(acknowledged + 1):
            assert await journal.find_order(f"one-{number}") is not None
        row = await ledger.read(lambda c: read_lease(c, lease_name(ACCOUNT)))
    assert row is not None
    assert (row.holder, row.epoch) == ("two", 2)


def lead(
    url: str, holder: str, *, after: "subprocess.Popen[str] | None" = None
) -> "subprocess.Popen[str]":
    """Start a process that leads the account as soon as it can, once ``after`` leads it."""
    if after is not None:
        read_until(after, 0)
    return subprocess.Popen(  # noqa: S603 - the test's own words
        [sys.executable, "-c", LEAD, url, holder],
        stdout=subprocess.PIPE,
        text=True,
        env=child_environment(PYTHONPATH=f"{ROOT}:{Path(ROOT) / 'src'}"),
    )


def read_until(process: "subprocess.Popen[str]", number: int) -> int:
    """Wait until a process has acknowledged an order; return its number."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == str(number):
            return number
    raise AssertionError("the process ended before")
