"""Time added by us from a message to its order request: a real minute of protected signals.

Run: python benchmarks/signal_latency.py [SECONDS [EXCHANGE]]

The product's own parts (inbox, ledger, governor, account view, engine, signed client) trade
on the local exchange in a process of its own: 5 set-ups a second on Binance and 8 on BingX, each
a text with entry and stop as a channel writes it, each entered and protected, each closed by its
stop some seconds later. A third process moves the market. Measured from handing the message to
the inbox, which reads it and puts it on record, to handing the signed request of its entry to the
HTTP library. Limits on SQLite: p95 10 ms, p99 50 ms. Yardstick: one transaction of one row, of which
a signal needs two.
"""

import asyncio
import os
import sys
import tempfile
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter, time_ns

import numpy as np
import structlog

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks._market_mover import quote
from benchmarks.intent_latency import (
    MinuteOverError,
    NotingTransport,
    one_commit_ms,
    open_client,
    tell,
)

from milobot.app.exchange_process import local_exchange
from milobot.app.leader import SigningDeadline
from milobot.app.live_account import LiveAccount, LivePlan
from milobot.app.live_bot import BotPlan, LiveBot
from milobot.app.live_signals import LiveSignals, SignalPlan
from milobot.app.paper_control import PaperControl
from milobot.app.profiles import Profiles
from milobot.domain.governor import GovernorLimits
from milobot.domain.intents import Size, SizeKind
from milobot.domain.market import SymbolRules
from milobot.domain.reports import BookTicker, MarginMode, SymbolSettings
from milobot.exchanges.wire import Facts, SignedCall
from milobot.execution.engine import EngineConfig
from milobot.signals.door import Incoming
from milobot.signals.profile import ChannelProfile
from milobot.signals.reader import read
from milobot.storage.ledger import open_ledger

SECONDS = 60.0
RATES = {"binance": 5, "bingx": 8}
LIMIT_P95_MS, LIMIT_P99_MS = 10.0, 50.0
SYMBOLS = 48
"""A market is busy for four seconds: until its stop is hit, that is booked, the price is back."""
FEES_BY = "BTCUSDT"
"""Clients ask what fee this symbol has."""
HIGH, LOW = Decimal(100), Decimal("98.9")
ONE_COIN = Size(SizeKind.BASE, Decimal(1))
CLOSED_AFTER_S = (1.2, 1.8)
"""Between two moves of a market; drawn, since even times would meet other signals each time."""
TEXT = "#{coin}/USDT LONG\nEntry: market\nLeverage: 10x\nStop loss: 99\n"


@dataclass
class NotingEntries(NotingTransport):
    """Notes when the entry of a symbol is handed to the HTTP library.

    Attributes:
        entered: When the latest was, by the exchange's name of the symbol.
    """

    entered: dict[str, float] = field(default_factory=dict)

    async def send(self, request: SignedCall) -> Facts:
        """Note and send."""
        told = f"{request.url}&{request.body}"
        if request.method == "POST" and "type=MARKET" in told and "reduceOnly=true" not in told:
            symbol = told.partition("symbol=")[2].partition("&")[0]
            self.entered.setdefault(symbol.replace("-", ""), perf_counter())
        return await self.inner.send(request)


