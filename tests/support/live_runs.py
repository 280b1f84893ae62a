"""Live runs as real processes: a local exchange, bots that trade there, and what both say."""

import json
import os
import signal
import socket
import sqlite3
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.support.process import ROOT, Ended, Started, run_milobot, start_milobot

from milobot.local_exchange.setup import DEFAULT_KEY, DEFAULT_SECRET

HOLDS = """
timeframe = "1m"
coin = "BTCUSDT"
action_if_true = "long(5%equity@2x,sl=4%)"
action_if_false = "donothing"
condition_true = len(data) > 3
"""
"""Enters at once and holds on: the stop is far away."""

FLIPS = """
timeframe = "1m"
coin = "BTCUSDT"
action_if_true = "long(1%risk@15x,sl=0.3%,rr=1)"
action_if_false = "short(1%risk@15x,sl=0.3%,rr=1)"
fast = await calculate_ema(data, 3)
slow = await calculate_ema(data, 9)
condition_true = fast[-1] > slow[-1]
"""
"""Is always in the market, and changes sides often."""

ACCOUNT = "binance:default"
LIMIT_S = 45.0


class Market:
    """A local exchange in a process of its own."""

    def __init__(self, process: Started, url: str) -> None:
        """Keep where it listens."""
        self.process = process
        self.url = url

    @property
    def settings(self) -> dict[str, str]:
        """Return the variables under which milobot trades there."""
        return {
            "BINANCE_BASE_URL": self.url,
            "BINANCE_API_KEY": DEFAULT_KEY,
            "BINANCE_SECRET_KEY": DEFAULT_SECRET,
            "TRADING_ENABLED": "true",
            "DATA_LIMIT": "60",
            "MAX_ENTRIES_PER_MINUTE": "1000",
        }

    def account(self) -> dict[str, Any]:
        """Return what the exchange itself holds of the account."""
        with urllib.request.urlopen(f"{self.url}/control/ledger", timeout=20) as answer:  # noqa: S310 - http on loopback
            found: dict[str, Any] = json.loads(answer.read())
        return {**found["accounts"][0], "requests": found["requests"]}

    def resting(self) -> list[dict[str, Any]]:
        """Return the conditional orders that rest."""
        return [c for c in self.account()["conditionals"] if c["status"] == "NEW"]

    def held(self) -> str:
        """Return the signed quantity that is open; ``0`` for nothing."""
        positions = self.account()["positions"]
        return str(positions[0]["quantity"]) if positions else "0"


@contextmanager
def market(*words: str, speed: str = "2") -> Iterator[Market]:
    """Run a local exchange by the wall clock, its market going fast, until the body ends."""
    flags = ("--dialect", "binance", "--clock", "wall", "--speed", speed, "--history", "200")
    reads, writes = os.pipe()
    with os.fdopen(reads, encoding="utf-8") as said:
        with os.fdopen(writes, "wb") as out:
            words = ("exchange", *flags, *words)
            process = start_milobot(*words, cwd=ROOT, stdout=out, stderr=out)
        first = said.readline()
        try:
            for line in said:
                if "control" in line:
                    break
            yield Market(process, next(word for word in first.split() if word.startswith("http")))
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=20)


class Bot:
    """One ``milobot run``; what it says goes into a file."""

    def __init__(self, process: Started, log: Path) -> None:
        """Keep process and log."""
        self.process = process
        self.log = log

    @property
    def said(self) -> str:
        """Return everything that it has said so far."""
        return self.log.read_text(encoding="utf-8")

    def wait_for(self, text: str) -> None:
        """Wait until it has said something."""
        until(lambda: text in self.said or self.process.poll() is not None, text)
        assert text in self.said, self.said[-2000:]

    def kill(self) -> None:
        """End it as a crash does."""
        self.process.kill()
        self.process.wait(timeout=10)

    def stop(self) -> tuple[int, float]:
        """End it in order; return its exit code and the seconds that took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=20)
        return code, time.monotonic() - began


@contextmanager
def bot(folder: Path, settings: dict[str, str], script: str, *words: str) -> Iterator[Bot]:
    """Run a script live in a folder until the body ends."""
    path = folder / "x.script"
    path.write_text(script, encoding="utf-8")
    log = folder / f"bot-{time.monotonic_ns()}.log"
    with log.open("wb") as out:
        command = ("run", "--script", str(path), "--port", "0", *words)
        process = start_milobot(*command, cwd=folder, stdout=out, stderr=out, **settings)
    try:
        yield Bot(process, log)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(timeout=20)


def ask(folder: Path, *words: str, **settings: str) -> Ended:
    """Run a command beside a bot."""
    return run_milobot(*words, cwd=folder, **settings)


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    """Return what the ledger of a folder holds; nothing while it does not exist."""
    file = folder / "milobot.db"
    if not file.exists():
        return []
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        try:
            return connection.execute(query).fetchall()
        except sqlite3.OperationalError:  # its tables are just being made
            return []


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds."""
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError(f"not within {LIMIT_S:g} s: {what}")


def is_protected(folder: Path) -> bool:
    """Return whether the ledger knows a position with a resting stop."""
    held = rows(folder, "select 1 from positions where quantity != '0'")
    stops = rows(folder, "select 1 from orders where purpose = 'stop' and status = 'SUBMITTED'")
    return bool(held and stops)


def free_port() -> tuple[socket.socket, int]:
    """Return a socket that listens on a free port, and the port."""
    taken = socket.create_server(("127.0.0.1", 0))
    return taken, taken.getsockname()[1]
