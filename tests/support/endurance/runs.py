"""The soak: a bot trades for half an hour at a hundred times market speed, and its memory is flat.

python -m tests.support.endurance.runs                     # 30 minutes: two days of the market
python -m tests.support.endurance.runs --minutes 5
python -m tests.support.endurance.runs --csv build/soak.csv
"""

import argparse
import asyncio
import csv
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import aiohttp
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from tests.support.endurance.samples import (
    Counted,
    Sample,
    lag_within,
    read_metrics,
    take_sample,
)
from tests.support.endurance.verdict import growths, memory_trends, second_half
from tests.support.endurance.world import (
    SCRIPTS,
    TIMES_MARKET,
    Onlooker,
    market_for,
    settings_for,
    write_scripts,
)
from tests.support.own_postgres import free_port
from tests.support.recovery.supervised import Supervised, supervised

from milobot.local_exchange.server import LocalExchange
from milobot.telemetry import configure_logging

MINUTES = 30.0
_SAMPLES, _STARTS_S = 180, 60.0


@dataclass(slots=True)
class Soaked:
    """What came of a soak; ``wrong`` has a sentence for all that should not be."""

    samples: list[Sample] = field(default_factory=list)
    counted: list[Counted] = field(default_factory=list)
    looked: Onlooker = field(default_factory=lambda: Onlooker(""))
    entries: int = 0
    wrong: list[str] = field(default_factory=list)


async def soak(seconds: float, seed: int, folder: Path, progress: Progress) -> Soaked:
    """Let a bot trade for so long."""
    soaked, port = Soaked(), free_port()
    url = f"http://127.0.0.1:{port}"
    words = (*await asyncio.to_thread(write_scripts, folder), "--port", str(port), "--trust-script")
    async with (
        market_for(seconds, seed) as exchange,
        supervised(folder, words, settings_for(exchange.url), exchange.clock.now_ms) as bot,
    ):
        await _answering(url)
        soaked.looked = Onlooker(url)
        async with asyncio.TaskGroup() as tasks:
            looking = tasks.create_task(soaked.looked.look_on())
            await _sample(seconds, bot, folder, soaked, progress)
            looking.cancel()
        if not await bot.end():
            soaked.wrong.append("the bot did not end when it was asked to")
        _judge(soaked, bot, exchange)
    return soaked


async def _answering(url: str) -> None:
    async with asyncio.timeout(_STARTS_S), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(f"{url}/ready") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.2)


