"""Scripts at work on one account: their candles, their workers, and a desk for each.

Candles are followed whoever leads the account, so that a process that stands by can trade
with the next candle after it has taken over. Every script has a desk of its own: one that
is slow, or fails, delays nobody.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import Protocol

from milobot.app.preparation import refuse_leverage
from milobot.app.script_desk import DeskPlan, DeskWatcher, ScriptDesk, Trades
from milobot.app.scripts import naming, parse_parameters, read_script
from milobot.app.sessions import ScriptPlan
from milobot.domain.alerts import Alert, AlertKind
from milobot.domain.market import CandleSeries, SymbolRules
from milobot.errors import (
    AuthenticationError,
    ConfigurationError,
    LeaseLostError,
    MilobotError,
)
from milobot.marketdata.feed import FeedSource
from milobot.marketdata.hub import FeedHub
from milobot.ports import Clock, MarketFeed
from milobot.scripting.loading import LoadOptions
from milobot.scripting.lock_levels import Trust
from milobot.scripting.pool import ScriptPool
from milobot.scripting.results import Evaluation, ScriptInfo
from milobot.storage.account_records import Session

WatcherOf = Callable[[str], DeskWatcher]
Tell = Callable[[Alert], None]


class Evaluates(Protocol):
    """Shows candles to scripts; ``ScriptPool`` does."""

    async def evaluate(self, script_id: str, candles: CandleSeries) -> Evaluation:
        """Show newly closed candles to a script and return its decisions about them."""
        ...


@dataclass(slots=True)
class LiveScript:
    """One script at work.

    Attributes:
        candles: Since the anchor, as far as the script has seen them.
    """

    plan: ScriptPlan
    session: Session
    feed: MarketFeed
    candles: CandleSeries

    @property
    def info(self) -> ScriptInfo:
        """Return what the script says about itself."""
        return self.plan.info

    @property
    def name(self) -> str:
        """Return its session, by which worker and ledger know it."""
        return self.session.session_id


class LiveScripts:
    """All scripts of one account, ready to trade whenever the account is ours."""

    def __init__(
        self,
        scripts: Sequence[LiveScript],
        pool: Evaluates,
        watcher_of: WatcherOf,
        tell: Tell,
        clock: Clock,
    ) -> None:
        """Take scripts whose histories are known to the pool."""
        self._scripts = tuple(scripts)
        self._pool = pool
        self._watcher_of = watcher_of
        self._tell = tell
        self._clock = clock
        self._desks: list[ScriptDesk] = []
        self._is_closing = False

    @property
    def scripts(self) -> tuple[LiveScript, ...]:
        """Return the scripts in the order they were named."""
        return self._scripts

    @property
    def desks(self) -> tuple[ScriptDesk, ...]:
        """Return their desks while the account is ours, in the same order."""
        return tuple(self._desks)

    async def work(self, trader: Trades) -> None:
        """Let every script decide about each candle as it closes, until cancelled.

        Raises:
            AuthenticationError: The exchange refuses the key.
            LeaseLostError: Another process leads the account now.
        """
        self._desks = []
        async with asyncio.TaskGroup() as tasks:
            for script in self._scripts:
                tasks.create_task(self._follow(script, self._desk(script, trader)))

    def close(self) -> None:
        """Ask for no more trades; what is being asked for is carried out."""
        self._is_closing = True
        for desk in self._desks:
            desk.is_closing = True

    def _desk(self, script: LiveScript, trader: Trades) -> ScriptDesk:
        evaluate = partial(self._pool.evaluate, script.name)
        plan = DeskPlan(script.session.owner, script.info, script.feed)
        watcher = self._watcher_of(script.name)
        desk = ScriptDesk(plan, evaluate, trader, watcher, script.candles)
        desk.is_closing = self._is_closing
        self._desks.append(desk)
        return desk

    async def _follow(self, script: LiveScript, desk: ScriptDesk) -> None:
        async for fresh in script.feed.candles():
            try:
                await desk.closed(fresh)
            except (AuthenticationError, LeaseLostError):
                raise
            except MilobotError as error:
                # What is open keeps its stop; the next candle is decided about as ever.
                said = f"{script.name}: {error}"
                now_ms = self._clock.now_ms()
                self._tell(Alert(AlertKind.SCRIPT, script.info.coin, said, now_ms))
            finally:
                script.candles = desk.candles


@dataclass(frozen=True, slots=True)
class Floor:
    """What scripts work with.

    Attributes:
        rules: Of every symbol that trades.
        trust: What is known about all of the scripts.
    """

    source: FeedSource
    rules: Mapping[str, SymbolRules]
    trust: Trust
    watcher_of: WatcherOf
    tell: Tell


@asynccontextmanager
async def scripts_at_work(
    floor: Floor, plans: Sequence[tuple[ScriptPlan, Session]]
) -> AsyncIterator[LiveScripts]:
    """Follow the candles of scripts and keep their workers while the body runs.

    Raises:
        ConfigurationError: A symbol is not traded there, or workers are not locked in enough.
        ScriptError: A script is wrong.
    """
    for plan, _ in plans:
        rules = rules_of(plan.info.coin, floor.rules)
        with naming(plan.source.script):
            refuse_leverage(plan.info, rules)
    hub = FeedHub(floor.source)
    feeds = [
        hub.feed(plan.info.coin, plan.info.timeframe, first_ms=session.anchor_ms or 0)
        for plan, session in plans
    ]
    async with ScriptPool(floor.trust) as pool, asyncio.TaskGroup() as tasks:
        running = tasks.create_task(hub.run())
        try:
            scripts = [
                await _seated(pool, floor, LiveScript(plan, session, feed, await feed.history()))
                for (plan, session), feed in zip(plans, feeds, strict=True)
            ]
            await pool.settle()
            yield LiveScripts(scripts, pool, floor.watcher_of, floor.tell, floor.source.clock)
        finally:
            running.cancel()


def rules_of(symbol: str, known: Mapping[str, SymbolRules]) -> SymbolRules:
    """Return the rules of a symbol.

    Raises:
        ConfigurationError: It is not traded there; the sentence names the nearest that are.
    """
    if symbol in known:
        return known[symbol]
    nearest = get_close_matches(symbol, known, n=3)
    hint = f": did you mean {', '.join(nearest)}?" if nearest else ""
    raise ConfigurationError(f"{symbol} is not traded there as a USDT perpetual{hint}")


async def _seated(pool: ScriptPool, floor: Floor, script: LiveScript) -> LiveScript:
    """Give a script and its history to the pool; show what it says about the last candle."""
    source, candles = script.plan.source, script.candles
    options = LoadOptions(
        parameters=parse_parameters(source.parameters),
        symbol=source.symbol,
        timeframe=source.timeframe,
        rules=floor.rules[script.info.coin],
        data_limit=source.data_limit,
    )
    text, last = read_script(source.script), max(0, len(candles) - 1)
    with naming(source.script):
        await pool.add(script.name, text, candles.part(0, last), options)
    if len(candles):
        evaluation = await pool.evaluate(script.name, candles.part(last, last + 1))
        floor.watcher_of(script.name).evaluated(evaluation, candles)
    return script
