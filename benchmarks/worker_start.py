"""Measure a script's worker: start until ready, cost of its lock, private memory.

Yardsticks of the same run: a Python process that does nothing, and one that only
imports NumPy. Limits: 200 ms from start to ready, 45 MB of private memory beside
the candles. Memory is read from outside, because the locked worker hides its own
from everybody but root; for others the resident size less shared pages is taken.
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from milobot.domain.market import CandleSeries
from milobot.scripting.client import START_S, ScriptWorker
from milobot.scripting.loading import DATA_LIMIT
from milobot.scripting.process import WorkerProcess

RUNS = 15
LIMIT_MS = 200.0
LIMIT_MB = 45.0
SAMPLE = Path(__file__).parents[1] / "samples" / "macd_crossover.script"
HOUR_MS = 3_600_000
TIME_OF_LOCK = """
import os, time
from milobot.scripting import serving
from milobot.scripting.kernel import Kernel
from milobot.scripting.os_lock import lock
kernel, start = Kernel(), time.perf_counter()
report = lock(kernel)
os.write(1, f"{(time.perf_counter() - start) * 1000:.4f} {report.level.value}".encode())
"""


def main() -> None:
    """Print start, lock and memory with their yardsticks and limits."""
    empty = [_process_ms("pass") for _ in range(RUNS)]
    numpy = [_process_ms("import numpy") for _ in range(RUNS)]
    ready = [_ready_ms() for _ in range(RUNS)]
    locks = [_lock_ms() for _ in range(RUNS)]
    best = min(ready)
    print(
        f"worker, start to ready: {best:.0f} ms, median {statistics.median(ready):.0f} ms; an empty "
        f"Python {min(empty):.0f} ms ({best / min(empty):.1f} times), with NumPy {min(numpy):.0f} ms "
        f"({best / min(numpy):.1f} times); limit {LIMIT_MS:.0f} ms: {_verdict(best, LIMIT_MS)}"
    )
    lock_ms = min(milliseconds for milliseconds, _ in locks)
    print(f"its lock: {lock_ms:.1f} ms ({lock_ms / best:.1%} of the start), level {locks[0][1]}")
    idle, loaded = _memory_mb()
    print(
        f"its private memory: {idle:.1f} MB when ready, {loaded:.1f} MB after a sample over "
        f"{DATA_LIMIT} candles; limit {LIMIT_MB:.0f} MB: {_verdict(loaded, LIMIT_MB)}"
    )


def _process_ms(code: str) -> float:
    start = time.perf_counter()
    environment = {"OPENBLAS_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-I", "-c", code], check=True, env=environment)
    return (time.perf_counter() - start) * 1000


def _ready_ms() -> float:
    start = time.perf_counter()
    process = WorkerProcess(START_S)
    elapsed = (time.perf_counter() - start) * 1000
    process.end()
    return elapsed


def _lock_ms() -> tuple[float, str]:
    done = subprocess.run(
        [sys.executable, "-I", "-c", TIME_OF_LOCK],
        check=True,
        env={"OPENBLAS_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    elapsed, level = done.stdout.split()
    return float(elapsed), level


def _memory_mb() -> tuple[float, float]:
    """Return the private memory of a worker that is ready, and of one that has worked."""
    process = WorkerProcess(START_S)
    idle = _private_mb(process.pid)
    process.end()
    with ScriptWorker() as worker:
        worker.load(SAMPLE.read_text())
        worker.evaluate(_candles())
        loaded = _private_mb(worker.pid or 0)
    return idle, loaded


def _candles() -> CandleSeries:
    chance = np.random.default_rng(1)
    close = 100 * np.exp(np.cumsum(chance.normal(0, 0.01, DATA_LIMIT)))
    return CandleSeries(
        time=np.arange(DATA_LIMIT, dtype=np.int64) * HOUR_MS,
        open=close,
        high=close * 1.01,
        low=close * 0.99,
        close=close,
        volume=np.ones(DATA_LIMIT),
    )


def _private_mb(pid: int) -> float:
    """Return the megabytes that would be free if the process were not there."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except PermissionError:
        resident, shared = Path(f"/proc/{pid}/statm").read_text().split()[1:3]
        return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE") / 1e6
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private")) * 1024 / 1e6


def _verdict(value: float, limit: float) -> str:
    return "met" if value <= limit else "MISSED"


if __name__ == "__main__":
    main()
