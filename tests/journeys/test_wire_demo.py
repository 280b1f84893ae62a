"""The demo over the wire: orders travel, stops rest at the exchange, a round trip ends."""

import json
import signal
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.process import run_milobot
from tests.support.talking import Talking, talking

LIMIT_S = 60.0


@contextmanager
def wire_demo(folder: Path, *words: str) -> Iterator[tuple[Talking, dict[str, str]]]:
    """Run the demo until the body ends; yield the process and the addresses it printed."""
    told: dict[str, str] = {}
    with talking("demo", "--exchange", "binance", "--port", "0", *words, cwd=folder) as demo:
        for line in demo.stdout:
            name, _, rest = line.partition(": ")
            told[name] = rest.split()[0] if rest else ""
            if "chart" in told:
                break
        try:
            yield demo, told
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait(timeout=20)


def fetch(address: str) -> dict[str, Any]:
    """Return a JSON answer."""
    with urllib.request.urlopen(address, timeout=20) as answer:  # noqa: S310 - http on loopback
        found: dict[str, Any] = json.loads(answer.read())
        return found


def test_a_round_trip_happens_at_the_exchange(tmp_path: Path) -> None:
    """What the page tells is what the exchange's own ledger tells."""
    states: set[str] = set()
    with wire_demo(tmp_path, "--speed", "900") as (demo, told):
        chart: dict[str, Any] = {}
        until = time.monotonic() + LIMIT_S
        while time.monotonic() < until and not chart.get("round_trips"):
            chart = fetch(f"{told['chart']}/api/chart")
            for row in chart["positions"]["rows"]:
                states.add(row["state"])
            time.sleep(0.05)
        ledger = json.dumps(fetch(f"{told['exchange']}/control/ledger"))
        demo.send_signal(signal.SIGINT)
        assert demo.wait(timeout=20) == 0

    assert chart["round_trips"], chart["log"][-5:]
    assert "PROTECTED" in states
    trip = chart["round_trips"][0]
    assert trip["exit_reason"] in {"stop", "target"}
    for price in (trip["entry_price"], trip["exit_price"]):
        assert f'"{price}"' in ledger


def test_the_exchange_goes_when_the_demo_goes(tmp_path: Path) -> None:
    """Nothing is left behind that a port or a core could be missing for."""
    with wire_demo(tmp_path) as (_, told):
        assert fetch(f"{told['exchange']}/control/status")

    try:
        fetch(f"{told['exchange']}/control/status")
    except OSError:
        return
    raise AssertionError("the local exchange still answers")


def test_flags_of_a_replay_are_refused(tmp_path: Path) -> None:
    """A flag that would do nothing is a mistake to be named."""
    ended = run_milobot("demo", "--exchange", "binance", "--exit", cwd=tmp_path)

    assert ended.code == 2
    assert "--exit belongs to a replay" in ended.err


def test_an_unknown_dialect_is_refused(tmp_path: Path) -> None:
    """The sentence names those that exist."""
    ended = run_milobot("demo", "--exchange", "kraken", cwd=tmp_path)

    assert ended.code == 2
    assert "use binance" in ended.err
