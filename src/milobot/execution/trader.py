"""A trader: everything that one account's engine is asked, told and reminded of.

Intents, closed candles and news come in from outside. From within come time and doubt: what
was sent and has no certain end is asked for, what is held without a stop is looked at again
and again, and every half minute the whole account is compared with the exchange's.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

from milobot.domain.alerts import Alert, AlertKind
from milobot.domain.decisions import Decision
from milobot.domain.intents import TradeIntent
from milobot.domain.orders import (
    FundingUpdate,
    Order,
    OrderPurpose,
    OrderStatus,
    OrderUpdate,
    Refusal,
)
from milobot.domain.reports import AccountNews, NewsKind
from milobot.domain.slots import PositionState, Slot
from milobot.errors import (
    AuthenticationError,
    ExchangeError,
    LeaseLostError,
    OrderTransitionError,
    StorageError,
)
from milobot.execution.engine import ExecutionEngine
from milobot.execution.exposure_watch import ExposureWatch
from milobot.execution.inquiry import Inquiry
from milobot.execution.reconciler import Reconciler
from milobot.execution.sights import Sights
from milobot.execution.stop_check import StopCheck, misses_a_stop
from milobot.ports import Books, Clock, ExchangeAccount, News

Sleep = Callable[[float], Awaitable[None]]
Tell = Callable[[Alert], None]
Work = Callable[[], Awaitable[None]]

_DOUBTED_EVERY_MS = 1_000
# What is as it should be is looked at, too, but more calmly: an exit may have been refused.
_CALM_LOOKS = 4
# Twice the time in which a position has to be safe: what is refused until then for there being
# nothing to reduce is asked for more calmly. The position is gone, or an answer is very late.
_VAIN_AFTER_MS = 4_000
_VAIN_LOOKS = 6
_WARY_MS = 60_000
_OPEN = frozenset({PositionState.UNPROTECTED, PositionState.CLOSING})


@dataclass(frozen=True, slots=True)
class Cadence:
    """How often the trader looks, in seconds.

    Attributes:
        look_s: At what is not as it should be.
        ask_s: For orders whose end is not known.
        reconcile_s: At everything.
        wary_s: At everything, after an entry was given up that nobody found: an exchange that
            is slower than assumed may still show its fill.
    """

    look_s: float = 0.25
    ask_s: float = 0.5
    reconcile_s: float = 30.0
    wary_s: float = 8.0


@dataclass(slots=True)
class Parts:
    """What a trader works with.

    Attributes:
        account: Where orders go, and what answers questions about them.
        clock: The exchange's time.
        tell: Takes alerts.
    """

    engine: ExecutionEngine
    account: ExchangeAccount
    clock: Clock
    sleep: Sleep
    tell: Tell
    cadence: Cadence = field(default_factory=Cadence)


class AccountTrader:
    """Trades one account until cancelled."""

    def __init__(self, parts: Parts, inquiry: Inquiry, reconciler: Reconciler) -> None:
        """Prepare; ``start`` takes over what is known."""
        self._parts = parts
        self._engine = parts.engine
        self._engine.contradicted = self._contradicted
        self._inquiry = inquiry
        self._reconciler = reconciler
        self._ready = asyncio.Event()
        self._due = False
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._ledger_away = False
        self._tasks: asyncio.TaskGroup | None = None
        self._exposure = ExposureWatch()
        self._looks = 0
        self._deciding = 0
        self._wary_until_ms = 0
        self._mail: dict[str, deque[OrderUpdate | FundingUpdate]] = {}
        self._sights = Sights(parts.engine, parts.clock)
        inquiry.shown = self._sights.beside
        self._doubted_ms = 0
        self._check = StopCheck(
            engine=parts.engine,
            account=parts.account,
            clock=parts.clock,
            sleep=parts.sleep,
            heard=self._heard,
            pause_s=parts.cadence.ask_s / 2,
        )

    @property
    def is_ready(self) -> bool:
        """Return whether the account was compared with the exchange's since the start."""
        return self._ready.is_set()

    @property
    def is_deciding(self) -> bool:
        """Return whether an intent is being decided or carried out: its slot may show nothing yet."""
        return self._deciding > 0

    async def start(self, known: Books) -> None:
        """Take over what the journal knows and compare it with the exchange.

        Starting is nothing but that comparison: whatever a crash left behind is a
        difference like any other.

        Raises:
            AuthenticationError: The exchange refuses the key.
        """
        self._engine.restore(known)
        # What was given up before a crash is not known any more.
        self._wary_until_ms = self._parts.clock.now_ms() + _WARY_MS
        while not await self._reconcile():
            await self._parts.sleep(self._parts.cadence.ask_s)
        self._ready.set()

    async def submit(self, intent: TradeIntent) -> Decision:
        """Return what was decided about an intent; waits for the start to be over."""
        await self._ready.wait()
        self._deciding += 1
        try:
            return await self._engine.accept(intent)
        finally:
            self._deciding -= 1

    async def candle_closed(self, symbol: str, close: Decimal) -> None:
        """Let moving stops follow a closed candle."""
        await self._ready.wait()
        await self._engine.candle_closed(symbol, close)

    def hear(self, news: News) -> None:
        """Take in news of the account; it is booked in order, symbol by symbol."""
        if isinstance(news, AccountNews):
            self._hear_of_account(news)
            return
        self._mail.setdefault(news.symbol, deque()).append(news)
        if self._tasks is not None:
            self._start(self._tasks, f"book {news.symbol}", partial(self._deliver, news.symbol))

    def reconcile_soon(self) -> None:
        """Compare with the exchange now, not at the next round."""
        self._due = True

    async def run(self) -> None:
        """Look after the account until cancelled.

        Raises:
            AuthenticationError: The exchange refuses the key.
            LeaseLostError: Another process leads the account now.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                tasks.create_task(self._compare())
                self._verify_stops()  # what the comparison at the start has left open
                self._begin(tasks, self._check.once)
                while True:
                    self._look(tasks)
                    self._start(tasks, "save", self._save)
                    await self._parts.sleep(self._parts.cadence.look_s)
        finally:
            self._tasks = None  # what is heard from here on has nobody to act on it

    async def _compare(self) -> None:
        """Compare when somebody asks for it, when a finding wants a second look, and in turn."""
        cadence, clock = self._parts.cadence, self._parts.clock
        while True:
            is_wary = clock.now_ms() < self._wary_until_ms
            pause_s = cadence.wary_s if is_wary else cadence.reconcile_s
            in_turn_ms = clock.now_ms() + round(pause_s * 1000)
            again_ms = self._reconciler.last.again_ms
            due_ms = in_turn_ms if again_ms is None else min(in_turn_ms, again_ms)
            while not self._due and clock.now_ms() < due_ms:
                await self._parts.sleep(cadence.look_s)
            self._due = False
            self._due |= not await self._reconcile()
            # Whoever asks again and again is not answered more often than this.
            await self._parts.sleep(cadence.ask_s)

    async def _reconcile(self) -> bool:
        """Compare once. Return whether the exchange could be asked."""
        try:
            await self._reconciler.run()
        except AuthenticationError:
            raise  # nothing more can be done with this key
        except ExchangeError as error:
            self._say(AlertKind.EXCHANGE, "", f"the account cannot be read: {error}")
            return False
        except LeaseLostError:
            raise
        except StorageError:
            return False  # said by ``_save``, and tried again soon
        self._verify_stops()
        return True

    def _verify_stops(self) -> None:
        """Ask for stops by themselves that were not listed with everything else."""
        for slot, _ in self._engine.slots():
            if misses_a_stop(slot, self._reconciler.listed):
                self._start_verifying(slot.symbol)

    def _start_verifying(self, symbol: str) -> None:
        if self._tasks is not None:
            self._start(self._tasks, f"verify {symbol}", partial(self._check.verify, symbol))

    async def _deliver(self, symbol: str) -> None:
        """Book the news of a symbol; what follows from it does not hold up the next."""
        waiting = self._mail[symbol]
        while waiting:
            update = waiting.popleft()
            try:
                is_news = await self._booked(update)
            except StorageError:
                waiting.appendleft(update)  # the ledger could not say whose it is: once more, soon
                raise
            if is_news:
                self._look_at(symbol)

    def _look_at(self, symbol: str) -> None:
        """Do what there is to do in a symbol, also while an answer about it is waited for.

        What is sent may never be answered; the next look must not wait for that.
        """
        if self._tasks is not None:
            self._begin(self._tasks, partial(self._engine.look_again, symbol))

    async def _heard(self, update: OrderUpdate) -> None:
        """Book what was asked for and look at what follows from it."""
        if await self._booked(update):
            self._look_at(update.symbol)

    async def _booked(self, update: OrderUpdate | FundingUpdate) -> bool:
        try:
            return await self._engine.book(update)
        except OrderTransitionError as error:
            self._contradicted(update.symbol, error)
            return True  # what was executed is booked all the same

    def _look(self, tasks: asyncio.TaskGroup) -> None:
        """Attend to every slot that is not as it should be, each on its own.

        Asking and acting go separate ways: an answer that does not come keeps no stop waiting.
        """
        self._looks += 1
        for slot, state in self._engine.slots():
            symbol = slot.symbol
            if self._inquiry.due(slot):
                self._start(tasks, f"ask {symbol}", partial(self._ask, symbol))
            is_to_be_freed = slot.is_idle and not slot.is_free
            is_in_turn = bool(slot.held) and self._looks % _CALM_LOOKS == 0
            is_due = state in _OPEN or bool(slot.closing) or is_to_be_freed or is_in_turn
            is_due |= self._engine.recorder.holds(symbol)
            if is_due and self._is_in_vain(slot):
                # A comparison has to say why, and passes over what is being asked for meanwhile.
                self._compare_in_doubt()
                is_due = self._looks % _VAIN_LOOKS == 0
            if is_due:
                self._look_at(symbol)
            if (alert := self._exposure.look(slot, self._parts.clock.now_ms())) is not None:
                self._parts.tell(alert)
            self._notice_position(tasks, slot)
            if slot.is_doubted:
                self._compare_in_doubt()
            if self._mail.get(symbol):
                self._start(tasks, f"book {symbol}", partial(self._deliver, symbol))

    def _is_in_vain(self, slot: Slot) -> bool:
        """Return whether the exchange has long said that there is nothing to close or protect."""
        since_ms, now_ms = slot.exposed_since_ms, self._parts.clock.now_ms()
        has_waited = since_ms is not None and now_ms - since_ms > _VAIN_AFTER_MS
        return has_waited and Refusal.NOTHING_TO_REDUCE in slot.hindrances

    def _compare_in_doubt(self) -> None:
        """Compare soon, but not at every look: each uses up some of the allowance."""
        now_ms = self._parts.clock.now_ms()
        if now_ms >= self._doubted_ms + _DOUBTED_EVERY_MS:
            self._doubted_ms = now_ms
            self.reconcile_soon()

    def _start(self, tasks: asyncio.TaskGroup, name: str, work: Work) -> None:
        """Do something, unless the same is still being done."""
        running = self._busy.get(name)
        if running is None or running.done():
            begun = self._begin(tasks, work)
            if begun is not None:
                self._busy[name] = begun

    def _begin(self, tasks: asyncio.TaskGroup, work: Work) -> asyncio.Task[None] | None:
        """Do something beside the rest; nothing when the trader is just coming to its end."""
        guarded = self._guarded(work)
        try:
            return tasks.create_task(guarded)
        except RuntimeError:  # the lease was lost a moment ago: what is heard now is for nobody
            guarded.close()
            return None

    async def _guarded(self, work: Work) -> None:
        try:
            await work()
        except (AuthenticationError, LeaseLostError):
            raise
        except (ExchangeError, StorageError):
            return  # asked again at the next look
        except OrderTransitionError as error:
            self._contradicted("", error)

    def _contradicted(self, symbol: str, error: OrderTransitionError) -> None:
        self._say(AlertKind.CONTRADICTION, symbol, str(error))
        self.reconcile_soon()

    async def _ask(self, symbol: str) -> None:
        """Ask for every order of a symbol whose end is not known."""
        for order in self._inquiry.due(self._engine.slot(symbol)):
            update = await self._inquiry.ask(self._engine.slot(symbol), order)
            if update is not None and await self._booked(update):
                self._look_at(symbol)
            if update is not None and update.status is OrderStatus.NOT_EXECUTED:
                self._wary_until_ms = self._parts.clock.now_ms() + _WARY_MS
            if update is None and order.purpose is OrderPurpose.ENTRY:
                await self._see(order)

    async def _see(self, entry: Order) -> None:
        """Look for a position that an entry which nobody finds may have opened."""
        shown = await self._parts.account.fetch_positions()
        for position in self._sights.beside(entry, shown):
            await self._engine.position_seen(entry.symbol, position.side, position.quantity)

    def _hear_of_account(self, news: AccountNews) -> None:
        if news.kind is NewsKind.BALANCE:
            return
        if news.kind is not NewsKind.POSITION:
            self.reconcile_soon()
            if news.kind is NewsKind.TRIGGER_REJECTED:
                self._start_verifying(news.symbol)
            return
        for position in news.positions:
            self._sights.keep(position, news.time_ms)

    def _notice_position(self, tasks: asyncio.TaskGroup, slot: Slot) -> None:
        """Compare with the exchange when a position that it told of stays different from ours."""
        if self._check.is_to_ask(slot):
            self._begin(tasks, partial(self._check.twice, slot.symbol))
        found = self._sights.told.look(slot, self._parts.clock.now_ms())
        if found is None:
            return
        if found.is_new:
            self.reconcile_soon()
        if found.side is not None:
            seen = (slot.symbol, found.side, found.quantity, found.since_ms)
            self._begin(tasks, partial(self._engine.position_seen, *seen))

    async def _save(self) -> None:
        """Store what the ledger did not take before."""
        recorder = self._engine.recorder
        if not recorder.is_behind and not self._ledger_away:
            return
        saved = await recorder.catch_up()
        if saved == self._ledger_away:  # it has changed
            self._ledger_away = not saved
            said = "the ledger takes records again" if saved else recorder.reason
            self._say(AlertKind.LEDGER, "", said, is_over=saved)

    def _say(self, kind: AlertKind, symbol: str, sentence: str, *, is_over: bool = False) -> None:
        self._parts.tell(Alert(kind, symbol, sentence, self._parts.clock.now_ms(), is_over))
