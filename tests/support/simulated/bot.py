"""One process: engine, trader and what they need, put together as a live account is."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from decimal import Decimal
from typing import Any

from tests.support.simulated.client import Client
from tests.support.simulated.laws import Laws
from tests.support.simulated.loop import Host, HostClock, SimulatedLoop
from tests.support.simulated.records import Disk, HostJournal, Lead
from tests.support.simulated.remote import Remote
from tests.support.simulated.venue import Venue
from tests.support.simulated.weather import ENGINE_DELAY_MS, Chance

from milobot.domain.alerts import Alert
from milobot.domain.decisions import Decision
from milobot.domain.intents import TradeIntent
from milobot.domain.money import ZERO
from milobot.domain.orders import OrderStatus, OrderUpdate
from milobot.domain.reports import AccountNews, NewsKind
from milobot.errors import ExchangeError, LeaseLostError, StorageError
from milobot.execution.doubt import Terms
from milobot.execution.engine import EngineConfig, ExecutionEngine
from milobot.execution.inquiry import Inquiry
from milobot.execution.reconciler import Reconciler
from milobot.execution.trader import AccountTrader, Parts
from milobot.ports import Books, News

ACCOUNT = "simulated:default"
FELL_OVER = "it fell over"
TERMS = Terms(engine_delay_ms=ENGINE_DELAY_MS)


class World:
    """What all processes of a history share."""

    def __init__(
        self, loop: SimulatedLoop, chance: Chance, venue: Venue, disk: Disk, laws: Laws
    ) -> None:
        """Put the parts beside each other."""
        self.loop = loop
        self.chance = chance
        self.venue = venue
        self.disk = disk
        self.laws = laws
        self.weather = chance.weather
        self.answered: dict[str, Decision] = {}
        self.alerts: list[Alert] = []


class Bot:
    """A process that leads the account until it is killed, or another has taken the lead.

    Attributes:
        why_ended: What ended it by itself; empty while it runs, or when it was killed.
    """

    def __init__(self, name: str, world: World) -> None:
        """Put the parts together; ``start`` lets them run."""
        self._world = world
        loop, chance = world.loop, world.chance
        self.host = Host(name)
        self.lead = Lead(world.disk, loop)
        self.journal = HostJournal(world.disk, self.host, loop, chance)
        self.client = Client(world.venue, self.host, self.lead, loop, chance, world.laws)
        self.clock = HostClock(loop)
        self.engine = self._engine()
        self.trader = AccountTrader(
            Parts(self.engine, self.client, self.clock, asyncio.sleep, world.alerts.append),
            Inquiry(self.client, self.journal, self.clock, TERMS),
            self._reconciler(),
        )
        self.why_ended = ""
        self.is_stream_up = True
        self.is_dead = False
        self._told: dict[str, dict[str, Decimal]] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def _engine(self) -> ExecutionEngine:
        return ExecutionEngine(self.client, self.journal, self.clock, EngineConfig(ACCOUNT))

    def _reconciler(self) -> Reconciler:
        return Reconciler(
            name=ACCOUNT,
            engine=self.engine,
            account=self.client,
            market=self.client,
            journal=self.journal,
            clock=self.clock,
            tell=self._world.alerts.append,
            terms=TERMS,
        )

    @property
    def runs(self) -> bool:
        """Return whether it has neither been killed nor ended."""
        return not self.is_dead and not self.why_ended

    # --- its life

    def start(self) -> None:
        """Start the process."""
        self._world.laws.exposures.leads(self.host)
        self._spawn(self._live())

    async def _live(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.lead.keep(asyncio.sleep))
                await self.trader.start(await self._load())
                self._world.laws.exposures.ready(self.host)
                tasks.create_task(self.trader.run())
        except* LeaseLostError:
            self.why_ended = "another process leads the account"
        except* StorageError as group:
            self.why_ended = f"the ledger was away and {FELL_OVER}: {group.exceptions!r}"
            self._world.laws.broken(f"{self.host.name} {self.why_ended}")
        except* Exception as group:  # noqa: BLE001 - whatever ends a process is what is looked for
            self.why_ended = f"{FELL_OVER}: {group.exceptions!r}"
            self._world.laws.broken(f"{self.host.name} {self.why_ended}")

    async def _load(self) -> Books:
        while True:
            try:
                return await self.journal.load()
            except LeaseLostError:
                raise
            except StorageError:
                await asyncio.sleep(0.5)

    def kill(self) -> None:
        """Let nothing of the process run ever again, in the middle of whatever it does."""
        self.is_dead = self.journal.is_dead = True
        self._world.loop.stop_host(self.host)

    async def bury(self) -> None:
        """End everything that is left of it, once the history is over."""
        self._world.loop.wake_host(self.host)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._world.loop.create_task(work, context=self.host.context)
        self._tasks.append(task)

    # --- what reaches it

    def submit(self, intent: TradeIntent) -> None:
        """Bring a wish to trade; its answer is kept."""
        self._spawn(self._submit(intent))

    async def _submit(self, intent: TradeIntent) -> None:
        try:
            decision = await self.trader.submit(intent)
        except StorageError:
            return  # whoever asked asks again
        self._world.answered[intent.key] = decision

    def candle_closed(self, symbol: str) -> None:
        """Tell of a closed candle."""
        self._spawn(self._candle_closed(symbol))

    async def _candle_closed(self, symbol: str) -> None:
        try:
            await self.trader.candle_closed(symbol, self._world.venue.price(symbol))
        except StorageError:
            return

    def tell(self, news: News, remote: Remote | None) -> None:
        """Send news on its way through the user stream."""
        chance = self._world.chance
        if self.is_dead or not self.is_stream_up or chance.strikes("news_lost"):
            return
        filled = ZERO if remote is None else remote.filled
        self._post(news, filled)
        if chance.strikes("news_twice"):
            self._post(news, filled)

    def _post(self, news: News, filled: Decimal) -> None:
        chance = self._world.chance
        longest_s = 3.0 if chance.strikes("news_late") else 0.05
        wait_s = chance.between(0.002, longest_s)
        self._world.loop.call_later(wait_s, self._arrive, news, filled, context=self.host.context)

    def _arrive(self, news: News, filled: Decimal) -> None:
        """Pass news on as the real clients do: not before all that it promises is told."""
        if not self.runs:
            return
        if isinstance(news, OrderUpdate):
            told = self._told.setdefault(news.exchange_order_id, {})
            told.update({fill.fill_id: fill.quantity for fill in news.fills})
            if sum(told.values(), ZERO) < filled:
                self._spawn(self._follow(news, filled))
                if not news.fills:
                    return
                news = replace(news, status=OrderStatus.PARTIALLY_FILLED)
        self._hear(news)

    def _hear(self, news: News) -> None:
        if isinstance(news, OrderUpdate):
            self._world.laws.exposures.shown_update(self.host, news)
        elif isinstance(news, AccountNews):
            self._world.laws.exposures.shown_news(self.host, news)
        self.trader.hear(news)

    async def _follow(self, news: OrderUpdate, filled: Decimal) -> None:
        """Ask for what was promised and not told."""
        for _ in range(4):
            try:
                found = await self.client.follow(news.symbol, news.client_order_id)
            except ExchangeError:
                found = None
            if found is not None and sum((f.quantity for f in found.fills), ZERO) >= filled:
                self._hear(found)
                return
            await asyncio.sleep(0.3)

    def lose_stream(self) -> None:
        """Break the user stream."""
        self.is_stream_up = False

    def find_stream(self, *, says_so: bool) -> None:
        """Mend it."""
        self.is_stream_up = True
        if says_so:
            self._post(AccountNews(NewsKind.RECONNECTED, self.clock.now_ms()), ZERO)


Make = Callable[[str, World], Bot]
