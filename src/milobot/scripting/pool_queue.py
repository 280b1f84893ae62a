"""Which decision a free worker takes next, and who must not run beside whom."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
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
    is_second_try: bool = False

    def finish(self, result: Evaluation) -> None:
        """Give the result to whoever waits, if anybody still does."""
        if not self.result.done():
            self.result.set_result(result)

    def fail(self, reason: str, *, line: int = 0, index: int = -1) -> None:
        """Give the result that means ``donothing``, with its reason."""
        self.finish(_failed(self.start, self.stop, reason, line=line, index=index))


def _failed(start: int, stop: int, reason: str, *, line: int = 0, index: int = -1) -> Evaluation:
    if start == stop:
        return nothing_decided(start, stop, None)
    place = index if start <= index < stop else start
    return nothing_decided(start, stop, Fault(place, line, 1 if line else 0, reason))


class Queue:
    """Decisions that are not there yet, in the order in which they were asked for."""

    def __init__(self) -> None:
        """Begin with nothing waiting."""
        self._waiting: dict[Job, None] = {}
        self._running: set[Job] = set()
        self._careful: Member | None = None

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

    def next_job(self, seat: Seat) -> Job | None:
        """Take the first decision that the worker in ``seat`` can be asked for now."""
        for job in self._waiting:
            if job.member.number in seat.loaded and self._admits(job.member):
                self.discard(job)
                self._running.add(job)
                return job
        return None

    def next_load(self, seat: Seat) -> Member | None:
        """Return a script that the worker in ``seat`` lacks, those that are waited for first."""
        wanted = {job.member.number: job.member for job in self._waiting}
        for number, member in [*wanted.items(), *seat.members.items()]:
            if number in seat.members and number not in seat.loaded and self._may_load(member):
                return member
        return None

    @contextmanager
    def lane(self, member: Member) -> Iterator[None]:
        """Keep the careful lane for ``member`` meanwhile, if it belongs there."""
        is_careful = member.is_suspect
        if is_careful:
            self._careful = member
        try:
            yield
        finally:
            if is_careful:
                self._careful = None

    def _may_load(self, member: Member) -> bool:
        return not member.is_loading and not member.quarantine and self._admits(member)

    def _admits(self, member: Member) -> bool:
        """Return whether a script may run beside those that run now.

        In the careful lane those that have never done harm go first.
        """
        if not member.is_suspect:
            return True
        if self._careful is not None:
            return False
        return not member.has_struck or not any(
            job.member.is_suspect and not job.member.has_struck for job in self._waiting
        )
