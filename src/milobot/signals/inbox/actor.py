"""The actor: has the engine do what live signals wish for, and tells them what happens."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from milobot.domain.alerts import Alert, AlertKind
from milobot.domain.slots import Slot
from milobot.errors import AuthenticationError, ExchangeError, LeaseLostError, StorageError
from milobot.ports import Clock
from milobot.signals.door import SignalState
from milobot.signals.inbox.asking import Asking
from milobot.signals.inbox.live import LiveSignal, LiveSignals
from milobot.signals.inbox.ports import SignalTrades
from milobot.signals.inbox.telling import Telling
from milobot.signals.life.happenings import (
    Ended,
    PriceSeen,
    SlotSeen,
    TimePassed,
)
from milobot.signals.life.plans import SignalTerms
from milobot.signals.life.record import LegState, Signal
from milobot.signals.life.sight import view_of
from milobot.storage.leases import Lease
from milobot.storage.ledger import Ledger
from milobot.storage.signal_records import SignalRow, list_live, live_revisions

Sleep = Callable[[float], Awaitable[None]]
Tell = Callable[[Alert], None]
_NEVER_MS = 1 << 62


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often the actor looks, in seconds.

    Attributes:
        look_s: At slots, and for signals that another process has taken.
        price_s: At the price of a symbol in which an entry waits.
        apart_s: At least between two prices: where entries wait in many symbols each is looked at
            less often, so that they never use up what the exchange lets us ask.
        again_s: Before it tries again what went wrong.
        settle_s: How long the end of a position may take to come on record.
        turn_s: How long the entry of a reversal may take to go on record after the close.
    """

    look_s: float = 0.25
    price_s: float = 1.0
    apart_s: float = 0.25
    again_s: float = 0.5
    settle_s: float = 2.0
    turn_s: float = 30.0


@dataclass(slots=True)
class ActorParts:
    """What an actor works with.

    Attributes:
        account: Whose signals it looks after.
        tell: Takes alerts.
        lease: What has to be held whenever something is written; None where nobody else writes.
    """

    account: str
    ledger: Ledger
    trades: SignalTrades
    clock: Clock
    sleep: Sleep
    tell: Tell
    terms: SignalTerms = field(default_factory=SignalTerms)
    rhythm: Rhythm = field(default_factory=Rhythm)
    lease: Lease | None = None


