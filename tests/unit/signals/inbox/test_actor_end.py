"""The end of an actor: what it was about to do is left undone, and nothing is left behind."""

import asyncio
import gc
import warnings
from functools import partial

from tests.support.signal_desk import ACCOUNT, SignalDesk

from milobot.signals.inbox.actor import ActorParts, SignalActor
from milobot.storage.ledger import Ledger
from milobot.storage.signal_records import list_live


async def test_a_signal_that_comes_as_the_actor_ends_leaves_nothing_behind(ledger: Ledger) -> None:
    """Its work is cancelled before its first step: nothing may be made that nobody awaits."""
    desk = SignalDesk(ledger)
    actor = SignalActor(
        ActorParts(ACCOUNT, ledger, desk.trades, desk.time, desk.time.sleep, desk.alerts.append)
    )
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(actor.run())
        await desk.wait(1)
        await desk.say("Long BTCUSDT now SL 63000 TP 66000 67000")
        rows = await ledger.read(partial(list_live, account=ACCOUNT))
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            running.cancel()
            actor.heard(rows)
            await asyncio.wait([running])
            gc.collect()

    assert rows
    assert [str(warning.message) for warning in warned] == []
    assert desk.trades.submitted == []
