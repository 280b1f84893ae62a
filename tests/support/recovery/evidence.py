"""What a batch is judged by: the exchange's ledger, the bot's database, what the bot said."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection, select
from tests.support.crash.evidence import records_of, truth_of
from tests.support.crash.exposure import ExposureWatch
from tests.support.crash.judge import (
    PROMISE_MS,
    Records,
    Truth,
    differences,
    executed_twice,
    unprotected,
    without_final_state,
)
from tests.support.crash.market import StallWatch
from tests.support.crash.marks import SHOWN, Mark
from tests.support.crash.wishes import PRICES
from tests.support.recovery.load import Load
from tests.support.recovery.supervised import Supervised

from milobot.domain.orders import OrderStatus
from milobot.errors import LedgerError
from milobot.local_exchange.server import LocalExchange
from milobot.storage import tables
from milobot.storage.ledger import open_ledger

_DOUBTFUL = (OrderStatus.PENDING, OrderStatus.UNKNOWN, OrderStatus.CANCEL_PENDING)
_UNDECIDED = frozenset({"received", "entering", "waiting"})
# A lease that was held when a process froze for less than this is held still when it thaws.
_LEASE_SURELY_MS = 2_500


@dataclass(slots=True)
class Evidence:
    """Where everything about a batch is found.

    Attributes:
        outages: When the exchange could not be reached.
        starved: When the bot had no processor.
    """

    exchange: LocalExchange
    dialect: str
    url: str
    watch: ExposureWatch
    stalls: StallWatch
    bot: Supervised | None = None
    load: Load | None = None
    starved: Sequence[Mark] = ()
    outages: list[tuple[int, int]] = field(default_factory=list)

    def truth(self) -> Truth:
        """Return what the exchange knows; while it cannot be reached nothing is demanded of a bot."""
        stalls = self.stalls.stalls
        truth = truth_of(self.exchange, self.dialect, self.watch, stalls)
        return replace(truth, outages=(*truth.outages, *stalls, *self.outages))

    async def records(self) -> Records:
        """Return what the bot's database knows."""
        async with await open_ledger(self.url) as ledger:
            return await ledger.read(lambda c: records_of(c, f"{self.dialect}:default"))


async def is_in_doubt_at(url: str, account: str, symbol: str, name: str, *, since_ms: int) -> bool:
    """Return whether an order was made before a moment, or the end of another in its slot is open.

    What a silent line held back arrives after the fault and shows nothing; and so do orders in a
    slot where something is UNKNOWN, if there were any.
    """
    orders = tables.orders

    def look(connection: Connection) -> bool:
        found = connection.execute(
            select(orders).where(orders.c.account == account, orders.c.symbol == symbol)
        )
        rows = {row.client_order_id: row for row in found}
        own = rows.pop(name, None)
        if own is None or own.created_ms < since_ms:
            return True
        return any(
            row.status in _DOUBTFUL and row.created_ms < own.created_ms for row in rows.values()
        )

    while True:
        try:
            async with await open_ledger(url) as ledger:
                return await ledger.read(look)
        except LedgerError:  # it has just been started: asked again
            continue


async def settled(evidence: Evidence, load: Load) -> bool:
    """Return whether the books are the exchange's and nothing is open that should be decided."""
    try:
        if await _undecided(evidence, load.taken):
            return False
        records = await evidence.records()
    except LedgerError:
        return False
    truth = evidence.truth()
    is_open = any(exposure.end_ms is None for exposure in truth.exposures)
    return not is_open and not differences(truth, records) and not without_final_state(records, ())


async def judge(evidence: Evidence, wrong: list[str], figures: dict[str, int]) -> None:
    """Hold everything against everything; add what is wrong, and what was counted."""
    bot, load = evidence.bot, evidence.load
    if bot is None or load is None:
        raise ValueError("whose evidence it is has to be told first")
    truth, records = evidence.truth(), await evidence.records()
    marks = sorted([*_shown(bot), *_dated(evidence.starved, bot)], key=lambda mark: mark.time_ms)
    wrong += executed_twice(truth, load.wished)
    wrong += without_final_state(records, ())
    wrong += differences(truth, records)
    wrong += await _undecided(evidence, load.taken)
    spent = [(unprotected(e, truth, bot.lives, marks), e) for e in truth.exposures]
    wrong += [
        f"{e.symbol} was {s.judged} ms without a stop from {e.start_ms} on (raw {s.raw} ms)"
        for s, e in spent
        if s.judged > PROMISE_MS
    ]
    wrong += [f"{e.symbol} is open without a stop at the end" for _, e in spent if e.end_ms is None]
    wrong += [f"the bot ended with code {code}" for code in bot.codes[-1:] if code]
    figures |= {
        "entries": sum(not o.reduces and o.filled > 0 for o in truth.orders),
        "fills": len(truth.fills),
        "posts": load.posts,
        "judged_ms": max((s.judged for s, _ in spent), default=0),
        "raw_ms": max((s.raw for s, _ in spent), default=0),
        "lives": len(bot.lives),
        "gave_up": sum(code != 0 for code in bot.codes),
    }


async def _undecided(evidence: Evidence, taken: set[int]) -> list[str]:
    """Return every message that was taken in and has come to nothing that could be told."""
    signals = tables.signals
    async with await open_ledger(evidence.url) as ledger:
        rows = await ledger.read(lambda c: list(c.execute(select(signals.c.id, signals.c.state))))
    states = {row.id: str(row.state) for row in rows}
    lost = [f"signal {one} was taken and is not on record" for one in sorted(taken - set(states))]
    return lost + [
        f"signal {one} is still {states[one]}"
        for one in sorted(taken & set(states))
        if states[one] in _UNDECIDED
    ]


def _life_at(bot: Supervised, time_ms: int) -> int:
    return next((x.number for x in bot.lives if x.born_ms <= time_ms <= x.died_ms), 0)


def _dated(marks: Iterable[Mark], bot: Supervised) -> list[Mark]:
    return [replace(mark, life=_life_at(bot, mark.time_ms)) for mark in marks]


def _shown(bot: Supervised) -> list[Mark]:
    """Return when the bot said that it knows of a position.

    That is at each fill, and for all there are when it has compared the account with the
    exchange, or goes on after a freeze that was shorter than its lease.
    """
    marks = []
    for time_ms, frozen_ms in bot.thaws:
        if frozen_ms < _LEASE_SURELY_MS:
            life = _life_at(bot, time_ms)
            marks += [Mark(time_ms, life, SHOWN, symbol) for symbol in PRICES]
    for line in bot.log.read_text(encoding="utf-8", errors="replace").splitlines():
        if '"fill_booked"' not in line and '"account_known"' not in line:
            continue
        said = json.loads(line)
        time_ms = int(datetime.fromisoformat(said["timestamp"]).timestamp() * 1000)
        symbols = [said["data"]["symbol"]] if said["event_type"] == "fill_booked" else PRICES
        marks += [Mark(time_ms, _life_at(bot, time_ms), SHOWN, symbol) for symbol in symbols]
    return marks
