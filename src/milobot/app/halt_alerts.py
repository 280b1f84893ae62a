"""Alerts about halts: when one begins, and when it is over."""

from collections.abc import Iterator

from milobot.domain.alerts import Alert, AlertKind
from milobot.domain.governor import Halt


def halt_alerts(before: tuple[Halt, ...], after: tuple[Halt, ...], now_ms: int) -> Iterator[Alert]:
    """Yield an alert for each halt that began or ended between two looks."""
    was, now = {halt.kind for halt in before}, {halt.kind for halt in after}
    for halt in after:
        if halt.kind not in was:
            said = f"halted, nothing enters: {halt.reason}"
            yield Alert(AlertKind.GOVERNOR, "", said, now_ms)
    for halt in before:
        if halt.kind not in now:
            said = f"no longer halted: {halt.reason}"
            yield Alert(AlertKind.GOVERNOR, "", said, now_ms, is_over=True)
