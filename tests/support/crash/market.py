"""The exchange that a run trades on, and prices that never stand still."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal

from tests.support.crash.wishes import PRICES
from tests.support.wire import flat_bars

from milobot.domain.timeframes import Timeframe
from milobot.local_exchange.core.timing import ClockMode
from milobot.local_exchange.server import LocalExchange
from milobot.local_exchange.setup import DEFAULT_SECRET, Credentials, ExchangeSetup

_LAG_EVERY_S, _LAG_MS = 0.05, 100
_EVERY_S, _STEP, _RANGE = 0.12, 0.003, 0.009


@asynccontextmanager
async def exchange_for(
    dialect: str, seed: int, *, further_keys: tuple[str, ...] = (), wallet: int = 1_000_000
) -> AsyncIterator[LocalExchange]:
    """Give an exchange with one account, on the clock of the wall."""
    setup = ExchangeSetup(
        candles={symbol: flat_bars(4, float(price)) for symbol, price in PRICES.items()},
        timeframe=Timeframe.M1,
        clock=ClockMode.WALL,
        dialects=(dialect,),
        has_limits=False,
        wallet=Decimal(wallet),
        credentials=(Credentials(further_keys=further_keys),),
    )
    setup.faults.seed = seed
    async with LocalExchange(setup) as exchange:
        await exchange.advance(1)
        yield exchange


def environment_of(dialect: str, url: str, key: str) -> Mapping[str, str]:
    """Return what a user sets to trade on a local exchange."""
    name = dialect.upper()
    return {
        f"{name}_BASE_URL": url,
        f"{name}_API_KEY": key,
        f"{name}_SECRET_KEY": DEFAULT_SECRET,
        "TRADING_ENABLED": "true",
    }


class StallWatch:
    """Notes when the exchange's process had no time to answer: on a busy machine it may not.

    Attributes:
        stalls: As (first, last) by the exchange's clock.
    """

    def __init__(self, exchange: LocalExchange) -> None:
        """Prepare; ``run`` watches."""
        self._exchange = exchange
        self.stalls: list[tuple[int, int]] = []

    async def run(self) -> None:
        """Watch until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            await asyncio.sleep(_LAG_EVERY_S)
            late_ms = round((loop.time() - began - _LAG_EVERY_S) * 1000)
            if late_ms > _LAG_MS:
                now_ms = self._exchange.clock.now_ms()
                self.stalls.append((now_ms - late_ms, now_ms))


class RestlessPrices:
    """Moves the prices about while its ``async with`` block lasts, or until it is calmed.

    Attributes:
        stalls: When the exchange had no time to answer meanwhile.
    """

    def __init__(self, exchange: LocalExchange, dice: random.Random) -> None:
        """Prepare."""
        self._exchange, self._dice = exchange, dice
        self._away = dict.fromkeys(PRICES, 0.0)
        self._is_calm = False
        self.stalls = StallWatch(exchange)

    def calm(self) -> None:
        """Let the prices stand from now on; what rests in parts still meets a market."""
        self._is_calm = True

    @asynccontextmanager
    async def moving(self) -> AsyncIterator[None]:
        """Move them while the block lasts."""
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(work) for work in (self._move(), self.stalls.run())]
            try:
                yield
            finally:
                for task in running:
                    task.cancel()

    async def _move(self) -> None:
        while True:
            await asyncio.sleep(_EVERY_S)
            symbol = self._dice.choice(tuple(PRICES))
            if not self._is_calm:
                moved = self._away[symbol] + self._dice.uniform(-_STEP, _STEP)
                self._away[symbol] = max(-_RANGE, min(_RANGE, moved))
            price = PRICES[symbol] * (1 + Decimal(f"{self._away[symbol]:.4f}"))
            await self._exchange.move_price(symbol, price)
