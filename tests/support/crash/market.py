"""The exchange that a run trades on, and prices that never stand still."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from decimal import Decimal

from tests.support.crash.loops import MeasuredLoop
from tests.support.crash.wishes import PRICES
from tests.support.wire import flat_bars

from milobot.domain.timeframes import Timeframe
from milobot.local_exchange.core.timing import ClockMode
from milobot.local_exchange.server import LocalExchange
from milobot.local_exchange.setup import DEFAULT_SECRET, Credentials, ExchangeSetup

_EVERY_S, _STEP, _RANGE = 0.12, 0.003, 0.009


@asynccontextmanager
async def exchange_for(
    dialect: str,
    seed: int,
    *,
    further_keys: tuple[str, ...] = (),
    wallet: int = 1_000_000,
    has_limits: bool = False,
) -> AsyncIterator[LocalExchange]:
    """Give an exchange with one account, on the clock of the wall; with its request budgets or not."""
    setup = ExchangeSetup(
        candles={symbol: flat_bars(4, float(price)) for symbol, price in PRICES.items()},
        timeframe=Timeframe.M1,
        clock=ClockMode.WALL,
        dialects=(dialect,),
        has_limits=has_limits,
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
    """Notes when the exchange's process looked at no socket: on a busy machine it may not.

    Attributes:
        stalls: As (first, last) by the exchange's clock; none on a loop that is not measured.
    """

    def __init__(self, exchange: LocalExchange) -> None:
        """Prepare; the ``with`` block watches."""
        self._exchange = exchange
        self.stalls: list[tuple[int, int]] = []

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch the loop that runs while the block lasts."""
        loop = asyncio.get_running_loop()
        if not isinstance(loop, MeasuredLoop):
            yield
            return
        loop.listeners.append(self._note)
        try:
            yield
        finally:
            loop.listeners.remove(self._note)

    def _note(self, busy_s: float) -> None:
        now_ms = self._exchange.clock.now_ms()
        self.stalls.append((now_ms - int(busy_s * 1000), now_ms))


class RestlessPrices:
    """Moves the prices about while its ``async with`` block lasts, or until it is calmed.

    Attributes:
        stalls: When the exchange looked at no socket meanwhile.
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
        with self.stalls.watching():
            async with asyncio.TaskGroup() as tasks:
                moving = tasks.create_task(self._move())
                try:
                    yield
                finally:
                    moving.cancel()

    async def _move(self) -> None:
        while True:
            await asyncio.sleep(_EVERY_S)
            symbol = self._dice.choice(tuple(PRICES))
            if not self._is_calm:
                moved = self._away[symbol] + self._dice.uniform(-_STEP, _STEP)
                self._away[symbol] = max(-_RANGE, min(_RANGE, moved))
            price = PRICES[symbol] * (1 + Decimal(f"{self._away[symbol]:.4f}"))
            await self._exchange.move_price(symbol, price)
