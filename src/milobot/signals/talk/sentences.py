"""Sentences: what goes by of an account and of its signals, as notices."""

from decimal import Decimal

from milobot.domain.alerts import Alert, AlertKind
from milobot.domain.decisions import Decision, Outcome
from milobot.domain.intents import Side
from milobot.domain.orders import Fill, OrderPurpose
from milobot.domain.round_trips import RoundTrip
from milobot.signals.door import SignalEvent, SignalState
from milobot.signals.talk.notices import Notice, NoticeKind
from milobot.signals.talk.plain import lasting, plain, price, quantity, signed

_ALERTS = {
    AlertKind.UNPROTECTED: NoticeKind.PROTECTION,
    AlertKind.GOVERNOR: NoticeKind.GOVERNOR,
    AlertKind.DRIFT: NoticeKind.DRIFT,
    AlertKind.FOREIGN: NoticeKind.DRIFT,
    AlertKind.CONTRADICTION: NoticeKind.DRIFT,
    AlertKind.LEDGER: NoticeKind.LEDGER,
    AlertKind.EXCHANGE: NoticeKind.CONNECTION,
    AlertKind.LEASE: NoticeKind.CONNECTION,
    AlertKind.SCRIPT: NoticeKind.SCRIPTS,
    AlertKind.SIGNAL: NoticeKind.SIGNALS,
    AlertKind.TELEGRAM: NoticeKind.CONNECTION,
}
_FILLS = {
    OrderPurpose.ENTRY: (NoticeKind.ENTRIES, "entry filled"),
    OrderPurpose.STOP: (NoticeKind.EXITS, "stop hit"),
    OrderPurpose.TARGET: (NoticeKind.EXITS, "target hit"),
    OrderPurpose.CLOSE: (NoticeKind.EXITS, "closing"),
    OrderPurpose.LIQUIDATION: (NoticeKind.PROTECTION, "LIQUIDATED"),
    OrderPurpose.EXTERNAL: (NoticeKind.EXITS, "changed by somebody else"),
}
_REFUSED = frozenset(
    {
        SignalState.REFUSED,
        SignalState.LATE,
        SignalState.DUPLICATE,
        SignalState.DENIED,
        SignalState.EXPIRED,
        SignalState.CANCELLED,
    }
)
# What comes of these is told by decisions, fills and results, with more to say.
_TOLD_BY_ENGINE = frozenset({"decided", "denied", "filled", "target", "closed"})


def about(symbol: str, account: str) -> str:
    """Return what a notice concerns, as its heading.

    >>> about("BTCUSDT", ""), about("BTCUSDT", "bingx:default"), about("", "bingx:default")
    ('BTCUSDT', 'BTCUSDT on bingx:default', 'bingx:default')
    """
    parts = [plain(part, 60) for part in (symbol, account) if part]
    return " on ".join(parts)


def alert_notice(alert: Alert, account: str = "") -> Notice:
    """Return what an alert tells; ``account`` is named where there are several."""
    mark = "✓" if alert.is_over else "⚠"
    said = plain(alert.sentence)
    return Notice(
        _ALERTS.get(alert.kind, NoticeKind.DRIFT),
        about(alert.symbol, account),
        f"{mark} {said}",
        alert.time_ms,
    )


def decision_notice(decision: Decision, now_ms: int, account: str = "") -> Notice | None:
    """Return what became of a wish to trade; None where nothing changed.

    Args:
        decision: Its own time is that of a candle or a message, not of the decision.
        now_ms: When it was heard of.
        account: Named where there are several.
    """
    if decision.outcome is Outcome.IGNORED:
        return None
    action, reason = plain(decision.action, 60), plain(decision.reason)
    who = f" ({plain(decision.owner, 60)})"
    if decision.outcome is Outcome.DENIED:
        said = f"not traded: {action}, {reason} [{plain(decision.code, 40)}]{who}"
        kind = NoticeKind.REFUSALS
    else:
        said, kind = f"{action}: {reason}{who}", NoticeKind.SIGNALS
    return Notice(kind, about(decision.symbol, account), said, now_ms)


def fill_notice(fill: Fill, purpose: OrderPurpose, account: str = "") -> Notice:
    """Return what an execution means for a position."""
    kind, said = _FILLS[purpose]
    done = "bought" if fill.side is Side.BUY else "sold"
    return Notice(
        kind,
        about(fill.symbol, account),
        f"{said}: {done}",
        fill.time_ms,
        quantity=fill.quantity,
        cost=fill.quantity * fill.price,
    )


def trip_notice(trip: RoundTrip, account: str = "") -> Notice:
    """Return what came of a position from entry to flat."""
    side, reason = trip.side.value.lower(), plain(trip.exit_reason.replace("_", " "), 60)
    held = lasting(trip.exit_time_ms - trip.entry_time_ms)
    result = f"{signed(trip.pnl)} USDT{_in_risk(trip)}"
    way = f"{price(trip.entry_price)} to {price(trip.exit_price)}"
    said = f"{side} {quantity(trip.quantity)} closed ({reason}): {result}; {way} in {held}"
    return Notice(NoticeKind.RESULTS, about(trip.symbol, account), said, trip.exit_time_ms)


def signal_notice(source: str, symbol: str, event: SignalEvent, account: str = "") -> Notice | None:
    """Return what became of a signal; None where something else tells it, or it is chat.

    Args:
        source: Who said it.
        symbol: What it is about; empty when it was not read.
        event: The line of its history.
        account: Named where there are several.
    """
    is_on_its_way = event.state is SignalState.ENTERING and not event.sentence
    is_chat = event.state is SignalState.NOT_A_SIGNAL
    if event.kind in _TOLD_BY_ENGINE or is_on_its_way or is_chat:
        return None
    state = event.state.value.replace("_", " ")
    code = f" [{plain(event.code, 40)}]" if event.code else ""
    because = f": {plain(event.sentence)}" if event.sentence else ""
    said = f"signal {state}{because}{code} ({plain(source, 60)})"
    kind = NoticeKind.REFUSALS if event.state in _REFUSED else NoticeKind.SIGNALS
    return Notice(kind, about(symbol, account), said, event.time_ms)


def risk_multiple(trip: RoundTrip) -> Decimal | None:
    """Return the result in R, what was to be lost at the first stop; None without one."""
    if trip.stop is None:
        return None
    risk = abs(trip.entry_price - trip.stop) * trip.quantity
    return trip.pnl / risk if risk else None


def _in_risk(trip: RoundTrip) -> str:
    multiple = risk_multiple(trip)
    return "" if multiple is None else f", {multiple:+.2f} R"
