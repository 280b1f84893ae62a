"""An inbox at work: messages go in, time passes, histories come out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection
from tests.support.signal_trades import FakeTrades
from tests.support.virtual_time import VirtualTime

from milobot.domain.alerts import Alert
from milobot.signals.door import Incoming, Receipt, SignalHistory
from milobot.signals.inbox.inbox import InboxPlan, SignalInbox
from milobot.storage.leases import Lease
from milobot.storage.ledger import Ledger

ACCOUNT = "paper:default"
CHANNEL = "telegram:-1001"


@dataclass
class SignalDesk:
    """An inbox with its trades, and a clock that is moved by hand."""

    ledger: Ledger
    plan: InboxPlan = field(default_factory=lambda: InboxPlan(ACCOUNT))
    trades: Any = field(default_factory=FakeTrades)
    time: VirtualTime = field(default_factory=VirtualTime)
    alerts: list[Alert] = field(default_factory=list)
    lease: Lease | None = None

    def __post_init__(self) -> None:
        """Make the inbox."""
        self.inbox = SignalInbox(self.plan, self.ledger, self.time)

    @asynccontextmanager
    async def leading(self) -> AsyncIterator[None]:
        """Lead the account for as long as the block lasts."""
        async with asyncio.TaskGroup() as tasks:
            work = self.inbox.run(
                self.trades, sleep=self.time.sleep, tell=self.alerts.append, lease=self.lease
            )
            running = tasks.create_task(work)
            yield
            running.cancel()

    async def say(
        self, text: str, message_id: str = "1", *, age_s: int = 0, **fields: Any
    ) -> Receipt:
        """Hand in a message, of a channel unless another source is named."""
        incoming = Incoming(
            source=fields.pop("source", CHANNEL),
            message_id=message_id,
            text=text,
            posted_ms=self.time.now_ms() - age_s * 1000,
        )
        return await self.inbox.receive(replace(incoming, **fields))

    async def wait(self, seconds: float = 1.0) -> None:
        """Let time pass, and what follows from it happen, ledger and all."""
        steps = max(1, round(seconds / 0.25))
        for _ in range(steps):
            await self.time.run_for(seconds / steps)
            await self.settle()

    async def settle(self) -> None:
        """Let everything happen that waits for nothing but the ledger."""
        for _ in range(3):
            await self.ledger.write(_nothing)
            await self.ledger.read(_nothing)
            await asyncio.sleep(0.001)

    async def story(self, signal_id: int = 1) -> SignalHistory:
        """Return everything about a signal."""
        history = await self.inbox.history(signal_id)
        assert history is not None
        return history


def _nothing(connection: Connection) -> None:
    del connection
