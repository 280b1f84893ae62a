"""Paper beside an exchange of our own that stands for the real one, in one process."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.support.local_clients import client_for
from tests.support.wire import flat_bars

from milobot.app.exchange_process import ExchangeAddress
from milobot.app.paper_exchange import PaperClient, on_paper
from milobot.app.paper_prices import FollowTimes
from milobot.domain.intents import Side
from milobot.domain.orders import Order, OrderPurpose, OrderType
from milobot.domain.timeframes import Timeframe
from milobot.exchanges.options import ClientOptions
from milobot.exchanges.streams import StreamPlan
from milobot.local_exchange.core.accounts import Account
from milobot.local_exchange.core.terms import Terms
from milobot.local_exchange.core.timing import ClockMode
from milobot.local_exchange.server import LocalExchange
from milobot.local_exchange.setup import DEFAULT_KEY, DEFAULT_SECRET, ExchangeSetup

BTC, ETH = "BTCUSDT", "ETHUSDT"
PRICES = {BTC: 40_000.0, ETH: 2_000.0}
QUICK = FollowTimes(fresh_ms=500, look_s=0.05, gather_s=0.01, overlap_s=0.05, tell_s=0.005)
WALLET = Decimal(10_000)


def real_exchange(dialect: str, **more: object) -> LocalExchange:
    """Return what stands for the real exchange: two symbols that move when they are told to."""
    candles = {symbol: flat_bars(40, price) for symbol, price in PRICES.items()}
    setup = {
        "candles": candles,
        "timeframe": Timeframe.M1,
        "history": 30,
        "clock": ClockMode.WALL,
        "dialects": (dialect,),
        **more,
    }
    return LocalExchange(ExchangeSetup(**setup))  # type: ignore[arg-type]  # the caller names fields


def paper_exchange(
    dialect: str, state: Path | None = None, *, stale_after_s: float = 10.0
) -> LocalExchange:
    """Return the exchange that follows."""
    return LocalExchange(
        ExchangeSetup(
            candles={},
            timeframe=Timeframe.M1,
            clock=ClockMode.WALL,
            dialects=(dialect,),
            wallet=WALLET,
            terms=Terms(slippage=Decimal("0.001")),
            follows=True,
            state=state,
            stale_after_s=stale_after_s,
        )
    )


@asynccontextmanager
async def trading_on_paper(
    dialect: str, real: LocalExchange, paper: LocalExchange, times: FollowTimes = QUICK
) -> AsyncIterator[PaperClient]:
    """Lead prices of one to the other."""
    options = ClientOptions(plan=StreamPlan(reconnect_delay_s=0.05, most_delay_s=0.1))
    address = ExchangeAddress(paper.url, DEFAULT_KEY, DEFAULT_SECRET)
    async with client_for(dialect, real, options) as client:
        await client.market.fetch_server_time()
        async with on_paper(client, dialect, address, times=times) as found:
            yield found


def entry(symbol: str = BTC, quantity: str = "0.01", **more: Any) -> Order:
    """Return a market entry, long unless it is said otherwise."""
    terms: dict[str, Any] = {
        "client_order_id": f"milo{symbol.lower()}1",
        "intent_key": "k",
        "symbol": symbol,
        "side": Side.BUY,
        "type": OrderType.MARKET,
        "purpose": OrderPurpose.ENTRY,
        "quantity": Decimal(quantity),
        "created_ms": 0,
    }
    return Order(**{**terms, **more})


def stop(trigger: str, symbol: str = BTC, quantity: str = "0.01", **more: Any) -> Order:
    """Return a stop that closes a long position."""
    terms: dict[str, Any] = {
        "client_order_id": f"milo{symbol.lower()}2",
        "side": Side.SELL,
        "type": OrderType.STOP_MARKET,
        "purpose": OrderPurpose.STOP,
        "reduce_only": True,
        "close_position": True,
        "trigger_price": Decimal(trigger),
    }
    return entry(symbol, quantity, **{**terms, **more})


def account_of(paper: LocalExchange) -> Account:
    """Return the paper account as it truly is."""
    (venue,) = paper.venues.values()
    return venue.accounts[DEFAULT_KEY]


def held(paper: LocalExchange, symbol: str = BTC) -> Decimal:
    """Return the quantity that is open, negative when short."""
    book = account_of(paper).books.get(symbol)
    return Decimal(0) if book is None else book.position.side.sign * book.position.quantity


async def until(holds: Callable[[], bool], limit_s: float = 2.0) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(limit_s):
        while not holds():  # noqa: ASYNC110 - what an exchange holds is no event
            await asyncio.sleep(0.005)
