"""Alerts: what a person should know now, in one sentence."""

from dataclasses import dataclass
from enum import StrEnum


class AlertKind(StrEnum):
    """What an alert is about; stable words for filters and metrics."""

    UNPROTECTED = "unprotected"
    DRIFT = "drift"
    FOREIGN = "foreign"
    CONTRADICTION = "contradiction"
    LEDGER = "ledger"
    EXCHANGE = "exchange"
    GOVERNOR = "governor"
    LEASE = "lease"
    SCRIPT = "script"
    SIGNAL = "signal"
    TELEGRAM = "telegram"


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that a person should know.

    Attributes:
        symbol: Symbol concerned; empty when it is the account as a whole.
        sentence: What happened, where, and what to do where there is something to do.
        is_over: Whether it says that what was wrong is right again.
    """

    kind: AlertKind
    symbol: str
    sentence: str
    time_ms: int
    is_over: bool = False
