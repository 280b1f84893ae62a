"""Scripts at their desks: what is asked for, in which order, and that one delays no other."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from milobot.app.live_page import QuietWatcher
from milobot.app.live_scripts import LiveScript, LiveScripts
from milobot.app.preparation import Source
from milobot.app.sessions import ScriptPlan
from milobot.domain.alerts import Alert, AlertKind
from milobot.domain.decisions import Decision, Outcome
from milobot.domain.intents import Close, DoNothing, TradeIntent
from milobot.domain.market import CandleSeries
from milobot.domain.timeframes import Timeframe
from milobot.errors import (
    AuthenticationError,
    ExchangeUnavailableError,
    MilobotError,
    ScriptError,
)
from milobot.marketdata.generated import generate_candles
from milobot.scripting.results import Code, Evaluation, ScriptInfo
from milobot.simulation.clock import ReplayClock
from milobot.storage.account_records import Session

MARKET = generate_candles(minutes=40, seed=3)
HISTORY = 30


class Feed:
    """Candles that the test lets close."""

    def __init__(self) -> None:
        """Begin empty."""
        self.closed: asyncio.Queue[CandleSeries] = asyncio.Queue()

    async def candles(self) -> AsyncIterator[CandleSeries]:
        """Yield candles as they close."""
        while True:
            yield await self.closed.get()


class Trader:
    """Notes what it is asked for; may fail."""

    def __init__(self) -> None:
        """Take everything."""
        self.asked: list[str] = []
        self.intents: list[TradeIntent] = []
        self.failure: MilobotError | None = None

    async def submit(self, intent: TradeIntent) -> Decision:
        """Accept an intent, or fail once."""
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        self.asked.append(f"submit {intent.symbol}")
        self.intents.append(intent)
        return Decision(
            intent.key,
            intent.owner,
            intent.symbol,
            intent.time_ms,
            "close",
            Outcome.ACCEPTED,
            "",
            "",
        )

    async def candle_closed(self, symbol: str, close: Decimal) -> None:
        """Note that stops may move."""
        del close
        self.asked.append(f"moves {symbol}")


class Pool:
    """Says about every candle what the test wants; may hang or fail for one script."""

    def __init__(self) -> None:
        """Say TRUE."""
        self.code = Code.TRUE
        self.acts: dict[str, Callable[[], Awaitable[None]]] = {}

    async def evaluate(self, script_id: str, candles: CandleSeries) -> Evaluation:
        """Return the code for each candle."""
        if script_id in self.acts:
            await self.acts[script_id]()
        codes = np.full(len(candles), self.code, dtype=np.uint8)
        return Evaluation(0, codes, (), (), 0, ())


class Floor:
    """Scripts whose feeds, worker and trader are the test's."""

    def __init__(self, *coins: str) -> None:
        """Seat one script on each symbol."""
        self.trader, self.pool, self.told = Trader(), Pool(), list[Alert]()
        self.feeds = {coin: Feed() for coin in coins}
        scripts = [self._script(coin) for coin in coins]
        self.scripts = LiveScripts(
            scripts, self.pool, QuietWatcher, self.told.append, ReplayClock()
        )

    def close(self, coin: str, index: int = HISTORY) -> None:
        """Let a candle close."""
        self.feeds[coin].closed.put_nowait(MARKET.part(index, index + 1))

    def _script(self, coin: str) -> LiveScript:
        info = ScriptInfo(Timeframe.M1, coin, Close(), DoNothing(), {}, ("", ""))
        session = Session(coin, "binance:test", f"owner of {coin}", "x.script", "testnet", 0, 0)
        plan = ScriptPlan(Source(Path("x.script")), info)
        return LiveScript(plan, session, self.feeds[coin], MARKET.part(0, HISTORY))


async def at_work(floor: Floor, act: Callable[[], Awaitable[None]]) -> None:
    """Let the scripts work while a test acts."""
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        working = tasks.create_task(floor.scripts.work(floor.trader))
        await act()
        working.cancel()


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    for _ in range(10_000):
        if holds():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never did")


async def test_a_closed_candle_moves_stops_first_and_then_asks() -> None:
    """A moving stop belongs to the position that the candle closed on."""
    floor = Floor("BTCUSDT")

    async def act() -> None:
        floor.close("BTCUSDT")
        await until(lambda: bool(floor.trader.intents))

    await at_work(floor, act)

    time_ms = int(MARKET.time[HISTORY])
    (intent,) = floor.trader.intents
    assert floor.trader.asked == ["moves BTCUSDT", "submit BTCUSDT"]
    assert (intent.owner, intent.time_ms) == ("owner of BTCUSDT", time_ms)
    assert intent.key == f"owner of BTCUSDT|{time_ms}"
    assert intent.due_ms == time_ms + 60_000
    assert intent.reference_price == Decimal(str(MARKET.close[HISTORY]))


