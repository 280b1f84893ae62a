"""Keeps the picture of an account: when it may be relied on, when it is asked for anew."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from milobot.domain.money import ZERO
from milobot.domain.orders import Order, OrderUpdate
from milobot.domain.reports import AccountNews, NewsKind, PositionReport
from milobot.errors import AuthenticationError, ExchangeError, ExchangeUnavailableError
from milobot.exchanges.account_picture import AccountPicture, Change
from milobot.exchanges.margin_holds import HoldTimes, MarginHolds, is_exit
from milobot.exchanges.price_board import PriceBoard
from milobot.exchanges.settings_memory import SettingsMemory
from milobot.exchanges.times import ExchangeClock
from milobot.ports import Account, ExchangeAccount

# Shares of what is available: so much more, given back by positions, is worth a request in the
# background, and so much more is worth that an entry waits for one.
_WORTH_ASKING = Decimal("0.05")
_WORTH_WAITING = Decimal("0.25")
_FREED_EVERY_MS = 1_000
_RETRY_MS = 2_000
_TRIES = 2  # what happens while an answer is on its way may take another one to clear up


@dataclass(frozen=True, slots=True)
class KeeperTimes:
    """How old a picture of an account may be.

    Attributes:
        every_ms: It is asked for anew in the background.
        fresh_ms: Beyond it whoever asks waits for a new answer.
        dead_ms: Beyond it nobody gets any: the account cannot be read.
        least_ms: The background asks no more often than this, but for a doubt.
        holds: How long what has left is held back.
    """

    every_ms: int = 60_000
    fresh_ms: int = 70_000
    dead_ms: int = 120_000
    least_ms: int = 5_000
    holds: HoldTimes = field(default_factory=HoldTimes)


@dataclass(slots=True)
class _Since:
    """What has happened since the account was last asked for.

    Attributes:
        doubts: How often something happened that only an answer can clear up.
        freed: About what positions have given back, in USDT.
        changed_ms: When something else last changed; None when nothing has.
        news: What was heard while an answer was on its way.
    """

    doubts: int = 0
    freed: Decimal = ZERO
    changed_ms: int | None = None
    news: list[AccountNews] = field(default_factory=list)


class AccountKeeper:
    """Balances of one account that need no request while they are known."""

    def __init__(
        self,
        account: ExchangeAccount,
        clock: ExchangeClock,
        prices: PriceBoard,
        settings: SettingsMemory,
        times: KeeperTimes,
    ) -> None:
        """Know nothing yet: the first who asks waits."""
        self._account = account
        self._clock = clock
        self._prices = prices
        self._settings = settings
        self._times = times
        self._holds = MarginHolds(times.holds)
        self._picture: AccountPicture | None = None
        self._since = _Since()
        self._answered_ms = 0  # when the last answer was asked for, on our own clock
        self._turn = asyncio.Lock()
        self._finished = 0
        self._tried_ms = 0
        self._failure: ExchangeError | None = None

    @property
    def age_ms(self) -> int | None:
        """Return how old the last answer is; None before the first."""
        return None if self._picture is None else self._clock.local_ms() - self._answered_ms

    async def fetch(self) -> Account:
        """Return the account; ask for it only when what is known does not do.

        Raises:
            ExchangeError: It is not known well enough, and cannot be read.
        """
        try:
            for _ in range(_TRIES):
                if not self._has_to_ask():
                    break
                await self._ask_while(self._has_to_ask)
        except AuthenticationError:
            raise
        except ExchangeError as failed:
            if not self._may_go_on():
                raise self._unreadable(failed) from failed
        return self._shown()

    async def refresh(self) -> None:
        """Ask for the account if that is due, and for prices that what is held back needs.

        An entry that was on its way when a process was killed has no price in the next one,
        and until it has one it ties up everything there is.

        Raises:
            ExchangeError: The account or a price cannot be read.
        """
        if self._is_due():
            await self._ask_while(self._is_due)
        for symbol in self._holds.learn_prices(self._expected):
            self._prices.learn_asked(symbol, await self._account.fetch_last_price(symbol))

    def may_be_open(self, symbol: str) -> bool:
        """Return whether a position is open in a symbol, or may be about to."""
        if self._picture is None or symbol in self._picture.positions:
            return True
        return self._holds.quantity(symbol) > 0

    def leaves(self, order: Order) -> None:
        """Hold the margin of an entry from now on."""
        self._holds.leaves(order, self._expected(order))

    def lost(self, order: Order) -> None:
        """Note that nobody waits for the answer to an order any more."""
        self._holds.lost(order.client_order_id, self._clock.local_ms())

    def answered(self, order: Order, updates: tuple[OrderUpdate, ...]) -> None:
        """Take in the answer to an order."""
        for update in updates:
            self.hear_order(update)
            if is_exit(order):
                for fill in update.fills:
                    self._free(order.symbol, fill.quantity * fill.price)

    def hear_order(self, update: OrderUpdate) -> None:
        """Take in news of an order, whosever."""
        now_ms = self._clock.local_ms()
        if self._holds.hear(update, now_ms):
            return
        settle_ms = self._times.holds.settle_ms
        for fill in update.fills:
            if self._picture is None or self._picture.contains(fill, settle_ms):
                continue
            self._since.changed_ms = now_ms
            loss = self._picture.loss_of(fill)
            if loss is None:
                self._since.doubts += 1  # what was closed has not been told yet
            self._holds.spends(fill, loss or ZERO, now_ms)

    def hear(self, news: AccountNews) -> None:
        """Take in news of the account."""
        if self._turn.locked():
            self._since.news.append(news)
        if self._picture is None:
            return
        if self._puts_in_doubt(news, self._picture):
            self._since.doubts += 1
        for change in self._picture.hear(news):
            self._take(change)
        if news.wallet is not None or news.positions:
            self._since.changed_ms = self._clock.local_ms()

    def _puts_in_doubt(self, news: AccountNews, picture: AccountPicture) -> bool:
        """Return whether events were missed, or the margin of what is open has changed."""
        if news.kind is NewsKind.RECONNECTED:
            return True
        is_open = not news.symbol or news.symbol in picture.positions
        return news.kind is NewsKind.SETTINGS and is_open

    def _take(self, change: Change) -> None:
        if change.grown > self._holds.quantity(change.symbol):
            self._since.doubts += 1  # others entered: only an answer tells what that ties up
        if change.shrunk:
            self._free(change.symbol, change.shrunk * change.price)

    def _free(self, symbol: str, notional: Decimal) -> None:
        known = self._settings.recall(symbol)
        self._since.freed += notional / (known.leverage if known else 1)

    def _shown(self) -> Account:
        picture = self._picture
        if picture is None:
            raise ExchangeUnavailableError("the account has not been read yet: nothing is traded")
        self._holds.learn_prices(self._expected)
        return picture.account(self._holds.total(), self._prices.mark, self._is_isolated)

    def _expected(self, order: Order) -> Decimal | None:
        """Return what an order may fill at, as far as anything is known."""
        return order.price or self._prices.expected(order.symbol, order.side)

    def _is_isolated(self, symbol: str) -> bool:
        listed = self._picture is not None and symbol in self._picture.isolated
        return listed or self._settings.is_isolated(symbol)

    def _has_to_ask(self) -> bool:
        age_ms = self.age_ms
        if age_ms is None or age_ms > self._times.fresh_ms or self._since.doubts:
            return True
        return self._has_freed(_WORTH_WAITING)

    def _has_freed(self, share: Decimal) -> bool:
        """Return whether positions have given back more than a share of what is available."""
        freed = self._since.freed
        return bool(freed) and freed > self._shown().available * share

    def _may_go_on(self) -> bool:
        age_ms = self.age_ms
        return age_ms is not None and age_ms <= self._times.dead_ms and not self._since.doubts

    def _is_due(self) -> bool:
        now_ms, age_ms = self._clock.local_ms(), self.age_ms
        if self._failure is not None and now_ms - self._tried_ms < _RETRY_MS:
            return False
        if age_ms is None or age_ms >= self._times.every_ms or self._since.doubts:
            return True
        if age_ms >= _FREED_EVERY_MS and self._has_freed(_WORTH_ASKING):
            return True
        return age_ms >= self._times.least_ms and self._has_settled(now_ms)

    def _has_settled(self, now_ms: int) -> bool:
        changed_ms = self._since.changed_ms
        is_quiet = changed_ms is not None and now_ms - changed_ms >= self._times.holds.settle_ms
        return is_quiet or self._holds.has_settled(now_ms)

    async def _ask_while(self, is_needed: Callable[[], bool]) -> None:
        """Ask unless somebody else has just done so: all who wait share one answer, or failure."""
        finished = self._finished
        async with self._turn:
            if not is_needed():
                return
            if self._finished != finished and self._failure is not None:
                raise self._failure
            await self._ask()

    async def _ask(self) -> None:
        before, asked_ms = self._since, self._clock.local_ms()
        doubts, freed = before.doubts, before.freed
        before.news.clear()
        self._tried_ms = asked_ms
        try:
            account, positions = await self._read()
        except ExchangeError as failed:
            self._failure = failed
            raise
        finally:
            self._finished += 1
        self._failure = None
        since_ms = asked_ms + self._clock.offset_ms - self._clock.uncertainty_ms
        self._picture = AccountPicture(account, positions, since_ms)
        self._answered_ms = asked_ms
        self._holds.answered(asked_ms, account.taker_fee)
        changed_ms = before.changed_ms
        if changed_ms is not None and asked_ms - changed_ms >= self._times.holds.settle_ms:
            changed_ms = None
        self._since = _Since(before.doubts - doubts, before.freed - freed, changed_ms)
        for news in before.news:
            for change in self._picture.hear(news):
                self._take(change)

    async def _read(self) -> tuple[Account, list[PositionReport]]:
        """Ask for balances and positions at the same time."""
        account, positions = await asyncio.gather(
            self._account.fetch_account(),
            self._account.fetch_positions(),
            return_exceptions=True,
        )
        if isinstance(account, BaseException):
            raise account
        if isinstance(positions, BaseException):
            raise positions
        return account, positions

    def _unreadable(self, failed: ExchangeError) -> ExchangeUnavailableError:
        age_ms = self.age_ms
        since = "ever" if age_ms is None else f"for {age_ms // 1000} s"
        return ExchangeUnavailableError(
            f"the account could not be read {since}: no entry is sent until it can ({failed})"
        )
