"""An account as it is known without asking: nothing stands between a decision and its order.

Before each entry an engine asks for balances, rules, a price and the settings of the symbol.
Each of them is at hand here, kept by what the exchange tells and asked for anew in the
background; where one is not known well enough, it is asked for as if there were no view.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol, runtime_checkable

from milobot.domain.market import SymbolRules
from milobot.domain.orders import Order, OrderUpdate, Refusal
from milobot.domain.reports import (
    AccountNews,
    BookTicker,
    MarginMode,
    MarkPrice,
    SymbolSettings,
)
from milobot.errors import (
    AuthenticationError,
    DataError,
    ExchangeError,
    ExchangeUnavailableError,
    OutcomeUnknownError,
)
from milobot.exchanges.account_keeper import AccountKeeper, KeeperTimes
from milobot.exchanges.delegated_account import DelegatedAccount
from milobot.exchanges.margin_holds import is_exit
from milobot.exchanges.price_board import PriceBoard, Quote
from milobot.exchanges.rules_cache import RulesCache
from milobot.exchanges.settings_memory import SettingsMemory
from milobot.exchanges.times import ExchangeClock, Sleep, real_sleep
from milobot.ports import Account, ExchangeAccount, MarketData, News, attaches_exits
from milobot.telemetry import get_logger

_LOOK_EVERY_S = 0.25
_AGAIN_S = 30.0
# Why nothing was sent or nobody answered: no word about what is set for a symbol.
_SAY_NOTHING = {Refusal.RATE_LIMITED, Refusal.TOO_LATE, Refusal.UNAVAILABLE, Refusal.CLOCK}


@dataclass(frozen=True, slots=True)
class ViewPlan:
    """How long what is known may be relied on, and how it is kept.

    Attributes:
        price_fresh_ms: Prices of the stream that are older are not decided by.
        rules_every_s: Rules are fetched anew in the background.
        rules_stale_ms: Rules that are older are not given out without asking.
        settings_apart_s: How far apart settings are read or made ahead; BingX answers two
            questions for a margin mode a second, and making one takes two.
        has_bulk_brackets: Whether the brackets of all symbols come with one call (Binance).
        account: How old a picture of the account may be.
    """

    price_fresh_ms: int = 2_000
    rules_every_s: float = 3_600.0
    rules_stale_ms: int = 4 * 3_600_000
    settings_apart_s: float = 1.0
    has_bulk_brackets: bool = False
    account: KeeperTimes = field(default_factory=KeeperTimes)


@runtime_checkable
class LearnsOrderIds(Protocol):
    """An account whose stops take no id of ours: it has to be told which are ours."""

    def learn_order_ids(self, pairs: Mapping[str, str]) -> None:
        """Take over our id and theirs of orders."""
        ...


class WatchesOrders(Protocol):
    """Hears when requests leave, for figures; it may not raise."""

    def sent(self, order: Order) -> None:
        """Hear that an order's request leaves now."""
        ...

    def answered(self, order: Order) -> None:
        """Hear that its answer is there, whatever it says."""
        ...