class SignalActor:
    """Looks after the live signals of one account, while this process leads it.

    Each symbol goes its own way: what one waits for holds up no other.
    """

    def __init__(self, parts: ActorParts) -> None:
        """Prepare; nothing is read before ``run``."""
        self._parts = parts
        self._begin_anew()
        self._tasks: asyncio.TaskGroup | None = None
        self._priced_ms: dict[str, int] = {}
        self._watched = 0  # symbols in which an entry waits
        self._gone_ms: dict[int, int] = {}
        self._said: dict[str, str] = {}
        self._is_closing = False

    def close(self) -> None:
        """Ask for nothing more; what the engine has been asked for is carried out."""
        self._is_closing = self._asking.is_closing = True

    def _begin_anew(self) -> None:
        """Know nothing: what is found on record may have been asked for by another process."""
        parts = self._parts
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._seen: dict[str, tuple[Slot | None, tuple[tuple[int, int], ...], int]] = {}
        self._live = LiveSignals()
        self._asking = Asking(parts.trades, parts.clock)
        self._telling = Telling(
            ledger=parts.ledger,
            clock=parts.clock,
            terms=parts.terms,
            lease=parts.lease,
            live=self._live,
            heard=self.heard,
            say=self._say,
        )

    def heard(self, rows: Iterable[SignalRow], *, is_own: bool = True) -> None:
        """Take in signals that have just been put on record, and see to them at once.

        Args:
            rows: As they stand on record.
            is_own: Whether this process has put them there: then nobody can have asked the
                engine for what they wish.
        """
        if self._tasks is None:
            return  # ``run`` reads them from the ledger
        before = {row.signal_id: (row, self._latest(row.signal_id)) for row in rows}
        symbols, unreadable = self._live.take(row for row, _ in before.values())
        for sentence in unreadable:
            self._say("", sentence)
        for number, (row, old) in before.items():
            new = self._latest(number)
            if is_own and new is not None and (old is not None or row.revision == 0):
                self._asking.own(set(new.keys) - set(old.keys if old else ()))
        for symbol in symbols:
            self._attend(symbol)

    async def run(self) -> None:
        """Look after all live signals until cancelled.

        Raises:
            ExceptionGroup: Of ``LeaseLostError`` when another process leads the account now, or
                of ``AuthenticationError`` when the exchange refuses the key.
        """
        parts = self._parts
        self._begin_anew()
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                while True:
                    await self._guarded("", self._refresh)
                    symbols = self._live.symbols()
                    self._watched = sum(bool(self._waiting_in(symbol)) for symbol in symbols)
                    for symbol in symbols:
                        self._attend(symbol)
                        await asyncio.sleep(0)  # a message that comes now has its turn
                    await parts.sleep(parts.rhythm.look_s)
        finally:
            self._tasks = None

    async def _refresh(self) -> None:
        """Read what other processes have put on record."""
        ledger, account = self._parts.ledger, self._parts.account
        self._live.begin_reading()
        known = self._live.numbers()  # what comes while it is read is not missing
        revisions = await ledger.read(partial(live_revisions, account=account))
        for number in known - set(revisions):
            self._live.forget(number)
        newer = self._live.newer_in(revisions)
        if newer:
            rows = await ledger.read(partial(list_live, account=account))
            self.heard((row for row in rows if row.signal_id in newer), is_own=False)

    def _attend(self, symbol: str) -> None:
        """See to the wishes, the slot and the price of a symbol, each by itself."""
        if self._is_closing or not self._parts.trades.is_leading:
            return
        if self._live.next_wish(symbol) is not None:
            self._start(f"ask {symbol}", symbol, self._serve)
        if not self._has_seen(symbol):
            self._start(f"look {symbol}", symbol, self._look)
        if self._is_price_due(symbol):
            self._start(f"price {symbol}", symbol, self._watch_price)

    def _has_seen(self, symbol: str) -> bool:
        """Return whether a look would show the same slot to the same signals, too early to expire.

        There may be hundreds of them, and the next message must not wait for that.
        """
        slot, revisions, until_ms = self._seen.get(symbol, (None, (), 0))
        return (
            slot is self._parts.trades.slot(symbol)
            and revisions == self._live.revisions_of(symbol)
            and self._parts.clock.now_ms() < until_ms
        )

    def _waiting_in(self, symbol: str) -> list[LiveSignal]:
        return [live for live in self._live.of_symbol(symbol) if live.signal.waits_for_price]

    def _is_price_due(self, symbol: str) -> bool:
        waiting = self._waiting_in(symbol)
        rhythm = self._parts.rhythm
        every_s = max(rhythm.price_s, self._watched * rhythm.apart_s)
        due_ms = self._priced_ms.get(symbol, 0) + round(every_s * 1000)
        is_new = any(_is_unchecked(live.signal) for live in waiting)
        return bool(waiting) and (is_new or self._parts.clock.now_ms() >= due_ms)

    def _start(
        self, name: str, symbol: str, work: Callable[[str], Coroutine[Any, Any, None]]
    ) -> None:
        running = self._busy.get(name)
        if self._tasks is None or (running is not None and not running.done()):
            return
        guarded = self._guarded(symbol, partial(work, symbol))
        try:
            self._busy[name] = self._tasks.create_task(guarded)
        except RuntimeError:  # all of it is ending: whoever leads next finds it on record
            guarded.close()

    async def _guarded(self, symbol: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        # Called here, not before: a task that is cancelled before its first step calls nothing.
        try:
            await work()
        except (AuthenticationError, LeaseLostError):
            raise
        except (ExchangeError, StorageError):
            await self._parts.sleep(self._parts.rhythm.again_s)  # then at the next look
        except Exception as error:  # noqa: BLE001 - one bad signal never stops the others
            self._say_once(symbol, f"looking after signals went wrong: {error!r}")
            await self._parts.sleep(self._parts.rhythm.again_s)

    async def _serve(self, symbol: str) -> None:
        """Ask the engine for what is wished in a symbol, one after the other."""
        while not self._is_closing and (found := self._live.next_wish(symbol)) is not None:
            live, wish = found
            latest = partial(self._latest, live.signal_id)
            answer = await self._asking.ask(live.signal, wish, latest)
            while not await self._telling.tell(live, answer):
                await self._parts.sleep(self._parts.rhythm.again_s)

    def _latest(self, signal_id: int) -> Signal | None:
        live = self._live.find(signal_id)
        return None if live is None else live.signal

    async def _look(self, symbol: str) -> None:
        """Tell the signals of a symbol what its slot shows, and what time it is."""
        slot, revisions = self._parts.trades.slot(symbol), self._live.revisions_of(symbol)
        view, found, is_settled = view_of(slot), self._live.of_symbol(symbol), True
        for live in found:
            signal = live.signal
            is_settled &= await self._telling.tell(live, TimePassed())
            if not _has_entered(signal):
                continue
            if view.keys.intersection(signal.entry_keys):
                self._gone_ms.pop(live.signal_id, None)
                is_settled &= await self._telling.tell(live, SlotSeen(view))
            elif not view.on_its_way.intersection(signal.entry_keys):
                is_settled = False
                await self._end(live)
        if is_settled:
            until_ms = min((_expires_ms(live.signal) for live in found), default=0)
            self._seen[symbol] = (slot, revisions, until_ms)

    async def _end(self, live: LiveSignal) -> None:
        """Tell a signal how it ended, once that is on record."""
        now_ms = self._parts.clock.now_ms()
        since_ms = self._gone_ms.setdefault(live.signal_id, now_ms)
        signal = live.signal
        opened, rhythm = signal.state is SignalState.OPEN, self._parts.rhythm
        end = await self._parts.trades.end_of(signal.symbol, signal.entry_keys)
        if end is not None and end.has_reduced and not _is_net(signal):
            end = None  # nothing of a set-up only reduces: its entry is being planned
        # Between the close and the entry of a reversal the slot shows neither.
        patience_s = rhythm.settle_s if opened or end is not None else rhythm.turn_s
        is_certain = end is not None and not end.has_reduced
        if not is_certain and now_ms - since_ms < patience_s * 1000:
            return
        if await self._telling.tell(live, end or Ended(has_entered=opened)):
            self._gone_ms.pop(live.signal_id, None)

    async def _watch_price(self, symbol: str) -> None:
        """Tell the signals of a symbol its price, where an entry waits for it."""
        waiting = self._waiting_in(symbol)
        self._priced_ms[symbol] = self._parts.clock.now_ms()
        price = await self._parts.trades.last_price(symbol)
        for live in waiting:
            if not self._is_closing:
                await self._telling.tell(live, PriceSeen(price))

    def _say_once(self, symbol: str, sentence: str) -> None:
        """Say what goes wrong at every look, once."""
        if self._said.get(symbol) != sentence:
            self._said[symbol] = sentence
            self._say(symbol, sentence)

    def _say(self, symbol: str, sentence: str) -> None:
        now_ms = self._parts.clock.now_ms()
        self._parts.tell(Alert(AlertKind.SIGNAL, symbol, sentence, now_ms))


def _expires_ms(signal: Signal) -> int:
    """Return when something of a signal expires; a moment that never comes for what does not."""
    plan = signal.plan
    return plan.expires_ms if plan and plan.legs_in(LegState.WAITING) else _NEVER_MS


def _is_net(signal: Signal) -> bool:
    """Return whether a signal may do nothing but reduce what is held."""
    return signal.plan is not None and signal.plan.is_net


def _is_unchecked(signal: Signal) -> bool:
    """Return whether nobody has looked yet whether the entry of a signal is near the market."""
    return signal.state is SignalState.WAITING and not signal.is_far_checked


def _has_entered(signal: Signal) -> bool:
    """Return whether the slot says something about a signal: no entry of it is undecided."""
    is_asked = any(wish.leg for wish in signal.outbox)
    is_first = signal.state is SignalState.ENTERING
    return bool(signal.entry_keys) and not (is_asked and is_first)
