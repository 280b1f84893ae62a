"""A seat of the pool: one worker after another, and the scripts that each has been given."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import TypeVar

from milobot.errors import DataError, MilobotError, ScriptError
from milobot.scripting.answers import (
    AnswerError,
    read_error,
    read_evaluation,
    read_info,
    read_place,
)
from milobot.scripting.channel import ChannelClosedError
from milobot.scripting.lock_levels import Trust, demand
from milobot.scripting.pool_channel import Answer, PoolChannel
from milobot.scripting.pool_losses import WorkerLostError
from milobot.scripting.pool_members import Member
from milobot.scripting.process import WorkerProcess
from milobot.scripting.protocol import CANDLES_PER_FRAME
from milobot.scripting.results import Evaluation, ScriptInfo

START_S = 20.0
STUCK_S = 0.1
"""Seconds with one question after which a worker counts as held up."""

S_PER_CANDLE = 0.002
"""A block of candles may take this longer for each of them."""

_WORK_SHARE, _PLACE_SHARE = 0.85, 0.1
"""Shares of the time limit: for the script, then for a late worker to say where it is.

The rest is for ending it, so that the limit holds including that.
"""

_CAREFUL_NICENESS = 5

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Terms:
    """What every worker of a pool is held to.

    Attributes:
        trust: What is known about the scripts.
        program: What Python runs as the worker.
        limit_s: Seconds for a decision, from asking to the end of the worker.
    """

    trust: Trust
    program: Sequence[str]
    limit_s: float


class Seat:
    """Holds one worker at a time.

    Attributes:
        is_careful: It is for scripts that may not come to an end; its worker goes last where
            there are too few cores.
        members: Scripts that belong here while they are no suspects.
        loaded: Scripts that the worker has, each with how many of its candles.
        last: The script that the worker was asked about last.
        wake: Set when there may be something to do.
    """

    def __init__(self, terms: Terms, starter: Executor, *, is_careful: bool) -> None:
        """Start nothing yet.

        Args:
            terms: What the worker is held to.
            starter: Runs what blocks; its threads must outlive the workers.
            is_careful: Whether it is for suspects.
        """
        self.is_careful = is_careful
        self._terms = terms
        self._starter = starter
        self._process: WorkerProcess | None = None
        self._channel: PoolChannel | None = None
        self.members: dict[Member, None] = {}
        self.loaded: dict[Member, int] = {}
        self.last: Member | None = None
        self.wake = asyncio.Event()
        self._asked_at: float | None = None

    @property
    def pid(self) -> int | None:
        """Number of the worker's process, None while there is none."""
        return self._process.pid if self._process else None

    @property
    def has_ended(self) -> bool:
        """Whether the worker is gone, or cannot be talked to any more."""
        return self._channel is None or self._channel.end is not None

    def hosts(self, member: Member) -> bool:
        """Return whether a script may run here now."""
        return self.is_careful if member.is_suspect else member in self.members

    def can_run_soon(self, member: Member) -> bool:
        """Return whether the worker has a script and is not held up by another."""
        is_stuck = self._asked_at is not None and monotonic() - self._asked_at > STUCK_S
        return member in self.loaded and not self.has_ended and not is_stuck

    def stale(self) -> Member | None:
        """Return a script that the worker has and that does not belong here any more."""
        for member in self.loaded:
            is_guest = self.is_careful and member.is_suspect and not member.is_removed
            if member not in self.members and not is_guest:
                return member
        return None

    async def open(self) -> None:
        """Start a worker with nothing loaded.

        Raises:
            ScriptError: It did not start.
            ConfigurationError: It is not locked in well enough.
        """
        self.loaded.clear()
        self.last = None
        process = await self._block(self._start)
        try:
            demand(process.report, self._terms.trust)
        except MilobotError:
            await self.close()
            raise
        incoming, outgoing = process.channel.descriptors
        self._channel = PoolChannel(incoming, outgoing, self.wake.set)

    def end_now(self) -> None:
        """End the worker and wait for it; for when the starter is shut down."""
        process, self._process = self._process, None
        if process is not None:
            process.end()

    async def close(self) -> WorkerProcess | None:
        """End the worker and return what is left of it; None when there was none."""
        process, self._process = self._process, None
        channel, self._channel = self._channel, None
        self.loaded.clear()
        self.last = None
        if channel is not None:
            channel.close()
        if process is not None:
            process.kill()  # at once: the thread that waits for its end may be busy
            await self._block(process.end)
        return process

    async def load(self, member: Member, *, has_trial: bool = False) -> ScriptInfo:
        """Give a script and its candles to the worker.

        Args:
            member: The script.
            has_trial: Let it decide about its last candle at once, for nothing.

        Raises:
            ScriptError: The script is wrong.
            WorkerLostError: The worker did not survive it.
        """
        self.last = member
        limit_s = self._terms.limit_s + S_PER_CANDLE * len(member.history)
        info = await self._watched(self._load(member), limit_s)
        if has_trial and len(member.history):
            await self.decide(member, len(member.history) - 1, len(member.history))
        return info

    async def decide(self, member: Member, start: int, stop: int) -> Evaluation:
        """Return a script's decisions about candles ``start`` up to, not including, ``stop``.

        Raises:
            WorkerLostError: The worker did not survive it.
        """
        self.last = member
        limit_s = self._terms.limit_s + S_PER_CANDLE * (stop - start - 1)
        return await self._watched(self._decide(member, start, stop), limit_s)

    async def drop(self, member: Member) -> None:
        """Let the worker forget a script.

        Raises:
            WorkerLostError: The worker did not survive it.
        """
        del self.loaded[member]
        request = {"op": "drop", "script": member.number}
        await self._watched(self._ask(request), self._terms.limit_s)

    async def idle_end(self) -> WorkerLostError | None:
        """Return what the worker did although nothing was asked; None when it is to be forgiven."""
        if self._channel is None:
            return None
        if isinstance(self._channel.end, DataError):
            return WorkerLostError("its worker spoke without being asked")
        lost = await self._explain_end()
        return None if lost.is_from_outside else lost

    async def _load(self, member: Member) -> ScriptInfo:
        header, _ = await self._ask({**member.load_request, "script": member.number})
        if "error" in header:
            raise read_error(header["error"])
        info = read_info(header)
        self.loaded[member] = 0
        await self._catch_up(member, len(member.history))
        return info

    async def _decide(self, member: Member, start: int, stop: int) -> Evaluation:
        await self._catch_up(member, stop - CANDLES_PER_FRAME)
        known = self.loaded[member]
        header, content = await self._ask(
            {"op": "step", "script": member.number, "start": start, "stop": stop},
            member.body(known, stop),
            body_limit=stop - start,
        )
        if "error" in header:
            raise WorkerLostError(read_error(header["error"]).reason)
        result = read_evaluation(header, content, start, stop)
        self.loaded[member] = max(known, stop)
        return result

    async def _catch_up(self, member: Member, stop: int) -> None:
        """Show the worker candles up to, not including, ``stop``, in frames of bearable size."""
        while (known := self.loaded[member]) < stop:
            end = min(stop, known + CANDLES_PER_FRAME)
            request = {"op": "append", "script": member.number}
            header, _ = await self._ask(request, member.body(known, end))
            if "error" in header:
                raise WorkerLostError(read_error(header["error"]).reason)
            self.loaded[member] = end

    async def _ask(
        self, request: dict[str, object], body: bytes = b"", body_limit: int = 0
    ) -> Answer:
        if self._channel is None:
            raise ChannelClosedError
        return await self._channel.ask(request, body, body_limit)

    async def _watched(self, work: Awaitable[T], limit_s: float) -> T:
        """Return what ``work`` returns, or say in one error why the worker is of no use any more."""
        self._asked_at = monotonic()
        try:
            async with asyncio.timeout(limit_s * _WORK_SHARE):
                return await work
        except TimeoutError:
            line, index = await self._where(limit_s * _PLACE_SHARE)
            reason = f"it ran longer than {limit_s:g} s: look for an endless loop"
            raise WorkerLostError(reason, line=line, index=index, is_late=True) from None
        except ChannelClosedError:
            raise await self._explain_end() from None
        except (AnswerError, DataError):
            raise WorkerLostError("its worker gave an answer that is not understood") from None
        finally:
            self._asked_at = None

    async def _where(self, limit_s: float) -> tuple[int, int]:
        """Return line and candle at which the script is; 0 and -1 when the worker cannot say."""
        process, channel = self._process, self._channel
        if process is None or channel is None:
            return 0, -1
        process.ask_for_place()
        try:
            async with asyncio.timeout(limit_s):
                header, _ = await channel.receive()
            return read_place(header.get("error"))
        except (TimeoutError, ChannelClosedError, DataError, ScriptError):
            return 0, -1

    async def _explain_end(self) -> WorkerLostError:
        """Wait until the worker is gone and return what its end says about the script."""
        process = await self.close()
        if process is None:
            return WorkerLostError("its worker is closed", is_from_outside=True)
        if process.tried_to_escape:
            reason = "it tried to leave its sandbox: do not run it again"
            return WorkerLostError(reason, is_escape=True)
        text = process.exit_text()
        return WorkerLostError(
            f"it ended its worker process ({text}): it is too large or nested too deeply",
            is_from_outside=process.was_killed,
        )

    async def _block(self, function: Callable[[], T]) -> T:
        """Run what blocks in the starter, to its end even if nobody waits for it any more."""
        loop = asyncio.get_running_loop()
        return await asyncio.shield(loop.run_in_executor(self._starter, function))

    def _start(self) -> WorkerProcess:
        """Start a worker; kept at once, so that one that nobody waits for is ended, too."""
        self._process = process = WorkerProcess(START_S, self._terms.program)
        if self.is_careful:
            with suppress(OSError):  # it is a courtesy, not a fence
                os.setpriority(os.PRIO_PROCESS, process.pid, _CAREFUL_NICENESS)
        return process
