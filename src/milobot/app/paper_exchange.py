"""Paper as a client: market data of the real exchange, an account of play money on this machine.

Everything that trades takes it for an exchange: orders are signed and travel, stops rest, news
comes back over a stream. They end in a process of our own on 127.0.0.1 that is told the real
exchange's prices.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Self

from milobot.app.exchange_process import ExchangeAddress, local_exchange
from milobot.app.exchanges import ExchangeClient, open_client, with_production_data
from milobot.app.local_client import local_client
from milobot.app.paper_account import PaperAccount
from milobot.app.paper_control import PaperControl
from milobot.app.paper_plan import PaperPlan
from milobot.app.paper_prices import FollowTimes, PaperPrices
from milobot.domain.money import format_decimal
from milobot.exchanges.candle_feed import Series
from milobot.exchanges.deadlines import Deadline, no_deadline
from milobot.exchanges.latest import LatestPrices
from milobot.exchanges.limits import PriorityLimiter
from milobot.exchanges.times import ExchangeClock
from milobot.ports import CandleStream, ExchangeAccount, MarketData, PriceStream, UserStream
from milobot.settings import Settings


class PaperClient:
    """An ``ExchangeClient`` whose orders do not leave this machine."""

    def __init__(self, real: ExchangeClient, local: ExchangeClient, prices: PaperPrices) -> None:
        """Put both together; whoever opened them closes them."""
        self._real, self._local, self._prices = real, local, prices
        self._account = PaperAccount(local.account, prices)

    @property
    def beneath(self) -> tuple[ExchangeClient, ...]:
        """Return the clients that it stands on, the real exchange's first."""
        return self._real, self._local

    @property
    def market(self) -> MarketData:
        """Return the real exchange's public data."""
        return self._real.market

    @property
    def account(self) -> ExchangeAccount:
        """Return the account of play money."""
        return self._account

    @property
    def clock(self) -> ExchangeClock:
        """Return the real exchange's time, which the paper exchange keeps too."""
        return self._real.clock

    @property
    def limiter(self) -> PriorityLimiter:
        """Return what holds requests to the real exchange back."""
        return self._real.limiter

    def candle_feed(self, since: Mapping[Series, int | None]) -> CandleStream:
        """Return a stream of the real exchange's closed candles."""
        return self._real.candle_feed(since)

    def price_feed(self, symbols: Sequence[str]) -> PriceStream:
        """Return a stream of the prices that the paper exchange fills at, of every symbol followed."""
        return PaperFeed(self._prices, symbols)

    def user_feed(self) -> UserStream:
        """Return the stream of the paper account's news."""
        return self._local.user_feed()

    async def close(self) -> None:
        """Leave both open: the context that made this closes them."""

    async def __aenter__(self) -> Self:
        """Return the client."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave both open: the context that made this closes them."""


class PaperFeed(LatestPrices):
    """A ``PriceStream`` of what the paper exchange was told."""

    def __init__(self, prices: PaperPrices, symbols: Sequence[str]) -> None:
        """Hold no price yet."""
        super().__init__()
        self._prices, self._symbols = prices, tuple(symbols)

    async def run(self) -> None:
        """Take part in the prices until cancelled."""
        for symbol in self._symbols:
            self._prices.want(symbol)
        self._prices.attach(self)
        try:
            await asyncio.Event().wait()
        finally:
            self._prices.detach(self)


@asynccontextmanager
async def paper_client(
    settings: Settings,
    exchange: str,
    plan: PaperPlan,
    answers: Callable[[ExchangeClient], Awaitable[object]],
    *,
    deadline: Deadline = no_deadline,
) -> AsyncIterator[PaperClient]:
    """Run a paper exchange beside the real one's prices while the body runs.

    Args:
        settings: Hosts of the real exchange; testnet switches count for accounts only.
        exchange: ``binance`` or ``bingx``.
        plan: Terms, and where the account is kept.
        answers: Returns once the real exchange answers.
        deadline: Until when orders may be signed, such as a ``SigningDeadline``.

    Raises:
        ConfigurationError: The file cannot be used.
    """
    async with open_client(with_production_data(settings, exchange), exchange) as real:
        await answers(real)
        async with (
            local_exchange(_flags(exchange, plan)) as address,
            on_paper(real, exchange, address, deadline=deadline) as client,
        ):
            yield client


@asynccontextmanager
async def on_paper(
    real: ExchangeClient,
    exchange: str,
    address: ExchangeAddress,
    *,
    deadline: Deadline = no_deadline,
    times: FollowTimes | None = None,
) -> AsyncIterator[PaperClient]:
    """Lead prices of the real exchange to a local one that follows, while the body runs."""
    async with (
        PaperControl(address.url) as control,
        local_client(exchange, address, deadline) as local,
    ):
        await control.set_time(real.clock.now_ms() - time.time_ns() // 1_000_000)
        await local.market.fetch_server_time()
        prices = PaperPrices(real, control, times)
        await prices.prepare()
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(prices.run())
            try:
                yield PaperClient(real, local, prices)
            finally:
                running.cancel()


def _flags(exchange: str, plan: PaperPlan) -> list[str]:
    flags = ["--follow", "--dialect", exchange]
    pairs = {
        "--wallet": format_decimal(plan.wallet),
        "--fee": format_decimal(plan.fee),
        "--slippage": format_decimal(plan.slippage),
    }
    if plan.state_file is not None:
        pairs["--state"] = str(plan.state_file)
    return [*flags, *(word for pair in pairs.items() for word in pair)]
