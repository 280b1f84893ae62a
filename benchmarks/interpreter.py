"""Candles per second of the script interpreter, in one process, beside a plain Python loop.

Run: python benchmarks/interpreter.py [candles]

The baseline is the cheapest loop that could decide anything: it reads two lists
at each candle and stores the comparison. It shows how fast this machine is, and
the ratio how much of a candle's time is ours.
"""

import re
import sys
from pathlib import Path
from time import perf_counter

import numpy as np

from milobot.domain.market import COLUMNS
from milobot.scripting.interpreter import Interpreter
from milobot.scripting.views import Column

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
TARGET = 200_000


def candles(length: int) -> dict[str, Column]:
    """Return hourly candles of a random walk with a fixed seed."""
    chance = np.random.default_rng(1)
    close = 30_000 * np.exp(np.cumsum(chance.normal(0, 0.003, length)))
    opened = np.concatenate([[30_000.0], close[:-1]])
    spread = 1 + np.abs(chance.normal(0, 0.001, length))
    columns = (
        1_500_000_000_000 // 3_600_000 * 3_600_000 + 3_600_000 * np.arange(length),
        opened,
        np.maximum(opened, close) * spread,
        np.minimum(opened, close) / spread,
        close,
        chance.uniform(10, 1000, length),
    )
    return dict(zip(COLUMNS, columns, strict=True))


def rate(source: str, columns: dict[str, Column]) -> float:
    """Return the best of three runs in candles per second, indicators included."""
    length = len(columns["time"])
    best = float("inf")
    for _ in range(3):
        interpreter = Interpreter(source)
        interpreter.append(columns)
        started = perf_counter()
        result = interpreter.evaluate(0, length)
        best = min(best, perf_counter() - started)
        if result.errors:
            raise SystemExit(f"the script failed: {result.errors[0]}")
    return length / best


def plain_loop(columns: dict[str, Column]) -> float:
    """Return candles per second of a loop that only compares two lists."""
    left, right = columns["close"].tolist(), columns["open"].tolist()
    decisions = bytearray(len(left))
    best = float("inf")
    for _ in range(3):
        started = perf_counter()
        for index in range(len(left)):
            decisions[index] = left[index] > right[index]
        best = min(best, perf_counter() - started)
    return len(left) / best


def main() -> None:
    """Print a table: each sample with and without its prints."""
    length = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    columns = candles(length)
    baseline = plain_loop(columns)
    print(f"{length:,} candles, one process; plain Python loop: {baseline:,.0f} candles/s")
    for path in sorted(SAMPLES.glob("*.script")):
        source = path.read_text(encoding="utf-8")
        silent = re.sub(r"^( *)print\(.*$", r"\1pass", source, flags=re.MULTILINE)
        for label, text in (("", silent), (" with prints", source)):
            speed = rate(text, columns)
            verdict = ""
            if path.stem == "macd_crossover" and not label:
                verdict = f"  target {TARGET:,}: {'met' if speed >= TARGET else 'MISSED'}"
            name = path.stem + label
            print(f"{name:42} {speed:12,.0f} candles/s  {speed / baseline:5.1%} of plain{verdict}")


if __name__ == "__main__":
    main()
