"""What is kept of an account beside its journal: equity, governor, sessions, cursors.

Units of work and queries; ``ledger.write`` and ``ledger.read`` run them.
"""

from dataclasses import asdict, dataclass
from decimal import Decimal

from sqlalchemy import Connection, Table, select

from milobot.storage import tables
from milobot.storage.upserts import insert_or_keep, insert_or_replace


@dataclass(frozen=True, slots=True)
class EquitySnapshot:
    """What an account held at a moment, in USDT."""

    account: str
    time_ms: int
    wallet: Decimal
    available: Decimal
    unrealized_pnl: Decimal

    @property
    def equity(self) -> Decimal:
        """Return the wallet plus open gains."""
        return self.wallet + self.unrealized_pnl


@dataclass(frozen=True, slots=True)
class Session:
    """One script or signal source at work; a restart continues it.

    Attributes:
        session_id: Part of its intents' keys and client order ids.
        anchor_ms: Candle that indicators are computed from; None for signals.
        mode: ``paper``, ``testnet`` or ``live``.
        details: Further settings, as the writer likes.
    """

    session_id: str
    account: str
    owner: str
    script: str
    mode: str
    anchor_ms: int | None
    started_ms: int
    details: str = ""


def save_equity(connection: Connection, snapshot: EquitySnapshot) -> None:
    """Keep a snapshot; a second of the same moment replaces the first."""
    _replace(connection, tables.equity_snapshots, asdict(snapshot))


def save_governor(connection: Connection, account: str, content: str, *, now_ms: int) -> None:
    """Keep the state of an account's governor, as ``domain.governor`` writes it."""
    row = {"account": account, "content": content, "updated_ms": now_ms}
    _replace(connection, tables.governor, row)


def load_governor(connection: Connection, account: str) -> str | None:
    """Return what was kept; None for a new account. The row is locked until the end."""
    governor = tables.governor
    found = select(governor.c.content).where(governor.c.account == account).with_for_update()
    content: str | None = connection.execute(found).scalar_one_or_none()
    return content


def save_session(connection: Connection, session: Session) -> bool:
    """Keep a session. Return whether it is new; an older one of the same id stays as it is."""
    statement = insert_or_keep(tables.sessions, connection.dialect.name)
    return connection.execute(statement, asdict(session)).rowcount > 0


def replace_session(connection: Connection, session: Session) -> None:
    """Keep a session in place of the one with its id, as when its anchor is moved."""
    _replace(connection, tables.sessions, asdict(session))


def load_session(connection: Connection, session_id: str) -> Session | None:
    """Return a session; None when there never was one of that id."""
    sessions = tables.sessions
    found = select(sessions).where(sessions.c.session_id == session_id)
    row = connection.execute(found).mappings().one_or_none()
    return None if row is None else Session(**dict(row))


def list_sessions(connection: Connection, account: str) -> list[Session]:
    """Return the sessions of an account, oldest first."""
    sessions = tables.sessions
    found = select(sessions).where(sessions.c.account == account).order_by(sessions.c.started_ms)
    return [Session(**dict(row)) for row in connection.execute(found).mappings()]


def save_cursor(connection: Connection, name: str, position: str, *, now_ms: int) -> None:
    """Keep how far a source was read."""
    row = {"name": name, "position": position, "updated_ms": now_ms}
    _replace(connection, tables.cursors, row)


def load_cursor(connection: Connection, name: str) -> str | None:
    """Return how far a source was read; None before the first time."""
    cursors = tables.cursors
    found = select(cursors.c.position).where(cursors.c.name == name)
    position: str | None = connection.execute(found).scalar_one_or_none()
    return position


def list_cursors(connection: Connection, beginning: str) -> list[tuple[str, str, int]]:
    """Return name, position and time of every cursor whose name begins so, by name."""
    cursors = tables.cursors
    found = select(cursors).where(cursors.c.name.startswith(beginning, autoescape=True))
    rows = connection.execute(found.order_by(cursors.c.name))
    return [(row.name, row.position, row.updated_ms) for row in rows]


def _replace(connection: Connection, table: Table, row: dict[str, object]) -> None:
    connection.execute(insert_or_replace(table, connection.dialect.name), row)
