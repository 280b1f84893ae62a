"""400 symbols close a candle at the same moment, a script on each: how soon all are decided.

Run: python benchmarks/simultaneous_close.py [SYMBOLS]

The samples decide in their workers, each at its own desk; what they want goes through
governor-free engine and ledger (SQLite) to an account in the process, and counts as decided
when that is on record and its order was sent. Limit: 1 s from the close to the last but one
per cent (p99). Yardstick: the same scripts asked in the pool alone, without desks, engine and
ledger.
"""

import asyncio
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import cast

import structlog

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks._engine_desk import SystemClock, WillingAccount, open_desk
from benchmarks.script_pool import SAMPLES, at, candles

from milobot.app.script_desk import DeskPlan, ScriptDesk
from milobot.domain.decisions import Decision
from milobot.domain.market import CandleSeries
from milobot.domain.money import decimal_from_float
from milobot.execution.trader import AccountTrader
from milobot.ports import Books, ExchangeAccount, MarketData, MarketFeed
from milobot.scripting.loading import DATA_LIMIT, LoadOptions
from milobot.scripting.pool import ScriptPool
from milobot.scripting.results import Evaluation
from milobot.storage.ledger import open_ledger

ROUNDS = 10
LIMIT_S = 1.0


class Unwatched:
    """Nobody looks on."""

    def evaluated(self, evaluation: Evaluation, candles: CandleSeries) -> None:
        """Look away."""

    def decided(self, decision: Decision) -> None:
        """Look away."""


async def open_desks(
    pool: ScriptPool, series: list[CandleSeries], trader: AccountTrader
) -> list[ScriptDesk]:
    """Give every script its worker, its history and its desk."""
    texts = [path.read_text(encoding="utf-8") for path in SAMPLES]
    desks = []
    for number, candles_of in enumerate(series):
        name, history = f"S{number}USDT", candles_of.part(0, DATA_LIMIT)
        source = texts[number % len(texts)]
        info = await pool.add(name, source, history, LoadOptions(symbol=name, timeframe="1h"))

        async def evaluate(fresh: CandleSeries, name: str = name) -> Evaluation:
            return await pool.evaluate(name, fresh)

        plan = DeskPlan(f"bench:{name}", info, cast(MarketFeed, None))
        desks.append(ScriptDesk(plan, evaluate, trader, Unwatched(), history))
    return desks


async def rounds(
    desks: list[ScriptDesk], series: list[CandleSeries], account: WillingAccount
) -> tuple[list[float], int]:
    """Close a candle on every symbol at once, again and again. Return times and decisions."""
    times, decided = [], 0

    async def close(number: int, index: int, began: float) -> None:
        nonlocal decided
        decision = await desks[number].closed(series[number].part(index, index + 1))
        decided += decision is not None
        times.append(perf_counter() - began)

    for index in range(DATA_LIMIT, DATA_LIMIT + ROUNDS):
        for number, candles_of in enumerate(series):
            price = float(candles_of.close[index])
            account.prices[f"S{number}USDT"] = decimal_from_float(price)
        began = perf_counter()
        await asyncio.gather(*(close(number, index, began) for number in range(len(desks))))
    return times, decided


async def plain_round_s(pool: ScriptPool, series: list[CandleSeries]) -> float:
    """Return the time of a round in the pool alone."""
    index, began = DATA_LIMIT + ROUNDS, perf_counter()
    asked = (pool.evaluate(f"S{n}USDT", s.part(index, index + 1)) for n, s in enumerate(series))
    await asyncio.gather(*asked)
    return perf_counter() - began


async def main() -> int:
    """Print the figures; 1 when the limit is missed."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    series = [candles(DATA_LIMIT + ROUNDS + 1, seed) for seed in range(count)]
    account = WillingAccount(SystemClock())
    with tempfile.TemporaryDirectory() as folder:
        async with (
            await open_ledger(f"sqlite:///{folder}/ledger.db") as ledger,
            ScriptPool() as pool,
        ):
            desk = open_desk(
                cast(ExchangeAccount, account),
                cast(MarketData, account),
                ledger.journal("bench:default"),
            )
            await desk.trader.start(Books())
            desks = await open_desks(pool, series, desk.trader)
            await pool.settle()  # as at the start of a run: before, no candle is followed
            times, decided = await rounds(desks, series, account)
            plain_s = await plain_round_s(pool, series)
    p99 = at(times, 0.99)
    is_met = p99 <= LIMIT_S
    print(
        f"{count} scripts, {ROUNDS} closes at once: p50 {at(times, 0.5):.2f} s, p99 {p99:.2f} s,"
        f" last {max(times):.2f} s (limit p99 {LIMIT_S:g} s), {p99 / plain_s:.1f} times the pool"
        f" alone ({plain_s:.2f} s); {decided} decisions on record, {account.orders} orders:"
        f" {'met' if is_met else 'MISSED'}"
    )
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
