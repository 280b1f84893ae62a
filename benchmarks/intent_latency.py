"""Time added by us from an intent to its request: a real minute at the exchanges' order rates.

Run: python benchmarks/intent_latency.py [SECONDS [EXCHANGE]]

The product's own parts (lease, ledger, governor, account view, engine, signed client) trade on
the local exchange in a process of its own: 10 order requests a second on Binance, two of three of
them entries and closes that an intent asks for and the third a stop, and 8 on BingX, where an
entry carries its stop along.
Measured from handing an intent in to handing its signed request to the HTTP library. Limits:
p95 5 ms on SQLite, 8 ms on PostgreSQL. Yardstick: one transaction of one row on the same
database, since an order is on record before it leaves.
"""

import asyncio
import os
import sys
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter, time_ns

import structlog

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks._engine_desk import ENTRY
from benchmarks.intent_rate import databases

from milobot.app.exchange_process import ExchangeAddress, local_exchange
from milobot.app.leader import SigningDeadline
from milobot.app.live_account import LiveAccount, LivePlan
from milobot.app.live_bot import BotPlan, LiveBot
from milobot.domain.alerts import Alert
from milobot.domain.decisions import Outcome
from milobot.domain.governor import GovernorLimits
from milobot.domain.intents import Close, Size, SizeKind, TradeIntent
from milobot.domain.reports import MarginMode, SymbolSettings
from milobot.exchanges.binance.client import BinanceClient
from milobot.exchanges.binance.hosts import BinanceHosts
from milobot.exchanges.binance.signing import Credentials as BinanceKey
from milobot.exchanges.bingx.client import BingxClient
from milobot.exchanges.bingx.hosts import BingxHosts
from milobot.exchanges.bingx.signing import Credentials as BingxKey
from milobot.exchanges.options import ClientOptions, Network
from milobot.exchanges.sockets import HttpConnector
from milobot.exchanges.transport import HttpTransport
from milobot.exchanges.wire import Facts, SignedCall
from milobot.execution.engine import EngineConfig
from milobot.storage.account_records import save_cursor
from milobot.storage.ledger import Ledger, open_ledger

SECONDS = 60.0
SYMBOL = "BTCUSDT"
RATES = {"binance": 10, "bingx": 8}
REQUESTS_OF_INTENT = {"binance": 1.5, "bingx": 1}
LIMITS_MS = {"SQLite": 5.0, "PostgreSQL": 8.0}
Client = BinanceClient | BingxClient


@dataclass
class NotingTransport:
    """Notes when an order request is handed to the HTTP library."""

    inner: HttpTransport = field(default_factory=HttpTransport)
    sent: list[float] = field(default_factory=list)
    requests: int = 0

    async def send(self, request: SignedCall) -> Facts:
        """Note and send."""
        if request.method in {"POST", "DELETE"} and "rder" in str(request.url):
            self.requests += 1
            if request.method == "POST":
                self.sent.append(perf_counter())
        return await self.inner.send(request)


@dataclass
class Measured:
    """What was seen of one exchange on one database."""

    added_ms: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    requests_per_s: float = 0.0


def tell(alert: Alert) -> None:
    """Show an alert: there should be none."""
    print(f"  {alert.kind}: {alert.sentence}")


def open_client(
    dialect: str, exchange: ExchangeAddress, transport: NotingTransport, end: SigningDeadline
) -> Client:
    """Return a client whose order requests are noted."""
    connector = HttpConnector(transport.inner.session)
    options = ClientOptions(signing_deadline=end, network=Network(transport, connector))
    if dialect == "binance":
        key = BinanceKey(exchange.api_key, exchange.secret)
        return BinanceClient(BinanceHosts.at(exchange.url), key, options)
    bingx_key = BingxKey(exchange.api_key, exchange.secret)
    return BingxClient(BingxHosts.at(exchange.url), bingx_key, options)


def wish(number: int, price: Decimal) -> TradeIntent:
    """Return the wish to enter, or to close what was entered before."""
    action = Close() if number % 2 else ENTRY_OF_COINS
    now_ms = time_ns() // 1_000_000
    return TradeIntent(f"bench|{number}", "bench", SYMBOL, now_ms, action, price)


