"""How accounts stand, in short lines for a telephone."""

from collections.abc import Callable
from decimal import Decimal

from milobot.app.account_status import AccountStatus, Held, drawdown, loss_today
from milobot.domain.governor import GovernorLimits
from milobot.domain.slots import PositionState
from milobot.signals.talk.answers import clock_time
from milobot.signals.talk.plain import money, percent, plain, price, quantity, signed

PriceOf = Callable[[str, str], Decimal | None]
"""Price of a symbol on an account; None where nobody knows it."""

_MOST_NAMED = 8
_MODES = {"live": "REAL MONEY", "testnet": "play money", "demo": "demo", "": "never traded"}


def status_text(one: AccountStatus, limits: GovernorLimits) -> str:
    """Return how an account stands."""
    lines = [f"{one.account}, {_MODES.get(one.mode, one.mode)}", _leader(one)]
    if one.equity is not None:
        lines.append(f"equity {money(one.equity.equity)} USDT, {clock_time(one.equity.time_ms)}")
    if one.governor is not None:
        lost, fallen = percent(loss_today(one.governor)), percent(drawdown(one.governor))
        lines.append(f"today lost {lost} of {percent(limits.daily_loss)}")
        lines.append(f"drawdown {fallen} of {percent(limits.max_drawdown)}")
        lines += [
            f"⚠ HALTED since {clock_time(halt.since_ms)}: {plain(halt.reason)}"
            for halt in one.governor.halts
        ]
    lines.append(_open_line(one.held))
    if one.doubtful:
        lines.append(f"orders whose end is not known yet: {len(one.doubtful)}")
    compared = next((task for task in one.tasks if task.name == "reconciliation"), None)
    if compared is not None:
        lines.append(f"compared with the exchange {clock_time(compared.time_ms)}")
    return "\n".join(lines)


def positions_text(account: str, held: tuple[Held, ...], price_of: PriceOf) -> str:
    """Return what is open on an account with stop, targets and, where known, gain."""
    parts = [held_text(account, one, price_of) for one in held]
    return "\n\n".join([account, *parts]) if parts else f"{account}\nnothing is open"


def held_text(account: str, one: Held, price_of: PriceOf) -> str:
    """Return what a slot holds."""
    slot = one.slot
    if not slot.held:
        why = plain(slot.blocked) or one.state.value.lower()
        return f"{slot.symbol}: {why}"
    lines = [f"{slot.symbol} {slot.held_side.value.lower()} {quantity(slot.held)}"]
    if not slot.position.is_flat:
        lines.append(f"entry {price(slot.position.entry_price)}{_gain(account, one, price_of)}")
    lines.append(_levels(one))
    state = one.state.value
    mark = "" if one.state is PositionState.PROTECTED else "⚠ "
    closing = f", closing: {plain(slot.closing, 60)}" if slot.closing else ""
    blocked = f", blocked: {plain(slot.blocked, 60)}" if slot.blocked else ""
    lines.append(f"{mark}{state}{closing}{blocked}, of {plain(slot.owner, 60) or 'nobody'}")
    return "\n".join(lines)


def _leader(one: AccountStatus) -> str:
    if one.presence.is_alive:
        return f"led by {plain(one.presence.holder, 60)}"
    return "⚠ nobody leads it: no bot runs on it"


def _open_line(held: tuple[Held, ...]) -> str:
    held = tuple(one for one in held if one.slot.held)
    if not held:
        return "nothing is open"
    bare = [one.slot.symbol for one in held if one.state is PositionState.UNPROTECTED]
    named, others = held[:_MOST_NAMED], len(held) - _MOST_NAMED
    said = f"{len(held)} open: {', '.join(one.slot.symbol for one in named)}"
    said += f" and {others} more" if others > 0 else ""
    return f"{said}\n⚠ without a resting stop: {', '.join(bare)}" if bare else said


def _gain(account: str, one: Held, price_of: PriceOf) -> str:
    held = one.slot.position
    now = price_of(account, one.slot.symbol)
    if now is None or not held.cost:
        return ""
    gain = held.unrealized_pnl(now)
    return f", now {price(now)}\ngain {signed(gain)} USDT ({percent(gain / held.cost)})"


def _levels(one: Held) -> str:
    slot = one.slot
    stop = "UNPROTECTED, no stop" if slot.stop is None else f"stop {price(slot.stop)}"
    targets = slot.setup.levels.targets if slot.setup else ()
    if not targets:
        return stop
    return f"{stop}, targets {', '.join(price(target.price) for target in targets)}"
