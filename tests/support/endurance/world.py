"""What a soak trades in: an exchange whose market goes fast, four scripts, somebody who looks on."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from tests.support.live_runs import FLIPS, HOLDS

from milobot.domain.timeframes import Timeframe
from milobot.local_exchange.core.timing import ClockMode
from milobot.local_exchange.server import LocalExchange
from milobot.local_exchange.setup import DEFAULT_KEY, DEFAULT_SECRET, ExchangeSetup
from milobot.marketdata.generated import generate_candles

TIMES_MARKET = 100
MINUTES_A_S = TIMES_MARKET / 60
_HISTORY = 600
_SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT", "ADAUSDT")
_SIGNALLED = "ADAUSDT"
_STOCHASTIC = """
timeframe = "1m"
coin = "ETHUSDT"
action_if_true = "long(1%risk@10x,sl=1%,trail=1%,rr=2)"
action_if_false = "close"
k, d = await calculate_stochastic(data)
rsi = await calculate_rsi(data)
condition_true = k[-1] > d[-1] and rsi[-1] > 45
"""
_SWINGS = """
timeframe = "5m"
coin = "SOLUSDT"
action_if_true = "short(1%risk@10x,sl=2atr,rr=1,be=1)"
action_if_false = "donothing"
points = await calculate_zigzag(data, 0.5, 5)
line, signal = await calculate_macd(data)
print(f"{len(points)} pivots, MACD {line[-1]:.2f}")
condition_true = line[-1] < signal[-1]
"""
SCRIPTS = {
    "flips": FLIPS,
    "holds": HOLDS.replace("BTCUSDT", "XRPUSDT"),
    "stochastic": _STOCHASTIC,
    "swings": _SWINGS,
}
_LOOKED_AT = ("/", "/api/chart", "/status", "/signals", "/ready")
_LOOK_EVERY_S, _SIGNAL_EVERY_S = 2.0, 7.0


@asynccontextmanager
async def market_for(seconds: float, seed: int) -> AsyncIterator[LocalExchange]:
    """Give an exchange whose market goes on for so many seconds, and some more."""
    minutes = _HISTORY + int((seconds + 300) * MINUTES_A_S)
    setup = ExchangeSetup(
        candles={name: generate_candles(name, minutes=minutes, seed=seed) for name in _SYMBOLS},
        timeframe=Timeframe.M1,
        history=_HISTORY,
        speed=MINUTES_A_S,
        clock=ClockMode.WALL,
        dialects=("binance",),
    )
    async with LocalExchange(setup) as exchange:
        yield exchange


def write_scripts(folder: Path) -> tuple[str, ...]:
    """Write the scripts; return the flags that name them."""
    flags: list[str] = []
    for name, text in SCRIPTS.items():
        path = folder / f"{name}.script"
        path.write_text(text, encoding="utf-8")
        flags += ["--script", str(path)]
    return tuple(flags)


def settings_for(url: str) -> dict[str, str]:
    """Return the variables of the run."""
    return {
        "BINANCE_BASE_URL": url,
        "BINANCE_API_KEY": DEFAULT_KEY,
        "BINANCE_SECRET_KEY": DEFAULT_SECRET,
        "TRADING_ENABLED": "true",
        "SIGNAL_EXCHANGE": "binance",
        "METRICS_PORT": "0",
        "MAX_ENTRIES_PER_MINUTE": "10000",
        "DAILY_LOSS_LIMIT": "90%",
        "MAX_DRAWDOWN": "90%",
    }


@dataclass(slots=True)
class Onlooker:
    """Somebody with the page open, who posts a signal now and then.

    Attributes:
        looks: Answers that came.
        frames: What the page was told over its WebSocket.
        signals: Signals that were taken.
        troubles: What went wrong, by kind.
    """

    url: str
    looks: int = 0
    frames: int = 0
    signals: int = 0
    troubles: dict[str, int] = field(default_factory=dict)

    async def look_on(self) -> None:
        """Look on until cancelled."""
        timeout = aiohttp.ClientTimeout(total=20, sock_read=60)
        messages = itertools.cycle((f"BUY {_SIGNALLED} 1", f"close {_SIGNALLED}"))
        async with (
            aiohttp.ClientSession(self.url, timeout=timeout) as session,
            asyncio.TaskGroup() as tasks,
        ):
            tasks.create_task(self._again(_LOOK_EVERY_S, lambda: self._look(session)))
            tasks.create_task(
                self._again(_SIGNAL_EVERY_S, lambda: self._post(session, next(messages)))
            )
            tasks.create_task(self._again(1.0, lambda: self._hear(session)))

    async def _again(self, every_s: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except (aiohttp.ClientError, TimeoutError) as error:
                kind = type(error).__name__
                self.troubles[kind] = self.troubles.get(kind, 0) + 1
            await asyncio.sleep(every_s)

    async def _look(self, session: aiohttp.ClientSession) -> None:
        for path in _LOOKED_AT:
            async with session.get(path) as answer:
                await answer.read()
                self.looks += answer.status == 200

    async def _post(self, session: aiohttp.ClientSession, message: str) -> None:
        async with session.post("/signal", json={"message": message}) as answer:
            self.signals += answer.status == 202

    async def _hear(self, session: aiohttp.ClientSession) -> None:
        async with session.ws_connect("/ws/chart", origin=self.url) as socket:
            async for _ in socket:
                self.frames += 1
