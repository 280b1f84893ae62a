"""A process that starts on a ledger and says when it knows the account; see ``start_up.py``."""

import asyncio
import sys
from pathlib import Path
from time import perf_counter
from typing import cast

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks._engine_desk import SystemClock, WillingAccount, open_desk

from milobot.app.live_bot import LiveBot
from milobot.domain.slots import PositionState
from milobot.ports import ExchangeAccount, MarketData
from milobot.storage.ledger import open_ledger

LIVE = LiveBot  # what a live process imports is part of its start


async def start(path: Path) -> int:
    """Take over a ledger; return how many positions are open and protected."""
    async with await open_ledger(f"sqlite:///{path}") as ledger:
        journal = ledger.journal("bench:default")
        known = await journal.load()
        account = WillingAccount(SystemClock())
        account.resting = {o.client_order_id: o for o in known.orders}
        account.held = {
            s.symbol: s.position.quantity for s in known.slots if not s.position.is_flat
        }
        desk = open_desk(cast(ExchangeAccount, account), cast(MarketData, account), journal)
        await desk.trader.start(known)
        return sum(state is PositionState.PROTECTED for _, state in desk.engine.slots())


if __name__ == "__main__":
    COUNT = asyncio.run(start(Path(sys.argv[1])))
    print(perf_counter(), COUNT)
