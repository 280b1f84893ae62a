"""One account traded live: client, view, engine, trader and their streams, put together."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from milobot.app.exchanges import ExchangeClient
from milobot.domain.alerts import Alert
from milobot.domain.reports import SymbolSettings
from milobot.exchanges.account_view import AccountView, ViewPlan
from milobot.exchanges.times import Sleep, real_sleep
from milobot.exchanges.urgency import vital
from milobot.execution.doubt import Terms
from milobot.execution.engine import EngineConfig, ExecutionEngine
from milobot.execution.governor import Governor
from milobot.execution.inquiry import Inquiry
from milobot.execution.planning import Freshness
from milobot.execution.reconciler import Reconciler
from milobot.execution.trader import AccountTrader, Cadence, Parts
from milobot.ports import Books, Journal, PriceStream, UserStream
from milobot.telemetry import get_logger


@dataclass(frozen=True, slots=True)
class LivePlan:
    """What is traded and how.

    Attributes:
        config: Account and limits of the engine.
        symbols: Those whose prices are followed from the start.
        settings: Leverage and margin mode to be made before they are needed.
        terms: What is assumed about the exchange.
        hears_all: Whether the client's stream tells prices of symbols that come later, too.
    """

    config: EngineConfig
    symbols: tuple[str, ...] = ()
    settings: tuple[SymbolSettings, ...] = ()
    terms: Terms = field(default_factory=Terms)
    cadence: Cadence = field(default_factory=Cadence)
    view: ViewPlan = field(default_factory=ViewPlan)
    hears_all: bool = False


class LiveAccount:
    """An account with everything that keeps it going.

    Attributes:
        name: ``exchange:name``.
        market: Public data of the exchange.
        clock: The exchange's time.
        view: The account as it is known without asking.
        engine: Decides.
        trader: Is told, asked and reminded.
        reconciler: Compares.
    """

    def __init__(
        self,
        client: ExchangeClient,
        journal: Journal,
        governor: Governor,
        plan: LivePlan,
        tell: Callable[[Alert], None],
        *,
        sleep: Sleep = real_sleep,
    ) -> None:
        """Put the parts together; nothing is asked before ``run``."""
        self._client = client
        self._journal = journal
        self._plan = plan
        clock = client.clock
        self.name, self.market, self.clock = plan.config.account, client.market, clock
        self.governor = governor
        self.view = AccountView(client.account, client.market, clock, plan.view, sleep=sleep)
        self.engine = ExecutionEngine(
            self.view,
            journal,
            clock,
            plan.config,
            governor=governor,
            freshness=self._freshness,
        )
        self.reconciler = Reconciler(
            name=plan.config.account,
            engine=self.engine,
            account=self.view,
            market=client.market,
            journal=journal,
            clock=clock,
            tell=tell,
            terms=plan.terms,
        )
        self.trader = AccountTrader(
            Parts(self.engine, self.view, clock, sleep, tell, plan.cadence),
            Inquiry(self.view, journal, clock, plan.terms),
            self.reconciler,
        )

    async def run(self, work: Callable[[], Awaitable[None]]) -> None:
        """Take over what is on record, compare with the exchange, then trade until cancelled.

        Args:
            work: What asks for trades; begun once the account is known.

        Raises:
            AuthenticationError: The exchange refuses the key.
            LeaseLostError: Another process leads the account now.
            LedgerError: What is on record cannot be read.
        """
        known: Books = await self._journal.load()
        self.view.recall(known.orders)
        self.view.prepare_ahead(self._plan.settings)
        news: UserStream = self._client.user_feed()
        prices: PriceStream = self._client.price_feed(self._plan.symbols)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(news.run())
            tasks.create_task(self._hear(news))
            if self._plan.symbols or self._plan.hears_all:
                tasks.create_task(prices.run())
                tasks.create_task(self._watch(prices))
            tasks.create_task(self.view.run())
            with vital():  # until it is compared nobody protects what is open
                await self.trader.start(known)
            get_logger().info("account_known", account=self._plan.config.account)
            tasks.create_task(self.trader.run())
            tasks.create_task(_until_done(work))

    async def _hear(self, stream: UserStream) -> None:
        async for news in stream.news():
            self.view.hear(news)
            self.trader.hear(news)

    async def _watch(self, stream: PriceStream) -> None:
        async for price in stream.prices():
            self.view.hear(price)

    def _freshness(self, symbol: str) -> Freshness:
        now_ms, age_ms = self._client.clock.now_ms(), self.view.account_age_ms
        account_ms = None if age_ms is None else now_ms - age_ms
        told = self.view.book(symbol)
        if told is None:
            return Freshness(account_ms=account_ms)
        book, book_age_ms = told
        return Freshness(price_ms=now_ms - book_age_ms, account_ms=account_ms, book=book)


async def _until_done(work: Callable[[], Awaitable[None]]) -> None:
    await work()
