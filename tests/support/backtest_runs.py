"""Back-tests run as a user runs them, over made-up markets that find their weak places."""

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.support.process import ROOT, run_milobot
from tests.support.report_audit import merge, read_rows

START_MS = 1_704_067_200_000  # 2024-01-01 00:00 UTC
MINUTE_MS, HOUR_MS = 60_000, 3_600_000
SAMPLES = sorted((ROOT / "samples").glob("*.script"))
Report = dict[str, Any]
Prices = tuple[int, float, float, float, float]


def backtest(script: str | Path, *words: str | Path, cwd: Path) -> Report:
    """Run a back-test that succeeds and return its report."""
    ended = run_milobot("backtest", script, *words, "--json", "report.json", cwd=cwd)
    assert ended.code == 0, ended.err
    report: Report = json.loads((cwd / "report.json").read_bytes())
    return report


def rough_market(seed: int, count: int, step_ms: int) -> list[Prices]:
    """Return candles with gaps, long wicks and prices coarse enough to hit levels exactly."""
    chance, price, rows = random.Random(seed), 1000.0, []  # noqa: S311 - a market, no secret
    for place in range(count):
        if chance.random() < 0.05:
            price *= 1 + chance.gauss(0, 0.02)
        opened = round(price, 1)
        closed = round(opened * (1 + chance.gauss(0, 0.008)), 1)
        high = max(opened, closed, round(max(opened, closed) * (1 + chance.random() * 0.01), 1))
        low = min(opened, closed, round(min(opened, closed) * (1 - chance.random() * 0.01), 1))
        rows.append((START_MS + place * step_ms, opened, high, low, closed))
        price = closed
    return rows


def write_market(path: Path, rows: Sequence[Sequence[float]]) -> Path:
    """Write candles with a volume of 1."""
    lines = [",".join(map(str, row)) + ",1" for row in rows]
    path.write_text("\n".join(["open_time,open,high,low,close,volume", *lines]) + "\n")
    return path


def write_sample_market(folder: Path) -> Path:
    """Put 40 days of a made-up market into a folder: as minutes, as hours, and in the store."""
    for words in (
        ("generate", "minutes.csv.gz", "--days", "40"),
        ("import", "minutes.csv.gz", "--symbol", "BTCUSDT"),
        ("export", "--symbol", "BTCUSDT", "--timeframe", "1m", "--out", "minutes.csv"),
    ):
        done = run_milobot("data", *words, cwd=folder)
        assert done.code == 0, done.err
    hours = merge(read_rows(folder / "minutes.csv"), HOUR_MS)
    write_market(folder / "hours.csv", [(r.time, *map(float, r[1:])) for r in hours])
    return folder
