"""Leading an account: one process trades, every other one stands by."""

import asyncio
import os
import secrets
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from milobot.domain.alerts import Alert, AlertKind
from milobot.errors import LeaseLostError, LedgerError
from milobot.exchanges.times import Sleep
from milobot.ports import Clock
from milobot.storage.leases import Lease
from milobot.telemetry import get_logger

RENEW_S = 1.0
_SOON_S = 0.05


class SigningDeadline:
    """Until when requests may be signed: the end of the lease, once there is one.

    A client is made before the lease whose clock it brings; this stands between them.
    """

    def __init__(self) -> None:
        """Let nothing be signed: there is no lease yet."""
        self._lease: Lease | None = None

    def follow(self, lease: Lease) -> None:
        """Take the end of this lease from now on."""
        self._lease = lease

    def __call__(self) -> int | None:
        """Return the moment, UTC milliseconds by the clock that also stamps requests."""
        return self._lease.deadline_ms if self._lease is not None else 0


def new_holder() -> str:
    """Return who this process is to others: another one each time it is asked for."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


@dataclass(slots=True)
class Leader:
    """Takes the lead of an account whenever nobody else has it, and keeps it.

    Attributes:
        trouble: Why the ledger did not take the last renewal; empty when it did.
    """

    account: str
    lease: Lease
    clock: Clock
    tell: Callable[[Alert], None]
    sleep: Sleep
    purpose: str = "traded"
    trouble: str = ""

    async def run(self, body: Callable[[], Awaitable[None]]) -> None:
        """Run ``body`` while the account is ours, anew after each loss, until cancelled.

        Raises:
            ExceptionGroup: What ``body`` raised, but for trouble with the ledger.
        """
        try:
            while True:
                await self._wait_for_turn()
                try:
                    async with asyncio.TaskGroup() as tasks:
                        tasks.create_task(self._renew())
                        tasks.create_task(_work(body))
                except* LedgerError as lost:
                    # Led by another one now, or unable to read what is on record: in either
                    # case nothing may be sent, and waiting helps.
                    self._say(str(_first(lost)))
                    await self.sleep(RENEW_S)
        finally:
            await self._give_up()

    async def _wait_for_turn(self) -> None:
        is_told = False
        while not await self._is_ours():
            if not is_told:
                self._say(self._why_not_ours())
                is_told = True
            await self.sleep(self._patience_s())
        get_logger().info("account_led", account=self.account, epoch=self.lease.epoch)
        if is_told:
            self._say(f"this process leads {self.account} now", is_over=True)

    async def _is_ours(self) -> bool:
        """Try to take the lease; that we had one, and a commit was the first to miss it, is past."""
        try:
            return await self._take()
        except LeaseLostError:
            return False

    def _patience_s(self) -> float:
        """Return how long to wait before the next try: no longer than to the lease's end.

        Who leads has renewed it by then; who was killed is succeeded without a second lost.
        """
        left_s = (self.lease.others_until_ms - self.clock.now_ms() + 1) / 1000
        return RENEW_S if left_s <= 0 else max(_SOON_S, min(RENEW_S, left_s))

    def _why_not_ours(self) -> str:
        if self.trouble:
            return f"{self.account} is not {self.purpose}: {self.trouble}"
        return f"another process leads {self.account}: this one stands by"

    async def _renew(self) -> None:
        while True:
            await self.sleep(RENEW_S)
            await self._take()

    async def _take(self) -> bool:
        """Take or renew the lease; a ledger that is away changes nothing, and the lease runs out."""
        self.trouble = ""
        try:
            return await self.lease.take()
        except LeaseLostError:
            raise
        except LedgerError as error:
            self.trouble = str(error)
            get_logger().warning("lease_not_renewed", account=self.account, reason=str(error))
            return False

    async def _give_up(self) -> None:
        if self.lease.epoch:
            try:
                await self.lease.give_up()
            except LedgerError:
                return  # it ends by itself

    def _say(self, sentence: str, *, is_over: bool = False) -> None:
        self.tell(Alert(AlertKind.LEASE, "", sentence, self.clock.now_ms(), is_over))


async def _work(body: Callable[[], Awaitable[None]]) -> None:
    await body()


def _first(group: BaseExceptionGroup[LedgerError]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
