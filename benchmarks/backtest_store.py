"""Back-tests 100,000 stored candles as a user does: the whole process, start to table.

Run: python benchmarks/backtest_store.py

Two yardsticks beside the figure: a Python process that only imports numpy, which is what this
machine charges for starting at all, and a plain script that reads the same candles from the
same database and trades the same strategy in one loop of floats, with none of the engine's
orders, decimals and checks. Medians of several runs; limit 2 s on two cores.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from milobot.domain.timeframes import Timeframe
from milobot.marketdata.generated import generate_candles
from milobot.ports import CandleKey
from milobot.storage.candles import SqliteCandleStore

SAMPLE = Path(__file__).resolve().parents[1] / "samples" / "macd_crossover.script"
CANDLES = 100_000
RUNS = 7
LIMIT_S = 2.0

PLAIN_SCRIPT = """
import sqlite3, sys
rows = sqlite3.connect(sys.argv[1]).execute(
    "SELECT open, high, low, close FROM candles ORDER BY open_time").fetchall()

def ema(values, period):
    mean = sum(values[:period]) / period
    made = [None] * (period - 1) + [mean]
    for value in values[period:]:
        mean += (value - mean) * 2 / (period + 1)
        made.append(mean)
    return made

closes = [row[3] for row in rows]
fast, slow = ema(closes[14:], 12)[11:], ema(closes, 26)[25:]  # both begin with candle 26
line = [a - b for a, b in zip(fast, slow)]
signal = ema(line, 9)
equity, held, trips = 10_000.0, None, 0
for at in range(35, len(rows)):
    opened, high, low, close = rows[at]
    now = at - 25
    buy = line[now - 2] <= signal[now - 2] if now - 2 >= 8 else False
    buy = buy and line[now - 1] > signal[now - 1] and line[now - 1] < 0
    if held is None and buy:
        reference = closes[at - 1]
        stop, target = reference * 0.98, reference * 1.06
        if stop < opened < target:
            quantity = equity * 0.01 / (reference - stop)
            equity -= quantity * opened * 0.0005
            held = quantity, opened, stop, target
    if held is not None:
        quantity, entry, stop, target = held
        left = (opened if opened <= stop or opened >= target else
                stop if low <= stop else target if high >= target else None)
        if left is not None:
            equity += quantity * (left - entry) - quantity * left * 0.0005
            held, trips = None, trips + 1
if held is not None:
    quantity, entry, stop, target = held
    equity += quantity * (closes[-1] - entry) - quantity * closes[-1] * 0.0005
    trips += 1
print(trips, equity)
"""


def main() -> int:
    """Print the three medians and their ratios; return 1 when the limit is missed."""
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "binance_data.db"
        with SqliteCandleStore(database) as store:
            key = CandleKey("file", "BTCUSDT", Timeframe.M1)
            store.save_candles(key, generate_candles(minutes=CANDLES))
        words = ("backtest", str(SAMPLE), "--timeframe", "1m", "--db", database.name)
        check_same_trades(folder, database.name, words)
        ours_s = median_s(folder, "-m", "milobot", *words)
        numpy_s = median_s(folder, "-c", "import numpy")
        plain_s = median_s(folder, "-c", PLAIN_SCRIPT, database.name)
    verdict = "met" if ours_s <= LIMIT_S else "MISSED"
    print(
        f"back-test of {CANDLES:,} stored candles: {ours_s:.2f} s, whole process (limit"
        f" {LIMIT_S:g} s: {verdict}); {ours_s / numpy_s:.1f} times an import of numpy"
        f" ({numpy_s:.2f} s), {ours_s / plain_s:.1f} times a plain loop ({plain_s:.2f} s)"
    )
    return int(ours_s > LIMIT_S)


def check_same_trades(folder: str, database: str, words: tuple[str, ...]) -> None:
    """Refuse to compare with a plain script that does something else.

    Raises:
        SystemExit: Round trips or end equity (to a cent) differ.
    """
    run(folder, "-m", "milobot", *words, "--json", "report.json")
    summary = json.loads((Path(folder) / "report.json").read_bytes())["summary"]
    trips, equity = run(folder, "-c", PLAIN_SCRIPT, database).split()
    if (int(trips), round(float(equity), 2)) != (
        summary["round_trips"],
        round(float(summary["end_equity"]), 2),
    ):
        raise SystemExit(f"the plain script trades differently: {trips}, {equity}, not {summary}")


def run(folder: str, *words: str) -> str:
    """Run Python with ``words`` in a folder and return what it prints."""
    return subprocess.run(
        [sys.executable, *words], cwd=folder, check=True, capture_output=True, text=True
    ).stdout


def median_s(folder: str, *words: str) -> float:
    """Return the median time of running Python with ``words`` in a folder."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        run(folder, *words)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


if __name__ == "__main__":
    sys.exit(main())
