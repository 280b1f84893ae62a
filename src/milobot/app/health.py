"""Whether a run is ready to trade, and if not, what is missing: decided from a frozen sighting.

Every part is judged by itself and named, with a sentence that says why it is not as it should
be. What is asked of a replica that stands by is less: it has no streams, and nothing is
compared until it leads.
"""

from dataclasses import dataclass
from enum import StrEnum

from milobot.exchanges.pulses import Pulse

LEDGER_LATE_MS = 3_500
"""An answer of the ledger older than this counts as none: it is asked every second."""
COMPARED_LATE_MS = 90_000
"""Three rounds of comparing were missed."""


class Role(StrEnum):
    """What a process is for an account."""

    LEADING = "leading"
    STANDING_BY = "standing_by"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class LedgerSight:
    """What is known of the ledger.

    Attributes:
        age_ms: Since it last answered; None when it never did.
        trouble: Why it does not, or cannot be used, as a sentence; empty when it does.
        revision: Of its tables; empty while unknown.
        needed: The revision that this program needs.
        is_newer: Whether this program does not know the revision: a newer one made it.
    """

    age_ms: int | None = None
    trouble: str = ""
    revision: str = ""
    needed: str = ""
    is_newer: bool = False


@dataclass(frozen=True, slots=True)
class AccountSight:
    """What is known of one account of the run.

    Attributes:
        leader: Who leads it, as far as the ledger tells; empty for nobody.
        is_compared: Whether it was compared with the exchange's since we lead it.
        compared_age_ms: Since the last comparison; None before the first.
        streams: Its streams that are meant to run now; None where nobody can tell.
        halt: Why the exchange is given a rest; empty when it is not.
    """

    account: str
    role: Role
    leader: str = ""
    is_compared: bool = False
    compared_age_ms: int | None = None
    streams: tuple[Pulse, ...] | None = ()
    halt: str = ""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A run as it is at one moment."""

    ledger: LedgerSight
    accounts: tuple[AccountSight, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that has to be right.

    Attributes:
        name: ``ledger``, ``schema``, ``exchange_stream``, ``lease`` or ``account_compared``.
        account: Account concerned; empty for all.
        reason: Why it is not ready, or how it is when it is.
    """

    name: str
    is_ready: bool
    reason: str
    account: str = ""


def judge(sighting: Sighting) -> tuple[Part, ...]:
    """Return every part of a run with its state; it is ready when all of them are."""
    parts = [_ledger(sighting.ledger), _schema(sighting.ledger)]
    for account in sighting.accounts:
        parts += [_lease(account), _stream(account), _compared(account)]
    return tuple(parts)


def _ledger(ledger: LedgerSight) -> Part:
    if ledger.age_ms is None:
        return Part("ledger", is_ready=False, reason=ledger.trouble or "it was not asked yet")
    if ledger.age_ms > LEDGER_LATE_MS or ledger.trouble:
        why = ledger.trouble or f"no answer for {ledger.age_ms / 1000:.1f} s"
        return Part("ledger", is_ready=False, reason=why)
    return Part("ledger", is_ready=True, reason="it answers")


def _schema(ledger: LedgerSight) -> Part:
    if not ledger.revision:
        return Part("schema", is_ready=False, reason="its version is not known")
    if ledger.is_newer:
        why = (
            f"version {ledger.revision}, and this milobot knows versions up to {ledger.needed}: run"
            " the newer milobot that made it"
        )
        return Part("schema", is_ready=False, reason=why)
    if ledger.revision != ledger.needed:
        why = (
            f"version {ledger.revision}, and {ledger.needed} is needed: run `alembic upgrade head`"
        )
        return Part("schema", is_ready=False, reason=why)
    return Part("schema", is_ready=True, reason=f"version {ledger.revision}")


def _lease(account: AccountSight) -> Part:
    said = {
        Role.LEADING: "this process leads the account",
        Role.STANDING_BY: f"{account.leader} leads the account, this process stands by",
        Role.UNKNOWN: "nobody is known to lead the account",
    }[account.role]
    return Part("lease", account.role is not Role.UNKNOWN, said, account.account)


def _stream(account: AccountSight) -> Part:
    trouble = ""
    if account.role is Role.STANDING_BY:
        said = "none is needed while standing by"
    elif account.streams is None:
        said = "this client does not show its streams"
    else:
        said = "every stream is fresh"
        trouble = account.halt or _trouble_of(account.streams)
    return Part("exchange_stream", not trouble, trouble or said, account.account)


def _trouble_of(streams: tuple[Pulse, ...]) -> str:
    """Return what is wrong with the first stream that is not fresh; empty when all are."""
    if not streams:
        return "no stream is open yet"
    for pulse in streams:
        if pulse.age_ms is None:
            return f"{pulse.name} is not connected"
        if not pulse.is_fresh:
            return f"{pulse.name} has been silent for {pulse.age_ms / 1000:.1f} s"
    return ""


def _compared(account: AccountSight) -> Part:
    def part(reason: str, *, is_ready: bool = False) -> Part:
        return Part("account_compared", is_ready, reason, account.account)

    if account.role is Role.STANDING_BY:
        return part("nothing is compared while standing by", is_ready=True)
    if not account.is_compared or account.compared_age_ms is None:
        return part("it was not compared with the exchange's yet")
    if account.compared_age_ms > COMPARED_LATE_MS:
        return part(f"it was not compared for {account.compared_age_ms / 1000:.0f} s")
    return part("it is compared with the exchange's", is_ready=True)
