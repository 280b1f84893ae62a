"""Measure the live process: its memory while it trades an account, and its imports.

``milobot run`` trades a local exchange that runs in another process, with everything that
belongs to it: ledger and candle database on SQLite, client and streams, script workers, page
server. The resident memory of that one process is read while it trades and somebody looks at
the page; its children (script workers) are listed beside it. All that it has imported by then
is loaded anew in a fresh interpreter, with byte code as an installed package has it, and
without any, as in a container that writes none: shortest of several times, on the clock and of
the processor, where others keep the machine busy. Yardstick: the bare libraries that none can
do without, measured in turns with ours. Limits: 110 MB, 1.2 s on the clock with byte code.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

RUNS = 7
LIMIT_MB = 110.0
LIMIT_S = 1.2
TRADES_FOR_S = 20.0
BEGINS_WITHIN_S = 60.0
SCRIPT = Path(__file__).parents[1] / "samples" / "macd_crossover.script"
MODULES = (
    "milobot.cli.main",
    "milobot.cli.run",
    "milobot.cli.run_kinds",
    "milobot.settings",
    "milobot.app.live_trading",
    "milobot.exchanges.binance.client",
    "milobot.web.app",
    "milobot.web.server",
    "sqlalchemy.dialects.sqlite",
    "uvicorn.loops.auto",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
)
IMPORTS = f"from milobot.cli.loading import loading\nwith loading(): import {', '.join(MODULES)}"
"""As the command does it."""
LIBRARIES = "import asyncio, numpy, aiohttp, pydantic, sqlalchemy, starlette.applications, uvicorn"
_EXCHANGE = (
    *("exchange", "--dialect", "binance", "--market", "7", "--days", "60", "--history", "30000"),
    *("--timeframe", "1m", "--speed", "30", "--key", "key", "--secret", "secret", "--no-limits"),
)
_RUN = ("run", "--script", str(SCRIPT), "--exchange", "binance", "--symbol", "BTCUSDT")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took, in seconds: on the clock, and of the processor."""

    wall_s: float
    processor_s: float


def best(*codes: str, runs: int = RUNS) -> list[Cost]:
    """Return the least of several runs of each, those least disturbed by others.

    Args:
        codes: What to run, in turns; byte code is written by a run that does not count.
        runs: How often.
    """
    with tempfile.TemporaryDirectory() as cache:
        for code in codes:
            run(code, Path(cache))
        found = [[run(code, Path(cache)) for code in codes] for _ in range(runs)]
    return [
        Cost(min(cost.wall_s for cost in costs), min(cost.processor_s for cost in costs))
        for costs in zip(*found, strict=True)
    ]


def run(code: str, cache: Path) -> Cost:
    """Return what a fresh Python takes that keeps its byte code in a folder."""
    known = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    env = {**known, "PYTHONPYCACHEPREFIX": str(cache)}
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", code], env=env)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError("the modules cannot be imported")
    return Cost(time.perf_counter() - start, used.ru_utime + used.ru_stime)


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


@contextlib.contextmanager
def milobot(
    folder: Path, said: str, *words: str, **env: str
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run a command until the body ends; give it and the address that it says after a word.

    Raises:
        RuntimeError: It ends, or says none in time.
    """
    written = folder / f"{words[0]}.log"
    command = [sys.executable, "-m", "milobot", *words]
    with (
        written.open("wb") as log,
        subprocess.Popen(
            command, stdout=log, stderr=log, cwd=folder, env={**os.environ, **env}
        ) as process,
    ):
        try:
            yield process, address_in(written, said, process)
        finally:
            process.terminate()
            process.wait(timeout=20)


def address_in(written: Path, said: str, process: subprocess.Popen[bytes]) -> str:
    """Return the address that a process writes after a word into its log.

    Raises:
        RuntimeError: It ends, or writes none in time.
    """
    end, text = time.monotonic() + BEGINS_WITHIN_S, ""
    while time.monotonic() < end:
        text = written.read_text(encoding="utf-8", errors="replace")
        if found := re.search(rf"{said} (http://[\w.:]+)\s", text):
            return found[1]
        if process.poll() is not None:
            raise RuntimeError(f"milobot {written.stem} ended before it began: {text[-400:]}")
        time.sleep(0.1)
    raise RuntimeError(
        f"milobot {written.stem} did not say {said!r} and an address within"
        f" {BEGINS_WITHIN_S:.0f} s; its last words: {text[-400:]}"
    )


def memory_mb() -> tuple[float, list[float]]:
    """Return the most that the live process held, and what its children hold."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with milobot(folder, "exchange on", *_EXCHANGE, "--port", "0") as (_, exchange):
            keys = {"BINANCE_API_KEY": "key", "BINANCE_SECRET_KEY": "secret"}
            where = {"BINANCE_BASE_URL": exchange, "DATABASE_URL": "sqlite:///milobot.db"}
            live = milobot(
                folder, "chart:", *_RUN, "--timeframe", "15m", "--port", "0",
                TRADING_ENABLED="true", BINANCE_TESTNET="true",
                **keys, **where,
            )  # fmt: skip
            with live as (process, page):
                most = watched_mb(process, page)
                return most, [resident_mb(child) for child in children_of(process.pid)]


def watched_mb(process: subprocess.Popen[bytes], page: str) -> float:
    """Return the most that a process held while somebody looked at its page."""
    end, most, has_traded = time.monotonic() + TRADES_FOR_S, 0.0, False
    while time.monotonic() < end:
        time.sleep(0.5)
        with urllib.request.urlopen(f"{page}/api/chart", timeout=10) as answer:  # noqa: S310
            has_traded |= bool(json.loads(answer.read())["fills"])
        most = max(most, resident_mb(process.pid))
        if process.poll() is not None:
            raise RuntimeError("milobot run ended while it traded")
    if not has_traded:
        raise RuntimeError("milobot run has not traded: its memory says nothing")
    return most


def verdict(value: float, limit: float) -> str:
    """Return whether a figure keeps its limit."""
    return "met" if value <= limit else "MISSED"


def main() -> int:
    """Print both figures with their yardsticks and limits; 1 when a limit is missed."""
    most, children = memory_mb()
    others = ", ".join(f"{size:.0f} MB" for size in children)
    print(
        f"live process: {most:.1f} MB resident at most in {TRADES_FOR_S:.0f} s (its children:"
        f" {others}); limit {LIMIT_MB:.0f} MB: {verdict(most, LIMIT_MB)}"
    )
    empty, libraries, ours = best("pass", LIBRARIES, IMPORTS)
    ours_s, bare_s = ours.wall_s - empty.wall_s, libraries.wall_s - empty.wall_s
    worked_s = ours.processor_s - empty.processor_s
    least_s = libraries.processor_s - empty.processor_s
    with tempfile.TemporaryDirectory() as nothing:
        new_s = run(IMPORTS, Path(nothing)).wall_s - empty.wall_s
    print(
        f"its imports: {ours_s:.2f} s, processor {worked_s:.2f} s, beside an empty Python of"
        f" {empty.wall_s:.2f} s; bare libraries ({LIBRARIES.removeprefix('import ')}):"
        f" {bare_s:.2f} s, processor {least_s:.2f} s; {worked_s / least_s:.1f} times those;"
        f" without byte code {new_s:.2f} s; limit {LIMIT_S} s: {verdict(ours_s, LIMIT_S)}"
    )
    return int(most > LIMIT_MB or ours_s > LIMIT_S)


if __name__ == "__main__":
    sys.exit(main())
