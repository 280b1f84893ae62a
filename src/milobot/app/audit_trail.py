"""What goes into the audit log besides commands: starts and ends, leads, halts, keys, settings.

A note that the ledger does not take is logged, and stops nothing. Whatever is noted is logged
too, with number and hash: the log of a process is where an auditor finds what a chain must hold.
"""

import getpass
import json
from collections.abc import Callable, Iterable, Mapping

from sqlalchemy import Connection

from milobot.domain.governor import Halt
from milobot.domain.intents import Size
from milobot.errors import MilobotError
from milobot.ports import Clock
from milobot.settings import Settings
from milobot.storage.audit import AuditEntry, append_audit, latest_of
from milobot.storage.ledger import Ledger
from milobot.telemetry import get_logger

Append = Callable[[Connection], AuditEntry | None]
BOT = "milobot"
"""Who did what nobody asked for."""
TELLING = (
    "trading_enabled",
    "binance_testnet",
    "bingx_testnet",
    "binance_base_url",
    "bingx_base_url",
    "default_stop",
    "allow_unprotected",
    "signal_risk",
    "engine_delay",
    "listen",
    "api_open",
    "allowed_hosts",
    "telegram_admins",
    "telegram_chats",
)
"""Settings whose change is noted, with the limits of the governor; none of them is a secret."""


class AuditTrail:
    """Notes what happens to one account."""

    def __init__(self, ledger: Ledger, account: str, clock: Clock) -> None:
        """Note nothing yet."""
        self._ledger, self._account, self._clock = ledger, account, clock
        self._halts: frozenset[str] = frozenset()

    async def note(self, event: str, details: str, *, actor: str = BOT) -> None:
        """Note that something was done."""
        now_ms = self._clock.now_ms()

        def append(connection: Connection) -> AuditEntry:
            return append_audit(
                connection, self._account, actor=actor, event=event, details=details, now_ms=now_ms
            )

        await self._try(event, append)

    async def note_settings(self, settings: Mapping[str, str]) -> None:
        """Note settings that differ from those noted last, all of them."""
        now_ms, details = self._clock.now_ms(), json.dumps(dict(settings), sort_keys=True)

        def append(connection: Connection) -> AuditEntry | None:
            last = latest_of(connection, self._account, "settings")
            if last is not None and last.details == details:
                return None
            return append_audit(
                connection,
                self._account,
                actor=BOT,
                event="settings",
                details=details,
                now_ms=now_ms,
            )

        await self._try("settings", append)

    async def note_halts(self, halts: Iterable[Halt]) -> None:
        """Note halts that begin, but for those that somebody asked for: a command tells of them."""
        there = {halt.kind.value: halt for halt in halts if halt.kind.value != "manual"}
        for kind in there.keys() - self._halts:
            await self.note("governor_halt", f"{kind}: {there[kind].reason}")
        for kind in self._halts - there.keys():
            await self.note("governor_release", kind)
        self._halts = frozenset(there)

    async def _try(self, event: str, append: Append) -> None:
        try:
            entry = await self._ledger.write(append)
        except MilobotError as error:
            get_logger().error(
                "audit_not_noted", account=self._account, audited=event, reason=str(error)
            )
            return
        if entry is not None:
            log_entry(entry)


def whoami() -> str:
    """Return who asks, for the record."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # a user without a name, as in some containers
        return "cli"


def log_entry(entry: AuditEntry) -> None:
    """Log an entry with its number and hash."""
    get_logger().info(
        "audit",
        number=entry.number,
        hash=entry.hash,
        account=entry.account,
        actor=entry.actor,
        audited=entry.event,
        details=entry.details,
    )


def telling_settings(settings: Settings) -> dict[str, str]:
    """Return the settings that matter to whoever asks later under which the bot traded."""
    told = {name: _told(getattr(settings, name)) for name in TELLING}
    limits = settings.governor_limits()
    return {**told, **{f"limit {name}": _told(getattr(limits, name)) for name in limits.__slots__}}


def _told(value: object) -> str:
    """Return a setting as text: a set in order, so that the same one is the same text again."""
    match value:
        case frozenset():
            return ", ".join(sorted(map(str, value)))
        case Size():
            return f"{value.value} {value.kind.name.lower()}"
        case _:
            return str(value)
