"""400 scripts on 400 symbols: the time of a round, and what bombs among them do to it.

Run: python benchmarks/script_pool.py [scripts]

A round is one new closed candle for each script at once, as at a full hour. The
yardstick is the same work in one process without pool and pipes; the ratio is what
workers, pipes and hostile reading cost, less what the second core brings. Then
decisions are asked for one by one, first alone, then while a script that never
ends keeps a worker busy. Limit: 1 s for a round on two cores.
"""

import asyncio
import os
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import numpy as np
import structlog

from milobot.domain.market import COLUMNS, CandleSeries
from milobot.scripting.interpreter import Interpreter
from milobot.scripting.loading import DATA_LIMIT
from milobot.scripting.pool import ScriptPool
from milobot.scripting.pool_members import QuarantineRule

SAMPLES = sorted((Path(__file__).resolve().parent.parent / "samples").glob("*.script"))
HOUR_MS = 3_600_000
START_MS = 1_500_001_200_000
ROUNDS = 12
SINGLE = 1500
LIMIT_S = 1.0
ALWAYS = QuarantineRule(strikes=10**6)
BOMB = (
    'timeframe = "1h"\ncoin = "BTCUSDT"\naction_if_true = "long(1usdt)"\ncondition_true = False\n'
    f"while data[-1]['time'] >= {START_MS + HOUR_MS * DATA_LIMIT}:\n    x = 1\n"
)


def candles(length: int, seed: int = 1) -> CandleSeries:
    """Return hourly candles of a random walk."""
    chance = np.random.default_rng(seed)
    close = 30_000 * np.exp(np.cumsum(chance.normal(0, 0.003, length)))
    opened = np.concatenate([[30_000.0], close[:-1]])
    spread = 1 + np.abs(chance.normal(0, 0.001, length))
    return CandleSeries(
        time=START_MS + HOUR_MS * np.arange(length, dtype=np.int64),
        open=opened,
        high=np.maximum(opened, close) * spread,
        low=np.minimum(opened, close) / spread,
        close=close,
        volume=chance.uniform(10, 1000, length),
    )


def at(times: Sequence[float], share: float) -> float:
    """Return the time that ``share`` of all times do not exceed."""
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]


def _columns(series: CandleSeries) -> dict[str, object]:
    return {name: getattr(series, name) for name in COLUMNS}


def _one_process_s(sources: list[str], series: list[CandleSeries]) -> float:
    """Return the time of a round without pool and pipes."""
    interpreters = [Interpreter(source) for source in sources]
    for interpreter, history in zip(interpreters, series, strict=True):
        interpreter.append(_columns(history.part(0, DATA_LIMIT)))  # type: ignore[arg-type]  # columns of a series
        interpreter.evaluate(DATA_LIMIT - 1, DATA_LIMIT)
    times = []
    for index in range(DATA_LIMIT, DATA_LIMIT + 3):
        started = perf_counter()
        for interpreter, history in zip(interpreters, series, strict=True):
            interpreter.append(_columns(history.part(index, index + 1)))  # type: ignore[arg-type]  # columns of a series
            interpreter.evaluate(index, index + 1)
        times.append(perf_counter() - started)
    return min(times)


def _private_mb(pid: int) -> float:
    """Return the memory of a worker that is not shared with others."""
    resident, shared = Path(f"/proc/{pid}/statm").read_text().split()[1:3]
    return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE") / 1e6


async def _rounds_s(pool: ScriptPool, series: list[CandleSeries]) -> list[float]:
    times = []
    for index in range(DATA_LIMIT, DATA_LIMIT + ROUNDS):
        started = perf_counter()
        asked = [pool.evaluate(str(n), s.part(index, index + 1)) for n, s in enumerate(series)]
        if any(result.errors for result in await asyncio.gather(*asked)):
            raise SystemExit("a script failed")
        times.append(perf_counter() - started)
    return times


async def _single_ms(pool: ScriptPool, series: list[CandleSeries], first: int) -> list[float]:
    """Return the time of decisions that are asked for one by one."""
    times = []
    for count in range(SINGLE):
        number, index = count % len(series), first + count // len(series)
        candle = series[number].part(index, index + 1)
        started = perf_counter()
        await pool.evaluate(str(number), candle)
        times.append((perf_counter() - started) * 1000)
    return times


async def _explode(pool: ScriptPool, series: CandleSeries) -> None:
    """Set one bomb off after the other until cancelled."""
    for index in range(DATA_LIMIT, len(series)):
        await pool.evaluate("bomb", series.part(index, index + 1))


async def _beside_bomb_ms(pool: ScriptPool, series: list[CandleSeries], first: int) -> list[float]:
    await pool.add("bomb", BOMB, candles(DATA_LIMIT))
    async with asyncio.TaskGroup() as group:
        bomb = group.create_task(_explode(pool, candles(DATA_LIMIT + 500)))
        await asyncio.sleep(0.2)
        times = await _single_ms(pool, series, first)
        bomb.cancel()
    return times


async def main() -> None:
    """Print the figures of the pool."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    each = SINGLE // count + 1
    length = DATA_LIMIT + ROUNDS + 2 * each
    series = [candles(length, seed) for seed in range(count)]
    texts = [path.read_text(encoding="utf-8") for path in SAMPLES]
    sources = [texts[number % len(texts)] for number in range(count)]
    alone_s = _one_process_s(sources, series)
    async with ScriptPool(rule=ALWAYS) as pool:
        started = perf_counter()
        for number, source in enumerate(sources):
            await pool.add(str(number), source, series[number].part(0, DATA_LIMIT))
        added_s = perf_counter() - started
        first_s, *times = await _rounds_s(pool, series)
        worst, median = max(times), statistics.median(times)
        print(
            f"{count} scripts on {count} symbols, {len(pool.pids)} workers: added in {added_s:.2f} s; "
            f"round right after that {first_s:.2f} s, later ones median {median:.2f} s, worst {worst:.2f} s; one process "
            f"without pool {alone_s:.2f} s ({median / alone_s:.1f} times); limit {LIMIT_S:.0f} s: "
            f"{'met' if worst <= LIMIT_S else 'MISSED'}"
        )
        memory = [_private_mb(pid) for pid in pool.pids]
        print(f"private memory of the workers: {', '.join(f'{mb:.0f} MB' for mb in memory)}")
        quiet = await _single_ms(pool, series, DATA_LIMIT + ROUNDS)
        loud = await _beside_bomb_ms(pool, series, DATA_LIMIT + ROUNDS + each)
        for label, row in (("alone", quiet), ("beside endless scripts", loud)):
            print(
                f"one by one, {label}: median {at(row, 0.5):.2f} ms, p95 {at(row, 0.95):.2f} ms, "
                f"p99 {at(row, 0.99):.2f} ms, worst {max(row):.0f} ms"
            )
        print(
            f"p99 beside endless scripts: {at(loud, 0.99) / at(quiet, 0.99):.2f} times that alone"
        )


if __name__ == "__main__":
    asyncio.run(main())
