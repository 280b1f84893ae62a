"""From the start of the process to a known account, with 10,000 orders on record.

Run: python benchmarks/start_up.py

A ledger is filled with 10,000 ended orders of 400 symbols and 200 positions that are open with
their stops. Then a process of its own imports, opens the ledger, takes over what it knows and
compares it with an account that holds the same. Limit: 2 s for the whole process. Yardstick:
the same process with an empty ledger.
"""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import cast

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks._engine_desk import SystemClock, WillingAccount, close_of, entry_of, open_desk

from milobot.ports import Books, ExchangeAccount, MarketData
from milobot.storage.ledger import open_ledger

CHILD = Path(__file__).with_name("_start_up.py")
ORDERS = 10_000
SYMBOLS = 400
OPEN = 200
RUNS = 5
LIMIT_S = 2.0


async def fill(path: Path) -> None:
    """Fill a ledger the way trading does."""
    account = WillingAccount(SystemClock())
    async with await open_ledger(f"sqlite:///{path}") as ledger:
        desk = open_desk(
            cast(ExchangeAccount, account),
            cast(MarketData, account),
            ledger.journal("bench:default"),
        )
        await desk.trader.start(Books())
        number = 0
        while account.orders < ORDERS:
            for index in range(SYMBOLS):
                await desk.trader.submit(entry_of(f"S{index}USDT", number))
            if account.orders < ORDERS:
                for index in range(SYMBOLS):
                    await desk.trader.submit(close_of(f"S{index}USDT", number + 1))
            number += 2
        for index in range(OPEN, SYMBOLS):
            await desk.trader.submit(close_of(f"S{index}USDT", number + 1))


def timed(path: Path) -> tuple[float, int]:
    """Run a process that starts on a ledger; return seconds and open positions."""
    began = perf_counter()
    words = [sys.executable, str(CHILD), str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    ended, count = done.stdout.split()
    return float(ended) - began, int(count)


def main() -> int:
    """Print the figures; 1 when the limit is missed."""
    with tempfile.TemporaryDirectory() as folder:
        full, empty = Path(folder) / "full.db", Path(folder) / "empty.db"
        asyncio.run(fill(full))
        timed(empty)  # makes the tables
        pairs = [(timed(full), timed(empty)[0]) for _ in range(RUNS)]
    took_s, empty_s = median(p[0][0] for p in pairs), median(p[1] for p in pairs)
    protected = pairs[0][0][1]
    is_met = took_s <= LIMIT_S and protected == OPEN
    print(
        f"start with {ORDERS:,} orders on record, {protected} positions open and protected:"
        f" {took_s:.2f} s, whole process (limit {LIMIT_S:g} s), {took_s / empty_s:.2f} times an"
        f" empty ledger ({empty_s:.2f} s): {'met' if is_met else 'MISSED'}"
    )
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
