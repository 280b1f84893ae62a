"""The table of ``docs/signals.md``: what leads a signal from which state to which."""

from collections.abc import Iterator
from dataclasses import dataclass

from milobot.signals.door import SignalState

_S = SignalState


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        before: State before; None for a message that has just come.
        kind: What happens, as the history calls it.
        after: State afterwards.
        meaning: When it happens, and what the engine is asked then.
    """

    before: SignalState | None
    kind: str
    after: SignalState
    meaning: str


ROWS = (
    Row(None, "received", _S.NOT_A_SIGNAL, "chat, a result, an advertisement"),
    Row(
        None,
        "received",
        _S.REFUSED,
        "not certain, not allowed by the profile, or a command that fits no signal",
    ),
    Row(
        None,
        "received",
        _S.DUPLICATE,
        "the same set-up was taken within the window, or is forwarded",
    ),
    Row(
        None,
        "received",
        _S.LATE,
        "older than `max_age_s` (entry at the market), or than `expiry_s`",
    ),
    Row(
        None,
        "received",
        _S.WAITING,
        "a limit, zone, ladder or breakout: the bot waits, nothing rests at the exchange",
    ),
    Row(
        None, "received", _S.ENTERING, "an order or an entry at the market: the entry is asked for"
    ),
    Row(
        None,
        "received",
        _S.APPLIED,
        "a reply or command: carried out on the signal it concerns, see there",
    ),
    Row(
        _S.NOT_A_SIGNAL,
        "edited",
        _S.NOT_A_SIGNAL,
        "a new version; it is received like a new message",
    ),
    Row(_S.REFUSED, "edited", _S.REFUSED, "the same"),
    Row(
        _S.WAITING,
        "price_reached",
        _S.ENTERING,
        "the last price is at the entry or better, or through it for a breakout: the entry is asked for",
    ),
    Row(
        _S.WAITING,
        "price_left",
        _S.LATE,
        "a breakout that the price has passed by more than `max_drift`",
    ),
    Row(
        _S.WAITING,
        "far_from_market",
        _S.REFUSED,
        "the first price seen is more than 20 % from the nearest entry",
    ),
    Row(_S.WAITING, "stop_reached", _S.CANCELLED, "the price is at the stop before any entry"),
    Row(
        _S.WAITING,
        "target_reached",
        _S.CANCELLED,
        "the price is at the first target before any entry",
    ),
    Row(_S.WAITING, "expired", _S.EXPIRED, "`expiry_s` after it was posted"),
    Row(_S.WAITING, "edited", _S.WAITING, "the new version takes the place of the plan"),
    Row(
        _S.WAITING,
        "too_old",
        _S.LATE,
        "the new version enters at the market, and the message is older than `max_age_s`",
    ),
    Row(_S.WAITING, "edited_away", _S.CANCELLED, "the new version is no set-up"),
    Row(_S.WAITING, "deleted", _S.CANCELLED, "the message was deleted"),
    Row(_S.WAITING, "taken_back", _S.CANCELLED, "cancelled or closed by a reply or command"),
    Row(
        _S.WAITING,
        "command",
        _S.WAITING,
        "stop or targets changed before the entry; what needs a position is refused (`no_position`)",
    ),
    Row(_S.WAITING, "failed", _S.DENIED, "looking after it went wrong; an alert says so"),
    Row(_S.ENTERING, "decided", _S.ENTERING, "the engine accepted the entry"),
    Row(
        _S.ENTERING,
        "denied",
        _S.DENIED,
        "a gate of the engine refused the only entry, such as `below_min_notional`",
    ),
    Row(
        _S.ENTERING,
        "late",
        _S.LATE,
        "the price had left by `max_drift`, or it could not be sent in time",
    ),
    Row(_S.ENTERING, "filled", _S.OPEN, "the position is there; the engine protects it"),
    Row(_S.ENTERING, "closed", _S.CLOSED, "filled and closed between two looks"),
    Row(
        _S.ENTERING,
        "reduced",
        _S.APPLIED,
        "a plain order that only reduced or closed what was held",
    ),
    Row(_S.ENTERING, "not_filled", _S.DENIED, "the order came to nothing"),
    Row(
        _S.ENTERING,
        "edited",
        _S.ENTERING,
        "put off until the end of the order is known; what was not sent is taken back",
    ),
    Row(_S.ENTERING, "deleted", _S.ENTERING, "the same"),
    Row(_S.ENTERING, "command", _S.ENTERING, "the same"),
    Row(
        _S.ENTERING, "not_sent", _S.WAITING, "taken back in time; what was put off follows at once"
    ),
    Row(_S.ENTERING, "failed", _S.ENTERING, "looking after it went wrong; it is tried again"),
    Row(
        _S.OPEN,
        "price_reached",
        _S.OPEN,
        "a further entry of a ladder: it is asked for, added to the position",
    ),
    Row(
        _S.OPEN,
        "decided",
        _S.OPEN,
        "what the engine said to a further entry, a reply or a new version",
    ),
    Row(_S.OPEN, "target", _S.OPEN, "a target has filled"),
    Row(
        _S.OPEN,
        "break_even",
        _S.OPEN,
        "the target of `break_even_after` has filled: the stop goes to where fees are paid",
    ),
    Row(
        _S.OPEN,
        "legs_dropped",
        _S.OPEN,
        "an exit filled or time is up: further entries are given up",
    ),
    Row(
        _S.OPEN,
        "edited",
        _S.OPEN,
        "stop and targets follow; entries that wait, too; another symbol or direction is refused (`not_the_same_plan`)",
    ),
    Row(_S.OPEN, "deleted", _S.OPEN, "further entries are given up; the position stays, protected"),
    Row(
        _S.OPEN,
        "command",
        _S.OPEN,
        "close, close a share, move the stop, new targets: asked for; cancel: further entries are given up",
    ),
    Row(_S.OPEN, "closed", _S.CLOSED, "by a stop, a target, a command, a reversal or by hand"),
    Row(_S.OPEN, "failed", _S.OPEN, "looking after it went wrong; it is tried again"),
)
"""Every way from one state to another."""

_STAYS = ("edited", "deleted", "command", "decided", "failed")
"""What is only noted once nothing can become of a signal any more."""


def leads_to(before: SignalState | None, kind: str) -> frozenset[SignalState]:
    """Return the states that something may lead to; none where it cannot happen."""
    if kind == "received" and before in {_S.NOT_A_SIGNAL, _S.REFUSED}:
        before = None  # a new version of what was none is received like a new message
    found = {row.after for row in ROWS if (row.before, row.kind) == (before, kind)}
    if not found and before is not None and before.is_final and kind in _STAYS:
        found = {before}
    return frozenset(found)


def lines() -> Iterator[str]:
    """Yield the lines of the table as the document shows it."""
    yield "| state | what happens | state afterwards | when, and what the engine is asked |"
    yield "| --- | --- | --- | --- |"
    for row in ROWS:
        before = "" if row.before is None else f"`{row.before.value}`"
        yield f"| {before} | `{row.kind}` | `{row.after.value}` | {row.meaning} |"
