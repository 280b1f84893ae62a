"""Imports a million candles from CSV, as a user does, beside a plain script that does the same.

Run it with ``python benchmarks/import_million.py``. The plain script is what one writes in ten
lines: the csv module, one INSERT each, and none of the checks.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from milobot.marketdata.generated import generate_candles
from milobot.marketdata.writers import save_candles

ROWS = 1_000_000
TARGET_S = 5.0

PLAIN_SCRIPT = """
import csv, sqlite3, sys
connection = sqlite3.connect("plain.db")
connection.execute("PRAGMA journal_mode = WAL")
connection.execute("CREATE TABLE candles (symbol TEXT, timeframe TEXT, open_time INTEGER, open REAL,"
                   " high REAL, low REAL, close REAL, volume REAL,"
                   " PRIMARY KEY (symbol, timeframe, open_time))")
with open(sys.argv[1], newline="") as file:
    rows = csv.reader(file)
    next(rows)
    connection.executemany("INSERT OR IGNORE INTO candles VALUES ('BTCUSDT', '1m', ?, ?, ?, ?, ?, ?)",
                           ((int(r[0]), *map(float, r[1:])) for r in rows))
connection.commit()
"""


def main() -> int:
    """Print both times and their ratio; return 1 when the target is missed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "million.csv"
        save_candles(path, generate_candles(minutes=ROWS))
        importing = ["-m", "milobot", "data", "import", path.name, "--symbol", "BTCUSDT"]
        ours_s = _timed([sys.executable, *importing], folder)
        plain_s = _timed([sys.executable, "-c", PLAIN_SCRIPT, path.name], folder)
    print(
        f"import of {ROWS:,} rows: {ours_s:.2f} s, whole process (target {TARGET_S:g} s); "
        f"plain script {plain_s:.2f} s, ratio {ours_s / plain_s:.2f}"
    )
    return int(ours_s > TARGET_S)


def _timed(words: list[str], folder: str) -> float:
    start = time.perf_counter()
    subprocess.run(words, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
