"""Who leads what: one row for each account, taken for a few seconds at a time.

Its epoch grows whenever the holder changes. Whoever commits for an account proves in the same
transaction that its epoch is still the one in the row, so a process that slept through the
loss of its lease cannot write over its successor.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, literal, select, text, update

from milobot.errors import LeaseLostError
from milobot.ports import Clock
from milobot.storage import tables
from milobot.storage.database import APPLICATION, FROZEN_MS, Database
from milobot.storage.sqlite_ledger import driver_of
from milobot.storage.upserts import insert_or_keep

TTL_MS = 4_000

_leases = tables.leases
_IS_NAMED = _leases.c.name == bindparam("of_name")
_IS_MINE = _leases.c.holder == bindparam("me")
_RENEW = (
    update(_leases)
    .where(_IS_NAMED, _IS_MINE)
    .values(until_ms=bindparam("until"))
    .returning(_leases.c.epoch)
)
_TAKE = (
    update(_leases)
    .where(_IS_NAMED)
    .values(holder=bindparam("me"), until_ms=bindparam("until"), epoch=_leases.c.epoch + literal(1))
    .returning(_leases.c.epoch)
)
_GIVE_UP = update(_leases).where(_IS_NAMED, _IS_MINE).values(until_ms=0, holder="")
_SELECT = select(_leases).where(_IS_NAMED)
# On PostgreSQL a commit locks the row's key and a takeover the whole row, so they exclude each
# other; renewing locks neither, so that it never waits for commits. SQLite has one writer anyway.
_SELECT_TO_TAKE = _SELECT.with_for_update()
_SELECT_EPOCH = select(_leases.c.epoch).where(_IS_NAMED).with_for_update(read=True, key_share=True)
# A process frozen in the middle of a statement holds the row for good: its session is not idle,
# so no timeout of the server ends it (statement_timeout waits for the message to be whole).
_END_FROZEN = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND usename = current_user"
    " AND application_name = :application AND pid <> pg_backend_pid()"
    " AND xact_start IS NOT NULL AND wait_event = 'ClientRead'"
    " AND state_change < clock_timestamp() - :frozen_ms * interval '1 millisecond'"
)
_FROZEN = {"application": APPLICATION, "frozen_ms": FROZEN_MS}
# Every commit asks: on a file, where asking costs nothing, preparing the question must not either.
_SELECT_EPOCH_IN_FILE = f"SELECT epoch FROM {_leases.name} WHERE name = ?"  # noqa: S608 - a table of ours


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """A lease as it is on record."""

    name: str
    holder: str
    epoch: int
    until_ms: int


def take_lease(
    connection: Connection, name: str, holder: str, *, now_ms: int, ttl_ms: int = TTL_MS
) -> int | None:
    """Take or renew a lease until ``now_ms + ttl_ms``.

    Returns:
        Its epoch; None while somebody else holds it.
    """
    keys = {"of_name": name, "me": holder, "until": now_ms + ttl_ms}
    epoch: int | None = connection.execute(_RENEW, keys).scalar_one_or_none()
    if epoch is not None:
        return epoch
    found = read_lease(connection, name)  # without a lock: who stands by must not hold up commits
    if found is None:
        first = {"name": name, "holder": holder, "epoch": 1, "until_ms": now_ms + ttl_ms}
        made = connection.execute(insert_or_keep(_leases, connection.dialect.name), first)
        return 1 if made.rowcount else None  # somebody else may have been first at this moment
    if found.until_ms >= now_ms:
        return None
    if connection.dialect.name == "postgresql":
        connection.execute(_END_FROZEN, _FROZEN)
    locked = connection.execute(_SELECT_TO_TAKE, {"of_name": name}).one()
    if locked.until_ms >= now_ms:
        return None  # somebody else was faster
    taken: int = connection.execute(_TAKE, keys).scalar_one()
    return taken


def read_lease(connection: Connection, name: str) -> LeaseRow | None:
    """Return a lease as it is on record; None when nobody ever took it."""
    row = connection.execute(_SELECT, {"of_name": name}).one_or_none()
    return None if row is None else LeaseRow(row.name, row.holder, row.epoch, row.until_ms)


def is_anybody_alive(connection: Connection, name: str, *, now_ms: int) -> bool:
    """Return whether somebody holds the lease now."""
    row = read_lease(connection, name)
    return row is not None and row.until_ms >= now_ms


class Lease:
    """One process's hold on an account, or on whatever else only one may do.

    Attributes:
        epoch: Number of the hold; 0 before the first.
        deadline_ms: Until when it surely holds, counted from before it was asked for.
        others_until_ms: Until when somebody else held it at the last try; 0 for nobody.
    """

    def __init__(
        self, database: Database, clock: Clock, *, name: str, holder: str, ttl_ms: int = TTL_MS
    ) -> None:
        """Hold nothing yet.

        Args:
            database: Where the row is.
            clock: The clock that also stamps requests to the exchange.
            name: What is led, such as ``account binance:default``.
            holder: Who we are: another one for every process that was ever started.
            ttl_ms: How long a hold lasts without being renewed.
        """
        self._database = database
        self._clock = clock
        self.name = name
        self.holder = holder
        self._ttl_ms = ttl_ms
        self.epoch = 0
        self.deadline_ms = 0
        self.others_until_ms = 0

    @property
    def is_held(self) -> bool:
        """Return whether nobody else can hold it now; asked before a request is signed."""
        return self.epoch > 0 and self._clock.now_ms() < self.deadline_ms

    async def take(self) -> bool:
        """Take or renew the hold. Return whether it is ours.

        Raises:
            LeaseLostError: It was ours and somebody else has taken it since.
            LedgerError: The ledger did not answer; the hold we have runs on.
        """
        now_ms = self._clock.now_ms()

        def attempt(connection: Connection) -> tuple[int | None, LeaseRow | None]:
            epoch = take_lease(
                connection, self.name, self.holder, now_ms=now_ms, ttl_ms=self._ttl_ms
            )
            return epoch, read_lease(connection, self.name) if epoch is None else None

        epoch, other = await self._database.write(attempt)
        self.others_until_ms = 0 if other is None else other.until_ms
        had = self.epoch
        if epoch is None or (had and epoch != had):
            self.epoch = self.deadline_ms = 0
            if had:
                raise _lost(self.name)
            return False
        self.epoch, self.deadline_ms = epoch, now_ms + self._ttl_ms
        return True

    async def give_up(self) -> None:
        """End the hold, so that whoever stands by need not wait for its end."""
        self.epoch = self.deadline_ms = 0
        keys = {"of_name": self.name, "me": self.holder}
        await self._database.write(lambda connection: connection.execute(_GIVE_UP, keys).rowcount)


def require_lease(connection: Connection, lease: Lease) -> None:
    """Make sure, within a transaction, that the hold is still ours.

    Raises:
        LeaseLostError: Somebody else has taken it since.
    """
    if connection.dialect.name == "sqlite":
        row = driver_of(connection).execute(_SELECT_EPOCH_IN_FILE, (lease.name,)).fetchone()
        epoch = row and row[0]
    else:
        epoch = connection.execute(_SELECT_EPOCH, {"of_name": lease.name}).scalar_one_or_none()
    if not lease.epoch or epoch != lease.epoch:
        raise _lost(lease.name)


def _lost(name: str) -> LeaseLostError:
    return LeaseLostError(f"another process leads the {name} now: this one stands by")
