"""Intents a second through engine and ledger, the exchange's limits lifted.

Run: python benchmarks/intent_rate.py [SECONDS]

32 symbols enter, get their stops and close, again and again, none waiting for another; the
account is in the process and answers at once. Everything is on record before its consequence
leaves, and survives a crash: about six transactions for each intent. At the end what is on
record is held against what the account executed. Limits: 300 intents/s on SQLite, 150 on
PostgreSQL. Yardstick: transactions a second of one small row, 32 writers on the same database.
"""

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import cast

import structlog
from sqlalchemy import Connection, func, select

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks._engine_desk import SystemClock, WillingAccount, close_of, entry_of, open_desk
from tests.support.postgres import fresh_database, ledger_template, running_server

from milobot.domain.decisions import Outcome
from milobot.domain.orders import OrderStatus
from milobot.execution.trader import AccountTrader
from milobot.ports import Books, ExchangeAccount, MarketData
from milobot.storage import tables
from milobot.storage.account_records import save_cursor
from milobot.storage.ledger import Ledger, open_ledger

SECONDS = 10.0
SYMBOLS = 32
LIMITS = {"SQLite": 300, "PostgreSQL": 150}


async def trade(trader: AccountTrader, symbol: str, until: float) -> int:
    """Enter and close until the time is over. Return how many intents were carried out."""
    number = 0
    while perf_counter() < until:
        make = close_of if number % 2 else entry_of
        decision = await trader.submit(make(symbol, number))
        if decision.outcome is not Outcome.ACCEPTED:
            raise SystemExit(f"{decision.intent_key}: {decision.code}, {decision.reason}")
        number += 1
    return number


async def yardstick(ledger: Ledger, seconds: float) -> float:
    """Return how many transactions of one row the database takes a second."""
    until = perf_counter() + seconds

    async def write(name: str) -> int:
        count = 0
        while perf_counter() < until:
            count += 1
            await ledger.write(partial(save_cursor, name=name, position=str(count), now_ms=0))
        return count

    start = perf_counter()
    counts = await asyncio.gather(*(write(f"bench {n}") for n in range(SYMBOLS)))
    return sum(counts) / (perf_counter() - start)


def differences(connection: Connection, account: WillingAccount, intents: int) -> list[str]:
    """Return what is on record and not true, as sentences."""
    found = []
    count = {
        name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for name, table in (("intents", tables.intents), ("orders", tables.orders))
    }
    if count["intents"] != intents:
        found.append(f"{count['intents']} intents on record, {intents} were carried out")
    if count["orders"] != account.orders:
        found.append(f"{count['orders']} orders on record, {account.orders} were sent")
    ended = {OrderStatus.FILLED.value, OrderStatus.CANCELLED.value}
    states = set(connection.execute(select(tables.orders.c.status).distinct()).scalars())
    held = {symbol for symbol, quantity in account.held.items() if quantity}
    if not held and not states <= ended:
        found.append(f"orders that have not ended: {sorted(states - ended)}")
    return found


async def measure(name: str, url: str, seconds: float) -> bool:
    """Trade for some seconds on one database, print the result and return whether it is met."""
    clock = SystemClock()
    account = WillingAccount(clock)
    async with await open_ledger(url) as ledger:
        plain = await yardstick(ledger, 2.0)
        journal = ledger.journal("bench:default")
        desk = open_desk(cast(ExchangeAccount, account), cast(MarketData, account), journal)
        await desk.trader.start(Books())
        start = perf_counter()
        counts = await asyncio.gather(
            *(trade(desk.trader, f"S{n}USDT", start + seconds) for n in range(SYMBOLS))
        )
        rate = sum(counts) / (perf_counter() - start)
        for slot, _ in tuple(desk.engine.slots()):
            await desk.engine.close_position(slot.symbol, "end")
        wrong = await ledger.read(lambda c: differences(c, account, sum(counts)))
    is_met = rate >= LIMITS[name] and not wrong
    print(
        f"{name}: {rate:,.0f} intents/s (limit {LIMITS[name]}), {rate / plain:.2f} times the"
        f" transactions of one row ({plain:,.0f}/s); {account.orders:,} orders, on record as"
        f" executed: {'yes' if not wrong else 'NO'}: {'met' if is_met else 'MISSED'}"
    )
    for sentence in wrong:
        print(f"  {sentence}")
    return is_met


@contextmanager
def databases() -> Iterator[dict[str, str]]:
    """Give an empty ledger of each kind."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server() as server,
        ledger_template(server) as template,
        fresh_database(server, template=template) as url,
    ):
        yield {"SQLite": f"sqlite:///{folder}/ledger.db", "PostgreSQL": url}


def main() -> int:
    """Measure both databases; 1 when a limit is missed."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    with databases() as urls:
        met = [asyncio.run(measure(name, url, seconds)) for name, url in urls.items()]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
