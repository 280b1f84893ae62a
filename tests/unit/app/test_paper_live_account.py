"""A live account on paper: engine, stream, stops and comparison as with real money."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.crash.exposure import is_protected
from tests.support.paper import (
    BTC,
    ETH,
    PRICES,
    account_of,
    held,
    paper_exchange,
    real_exchange,
    trading_on_paper,
    until,
)

from milobot.app.live_account import LiveAccount, LivePlan
from milobot.app.paper_exchange import PaperClient
from milobot.domain.governor import GovernorState
from milobot.domain.intents import (
    Distance,
    DistanceKind,
    Enter,
    PositionSide,
    Size,
    SizeKind,
    TradeIntent,
)
from milobot.exchanges.account_view import ViewPlan
from milobot.execution.engine import EngineConfig
from milobot.execution.governor import Governor
from milobot.storage.memory import MemoryJournal

ENTRY = Enter(
    side=PositionSide.LONG,
    size=Size(SizeKind.QUOTE, Decimal(400)),
    leverage=5,
    stop=Distance(DistanceKind.PERCENT, Decimal("0.03")),
)


@asynccontextmanager
async def living(
    client: PaperClient, dialect: str, journal: MemoryJournal
) -> AsyncIterator[LiveAccount]:
    """Run an account that knows no symbol beforehand, as with signals."""
    name = f"{dialect}:paper"
    plan = LivePlan(
        EngineConfig(account=name),
        symbols=(BTC,),
        view=ViewPlan(has_bulk_brackets=dialect == "binance"),
    )
    live = LiveAccount(client, journal, Governor(GovernorState(name)), plan, lambda _: None)
    ready = asyncio.Event()

    async def work() -> None:
        ready.set()

    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(live.run(work))
        await ready.wait()
        yield live
        running.cancel()


def wish(client: PaperClient, symbol: str) -> TradeIntent:
    """Return a long entry of 400 USDT with a stop 3 % below."""
    now_ms = client.clock.now_ms()
    return TradeIntent(
        key=f"k|{symbol}",
        owner="test",
        symbol=symbol,
        time_ms=now_ms,
        action=ENTRY,
        reference_price=Decimal(str(PRICES[symbol])),
        due_ms=now_ms,
    )


@pytest.mark.parametrize(("dialect", "symbols"), [("binance", (BTC, ETH)), ("bingx", (ETH,))])
async def test_an_account_trades_on_paper_and_goes_on_after_a_restart(
    dialect: str, symbols: tuple[str, ...], tmp_path: Path
) -> None:
    """What is proven on paper is proven of the code that trades with money."""
    journal, file = MemoryJournal(), tmp_path / f"paper-{dialect}.json"
    async with real_exchange(dialect) as real:
        async with (
            paper_exchange(dialect, file) as paper,
            trading_on_paper(dialect, real, paper) as client,
            living(client, dialect, journal) as live,
        ):
            for symbol in symbols:
                decision = await live.trader.submit(wish(client, symbol))
                assert decision.code == "accepted", decision
            account = account_of(paper)
            await until(lambda: all(is_protected(account, symbol) for symbol in symbols))
        async with (
            paper_exchange(dialect, file) as paper,
            trading_on_paper(dialect, real, paper) as client,
            living(client, dialect, journal) as live,
        ):
            known = {slot.symbol: slot for slot, _ in live.engine.slots() if slot.held}
            assert known.keys() == set(symbols)
            await real.move_price(ETH, Decimal(1_900))
            await until(lambda: not live.engine.slot(ETH).held, 3)
            assert bool(held(paper, BTC)) is (BTC in symbols)
            assert bool(live.engine.slot(BTC).held) is (BTC in symbols)

    (trip,) = [record for record in journal.round_trips if record.symbol == ETH]
    assert trip.exit_price == Decimal("1898.1")