ENTRY_OF_COINS = type(ENTRY)(
    ENTRY.side, Size(SizeKind.BASE, Decimal("0.01")), leverage=10, stop=ENTRY.stop
)


async def drive(
    live: LiveAccount, transport: NotingTransport, rate: float, seconds: float
) -> Measured:
    """Hand intents in at an even pace, so many a second, and time them."""
    seen, loop = Measured(), asyncio.get_running_loop()
    start = loop.time() + 4.0  # settings are made, and have left the window of a second
    for number in range(round(seconds * rate)):
        await asyncio.sleep(start + number / rate - loop.time())
        price = await live.view.fetch_last_price(SYMBOL)
        before, begun = len(transport.sent), perf_counter()
        decision = await live.trader.submit(wish(number, price))
        if decision.outcome is not Outcome.ACCEPTED or len(transport.sent) == before:
            seen.refused.append(f"{decision.code}: {decision.reason}")
            continue
        seen.added_ms.append((transport.sent[before] - begun) * 1000)
    seen.requests_per_s = transport.requests / (loop.time() - start)
    return seen


async def one_commit_ms(ledger: Ledger) -> float:
    """Return how long a transaction of one row takes."""
    times = []
    for number in range(200):
        begun = perf_counter()
        await ledger.write(partial(save_cursor, name="bench", position=str(number), now_ms=0))
        times.append((perf_counter() - begun) * 1000)
    return median(times)


async def measure(dialect: str, name: str, url: str, seconds: float) -> bool:
    """Trade on one exchange with one database; print the result, return whether it is met."""
    flags = ["--dialect", dialect, "--market", "1", "--days", "2", "--symbol", SYMBOL,
             "--speed", "1", "--clock", "wall", "--port", "0", "--wallet", "1000000"]  # fmt: skip
    intents_per_s = RATES[dialect] / REQUESTS_OF_INTENT[dialect]
    transport, end, found = NotingTransport(), SigningDeadline(), Measured()
    async with local_exchange(flags) as exchange, await open_ledger(url) as ledger:
        plain_ms = await one_commit_ms(ledger)
        async with open_client(dialect, exchange, transport, end) as client:
            limits = GovernorLimits(max_entries_per_minute=100_000)
            settings = SymbolSettings(SYMBOL, 10, MarginMode.ISOLATED)
            live_plan = LivePlan(EngineConfig(f"{dialect}:bench"), (SYMBOL,), (settings,))
            plan = BotPlan(live_plan, limits, f"{os.getpid()}-{time_ns()}", end)
            bot = LiveBot(client, ledger, plan, tell)

            async def work(live: LiveAccount) -> None:
                nonlocal found
                found = await drive(live, transport, intents_per_s, seconds)
                raise MinuteOverError

            try:
                await bot.run(work)
            except* MinuteOverError:
                pass
            await transport.inner.close()
    if len(found.added_ms) < 2:  # noqa: PLR2004 - quantiles need two
        print(f"{dialect} on {name}: nothing was sent: {found.refused[:3]}")
        return False
    p95 = quantiles(found.added_ms, n=20)[-1]
    is_met = p95 <= LIMITS_MS[name] and not found.refused
    print(
        f"{dialect} on {name}: {len(found.added_ms)} intents, {found.requests_per_s:.1f} order requests/s,"
        f" added p50 {median(found.added_ms):.2f} ms, p95 {p95:.2f} ms (limit"
        f" {LIMITS_MS[name]:g} ms), {p95 / plain_ms:.1f} times a transaction of one row"
        f" ({plain_ms:.2f} ms); refused {len(found.refused)}: {'met' if is_met else 'MISSED'}"
    )
    for reason in found.refused[:3]:
        print(f"  {reason}")
    return is_met


class MinuteOverError(Exception):
    """The minute is over."""


def main() -> int:
    """Measure both exchanges, or the one named, on both databases; 1 when a limit is missed."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    met = []
    with databases() as urls:
        for dialect in sys.argv[2:3] or RATES:
            for name, url in urls.items():
                met.append(asyncio.run(measure(dialect, name, url, seconds)))
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
