"""The trading loop: one thing at a time, and nothing but a refused key ends it."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from milobot.app.run_page import RunPage
from milobot.app.trader import Desk, Trader
from milobot.domain.market import CandleSeries
from milobot.domain.orders import Order, OrderUpdate
from milobot.domain.reports import AccountNews, NewsKind, PositionReport
from milobot.errors import AuthenticationError, ExchangeUnavailableError
from milobot.execution.engine import EngineConfig, ExecutionEngine
from milobot.marketdata.generated import generate_candles
from milobot.ports import Account, News
from milobot.scripting.client import ScriptWorker
from milobot.simulation.clock import ReplayClock
from milobot.simulation.matching import Bar
from milobot.simulation.venue import SimulatedVenue
from milobot.storage.memory import MemoryJournal
from milobot.web.state import Heading

SCRIPT = """
timeframe = "1m"
coin = "BTCUSDT"
action_if_true = "long(1%risk@10x,sl=2%,rr=3)"
action_if_false = "donothing"
condition_true = len(data) > 3
"""
HISTORY = 5


class FlakyAccount(SimulatedVenue):
    """A simulated account that can be out of reach, or refuse the key.

    Attributes:
        failure: Raised by the next questions; None answers.
        asked: Orders that were asked for.
    """

    def __init__(self) -> None:
        """Open an account with 10,000 USDT."""
        super().__init__(wallet=Decimal(10_000), taker_fee=Decimal(0))
        self.failure: Exception | None = None
        self.asked: list[str] = []

    async def fetch_account(self) -> Account:
        """Answer or fail."""
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        return await super().fetch_account()

    async def fetch_positions(self) -> list[PositionReport]:
        """Return nothing: the page does without a liquidation price."""
        return []

    async def fetch_update(self, order: Order) -> OrderUpdate | None:
        """Remember who was asked for, and know nothing new."""
        self.asked.append(order.purpose.value)
        return None


class Queued:
    """A feed and a stream of news whose content the test puts in."""

    def __init__(self) -> None:
        """Begin empty."""
        self.series: asyncio.Queue[CandleSeries] = asyncio.Queue()
        self.told: asyncio.Queue[News] = asyncio.Queue()

    async def run(self) -> None:
        """Do nothing; the test brings what there is."""

    async def candles(self) -> AsyncIterator[CandleSeries]:
        """Yield candles as they are put in."""
        while True:
            yield await self.series.get()

    async def news(self) -> AsyncIterator[News]:
        """Yield news as it is put in."""
        while True:
            yield await self.told.get()


class Bench:
    """A trader on a simulated account, with all that it talks to."""

    def __init__(self, worker: ScriptWorker) -> None:
        """Load the script and show it a short history."""
        self.account, self.source = FlakyAccount(), Queued()
        self.market = generate_candles(minutes=20, seed=3)
        clock, journal = ReplayClock(), MemoryJournal()
        self.journal = journal
        self.engine = ExecutionEngine(self.account, journal, clock, EngineConfig())
        info = worker.load(SCRIPT)
        self.page = RunPage(Heading("demo", "BTCUSDT", "1m", "x"), self.engine, journal)
        desk = Desk(
            worker=worker,
            info=info,
            feed=self.source,
            account=self.account,  # type: ignore[arg-type]  # only what the loop asks for
            news=self.source,
            engine=self.engine,
            owner="test",
        )
        self.trader = Trader(desk, self.page, self.market.part(0, HISTORY))

    def close(self, index: int) -> None:
        """Let a candle close."""
        self.account.open_bar("BTCUSDT", Bar.from_candle(self.market[index]))
        self.source.series.put_nowait(self.market.part(index, index + 1))

    @property
    def shown(self) -> int:
        """Return how many candles the page has."""
        return len(self.page.state.snapshot()["candles"])


async def until_shown(bench: Bench, count: int) -> None:
    """Wait until the page has so many candles."""
    for _ in range(500):
        if bench.shown >= count:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{bench.shown} candles on the page, not {count}")


async def test_a_candle_becomes_a_protected_position() -> None:
    """History is never traded; the first live candle is."""
    with ScriptWorker() as worker:
        bench = Bench(worker)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(bench.trader.run())
            await until_shown(bench, HISTORY)
            assert bench.journal.orders == []
            bench.close(HISTORY)
            await until_shown(bench, HISTORY + 1)
            running.cancel()

    assert [o.purpose.value for o in bench.journal.orders] == ["entry", "stop", "target"]
    assert bench.page.state.snapshot()["position"]["state"] == "PROTECTED"


async def test_an_exchange_out_of_reach_is_logged_and_the_loop_goes_on() -> None:
    """A stop rests at the exchange meanwhile; the page catches up with every candle."""
    with ScriptWorker() as worker:
        bench = Bench(worker)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(bench.trader.run())
            await until_shown(bench, HISTORY)
            bench.account.failure = ExchangeUnavailableError("the exchange is away")
            bench.close(HISTORY)
            bench.close(HISTORY + 1)
            await until_shown(bench, HISTORY + 2)
            running.cancel()

    snapshot = bench.page.state.snapshot()
    assert [c[0] for c in snapshot["candles"]] == bench.market.time[: HISTORY + 2].tolist()
    assert any("away" in line["text"] for line in snapshot["log"]) or any(
        d.code == "exchange_unavailable" for d in bench.journal.decisions
    )


async def test_after_a_gap_in_the_news_everything_live_is_asked_for() -> None:
    """What happened while nobody listened must not stay unknown."""
    with ScriptWorker() as worker:
        bench = Bench(worker)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(bench.trader.run())
            bench.close(HISTORY)
            await until_shown(bench, HISTORY + 1)
            bench.source.told.put_nowait(AccountNews(NewsKind.RECONNECTED, 0, reason="away"))
            bench.close(HISTORY + 1)
            await until_shown(bench, HISTORY + 2)
            running.cancel()

    assert {"stop", "target"} <= set(bench.account.asked)


async def test_a_refused_key_ends_the_run() -> None:
    """Nothing more can be done with such a key: the user must know at once."""
    with ScriptWorker() as worker:
        bench = Bench(worker)

        async def trade_until_refused() -> None:
            async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
                tasks.create_task(bench.trader.run())
                await until_shown(bench, HISTORY)
                bench.account.failure = AuthenticationError("the key was revoked")
                bench.close(HISTORY)

        with pytest.raises(ExceptionGroup) as caught:
            await trade_until_refused()

    assert caught.group_contains(AuthenticationError, depth=None)
    assert [d.code for d in bench.journal.decisions] == ["key_refused"]
