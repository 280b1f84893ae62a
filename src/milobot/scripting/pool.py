"""Many scripts on few workers: a new candle costs one small message and one decision.

There is one worker more than there are cores. That one is the careful one: it
runs, with a lower priority, the scripts that have not yet come to an end
once, that were slow, or that have cost a worker its life. The others share the
rest, each script being at home in two of them. Whichever of the two is free
first takes its next decision, so a worker that a script keeps busy, or that is
being replaced, delays nobody else.

Nothing here raises for what a script does: a decision that does not come, or
is not understood, is ``FAILED`` with its reason, and that means ``donothing``.
"""

import asyncio
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import monotonic
from types import TracebackType
from typing import Self

from milobot.domain.market import CandleSeries
from milobot.errors import ConfigurationError, DataError, ScriptError
from milobot.scripting.loading import LoadOptions, load_request
from milobot.scripting.lock_levels import LEAST_TRUST, Trust
from milobot.scripting.pool_losses import WorkerLostError
from milobot.scripting.pool_members import Member, QuarantineRule
from milobot.scripting.pool_queue import Job, Queue
from milobot.scripting.pool_seat import STUCK_S, Seat, Terms
from milobot.scripting.process import WORKER_PROGRAM
from milobot.scripting.results import Evaluation, ScriptInfo
from milobot.telemetry import counts, get_logger

LIMIT_S = 2.0
"""Seconds for a decision, counted from the moment a worker is asked."""

PATIENCE_S = 10.0
"""Seconds in which a decision is there, wherever the workers are; else it is ``FAILED``."""

_HOMES = 2
_RESTART_S = 1.0
_STARTERS = 2
_RULE = QuarantineRule()
_NO_ERROR = (None, None, None)