class AccountView(DelegatedAccount):
    """An ``ExchangeAccount`` that answers from what it knows; ``run`` keeps that fresh.

    Attributes:
        watcher: Hears when orders leave; None for nobody.
    """

    def __init__(
        self,
        account: ExchangeAccount,
        market: MarketData,
        clock: ExchangeClock,
        plan: ViewPlan | None = None,
        *,
        sleep: Sleep = real_sleep,
    ) -> None:
        """Stand before an account; nothing is known before the first answers."""
        super().__init__(account)
        self.watcher: WatchesOrders | None = None
        self._plan = plan = plan or ViewPlan()
        self._sleep = sleep
        self._prices = PriceBoard(clock, fresh_ms=plan.price_fresh_ms)
        self._settings = SettingsMemory()
        self._keeper = AccountKeeper(account, clock, self._prices, self._settings, plan.account)
        self._rules = RulesCache(
            account,
            market,
            clock,
            stale_ms=plan.rules_stale_ms,
            has_bulk_brackets=plan.has_bulk_brackets,
        )

    @property
    def attaches_exits(self) -> bool:
        """Return whether entries carry their stop and target to the exchange."""
        return attaches_exits(self._account)

    @property
    def account_age_ms(self) -> int | None:
        """Return how old the last answer about the account is; None before the first."""
        return self._keeper.age_ms

    async def fetch_account(self) -> Account:
        """Return balances and open gains, never more available than there is.

        Raises:
            ExchangeUnavailableError: They could not be read for so long that nothing may be
                decided by them.
            ExchangeError: They were never read, and cannot be.
        """
        return await self._keeper.fetch()

    async def fetch_rules(self, symbol: str) -> SymbolRules:
        """Return the rules of a symbol with its leverage brackets.

        Raises:
            DataError: It is not traded, or not any more.
            ExchangeError: They are not known yet and cannot be had.
        """
        return await self._rules.fetch(symbol)

    async def fetch_last_price(self, symbol: str) -> Decimal:
        """Return the price now: from the stream when it is fresh, else of the latest trade."""
        price = self._prices.fresh(symbol)
        if price is None:
            price = await self._account.fetch_last_price(symbol)
            self._prices.learn_asked(symbol, price)
        return price

    def book(self, symbol: str) -> tuple[BookTicker, int] | None:
        """Return the newest book and its age in milliseconds; None when the stream told none."""
        return self._prices.book(symbol)

    def quote(self, symbol: str) -> Quote | None:
        """Return the book as last told, with its age; None when the stream has told none."""
        return self._prices.quote(symbol)

    async def prepare_symbol(
        self, symbol: str, *, leverage: int, margin_mode: MarginMode
    ) -> SymbolSettings:
        """Set leverage and margin mode, unless they were read back as such and not doubted since."""
        wanted = SymbolSettings(symbol, leverage, margin_mode)
        if self._settings.recall(symbol) == wanted:
            return wanted
        return await self._prepare(wanted)

    def prepare_ahead(self, wanted: Iterable[SymbolSettings]) -> None:
        """Have settings made by ``run`` before they are needed, one symbol after the other."""
        self._settings.want(wanted)

    async def place_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Send an order; the margin of an entry counts as tied up from here on."""
        self._keeper.leaves(order)
        if self.watcher is not None:
            self.watcher.sent(order)
        try:
            updates = await self._account.place_order(order)
        except BaseException:
            self._keeper.lost(order)
            raise
        if self.watcher is not None:
            self.watcher.answered(order)
        self._keeper.answered(order, updates)
        self._learn_from(order, updates)
        return updates

    async def cancel_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Withdraw an order and return what is known of it at once."""
        updates = await self._account.cancel_order(order)
        for update in updates:
            self._keeper.hear_order(update)
        return updates

    async def fetch_update(self, order: Order) -> OrderUpdate | None:
        """Return news of an order as it stands; None when the exchange knows none."""
        update = await self._account.fetch_update(order)
        if update is not None:
            self._keeper.hear_order(update)
        return update

    def hear(self, news: News | MarkPrice | BookTicker) -> None:
        """Take in everything that the user stream and the price stream yield."""
        match news:
            case MarkPrice() | BookTicker():
                self._prices.hear(news)
            case AccountNews():
                self._settings.hear(news)
                self._keeper.hear(news)
            case OrderUpdate():
                self._keeper.hear_order(news)
            case _:
                pass  # a funding payment comes with news of the wallet

    def recall(self, orders: Iterable[Order]) -> None:
        """Take over orders that were on their way before a restart, as the journal has them.

        Entries that may have been executed are held until an answer contains them.
        """
        pairs = {}
        for order in orders:
            if order.exchange_order_id:
                pairs[order.client_order_id] = order.exchange_order_id
            if order.is_live and not is_exit(order):
                self._keeper.leaves(order)
                self._keeper.lost(order)
        if isinstance(self._account, LearnsOrderIds):
            self._account.learn_order_ids(pairs)

    async def run(self) -> None:
        """Keep what is known fresh until cancelled.

        Raises:
            AuthenticationError: The exchange refuses the key (inside an exception group).
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep("account", self._keeper.refresh, _LOOK_EVERY_S))
            group.create_task(self._keep("rules", self._rules.refresh, self._plan.rules_every_s))
            group.create_task(
                self._keep("settings", self._prepare_next, self._plan.settings_apart_s)
            )

    async def _keep(self, what: str, act: Callable[[], Awaitable[None]], apart_s: float) -> None:
        while True:
            try:
                await act()
            except AuthenticationError:
                raise
            except (ExchangeError, DataError) as failed:
                get_logger().warning("account_view_not_refreshed", part=what, reason=str(failed))
                await self._sleep(min(apart_s, _AGAIN_S))
                continue
            await self._sleep(apart_s)

    async def _prepare_next(self) -> None:
        """Make or read the settings of the symbol that has waited longest, and learn its rules."""
        if self._keeper.age_ms is None:
            return  # what is open has to be known first
        found = self._settings.next_ahead()
        if found is None:
            return
        symbol, wanted = found
        try:
            # What is open keeps its leverage: there it is only looked at.
            if wanted is None or self._keeper.may_be_open(symbol):
                await self._read_settings(symbol)
            elif self._settings.recall(symbol) != wanted:
                await self._prepare(wanted)
            await self._rules.fetch(symbol)
        except (ExchangeUnavailableError, OutcomeUnknownError):
            if wanted is not None:
                self._settings.want([wanted])
            raise

    async def _prepare(self, wanted: SymbolSettings) -> SymbolSettings:
        doubts = self._settings.doubts(wanted.symbol)
        found = await self._account.prepare_symbol(
            wanted.symbol, leverage=wanted.leverage, margin_mode=wanted.margin_mode
        )
        self._settings.learn(found, doubts)
        return found

    async def _read_settings(self, symbol: str) -> None:
        doubts = self._settings.doubts(symbol)
        self._settings.learn(await self._account.fetch_symbol_settings(symbol), doubts)

    def _learn_from(self, order: Order, updates: tuple[OrderUpdate, ...]) -> None:
        """Doubt what a refusal contradicts."""
        refusals = {update.refusal for update in updates if update.refusal is not None}
        if Refusal.SYMBOL_NOT_TRADING in refusals:
            self._rules.doubt(order.symbol)
        if refusals - _SAY_NOTHING and not is_exit(order):
            self._settings.forget(order.symbol)
