"""An account that another replica leads: told from the ledger, and only while it is so."""

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from tests.support.records import DECISION, FILL, ORDER, SLOT, TRIP, UPDATE
from tests.support.trading import dec

from milobot.app.talk_elsewhere import Elsewhere
from milobot.domain.governor import GovernorState, Halt, HaltKind, format_state
from milobot.domain.positions import Position
from milobot.exchanges.times import SteadyClock
from milobot.storage.account_records import save_governor
from milobot.storage.ledger import Ledger, open_ledger

ACCOUNT = "binance:default"
NOW = 1_704_067_300_000
SAFE = replace(SLOT, blocked="", seen=dec("0"), early=(), exposed_since_ms=None)


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    """Give a ledger in a file in which somebody leads an account."""
    async with await open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as opened:
        await opened.lease(ACCOUNT, "the other", SteadyClock()).take()
        await opened.journal(ACCOUNT).commit(ORDER, DECISION, SAFE, TRIP)
        await opened.journal(ACCOUNT).commit(replace(UPDATE, fills=(FILL,)), ORDER)
        yield opened


async def lines(follower: Elsewhere) -> list[str]:
    """Return what is new, as it is told."""
    return [f"{n.about}: {n.line}" for n in await follower.take(NOW)]


async def test_what_happens_there_is_told_once(ledger: Ledger) -> None:
    """What was there before is not; fills come in a window and are not repeated."""
    follower = Elsewhere(ledger, ACCOUNT, "this one", ACCOUNT)
    journal = ledger.journal(ACCOUNT)
    assert await lines(follower) == []

    second = replace(FILL, fill_id="f2", quantity=dec("0.1"))
    await journal.commit(replace(DECISION, intent_key="k2"), replace(TRIP, pnl=dec("7")))
    await journal.commit(replace(UPDATE, fills=(second,)), ORDER)

    assert await lines(follower) == [
        "BTCUSDT on binance:default: long: entry sent (s1)",
        "BTCUSDT on binance:default: entry filled: bought 0.1 at 42,315",
        "BTCUSDT on binance:default: long 1 closed (close): +7.00 USDT; 100 to 101 in 0 s",
    ]
    assert await lines(follower) == []


async def test_a_fill_of_no_order_of_ours_is_somebody_elses_doing(ledger: Ledger) -> None:
    """It is told as what it is, not as an entry."""
    follower = Elsewhere(ledger, ACCOUNT, "this one")
    await lines(follower)
    strange = replace(FILL, fill_id="f3", client_order_id="by hand")
    await ledger.journal(ACCOUNT).commit(
        replace(UPDATE, client_order_id="by hand", fills=(strange,))
    )

    assert await lines(follower) == ["BTCUSDT: changed by somebody else: bought 0.4 at 42,315"]


async def test_nothing_is_read_while_this_process_leads(ledger: Ledger) -> None:
    """Then it hears by itself, and would tell everything twice."""
    follower = Elsewhere(ledger, ACCOUNT, "the other")
    assert await lines(follower) == []
    await ledger.journal(ACCOUNT).commit(replace(TRIP, pnl=dec("7")))

    assert await lines(follower) == []
    assert await lines(Elsewhere(ledger, "bingx:never", "this one")) == []


async def test_halts_are_told_when_they_begin_and_end(ledger: Ledger) -> None:
    """From the row in which they are kept."""
    follower = Elsewhere(ledger, ACCOUNT, "this one")

    async def keep(*halts: Halt) -> None:
        content = format_state(GovernorState(ACCOUNT, halts=halts))
        await ledger.write(partial(save_governor, account=ACCOUNT, content=content, now_ms=1))

    await keep(Halt(HaltKind.DRAWDOWN, "20 % lost", 1))
    assert await lines(follower) == []
    await keep(Halt(HaltKind.MANUAL, "by cli:alice", 1))

    assert await lines(follower) == [
        ": ⚠ halted, nothing enters: by cli:alice",
        ": ✓ no longer halted: 20 % lost",
    ]


async def test_a_position_without_its_stop_is_told_though_it_was_so_before(
    ledger: Ledger,
) -> None:
    """Who leads may be the one who has died; and its end is told too, when it is flat."""
    journal = ledger.journal(ACCOUNT)
    await journal.commit(replace(SAFE, exposed_since_ms=NOW - 10_000))
    follower = Elsewhere(ledger, ACCOUNT, "this one")

    [trouble] = await lines(follower)
    assert trouble.startswith("BTCUSDT: ⚠ BTCUSDT has been without a resting stop")
    assert await lines(follower) == []

    await journal.commit(replace(SAFE, position=Position("BTCUSDT"), owner=""))
    assert await lines(follower) == ["BTCUSDT: ✓ BTCUSDT is flat"]