async def test_what_wants_nothing_asks_for_nothing() -> None:
    """The history is never traded, and ``donothing`` is no intent."""
    floor = Floor("BTCUSDT")
    floor.pool.code = Code.FALSE

    async def act() -> None:
        floor.close("BTCUSDT")
        await until(lambda: bool(floor.trader.asked))

    await at_work(floor, act)

    assert floor.trader.asked == ["moves BTCUSDT"]


async def test_a_script_that_hangs_delays_nobody() -> None:
    """One endless loop among forty scripts must not cost the others a stop."""
    floor = Floor("BTCUSDT", "ETHUSDT")
    floor.pool.acts["BTCUSDT"] = asyncio.Event().wait  # type: ignore[assignment]  # its answer is not looked at

    async def act() -> None:
        floor.close("BTCUSDT")
        floor.close("ETHUSDT")
        await until(lambda: bool(floor.trader.intents))

    await at_work(floor, act)

    assert floor.trader.asked == ["moves ETHUSDT", "submit ETHUSDT"]


async def test_a_script_that_fails_wants_nothing_and_stops_still_move() -> None:
    """An error in line 7 must not leave a trailing stop behind."""
    floor = Floor("BTCUSDT")

    async def fail() -> None:
        raise ScriptError("division by zero")

    floor.pool.acts["BTCUSDT"] = fail

    async def act() -> None:
        floor.close("BTCUSDT")
        await until(lambda: bool(floor.trader.asked))

    await at_work(floor, act)

    assert floor.trader.asked == ["moves BTCUSDT"]


async def test_an_exchange_out_of_reach_is_told_and_the_next_candle_trades() -> None:
    """What is open keeps its stop at the exchange meanwhile."""
    floor = Floor("BTCUSDT")
    floor.trader.failure = ExchangeUnavailableError("the exchange is away")

    async def act() -> None:
        floor.close("BTCUSDT", HISTORY)
        await until(lambda: bool(floor.told))
        floor.close("BTCUSDT", HISTORY + 1)
        await until(lambda: bool(floor.trader.intents))

    await at_work(floor, act)

    assert [(alert.kind, alert.symbol) for alert in floor.told] == [(AlertKind.SCRIPT, "BTCUSDT")]
    assert "the exchange is away" in floor.told[0].sentence
    assert floor.trader.intents[0].time_ms == int(MARKET.time[HISTORY + 1])


async def test_a_refused_key_ends_the_work() -> None:
    """Nothing more can be done with such a key: the user must know at once."""
    floor = Floor("BTCUSDT")
    floor.trader.failure = AuthenticationError("the key was revoked")
    floor.close("BTCUSDT")

    with pytest.raises(ExceptionGroup) as caught:
        await floor.scripts.work(floor.trader)

    assert caught.group_contains(AuthenticationError, match="revoked")


async def test_before_the_end_nothing_new_is_asked_for() -> None:
    """Who ends in order leaves no entry that nobody looks after."""
    floor = Floor("BTCUSDT")

    async def act() -> None:
        await until(lambda: bool(floor.scripts.desks))
        floor.scripts.close()
        floor.close("BTCUSDT")
        await until(lambda: bool(floor.trader.asked))
        await until(lambda: bool(floor.scripts.desks[0].dealt_with_ms))

    await at_work(floor, act)

    assert floor.trader.asked == ["moves BTCUSDT"]


async def test_whoever_takes_over_again_goes_on_with_the_next_candle() -> None:
    """A lease may be lost and won back: no candle is seen twice, none is missing."""
    floor = Floor("BTCUSDT")

    async def first() -> None:
        floor.close("BTCUSDT", HISTORY)
        await until(lambda: len(floor.trader.intents) == 1)

    async def second() -> None:
        floor.close("BTCUSDT", HISTORY + 1)
        await until(lambda: len(floor.trader.intents) == 2)

    await at_work(floor, first)
    await at_work(floor, second)

    seen = floor.scripts.scripts[0].candles.time.tolist()
    assert seen == MARKET.time[: HISTORY + 2].tolist()
