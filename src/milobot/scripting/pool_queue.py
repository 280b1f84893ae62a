"""What a free worker does next: decide, or take in a script, and which one."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from milobot.scripting.pool_members import Member, nothing_decided
from milobot.scripting.pool_seat import Seat
from milobot.scripting.results import Evaluation, Fault


@dataclass(slots=True, eq=False)
class Job:
    """A decision that somebody waits for."""

    member: Member
    start: int
    stop: int
    result: asyncio.Future[Evaluation]

    def finish(self, result: Evaluation) -> None:
        """Give the result to whoever waits, if anybody still does."""
        if not self.result.done():
            self.result.set_result(result)

    def fail(self, reason: str, *, line: int = 0, index: int = -1) -> None:
        """Give the result that means ``donothing``, with its reason."""
        place = index if self.start <= index < self.stop else self.start
        fault = Fault(place, line, 1 if line else 0, reason) if self.start < self.stop else None
        self.finish(nothing_decided(self.start, self.stop, fault))


class Queue:
    """Decisions that are not there yet, in the order in which they were asked for."""

    def __init__(self, plain: Sequence[Seat]) -> None:
        """Begin with nothing waiting; ``plain`` are the seats that are not the careful one."""
        self._plain = plain
        self._waiting: dict[Job, None] = {}
        self._running: set[Job] = set()
        self._newcomers: dict[Member, None] = {}

    def __len__(self) -> int:
        """Return the number of decisions that wait for a worker."""
        return len(self._waiting)

    def welcome(self, member: Member) -> None:
        """Let the careful worker take in a script that no worker has seen."""
        self._newcomers[member] = None

    def put(self, job: Job) -> None:
        """Add a decision at the end."""
        self._waiting[job] = None

    def put_first(self, job: Job) -> None:
        """Add a decision that was under way and has to be made again."""
        self._waiting = {job: None, **self._waiting}

    def discard(self, job: Job) -> None:
        """Forget a decision that nobody waits for any more."""
        self._waiting.pop(job, None)
        self._running.discard(job)

    def fail(self, reason: str, member: Member | None = None) -> None:
        """Decide nothing where no decision is there yet: for all scripts or for one."""
        for job in [*self._waiting, *self._running]:
            if member is None or job.member is member:
                self.discard(job)
                job.fail(reason)

    def next(self, seat: Seat) -> Job | Member | None:
        """Return the decision to ask the worker in ``seat`` for, or the script to give to it.

        In the careful seat scripts that have done harm come last, and those are helped
        out that cannot run where they belong.
        """
        job = next(self._possible(seat), None)
        if job is not None and seat.is_careful and job.member.has_struck:
            harmless = (j for j in self._possible(seat) if not j.member.has_struck)
            job = next(harmless, job)
        if job is None or job.member.has_struck:
            member = self._next_load(seat)
            if member is not None and (job is None or not member.has_struck):
                self._newcomers.pop(member, None)
                return member
        if job is not None:
            self._waiting.pop(job)
            self._running.add(job)
        return job

    def is_behind(self, seat: Seat) -> bool:
        """Return whether the worker in ``seat`` has scripts still to be taken in."""
        return not seat.has_ended and self._next_load(seat) is not None

    def has_home(self, member: Member) -> bool:
        """Return whether a script can be decided about where it belongs."""
        return any(home.can_run_soon(member) for home in self._plain if member in home.members)

    def _possible(self, seat: Seat) -> Iterator[Job]:
        return (
            job
            for job in self._waiting
            if job.member in seat.loaded and self._may_run(seat, job.member)
        )

    def _next_load(self, seat: Seat) -> Member | None:
        """Return a script that the worker lacks, those that are waited for first."""
        wanted = {job.member: None for job in self._waiting} | seat.members | self._newcomers
        for member in wanted:
            if member not in seat.loaded and not member.is_away and self._may_run(seat, member):
                return member
        return None

    def _may_run(self, seat: Seat, member: Member) -> bool:
        if seat.hosts(member):
            return True
        return seat.is_careful and not self.has_home(member)
