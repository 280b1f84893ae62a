"""Start ``make demo`` as a newcomer does, and see that it trades and charts within 60 s."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = "http://127.0.0.1:8080"
LIMIT_S = 60
LIBRARY = "/static/vendor/lightweight-charts.js"


def fetch(path: str) -> bytes:
    """Return what the page's server answers; empty when it does not (yet)."""
    try:
        with urllib.request.urlopen(PAGE + path, timeout=5) as answer:  # noqa: S310 - http, loopback
            content: bytes = answer.read()
            return content
    except (urllib.error.URLError, OSError):
        return b""


def wait_for_trade(demo: subprocess.Popen[bytes]) -> dict[str, Any] | None:
    """Return the chart once it shows a fill; None when the demo ends or the time is up."""
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end and demo.poll() is None:
        chart: dict[str, Any] = json.loads(fetch("/api/chart") or b"{}")
        if chart.get("fills") and chart.get("candles"):
            return chart
        time.sleep(0.2)
    return None


def main() -> int:
    """Return 0 when the demo trades, charts and ends at Ctrl-C."""
    if fetch("/health"):
        print("demo: port 8080 is taken by another program")
        return 1
    subprocess.run(["make", ".venv/.installed"], cwd=ROOT, check=True)
    start = time.monotonic()
    demo = subprocess.Popen(["make", "demo"], cwd=ROOT, start_new_session=True)
    try:
        chart = wait_for_trade(demo)
        seconds = time.monotonic() - start
        library = len(fetch(LIBRARY))
    finally:
        if demo.poll() is None:
            os.killpg(demo.pid, signal.SIGINT)
        demo.wait(timeout=20)
    if chart is None:
        print(f"demo: no trade on the page within {LIMIT_S} s")
        return 1
    if not library:
        print("demo: the chart library is not there")
        return 1
    print(
        f"demo: {len(chart['fills'])} fills on {len(chart['candles'])} candles, "
        f"the first within {seconds:.1f} s of the start"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
