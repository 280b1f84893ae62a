"""The desk: set-ups traded by the engine over candles, on one simulated account.

What a follower's bot does is done here at the times at which it could be done: a message
counts from the open of the first candle after it. Entries wait in the bot, as live. Within
a candle the order of prices is not known; it is taken as in a back-test, the worst first: an
entry that the market comes back to is reached before the stop behind it, and a target of the
same candle counts only where the candle closes beyond it.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from milobot.domain.intents import Size, SizeKind
from milobot.domain.money import ZERO
from milobot.execution.engine import EngineConfig, ExecutionEngine
from milobot.execution.gates import Limits
from milobot.signals.audit.attempts import Attempt
from milobot.signals.audit.follower import Follower
from milobot.signals.audit.lanes import Lane
from milobot.signals.audit.pieces import extreme, legs_inside, piece, rest
from milobot.signals.audit.setups import ReadMessage
from milobot.signals.audit.tracks import Track
from milobot.signals.life.plans import SignalTerms
from milobot.signals.profile import ChannelProfile
from milobot.simulation.clock import ReplayClock
from milobot.simulation.matching import Bar
from milobot.simulation.venue import SimulatedVenue
from milobot.storage.memory import MemoryJournal

_DAY_MS = 86_400_000
_Due = tuple[int, int, Attempt, ReadMessage | None]


@dataclass(frozen=True, slots=True)
class DeskTerms:
    """On what terms the desk trades.

    Attributes:
        equity: Balance at the start, in USDT.
        risk: Fraction of equity that each set-up loses at its stop.
        fee: Of every fill, as a fraction of its notional.
        slippage: Adverse fraction of the price on every fill.
        limits: Default stop, and whether entries without one are taken.
        signals: How long entries wait, and what else the life cycle goes by.
        profile: Of the channel; its size gives way to ``risk``.
    """

    equity: Decimal = Decimal(10_000)
    risk: Decimal = Decimal("0.01")
    fee: Decimal = Decimal("0.0005")
    slippage: Decimal = ZERO
    limits: Limits = field(default_factory=Limits)
    signals: SignalTerms = field(default_factory=SignalTerms)
    profile: ChannelProfile = field(default_factory=ChannelProfile)

    @property
    def size(self) -> Size:
        """Return the size of every set-up."""
        return Size(SizeKind.RISK, self.risk)


class Desk:
    """Plays attempts to their end.

    Attributes:
        equity: Time and equity at each UTC midnight with a position, and after each candle
            that was played.
    """

    def __init__(
        self, tracks: Mapping[str, Track], terms: DeskTerms, *, skips: bool = True
    ) -> None:
        """Open an account over the candles of some symbols.

        ``skips=False`` also plays candles on which nothing can happen: the result is the same.
        """
        self._skips = skips
        self.equity: list[tuple[int, float]] = []
        self._tracks = tracks
        self._venue = SimulatedVenue(
            wallet=terms.equity,
            taker_fee=terms.fee,
            slippage=terms.slippage,
            rules=lambda symbol: tracks[symbol].rules,
        )
        journal, self._clock = MemoryJournal(), ReplayClock()
        config = EngineConfig(limits=terms.limits)
        self._engine = ExecutionEngine(self._venue, journal, self._clock, config)
        self._follower = Follower(
            self._engine,
            self._venue,
            journal,
            self._clock,
            profile=terms.profile,
            terms=terms.signals,
        )
        self._lanes: dict[str, Lane] = {}

    async def play(
        self, attempts: Iterable[Attempt], progress: Callable[[float], None] | None = None
    ) -> None:
        """Play attempts in order of time; each says afterwards what became of it.

        Args:
            attempts: What is played, on as many symbols as it takes.
            progress: Called now and then with the fraction of them that has begun.
        """
        attempts = tuple(attempts)
        for attempt in sorted(attempts, key=lambda a: (-a.start, -a.time_ms)):
            track = self._tracks[attempt.setup.plan.symbol]
            lane = self._lanes.setdefault(track.symbol, Lane(track, []))
            lane.coming.append(attempt)
        queue = [entry for lane in self._lanes.values() for entry in self._next(lane)]
        heapq.heapify(queue)
        while queue:
            _, symbol, index = heapq.heappop(queue)
            lane = self._lanes[symbol]
            self._mark_days(int(lane.track.candles.time[index]))
            await self._play_candle(lane, index)
            lane.index = index + 1
            self._note(int(lane.track.ends[index]))
            for entry in self._next(lane):
                heapq.heappush(queue, entry)
            if progress is not None:
                left = sum(len(lane.coming) for lane in self._lanes.values())
                progress(1 - left / len(attempts))

    def _next(self, lane: Lane) -> list[tuple[int, str, int]]:
        index = lane.next_index(self._venue.book(lane.symbol), skips=self._skips)
        if index is None:
            return []
        return [(int(lane.track.candles.time[index]), lane.symbol, index)]

    async def _play_candle(self, lane: Lane, index: int) -> None:
        bar, symbol = lane.bar(index), lane.symbol
        if lane.attempts and index > lane.index:
            self._venue.skip_bar(symbol, lane.bar(index - 1))
        self._clock.time_ms = bar.time_ms
        self._venue.open_bar(symbol, bar)
        if (ruin := self._venue.liquidate_at_open(symbol)) is not None:
            await self._follower.apply(lane, ruin)
        await self._engine.look_again(symbol)
        await self._act_on_messages(lane, bar)
        for attempt in [a for a in lane.attempts if a.legs]:
            await self._follower.see_time(lane, attempt)
            await self._follower.see_price(lane, attempt, bar.open)
        is_held = not self._engine.slot(symbol).position.is_flat
        await self._play_inside(lane, bar, is_held=is_held)
        self._venue.close_bar(symbol)
        for attempt in [a for a in lane.attempts if a.is_waiting]:
            for direction in (-1, 1):
                await self._lapse(lane, attempt, extreme(bar, direction))
        if index == lane.track.end_of(index) - 1:
            await self._stop_playing(lane)

    async def _lapse(self, lane: Lane, attempt: Attempt, price: Decimal) -> None:
        """Show an extreme of a candle to an attempt: its legs were looked at before."""
        if attempt.is_waiting:
            await self._follower.see_price(lane, attempt, price)

    async def _act_on_messages(self, lane: Lane, bar: Bar) -> None:
        """Begin what was posted, and carry out what was said, in order of time."""
        due = [*_begun(lane, bar), *_said(lane.attempts, bar.time_ms)]
        for _, _, attempt, change in sorted(due, key=lambda item: item[:2]):
            if change is None:
                await self._follower.begin(lane, attempt, bar.open)
            elif attempt.is_live:
                await self._follower.say(lane, attempt, change)

    async def _play_inside(self, lane: Lane, bar: Bar, *, is_held: bool) -> None:
        """Play a candle piece by piece, cut where a leg enters inside it."""
        place, left = bar.open, bar
        for attempt, leg in legs_inside(lane.attempts, bar):
            if leg not in attempt.legs or leg.price is None:
                continue
            await self._drain(lane, piece(bar, place, leg.price))
            if leg not in attempt.legs:
                continue
            place, sign = leg.price, attempt.setup.plan.side.sign
            left = rest(bar, place, leg, sign, is_held=is_held)
            self._venue.open_bar(lane.symbol, left)
            await self._follower.see_price(lane, attempt, place)
        await self._drain(lane, left)

    async def _drain(self, lane: Lane, bar: Bar) -> None:
        """Play a piece of a candle to its end."""
        self._venue.open_bar(lane.symbol, bar)
        while (update := self._venue.next_update(lane.symbol)) is not None:
            await self._follower.apply(lane, update)

    async def _stop_playing(self, lane: Lane) -> None:
        """End everything where the candles end."""
        await self._engine.close_position(lane.symbol, "end_of_data")
        await self._follower.look(lane)
        for attempt in lane.attempts:
            attempt.is_cut_off = attempt.is_live

    def _mark_days(self, until_ms: int) -> None:
        """Note the equity at each midnight at which something is held."""
        if not self.equity or not any(lane.holder for lane in self._lanes.values()):
            return
        midnight = (int(self.equity[-1][0]) // _DAY_MS + 1) * _DAY_MS
        while midnight < until_ms:
            for lane in self._lanes.values():
                index = lane.last_ended(midnight)
                if lane.holder is not None and index >= lane.index:
                    self._venue.skip_bar(lane.symbol, lane.bar(index))
            self._note(midnight)
            midnight += _DAY_MS

    def _note(self, time_ms: int) -> None:
        books = (self._venue.book(symbol) for symbol in self._lanes)
        equity = self._venue.wallet + sum((b.unrealized_pnl for b in books), ZERO)
        self.equity.append((time_ms, float(equity)))


def _begun(lane: Lane, bar: Bar) -> Iterator[_Due]:
    """Take in the attempts that a follower can act on from this candle on."""
    while lane.coming and lane.track.candles.time[lane.coming[-1].start] <= bar.time_ms:
        begun = lane.coming.pop()
        lane.attempts.append(begun)
        yield begun.time_ms, begun.setup.message.number, begun, None


def _said(attempts: Iterable[Attempt], now_ms: int) -> Iterator[_Due]:
    """Yield the messages about attempts that have been posted by now."""
    for attempt in attempts:
        while (change := attempt.pending) is not None:
            time_ms = change.message.time_ms or 0
            if time_ms > now_ms:
                break
            attempt.next_change += 1
            if time_ms >= attempt.time_ms:  # what was said before it cannot mean it
                yield time_ms, change.message.number, attempt, change
