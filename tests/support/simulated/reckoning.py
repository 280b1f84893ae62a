"""The end of a history: what the engine's books, the ledger and the exchange say must agree."""

from collections.abc import Iterable, Iterator

from tests.support.simulated.bot import ACCOUNT, World
from tests.support.simulated.remote import Remote, Whose

from milobot.domain.decisions import Outcome
from milobot.domain.ids import client_order_id
from milobot.domain.intents import Enter, Reduce, TradeIntent
from milobot.execution.engine import ExecutionEngine
from milobot.execution.findings import Code, signed


def differences(world: World, engine: ExecutionEngine, wishes: Iterable[TradeIntent]) -> list[str]:
    """Return what does not agree, in words; empty when everything does."""
    found = [*_recorder(engine)]
    for symbol in world.venue.symbols:
        found += _position(world, engine, symbol)
        found += _orders(world, engine, symbol)
        found += _fills(world, symbol)
    for intent in wishes:
        found += _end_of(world, intent)
    return found


def _recorder(engine: ExecutionEngine) -> Iterator[str]:
    if engine.recorder.is_behind:
        yield "something that happened is not on record"


def _position(world: World, engine: ExecutionEngine, symbol: str) -> Iterator[str]:
    slot, own = engine.slot(symbol), world.venue.own[symbol]
    if signed(slot.position) != own and not world.weather.has_strangers:
        yield f"{symbol}: {own} is held and {signed(slot.position)} is booked"
    if slot.closing or slot.queued is not None:
        yield f"{symbol}: still closing ({slot.closing})"
    # What somebody else opened while an entry was in doubt keeps the stop that it was given.
    is_theirs = world.weather.has_strangers and slot.blocked == Code.FOREIGN_POSITION
    if (slot.seen and not is_theirs) or slot.early:
        yield f"{symbol}: something seen was never explained"
    if own and not world.laws.exposures.is_protected(symbol) and not world.weather.has_strangers:
        yield f"{symbol}: {own} is held without a stop"
    if slot.position.is_flat and slot.owner and not slot.orders:
        yield f"{symbol}: flat and still owned by {slot.owner}"
    stored = world.disk.slots.get(symbol)
    if stored is not None and stored.position != slot.position:
        yield f"{symbol}: the ledger has another position than the engine"


def _orders(world: World, engine: ExecutionEngine, symbol: str) -> Iterator[str]:
    resting = {
        remote.order.client_order_id
        for remote in world.venue.resting(symbol)
        if remote.whose is Whose.OURS
    }
    known = {order.client_order_id for order in engine.slot(symbol).orders}
    if resting != known:
        yield f"{symbol}: {sorted(resting - known)} rest unknown, {sorted(known - resting)} do not"
    if resting and not world.venue.own[symbol] and not world.weather.has_strangers:
        yield f"{symbol}: flat, and {sorted(resting)} still rest"


def _fills(world: World, symbol: str) -> Iterator[str]:
    for fill, remote in world.venue.fills[symbol]:
        if remote.whose is not Whose.OURS or _is_left_out(world, remote):
            continue
        booked = world.disk.fills.get((symbol, fill.fill_id))
        if booked is None:
            yield f"{symbol}: fill {fill.fill_id} of a {remote.order.purpose} was never booked"
        elif (booked.quantity, booked.price, booked.fee) != (fill.quantity, fill.price, fill.fee):
            yield f"{symbol}: fill {fill.fill_id} is booked as another"


def _is_left_out(world: World, remote: Remote) -> bool:
    """Return whether the fills of an order of ours may be on no record.

    What was given up, filled unheard and was taken down again leaves no trace; nor does what took
    it down, when the ledger was away and the process that knew of it is gone. What an exit takes
    where only others hold something comes off theirs.
    """
    is_lost = remote.took_late and remote.order.client_order_id not in world.disk.orders
    return remote.is_late or is_lost or (remote.took_theirs and world.weather.has_strangers)


def _end_of(world: World, intent: TradeIntent) -> Iterator[str]:
    """Yield why an intent that was taken has no end on record."""
    key = intent.key
    decisions = world.disk.decisions.get(key, [])
    if key in world.disk.intents and not decisions:
        yield f"{key}: on record without a decision"
    # What was decided while the ledger was away may be lost with the process.
    if key in world.answered and not decisions and not world.disk.refused:
        yield f"{key}: answered, and nothing is on record"
    if not decisions or decisions[-1].outcome is not Outcome.ACCEPTED:
        return
    leg = _leg(intent, decisions[-1].reason)
    if not leg:
        return
    order = world.disk.orders.get(client_order_id(ACCOUNT, key, leg, 0))
    if order is None:
        yield f"{key}: accepted, and neither sent nor given up"
    elif order.is_live:
        yield f"{key}: its {leg} order is still {order.status}"


def _leg(intent: TradeIntent, reason: str) -> str:
    """Return which order of its own an accepted intent leads to; empty for none."""
    if not isinstance(intent.action, Enter | Reduce) or reason.startswith("close "):
        return ""
    return "reduce" if reason.startswith("take ") else "entry"
