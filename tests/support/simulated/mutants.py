"""Bugs put into the engine on purpose: laws that catch none of them would prove nothing.

    python -m tests.support.simulated.mutants               # every bug, a table
    python -m tests.support.simulated.mutants --only NAME   # one of them

A bug is a method of a running engine that is exchanged for another one; the product has no
switch for it.
"""

import argparse
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from rich.console import Console
from rich.table import Table
from tests.support.simulated.bot import ACCOUNT, FELL_OVER, Bot, World
from tests.support.simulated.history import History

from milobot.domain.intents import Enter, TradeIntent
from milobot.domain.money import round_down
from milobot.domain.orders import FundingUpdate, Order, OrderPurpose, OrderStatus, OrderUpdate
from milobot.domain.slots import Slot
from milobot.execution.doubt import Terms
from milobot.execution.exits import Cancel, Command
from milobot.execution.protection import next_command
from milobot.execution.wishes import Facts
from milobot.ports import Books, Record

P, S = OrderPurpose, OrderStatus
Update = OrderUpdate | FundingUpdate
# So many histories of all weathers may pass before a bug is caught.
MOST = 300


def entry_sent_again(bot: Bot) -> None:
    """Send an entry once more when its outcome is not known."""
    place = bot.client.place_order

    async def twice(order: Order) -> tuple[OrderUpdate, ...]:
        answer = await place(order)
        is_unknown = any(update.status is S.UNKNOWN for update in answer)
        if not is_unknown or order.purpose is not P.ENTRY:
            return answer
        return await place(replace(order, send_before_ms=0))

    _exchange(bot.client, "place_order", twice)


def reduced_twice(bot: Bot) -> None:
    """Send a reduction once more when its outcome is not known, like any other exit."""
    place = bot.client.place_order

    async def twice(order: Order) -> tuple[OrderUpdate, ...]:
        answer = await place(order)
        is_unknown = any(update.status is S.UNKNOWN for update in answer)
        if not is_unknown or order.purpose is not P.REDUCE:
            return answer
        return await place(replace(order, send_before_ms=0))

    _exchange(bot.client, "place_order", twice)


def not_found_believed_at_once(bot: Bot) -> None:
    """Believe that an entry is not there before what was taken must be visible."""
    hasty = Terms(receive_window_ms=0, engine_delay_ms=0, apart_ms=100)
    bot.trader._inquiry.terms = hasty


def stop_too_small(bot: Bot) -> None:
    """Send stops for half of what is held."""
    place = bot.client.place_order

    async def halved(order: Order) -> tuple[OrderUpdate, ...]:
        if order.purpose is P.STOP:
            step = bot.client._venue.rules[order.symbol].quantity_step
            half = round_down(order.quantity / 2, step)
            order = replace(order, close_position=False, quantity=half)
        return await place(order)

    _exchange(bot.client, "place_order", halved)


def sent_before_recorded(bot: Bot) -> None:
    """Send first, and put what was sent on record with whatever comes next."""
    recorder = bot.engine.recorder

    async def later(symbol: str, *records: Record) -> None:
        recorder.hold(symbol, *records)

    _exchange(recorder, "demand", later)


def fills_counted_twice(bot: Bot) -> None:
    """Book every fill that is told as if it were told for the first time."""
    book = bot.engine._books.book
    told = [0]

    async def renamed(update: Update) -> bool:
        if isinstance(update, OrderUpdate) and update.fills:
            told[0] += 1
            fills = tuple(replace(f, fill_id=f"{f.fill_id}-{told[0]}") for f in update.fills)
            update = replace(update, fills=fills)
        return await book(update)

    _exchange(bot.engine._books, "book", renamed)


def close_that_can_open(bot: Bot) -> None:
    """Send closes that are not reduce-only."""
    _change_orders(bot, lambda o: replace(o, reduce_only=False) if o.purpose is P.CLOSE else o)


def late_fills_ignored(bot: Bot) -> None:
    """Take an order that has ended for one that cannot fill any more."""
    books = bot.engine._books
    book = books.book

    async def unless_ended(update: Update) -> bool:
        if isinstance(update, OrderUpdate):
            known = await books.order(update.client_order_id)
            if known is not None and not known.is_live:
                return False
        return await book(update)

    _exchange(books, "book", unless_ended)


def never_too_late_for_a_stop(bot: Bot) -> None:
    """Never ask how long something has been open."""

    def patient(slot: Slot) -> tuple[Slot, Command | None]:
        now_ms = bot.clock.now_ms()
        return slot, next_command(slot, account=ACCOUNT, now_ms=now_ms)

    _exchange(bot.engine, "_next_command", patient)


def sight_ignored(bot: Bot) -> None:
    """Protect what fills tell of, and not what a position shows of an entry in doubt."""

    async def blind(*seen: object) -> None:
        del seen

    _exchange(bot.engine, "position_seen", blind)


