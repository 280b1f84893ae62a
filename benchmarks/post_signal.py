"""Signals a second that ``POST /signal`` accepts, each on record before it is answered.

Run: python benchmarks/post_signal.py [SECONDS]

The server is a process of its own with the real inbox on a SQLite ledger that survives a power
cut; 32 connections post orders, one after the other, each with a key of its own. At the end the
ledger is opened anew and every receipt looked up in it. Limit: 500 accepted a second.
Yardsticks of the same run: the same requests to a bare echo, and transactions of one row, 32
writers on the same kind of database.
"""

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter

import aiohttp
import orjson
from sqlalchemy import Connection, select

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks._signal_server import RULES

from milobot.storage import tables
from milobot.storage.account_records import save_cursor
from milobot.storage.ledger import open_ledger

SECONDS = 10.0
WARM_UP_S = 1.0
CONNECTIONS = 32
LIMIT = 500
ACCEPTED = 202
SERVER = Path(__file__).with_name("_signal_server.py")
Receipts = dict[str, int]


@contextmanager
def server(kind: str) -> Iterator[str]:
    """Run a server and give its address."""
    command = [sys.executable, str(SERVER), kind]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as one:
        if one.stdin is None or one.stdout is None:  # pragma: no cover - both are pipes
            raise SystemExit("no pipes")
        try:
            yield f"http://127.0.0.1:{one.stdout.readline().strip()}/signal"
        finally:
            one.stdin.close()
            one.wait(20)


async def post(url: str, seconds: float, name: str, waits: list[float]) -> Receipts:
    """Post until the time is over. Return the number of the signal by its key."""
    until = perf_counter() + seconds
    body = orjson.dumps({"message": "BUY BTCUSDT 0.001", "metadata": {"source": "benchmark"}})

    async def client(number: int) -> Receipts:
        told: Receipts = {}
        while (start := perf_counter()) < until:
            key = f"{name}-{number}-{len(told)}"
            async with session.post(url, data=body, headers={"Idempotency-Key": key}) as answer:
                content = await answer.read()
                if answer.status != ACCEPTED:
                    raise SystemExit(f"{answer.status}: {content.decode()}")
            waits.append(perf_counter() - start)
            told[key] = orjson.loads(content).get("id", 0)
        return told

    headers = {"Authorization": f"Bearer {RULES.token}", "Content-Type": "application/json"}
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
        found = await asyncio.gather(*(client(number) for number in range(CONNECTIONS)))
    return {key: number for told in found for key, number in told.items()}


def rate_of(kind: str, seconds: float) -> tuple[float, Receipts, list[float]]:
    """Return what a server accepts a second, its receipts, and how long each answer took."""
    waits: list[float] = []
    with server(kind) as url:
        first = asyncio.run(post(url, WARM_UP_S, "warm", []))
        start = perf_counter()
        told = asyncio.run(post(url, seconds, "run", waits))
        took_s = perf_counter() - start
    return len(told) / took_s, first | told, sorted(waits)


async def rows_a_second(url: str, seconds: float) -> float:
    """Return how many transactions of one row the database takes."""
    until = perf_counter() + seconds
    async with await open_ledger(url) as ledger:

        async def write(name: str) -> int:
            count = 0
            while perf_counter() < until:
                count += 1
                await ledger.write(partial(save_cursor, name=name, position=str(count), now_ms=0))
            return count

        start = perf_counter()
        counts = await asyncio.gather(*(write(f"bench {n}") for n in range(CONNECTIONS)))
        return sum(counts) / (perf_counter() - start)


async def on_record(url: str) -> Receipts:
    """Return what the ledger holds: the number of each signal by its key."""

    def look(connection: Connection) -> Receipts:
        table = tables.signals
        rows = connection.execute(select(table.c.message_id, table.c.id))
        return {row.message_id: row.id for row in rows}

    async with await open_ledger(url) as ledger:
        return await ledger.read(look)


def main() -> int:
    """Measure; 1 when the limit is missed or a receipt is not on record."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    with tempfile.TemporaryDirectory() as folder:
        plain, _, _ = rate_of("echo", seconds / 2)
        rows = asyncio.run(rows_a_second(f"sqlite:///{folder}/yardstick.db", 2.0))
        url = f"sqlite:///{folder}/ledger.db"
        rate, told, waits = rate_of(url, seconds)
        lost = told.items() - asyncio.run(on_record(url)).items()
    is_met = rate >= LIMIT and not lost
    p50, p99 = (1000 * waits[int(len(waits) * share)] for share in (0.5, 0.99))
    print(
        f"POST /signal on SQLite: {rate:,.0f} accepted/s (limit {LIMIT}), {CONNECTIONS} connections,"
        f" p50 {p50:.1f} ms, p99 {p99:.1f} ms; {rate / plain:.2f} times a bare echo ({plain:,.0f}/s),"
        f" {rate / rows:.2f} times transactions of one row ({rows:,.0f}/s); {len(told):,} receipts,"
        f" on record: {'all' if not lost else f'{len(lost)} MISSING'}: {'met' if is_met else 'MISSED'}"
    )
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