class ScriptPool:
    """Workers that hold the candles of many scripts, for ``async with``.

    Use it from one event loop. The scripts of one worker share its interpreter:
    give scripts that must not know of each other pools of their own.
    """

    def __init__(
        self,
        trust: Trust = LEAST_TRUST,
        *,
        workers: int | None = None,
        limit_s: float = LIMIT_S,
        patience_s: float = PATIENCE_S,
        rule: QuarantineRule = _RULE,
        program: Sequence[str] = WORKER_PROGRAM,
    ) -> None:
        """Start nothing yet.

        Args:
            trust: What is known about the scripts; by default they need a full lock.
            workers: How many, at least 2; None is one more than there are cores.
            limit_s: Seconds for a decision, then its worker is ended.
            patience_s: Seconds in which :meth:`evaluate` answers, whatever happens.
            rule: When a script is put into quarantine.
            program: What Python runs as a worker.
        """
        self._starter = ThreadPoolExecutor(_STARTERS, "script-workers")
        count = workers if workers is not None else len(os.sched_getaffinity(0)) + 1
        terms = Terms(trust, program, limit_s)
        self._careful = Seat(terms, self._starter, is_careful=True)
        self._plain = [
            Seat(terms, self._starter, is_careful=False) for _ in range(max(count - 1, 1))
        ]
        self._seats = [*self._plain, self._careful]
        self._limit_s = limit_s
        self._patience_s = patience_s
        self._rule = rule
        self._queue = Queue(self._plain)
        self._members: dict[str, Member] = {}
        self._added: dict[Member, asyncio.Future[ScriptInfo]] = {}
        self._count = 0
        self._failure = ""
        self._rested = asyncio.Event()
        self._group = asyncio.TaskGroup()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Start the workers.

        Raises:
            ConfigurationError: They are not locked in well enough for the scripts.
            ScriptError: They do not start.
        """
        try:
            for seat in self._seats:
                await seat.open()
        except BaseException:
            await self._close_seats()
            raise
        await self._group.__aenter__()
        self._tasks = [self._group.create_task(self._run(seat)) for seat in self._seats]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the workers; decisions that still wait are ``FAILED``."""
        for task in self._tasks:
            task.cancel()
        is_cancelled = isinstance(error, asyncio.CancelledError)
        try:  # an error of the block goes on as it is, not inside a group
            await self._group.__aexit__(*((kind, error, traceback) if is_cancelled else _NO_ERROR))
        finally:
            self._queue.fail("the script was stopped: its pool was closed")
            for waiting in self._added.values():
                waiting.cancel()
            await self._close_seats()

    @property
    def pids(self) -> tuple[int, ...]:
        """Numbers of the worker processes there are now."""
        return tuple(seat.pid for seat in self._seats if seat.pid is not None)

    @property
    def quarantined(self) -> Mapping[str, str]:
        """The scripts in quarantine, each with the reason."""
        return {name: m.quarantine for name, m in self._members.items() if m.quarantine}

    async def add(
        self,
        script_id: str,
        source: str,
        history: CandleSeries,
        options: LoadOptions | None = None,
    ) -> ScriptInfo:
        """Check a script, make it one of the pool's and return what it says about itself.

        Args:
            script_id: Name by which it is asked later.
            source: The script's text.
            history: Closed candles from its anchor on; nothing is decided about them, but the
                script is tried out on the last of them.
            options: How it is to run.

        Raises:
            ScriptError: The script is wrong, with line and column, or does not come to an end.
            DataError: There is such a script, or the candles are not in order of time.
        """
        if script_id in self._members:
            raise DataError(f"script {script_id!r} is in the pool already: remove it first")
        self._count += 1
        request = load_request(source, options or LoadOptions(), self._limit_s)
        member = Member(self._count, script_id, request)
        member.append(history)
        self._members[script_id] = member
        self._added[member] = asyncio.get_running_loop().create_future()
        for seat in self._homes():
            seat.members[member] = None
        self._queue.welcome(member)
        self._careful.wake.set()
        try:
            return await self._added[member]
        except BaseException:
            self._forget(member)
            raise
        finally:
            del self._added[member]

    def append(self, script_id: str, candles: CandleSeries) -> None:
        """Show closed candles to a script without asking for decisions.

        Raises:
            DataError: There is no such script, or they do not follow on those it has seen.
        """
        self._member(script_id).append(candles)

    async def evaluate(self, script_id: str, candles: CandleSeries) -> Evaluation:
        """Show newly closed candles to a script and return its decisions about them.

        What the script does wrong comes back as code ``FAILED`` with its reason; the
        candles count as seen. It answers within the pool's patience.

        Raises:
            DataError: There is no such script, or they do not follow on those it has seen.
        """
        member = self._member(script_id)
        start = member.append(candles)
        result: asyncio.Future[Evaluation] = asyncio.get_running_loop().create_future()
        job = Job(member, start, start + len(candles), result)
        if member.quarantine:
            job.fail(f"the script is in quarantine: {member.quarantine}")
            return await result
        if not len(self._queue):
            self._careful.wake.set()  # from now on it looks around
        self._queue.put(job)
        self._wake(member)
        try:
            async with asyncio.timeout(self._patience_s):
                return await asyncio.shield(result)
        except TimeoutError:
            job.fail(f"no worker was free for {self._patience_s:g} s{self._why()}")
            return await result
        finally:
            self._queue.discard(job)

    async def settle(self) -> None:
        """Wait until every script is with the workers that it belongs to.

        A script is added as soon as the careful worker has tried it out. The others take it in
        when nothing else is to be done: for hundreds of scripts that is still going on when
        all are added, and decisions asked for meanwhile come later than they could.
        """
        while any(self._queue.is_behind(seat) for seat in self._plain):
            self._rested.clear()
            await self._rested.wait()

    async def remove(self, script_id: str) -> None:
        """Let a script go, in quarantine or not; decisions that wait are ``FAILED``.

        Raises:
            DataError: There is no such script.
        """
        self._forget(self._member(script_id))

    def release(self, script_id: str) -> None:
        """Let a script out of quarantine; it goes on with the next candle.

        Raises:
            DataError: There is no such script.
        """
        self._member(script_id).release()
        self._wake()

    async def _run(self, seat: Seat) -> None:
        """Keep one seat busy, with a new worker whenever the last one is lost."""
        while True:
            await self._serve(seat)
            await seat.close()
            self._wake()
            await self._reopen(seat)

    async def _serve(self, seat: Seat) -> None:
        while not seat.has_ended:
            seat.wake.clear()
            task = self._queue.next(seat)
            if isinstance(task, Job):
                await self._decide(seat, task)
            elif task is not None:
                await self._load(seat, task)
            elif (stale := seat.stale()) and (stale.is_removed or self._queue.has_home(stale)):
                await self._drop(seat, stale)
            else:
                await self._rest(seat)
        if (last := seat.last) and (lost := await seat.idle_end()):
            self._strike(last, lost)

    async def _rest(self, seat: Seat) -> None:
        """Wait for something to do; the careful one looks around while others are waiting."""
        self._rested.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(STUCK_S if seat.is_careful and len(self._queue) else None):
                await seat.wake.wait()

    async def _decide(self, seat: Seat, job: Job) -> None:
        member, started = job.member, monotonic()
        was_suspect = member.is_suspect
        try:
            result = await seat.decide(member, job.start, job.stop)
        except WorkerLostError as lost:
            if lost.is_from_outside and member.note_accident():
                self._queue.put_first(job)
            else:
                self._strike(member, lost)
                job.fail(lost.as_script_error().reason, line=lost.line, index=lost.index)
            await seat.close()
        else:
            member.note_success(monotonic() - started)
            job.finish(result)
        if member.is_suspect or was_suspect:
            self._wake()  # it belongs elsewhere now, or its place is free

    async def _load(self, seat: Seat, member: Member) -> None:
        """Give a script to a worker; a new one shows first that it comes to an end."""
        waiting, started = self._added.get(member), monotonic()
        member.is_loading = True
        try:
            info = await seat.load(member, has_trial=waiting is not None)
        except WorkerLostError as lost:
            if lost.is_from_outside and member.note_accident():
                self._queue.welcome(member)
            else:
                self._strike(member, lost)
                _answer(waiting, lost.as_script_error())
            await seat.close()
        except ScriptError as exc:
            member.put_away(f"a worker refused it: {exc}")
            _answer(waiting, exc)
        else:
            if waiting is not None and len(member.history):
                member.note_success(monotonic() - started)
            _answer(waiting, info)
        member.is_loading = False
        self._wake()

    async def _drop(self, seat: Seat, member: Member) -> None:
        try:
            await seat.drop(member)
        except WorkerLostError:
            await seat.close()

    def _strike(self, member: Member, lost: WorkerLostError) -> None:
        """Hold a lost worker against a script."""
        log = get_logger()
        counts["worker_kills"] += 1
        log.warning("script_worker_lost", script=member.script_id, reason=lost.reason)
        if lost.is_escape:
            member.put_away(lost.reason)
        if member.note_strike(monotonic(), lost.reason, self._rule):
            log.error("script_quarantined", script=member.script_id, reason=member.quarantine)
            self._queue.fail(f"the script is in quarantine: {member.quarantine}", member)

    async def _reopen(self, seat: Seat) -> None:
        while True:
            try:
                await seat.open()
            except (ConfigurationError, ScriptError, OSError) as exc:
                self._failure = str(exc)
                get_logger().error("script_worker_failed", reason=self._failure)
                await asyncio.sleep(_RESTART_S)
            else:
                self._failure = ""
                return

    def _member(self, script_id: str) -> Member:
        try:
            return self._members[script_id]
        except KeyError:
            raise DataError(f"there is no script {script_id!r} in the pool: add it first") from None

    def _forget(self, member: Member) -> None:
        if self._members.get(member.script_id) is member:
            del self._members[member.script_id]
        member.is_removed = True
        for seat in self._seats:
            seat.members.pop(member, None)
        self._queue.fail("the script was removed from the pool", member)
        self._wake()

    def _homes(self) -> list[Seat]:
        """Return the seats for a new script: the two plain ones with the fewest scripts."""
        if len(self._plain) < _HOMES:
            return self._seats
        return sorted(self._plain, key=lambda seat: len(seat.members))[:_HOMES]

    def _wake(self, member: Member | None = None) -> None:
        """Let workers look for something to do: all, or those where ``member`` may run."""
        for seat in self._seats:
            if member is None or seat.hosts(member):
                seat.wake.set()

    def _why(self) -> str:
        return f": {self._failure}" if self._failure else ""

    async def _close_seats(self) -> None:
        for seat in self._seats:
            await seat.close()
        await asyncio.to_thread(self._starter.shutdown)  # waits for a worker that is just starting
        for seat in self._seats:
            seat.end_now()


def _answer(waiting: asyncio.Future[ScriptInfo] | None, answer: ScriptInfo | ScriptError) -> None:
    """Tell whoever added a script, if anybody still waits."""
    if waiting is None or waiting.done():
        return
    if isinstance(answer, ScriptError):
        waiting.set_exception(answer)
    else:
        waiting.set_result(answer)