def doubts_forgotten(bot: Bot) -> None:
    """Start without the orders whose fate was open."""
    restore = bot.engine.restore

    def certain(known: Books) -> None:
        sure = tuple(o for o in known.orders if o.status not in {S.UNKNOWN, S.PENDING})
        restore(replace(known, orders=sure))

    _exchange(bot.engine, "restore", certain)


def lead_ignored(bot: Bot) -> None:
    """Go on trading after another process has taken the lead."""

    async def keep(sleep: object) -> None:
        del sleep

    def may_sign(stamp_ms: int) -> bool:
        del stamp_ms
        return True

    _exchange(bot.lead, "keep", keep)
    _exchange(bot.client, "may_sign", may_sign)


def reversed_before_flat(bot: Bot) -> None:
    """Enter the other direction at once instead of closing first."""
    engine = bot.engine
    decide = engine._wishes.decide

    async def at_once(intent: TradeIntent, facts: Facts) -> Any:
        slot = engine.slot(intent.symbol)
        is_reversal = isinstance(intent.action, Enter) and slot.side not in {
            None,
            intent.action.side,
        }
        if is_reversal and slot.owner == intent.owner and not slot.closing:
            return await engine._entries.enter(intent, intent)
        return await decide(intent, facts)

    _exchange(engine._wishes, "decide", at_once)


def never_compared(bot: Bot) -> None:
    """Compare the account at the start only."""
    reconciler = bot.trader._reconciler
    run = reconciler.run

    async def once() -> Any:
        return await run() if not reconciler.rounds else reconciler.last

    _exchange(bot.trader, "_reconciler", _Compares(once, reconciler))


class _Compares:
    """A reconciler that runs in another way."""

    def __init__(self, run: Callable[[], Any], real: object) -> None:
        self.run = run
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def _change_orders(bot: Bot, change: Callable[[Order], Order]) -> None:
    prepared = bot.engine._prepared

    def changed(slot: Slot, command: Command) -> tuple[Slot, Order]:
        if isinstance(command, Cancel):
            return prepared(slot, command)
        return prepared(slot, replace(command, order=change(command.order)))

    _exchange(bot.engine, "_prepared", changed)


def _exchange(part: object, name: str, other: object) -> None:
    setattr(part, name, other)


MUTANTS: dict[str, Callable[[Bot], None]] = {
    mutate.__name__: mutate
    for mutate in (
        entry_sent_again,
        reduced_twice,
        not_found_believed_at_once,
        stop_too_small,
        sent_before_recorded,
        fills_counted_twice,
        close_that_can_open,
        late_fills_ignored,
        never_too_late_for_a_stop,
        sight_ignored,
        doubts_forgotten,
        lead_ignored,
        reversed_before_flat,
        never_compared,
    )
}


@dataclass(frozen=True, slots=True)
class Caught:
    """How a bug was caught.

    Attributes:
        histories: How many were played; the last of them broke a law, if ``breach`` says so.
        breach: Empty when it was not caught.
    """

    name: str
    histories: int
    seed: int
    breach: str


def hunt(name: str, first: int = 0, most: int = MOST) -> Caught:
    """Play histories with a bug until a law is broken.

    Raises:
        RuntimeError: The bug ends the process by an error of its own: it does not fit the engine
            any more, and what catches it proves nothing.
    """
    mutate = MUTANTS[name]

    def make(process: str, world: World) -> Bot:
        bot = Bot(process, world)
        mutate(bot)
        return bot

    for seed in range(first, first + most):
        breaches = History(seed, make).play().breaches
        if any(FELL_OVER in breach for breach in breaches):
            raise RuntimeError(f"seed {seed}: {name} has to be put in in another way: {breaches}")
        if breaches:
            return Caught(name, seed - first + 1, seed, breaches[0])
    return Caught(name, most, first + most - 1, "")


def hunt_all(names: list[str], console: Console) -> bool:
    """Hunt bugs on two cores and print how each was caught. Return whether all were."""
    with ProcessPoolExecutor(2) as pool:
        found = list(pool.map(hunt, names))
    table = Table("bug", "caught after", "broken law", title="Bugs put in on purpose")
    for one in found:
        after = f"{one.histories} histories" if one.breach else f"not in {one.histories}"
        table.add_row(one.name.replace("_", " "), after, one.breach or "none")
    console.print(table)
    return all(one.breach for one in found)


def main() -> int:
    """Hunt every bug; return 1 when one escapes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=sorted(MUTANTS))
    words = parser.parse_args()
    names = [words.only] if words.only else list(MUTANTS)
    return 0 if hunt_all(names, Console()) else 1


if __name__ == "__main__":
    sys.exit(main())
