"""Measure the trading process: its memory while it trades over the wire, and its imports.

``milobot demo --exchange binance`` is started as a user starts it; the resident memory of
that one process is read while it trades, its children (script worker, local exchange) are
listed beside it. Its imports, command line to web server, are loaded anew in a fresh
interpreter, with byte code as an installed package has it, and without any, as in a container
that writes none. Yardstick: the bare libraries that none can do without, measured in turns
with ours, so that a busy machine shows. Limits: 110 MB, 1.2 s with byte code.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 5
LIMIT_MB = 110.0
LIMIT_S = 1.2
TRADES_FOR_S = 15.0
MODULES = (
    "milobot.cli.main",
    "milobot.cli.demo",
    "milobot.cli.run",
    "milobot.settings",
    "milobot.app.wire_demo",
    "milobot.app.live_paper",
    "milobot.app.live_trading",
    "milobot.exchanges.binance.client",
    "milobot.exchanges.bingx.client",
    "milobot.web.server",
    "uvicorn.loops.auto",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
)
IMPORTS = f"import {', '.join(MODULES)}"


LIBRARIES = "import asyncio, numpy, aiohttp, starlette, uvicorn"


def best_s(*codes: str, runs: int = RUNS) -> list[float]:
    """Return the shortest of several runs of each, the one least disturbed by others.

    Args:
        codes: What to run, in turns; byte code is written by a run that does not count.
        runs: How often.
    """
    with tempfile.TemporaryDirectory() as cache:
        for code in codes:
            run_s(code, Path(cache))
        times = [[run_s(code, Path(cache)) for code in codes] for _ in range(runs)]
    return [min(found) for found in zip(*times, strict=True)]


def run_s(code: str, cache: Path) -> float:
    """Return how long a fresh Python takes that keeps its byte code in a folder."""
    known = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    env = {**known, "PYTHONPYCACHEPREFIX": str(cache)}
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, env=env)
    return time.perf_counter() - start


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process; 0 once it has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return 0.0


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has started, and those they have."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in task.read_text(encoding="ascii").split():
                found += [int(child), *children_of(int(child))]
    return found


def memory_mb() -> tuple[float, list[float]]:
    """Return the most that the trading process held, and what its children hold."""
    with subprocess.Popen(
        [sys.executable, "-m", "milobot", "demo", "--exchange", "binance", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        try:
            if process.stdout is None:
                raise RuntimeError("the demo has no output")
            for line in process.stdout:
                if line.startswith("chart:"):
                    break
            else:
                raise RuntimeError("the demo ended before it traded")
            end, most = time.monotonic() + TRADES_FOR_S, 0.0
            while time.monotonic() < end:
                time.sleep(0.5)
                most = max(most, resident_mb(process.pid))
            if process.poll() is not None:
                raise RuntimeError("the demo ended while it traded")
            return most, [resident_mb(child) for child in children_of(process.pid)]
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(10)


def main() -> int:
    """Print both figures with their yardsticks and limits; 1 when a limit is missed."""
    most, children = memory_mb()
    others = ", ".join(f"{size:.0f} MB" for size in children)
    print(
        f"trading process: {most:.1f} MB resident at most in {TRADES_FOR_S:.0f} s (its children:"
        f" {others}); limit {LIMIT_MB:.0f} MB: {'met' if most <= LIMIT_MB else 'MISSED'}"
    )
    empty, libraries, ours = best_s("pass", LIBRARIES, IMPORTS)
    ours -= empty
    libraries -= empty
    with tempfile.TemporaryDirectory() as nothing:
        bare = run_s(IMPORTS, Path(nothing)) - empty
    print(
        f"its imports: {ours:.2f} s beside an empty Python of {empty:.2f} s,"
        f" {ours / libraries:.1f} times those of the bare libraries ({libraries:.2f} s:"
        f" numpy, aiohttp, starlette, uvicorn); without byte code {bare:.2f} s;"
        f" limit {LIMIT_S} s: {'met' if ours <= LIMIT_S else 'MISSED'}"
    )
    return int(most > LIMIT_MB or ours > LIMIT_S)


if __name__ == "__main__":
    sys.exit(main())