@dataclass
class Drive:
    """Hands in messages at an even pace and moves the market of each symbol for itself."""

    rate: int
    signals: LiveSignals
    transport: NotingEntries
    mover: asyncio.StreamWriter
    added_ms: list[float] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    number: int = 0
    prices: dict[str, Decimal] = field(default_factory=dict)
    hear: Callable[[BookTicker], None] = lambda _: None
    chance: np.random.Generator = field(default_factory=lambda: np.random.default_rng(1))

    async def hear_prices(self) -> None:
        """Hear all prices again and again, as from the stream of a market that trades."""
        while True:
            for symbol, price in self.prices.items():
                self.hear(quote(symbol, price).book)
            await asyncio.sleep(0.4)

    async def run(self, seconds: float) -> None:
        """Warm every symbol up, then measure."""
        await self._round(SYMBOLS / self.rate + 1)
        self.added_ms.clear()
        self.missing.clear()
        await self._round(seconds)

    async def _round(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        start = loop.time() + 0.5
        async with asyncio.TaskGroup() as tasks:
            for number in range(round(seconds * self.rate)):
                await asyncio.sleep(start + number / self.rate - loop.time())
                tasks.create_task(self._signal())

    async def _signal(self) -> None:
        self.number += 1
        coin = coin_of(self.number % SYMBOLS)
        symbol = f"{coin}USDT"
        self.transport.entered.pop(symbol, None)
        begun, now_ms = perf_counter(), time_ns() // 1_000_000
        message = Incoming("telegram:-1", str(self.number), TEXT.format(coin=coin), now_ms)
        receipt = await self.signals.inbox.receive(message)
        await asyncio.sleep(self.chance.uniform(*CLOSED_AFTER_S))
        sent = self.transport.entered.get(symbol)
        if sent is None:
            told = await self.signals.inbox.history(receipt.signal_id)
            self.missing.append(str(told and [(e.code, e.sentence) for e in told.events][-1]))
        else:
            self.added_ms.append((sent - begun) * 1000)
        self.move(symbol, LOW)  # its stop closes it
        await asyncio.sleep(self.chance.uniform(*CLOSED_AFTER_S))
        self.move(symbol, HIGH)

    def move(self, symbol: str, price: Decimal) -> None:
        """Move the market of a symbol, and hear of it."""
        self.prices[symbol] = price
        self.mover.write(f"{symbol} {price}\n".encode())
        self.hear(quote(symbol, price).book)


def coin_of(number: int) -> str:
    """Return the name of a coin that there is not."""
    return f"Q{chr(65 + number // 26)}{chr(65 + number % 26)}"


def rules_of(symbol: str) -> SymbolRules:
    """Return rules that let anything pass."""
    return SymbolRules(
        symbol,
        tick_size=Decimal("0.1"),
        quantity_step=Decimal("0.001"),
        max_market_quantity=Decimal(100_000),
    )


@asynccontextmanager
async def market_mover(url: str) -> AsyncIterator[asyncio.StreamWriter]:
    """Give the input of the process that moves the market."""
    script = Path(__file__).with_name("_market_mover.py")
    mover = await asyncio.create_subprocess_exec(sys.executable, script, url, stdin=PIPE)
    if mover.stdin is None:
        raise RuntimeError("the market cannot be told what to do")
    try:
        yield mover.stdin
    finally:
        mover.stdin.close()
        await mover.wait()


async def measure(dialect: str, seconds: float) -> bool:
    """Trade signals on one exchange; print the result, return whether it is met."""
    flags = ["--follow", "--dialect", dialect, "--port", "0", "--wallet", "1000000"]
    symbols = tuple(f"{coin_of(number)}USDT" for number in range(SYMBOLS))
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/bench.db"
        transport, end = NotingEntries(), SigningDeadline()
        async with (
            local_exchange(flags) as exchange,
            PaperControl(exchange.url) as control,
            market_mover(exchange.url) as mover,
            await open_ledger(url) as ledger,
            open_client(dialect, exchange, transport, end) as client,
        ):
            listed = (*symbols, FEES_BY)
            await control.list_contracts(rules_of(symbol) for symbol in listed)
            plain_ms = await one_commit_ms(ledger)
            limits = GovernorLimits(max_entries_per_minute=100_000, max_open_positions=SYMBOLS)
            settings = tuple(SymbolSettings(s, 10, MarginMode.ISOLATED) for s in symbols)
            live_plan = LivePlan(EngineConfig(f"{dialect}:bench"), symbols, settings)
            plan = BotPlan(live_plan, limits, f"{os.getpid()}-{time_ns()}", end)
            bot = LiveBot(client, ledger, plan, tell)
            profile = Profiles({"default": ChannelProfile(size=ONE_COIN, duplicate_window_s=0)})
            signals = LiveSignals(f"{dialect}:bench", SignalPlan(profile), ledger, client)
            signals.learn(symbols)
            drive = Drive(RATES[dialect], signals, transport, mover)
            for symbol in listed:
                drive.move(symbol, HIGH)

            async def work(live: LiveAccount) -> None:
                drive.hear = live.view.hear
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(signals.work(live, tell))
                    tasks.create_task(drive.hear_prices())
                    await asyncio.sleep(SYMBOLS * 1.2)  # settings are made, one symbol a second
                    await drive.run(seconds)
                    raise MinuteOverError

            try:
                await bot.run(work)
            except* MinuteOverError:
                pass
            await transport.inner.close()
    return report(dialect, drive, plain_ms)


def report(dialect: str, drive: Drive, plain_ms: float) -> bool:
    """Print what was measured; return whether it is met."""
    if len(drive.added_ms) < 2:  # noqa: PLR2004 - quantiles need two
        print(f"{dialect}: nothing was sent: {drive.missing[:3]}")
        return False
    cuts = quantiles(drive.added_ms, n=100)
    p95, p99 = cuts[94], cuts[98]
    is_met = p95 <= LIMIT_P95_MS and p99 <= LIMIT_P99_MS and not drive.missing
    print(
        f"{dialect} on SQLite: {len(drive.added_ms)} signals, {drive.rate} a second, added p50"
        f" {median(drive.added_ms):.2f} ms, p95 {p95:.2f} ms (limit {LIMIT_P95_MS:g} ms), p99"
        f" {p99:.2f} ms (limit {LIMIT_P99_MS:g} ms), p95 {p95 / plain_ms:.1f} times a transaction"
        f" of one row ({plain_ms:.2f} ms); not entered {len(drive.missing)}:"
        f" {'met' if is_met else 'MISSED'}"
    )
    for reason in drive.missing[:3]:
        print(f"  {reason}")
    return is_met


def main() -> int:
    """Measure both exchanges, or the one that is named; 1 when a limit is missed."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    read(TEXT.format(coin="BTC"))
    met = [asyncio.run(measure(dialect, seconds)) for dialect in sys.argv[2:3] or RATES]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