async def _sample(
    seconds: float, bot: Supervised, folder: Path, soaked: Soaked, progress: Progress
) -> None:
    loop = asyncio.get_running_loop()
    began, every_s = loop.time(), seconds / _SAMPLES
    bar = progress.add_task("soaking", total=_SAMPLES)
    for number in range(1, _SAMPLES + 1):
        await asyncio.sleep(max(0.0, began + number * every_s - loop.time()))
        at_s = loop.time() - began
        try:
            soaked.samples.append(await asyncio.to_thread(take_sample, bot.pid, folder, at_s))
        except OSError:
            soaked.wrong.append(f"the bot was gone after {at_s:.0f} s")
        if number in {1, _SAMPLES // 2, _SAMPLES}:
            soaked.counted.append(await read_metrics(soaked.looked.url))
        progress.advance(bar)


def _judge(soaked: Soaked, bot: Supervised, exchange: LocalExchange) -> None:
    account = next(iter(exchange.venues["binance"].accounts.values()))
    soaked.entries = sum(
        not order.ticket.reduce_only and not order.parent_id for order in account.orders.values()
    )
    if not soaked.entries:
        soaked.wrong.append("nothing was traded, so that nothing is proved")
    soaked.wrong += [f"the bot ended with code {code}" for code in bot.codes if code]
    if len(bot.codes) > 1:
        soaked.wrong.append(f"the bot ended {len(bot.codes)} times")
    if soaked.samples:
        soaked.wrong += growths(soaked.samples)


def main(words: Sequence[str]) -> int:
    """Soak and print what came of it; 1 when anything is not flat."""
    parser = argparse.ArgumentParser(description="Trade for long at a fast market; be flat.")
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--seed", type=int, default=1, help="of the market")
    parser.add_argument("--csv", type=Path, help="write every sample to this file")
    parser.add_argument("--keep", type=Path, help="folder for the bot's files, which stay")
    chosen = parser.parse_args(words)
    configure_logging("ERROR")
    console = Console(width=max(Console().width, 100))
    columns = (TextColumn("soaking"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with (
        tempfile.TemporaryDirectory(prefix="milobot-soak-") as own,
        Progress(*columns, console=console) as progress,
    ):
        folder = chosen.keep or Path(own)
        folder.mkdir(parents=True, exist_ok=True)
        soaked = asyncio.run(soak(chosen.minutes * 60, chosen.seed, folder.resolve(), progress))
    if chosen.csv:
        write_csv(chosen.csv, soaked.samples)
    console.print(_memory(soaked.samples))
    console.print(_rest(soaked, chosen.minutes))
    for sentence in soaked.wrong:
        console.print(f"WRONG {sentence}", markup=False)
    console.print("memory is flat" if not soaked.wrong else "not as it should be")
    return int(bool(soaked.wrong))


def write_csv(path: Path, samples: Sequence[Sample]) -> None:
    """Write every sample as a row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = [asdict(sample) for sample in samples]
        writer = csv.DictWriter(file, rows[0] if rows else [])
        writer.writeheader()
        writer.writerows(rows)


def _memory(samples: Sequence[Sample]) -> Table:
    table = Table(title="resident memory in MiB, and its line over the second half")
    for name in ("of", "at first", "half-way", "at the end", "grows by", "a day of the market"):
        table.add_column(name, justify="left" if name == "of" else "right")
    half = second_half(samples)
    for name, trend in memory_trends(samples).items():
        field_name = "bot_mb" if name == "bot" else "workers_mb"
        shown = [getattr(s, field_name) for s in (samples[0], half[0], samples[-1])]
        grown = (f"{trend.share:+.2%}", f"{trend.per_market_day:+.2f}")
        table.add_row(name, *(f"{mb:.1f}" for mb in shown), *grown)
    return table


def _rest(soaked: Soaked, minutes: float) -> Table:
    table = Table(min_width=72)
    table.add_column("what")
    table.add_column("figure", justify="right")
    first, last, looked = soaked.samples[0], soaked.samples[-1], soaked.looked
    counted = soaked.counted
    troubles = ", ".join(f"{name} {count}" for name, count in looked.troubles.items()) or "none"
    lags = [f"{lag_within(counted[1], counted[-1], part) * 1000:g}" for part in (0.5, 0.99, 0.999)]
    for what, figure in (
        ("market", f"{minutes * TIMES_MARKET / 1440:.2f} days at {TIMES_MARKET} x its speed"),
        ("scripts, symbols", f"{len(SCRIPTS)}, 5"),
        ("orders of the bot, refused", f"{counted[-1].orders}, {counted[-1].failed}"),
        ("entries at the exchange", f"{soaked.entries}"),
        ("looks at the page, frames pushed", f"{looked.looks}, {looked.frames}"),
        ("signals taken", f"{looked.signals}"),
        ("troubles of who looks on", troubles),
        ("open files, first and last", f"{first.files}, {last.files}"),
        ("threads, first and last", f"{first.threads}, {last.threads}"),
        ("processes below it, first and last", f"{first.workers}, {last.workers}"),
        ("script workers ended or lost", f"{counted[-1].kills}"),
        ("stream events", f"{counted[-1].reconnects}"),
        ("event loop late by at most, ms: 50 %, 99 %, 99.9 %", ", ".join(lags)),
        ("ledger in MiB, first and last", f"{first.ledger_mb:.1f}, {last.ledger_mb:.1f}"),
        ("candle store in MiB, first and last", f"{first.candles_mb:.1f}, {last.candles_mb:.1f}"),
    ):
        table.add_row(what, figure)
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
