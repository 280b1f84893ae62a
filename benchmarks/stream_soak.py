"""A day of 1m candles of 300 symbols through the real streams and feeds, both dialects.

Run: python benchmarks/stream_soak.py [MINUTES [SYMBOLS [SEED]]]

Time is simulated; network, clocks and listings misbehave as ``tests/support/soak_world.py``
says. Limits: no candle missing, doubled, out of order or with numbers that were not final; no
listen key that is not replaced; memory after the first simulated hour within 10 % of that at
the end.
"""

import asyncio
import sys
import time
from pathlib import Path

import structlog

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.support.soak import Soak, SoakPlan, SoakResult

MOST_GROWTH = 1.10


def is_flat(rss_mb: list[float]) -> bool:
    """Return whether memory did not grow after the first hour."""
    return len(rss_mb) < 2 or rss_mb[-1] <= rss_mb[0] * MOST_GROWTH  # noqa: PLR2004 - two to compare


def show(plan: SoakPlan, result: SoakResult, took_s: float) -> bool:
    """Print the figures; return whether the limits are met."""
    is_met = result.is_clean and is_flat(result.rss_mb)
    memory = [result.rss_mb[0], max(result.rss_mb), result.rss_mb[-1]] if result.rss_mb else []
    met = result.met
    print(
        f"{plan.dialect}, seed {plan.seed}: {plan.minutes / 60:g} h of {plan.symbols} symbols"
        f" in {took_s:.0f} s: {result.expected:,} candles expected, {result.delivered:,} came;"
        f" missing {result.missing}, duplicate {result.duplicate},"
        f" out of order {result.out_of_order}, wrong {result.wrong}, gaps {result.gaps}\n"
        f"  clocks: {met.jumps} jumps ({met.jumps_at_close} at a close),"
        f" {met.most_skew_ms} ms apart at most; time asked {met.times_asked:,} times\n"
        f"  network: {met.dropped} dropped and {met.silenced} silent connections,"
        f" {result.connections:,} connections; {met.listings:,} listings,"
        f" {met.failed:,} failed requests\n"
        f"  listen keys: {met.keys_ended} ended, {result.reconnects} reconnects,"
        f" {result.keys_slow} slow\n"
        f"  memory first hour, most, end: {', '.join(f'{mb:.1f}' for mb in memory)} MiB:"
        f" {'met' if is_met else 'MISSED'}",
        flush=True,
    )
    return is_met


def main() -> int:
    """Soak both dialects; return the exit code."""
    # What the streams log is the point of the exercise, thousands of times.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    words = [int(word) for word in sys.argv[1:]]
    minutes, symbols, seed = words + [1440, 300, 1][len(words) :]
    met = []
    for dialect in ("binance", "bingx"):
        plan = SoakPlan(dialect, minutes, symbols, seed)
        started = time.perf_counter()
        result = asyncio.run(Soak(plan).run())
        met.append(show(plan, result, time.perf_counter() - started))
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
