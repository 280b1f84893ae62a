"""Recomputes a back-test's report from its own round trips and the candles, in plain Python.

Nothing of milobot is used: whoever doubts a report can do the same with a spreadsheet.
"""

import csv
import gzip
import io
import math
from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, NamedTuple

import pytest

STEP = Decimal("0.00000001")
DAY_MS = 86_400_000
LEVEL_REASONS = {"stop", "target", "trailing_stop", "break_even"}


class Row(NamedTuple):
    """One candle as the file states it."""

    time: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


def read_rows(path: Path) -> list[Row]:
    """Return the candles of a CSV file, packed or not, with a header and time, OHLC first."""
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
    lines = csv.reader(io.StringIO(text))
    next(lines)
    return [Row(int(line[0]), *(Decimal(cell) for cell in line[1:5])) for line in lines]


def merge(fine: Sequence[Row], span_ms: int) -> list[Row]:
    """Return coarser candles, a complete one for every ``span_ms``."""
    groups: dict[int, list[Row]] = {}
    for row in fine:
        groups.setdefault(row.time // span_ms * span_ms, []).append(row)
    return [
        Row(time, g[0].open, max(r.high for r in g), min(r.low for r in g), g[-1].close)
        for time, g in groups.items()
    ]


def to_step(value: Decimal) -> Decimal:
    """Round a booking to 1e-8 USDT."""
    return value.quantize(STEP, ROUND_HALF_EVEN)


class Audit:
    """One report beside the candles it speaks of."""

    def __init__(self, report: dict[str, Any], candles: Sequence[Row], fine: Sequence[Row]) -> None:
        """Take a report, the candles of its timeframe and those that its fills were tested on."""
        self.report = report
        self.trips: list[dict[str, Any]] = report["round_trips"]
        self.candles = candles
        self.fine = {row.time: row for row in fine}
        self.start = Decimal(report["summary"]["start_equity"])
        self.fee = Decimal(report["settings"]["fee"])
        self.slippage = Decimal(report["settings"]["slippage"])
        self.span_ms = candles[1].time - candles[0].time

    def check(self) -> None:
        """Assert everything that can be known about a report without the script."""
        self._check_order()
        for trip in self.trips:
            self._check_sums(trip)
            self._check_entry(trip)
            self._check_exit(trip)
        self._check_equity()
        self._check_trip_statistics()
        self._check_performance(
            self.report["summary"], [self.start, *self._values()], self._values()[-1]
        )
        self._check_buy_and_hold()

    def _check_order(self) -> None:
        """One position at a time, none before it was decided."""
        for earlier, later in pairwise(self.trips):
            assert earlier["exit_time"] <= later["entry_time"]
        for trip in self.trips:
            assert trip["signal_time"] + self.span_ms <= trip["entry_time"] <= trip["exit_time"]

    def _check_sums(self, trip: dict[str, Any]) -> None:
        quantity, sign = Decimal(trip["quantity"]), self._sign(trip)
        entry, left = Decimal(trip["entry_price"]), Decimal(trip["exit_price"])
        gain = to_step(sign * quantity * (left - entry))
        fees = to_step(quantity * entry * self.fee) + to_step(quantity * left * self.fee)
        assert Decimal(trip["fees"]) == fees
        assert Decimal(trip["pnl"]) == gain - fees - Decimal(trip["funding"])

    def _check_entry(self, trip: dict[str, Any]) -> None:
        """Filled at the open of the candle after the decision, on the bad side of it."""
        after = next(row for row in self.candles if row.time > trip["signal_time"])
        assert trip["entry_time"] == after.time
        worse = 1 + self._sign(trip) * self.slippage
        assert Decimal(trip["entry_price"]) == pytest.approx(
            after.open * worse, rel=Decimal("1e-17")
        )

    def _check_exit(self, trip: dict[str, Any]) -> None:
        """Left at a price that the exit's candle traded, and no candle before touched a level."""
        row, reason = self.fine[trip["exit_time"]], trip["exit_reason"]
        market = Decimal(trip["exit_price"]) / (1 - self._sign(trip) * self.slippage)
        if reason in {"close", "reversal"}:
            assert market == pytest.approx(row.open, rel=Decimal("1e-17"))
        elif reason == "end_of_data":
            assert market == pytest.approx(row.close, rel=Decimal("1e-17"))
        else:
            assert reason in LEVEL_REASONS
            assert row.low * (1 - STEP) <= market <= row.high * (1 + STEP)
        if reason in {"stop", "target"}:
            level = Decimal(trip[reason])
            towards = self._sign(trip) * (1 if reason == "target" else -1)
            gapped = towards * (row.open - level) >= 0
            assert market == pytest.approx(row.open if gapped else level, rel=Decimal("1e-17"))
        self._check_untouched(trip)

    def _check_untouched(self, trip: dict[str, Any]) -> None:
        stop = Decimal(trip["stop"])
        target = Decimal(trip["target"]) if trip["target"] else None
        for row in self._between(trip["entry_time"], trip["exit_time"]):
            worst, best = (row.low, row.high) if self._sign(trip) > 0 else (row.high, row.low)
            assert self._sign(trip) * (worst - stop) > 0, "the first stop was passed unseen"
            assert target is None or self._sign(trip) * (best - target) < 0
        if trip["exit_reason"] == "target":
            row = self.fine[trip["exit_time"]]
            gapped = target is not None and self._sign(trip) * (row.open - target) >= 0
            worst = row.low if self._sign(trip) > 0 else row.high
            assert gapped or self._sign(trip) * (worst - stop) > 0, "a target before a stop"

    def _check_equity(self) -> None:
        """Wallet plus open gain at each close, last of all the sum of everything booked."""
        closes = [row.close for row in self.candles]
        times = [row.time for row in self.candles]
        assert [time for time, _ in self.report["equity"]] == times
        for time, close, value in zip(times, closes, self._values(), strict=True):
            end = time + self.span_ms
            wallet = self.start + sum(Decimal(t["pnl"]) for t in self._closed_by(end, time))
            assert value == wallet + sum(
                self._open_value(t, close) for t in self._open_at(end, time)
            )
        booked = self.start + sum(Decimal(trip["pnl"]) for trip in self.trips)
        assert self._values()[-1] == booked == Decimal(self.report["summary"]["end_equity"])

    def _closed_by(self, end: int, time: int) -> Iterator[dict[str, Any]]:
        return (t for t in self.trips if t["exit_time"] < end)

    def _open_at(self, end: int, time: int) -> Iterator[dict[str, Any]]:
        return (t for t in self.trips if t["entry_time"] < end <= t["exit_time"])

    def _open_value(self, trip: dict[str, Any], close: Decimal) -> Decimal:
        quantity, entry = Decimal(trip["quantity"]), Decimal(trip["entry_price"])
        paid = to_step(quantity * entry * self.fee)
        return to_step(self._sign(trip) * quantity * (close - entry)) - paid

    def _check_trip_statistics(self) -> None:
        summary = self.report["summary"]
        results = [Decimal(trip["pnl"]) for trip in self.trips]
        wins, losses = [r for r in results if r > 0], [r for r in results if r < 0]
        count = len(results)
        assert (summary["round_trips"], summary["wins"], summary["losses"]) == (
            count,
            len(wins),
            len(losses),
        )
        assert summary["win_rate"] == (len(wins) / count if count else None)
        assert summary["profit_factor"] == pytest.approx(
            float(sum(wins) / -sum(losses)) if losses else None
        )
        mean = to_step(sum(results, Decimal(0)) / count) if count else None
        assert (summary["expectancy"] and Decimal(summary["expectancy"])) == mean
        assert Decimal(summary["fees"]) == sum(Decimal(t["fees"]) for t in self.trips)
        held = sum(
            any(True for _ in self._open_at(row.time + self.span_ms, row.time))
            for row in self.candles
        )
        assert summary["exposure"] == pytest.approx(held / len(self.candles))

    def _check_performance(
        self, said: dict[str, Any], path: Sequence[Decimal], end: Decimal
    ) -> None:
        assert said["total_return"] == pytest.approx(float(end / path[0] - 1), abs=1e-12)
        assert said["max_drawdown"] == pytest.approx(deepest_fall(path), abs=1e-12)
        first, last = self.candles[0].time, self.candles[-1].time + self.span_ms
        years = (last - first) / DAY_MS / 365
        assert said["cagr"] == pytest.approx(float(end / path[0]) ** (1 / years) - 1, rel=1e-9)
        daily = self._at_midnights(path)
        returns = [b / a - 1 for a, b in pairwise(daily)]
        if len(returns) > 1 and stdev(returns) > 0:
            assert said["sharpe"] == pytest.approx(
                fmean(returns) / stdev(returns) * math.sqrt(365), rel=1e-6
            )
        downside = math.sqrt(fmean(min(r, 0.0) ** 2 for r in returns))
        if downside > 0:
            assert said["sortino"] == pytest.approx(
                fmean(returns) / downside * math.sqrt(365), rel=1e-6
            )

    def _at_midnights(self, path: Sequence[Decimal]) -> list[float]:
        """Return the start, the value at each midnight passed, and the last value."""
        values = [float(path[0])]
        for row, value in zip(self.candles, path[1:], strict=True):
            if (row.time + self.span_ms) % DAY_MS == 0 or row is self.candles[-1]:
                values.append(float(value))
        return values

    def _check_buy_and_hold(self) -> None:
        first = self.candles[0].open
        path = [self.start, *(self.start * row.close / first for row in self.candles)]
        self._check_performance(self.report["summary"]["buy_and_hold"], path, path[-1])

    def _between(self, first: int, last: int) -> Iterator[Row]:
        times = sorted(time for time in self.fine if first <= time < last)
        return (self.fine[time] for time in times)

    def _values(self) -> list[Decimal]:
        return [Decimal(value) for _, value in self.report["equity"]]

    @staticmethod
    def _sign(trip: dict[str, Any]) -> int:
        return 1 if trip["side"] == "LONG" else -1


def deepest_fall(path: Sequence[Decimal]) -> float:
    """Return the largest fall from a peak as a fraction of the peak."""
    peak, deepest = path[0], Decimal(0)
    for value in path:
        peak = max(peak, value)
        deepest = max(deepest, (peak - value) / peak)
    return float(deepest)
