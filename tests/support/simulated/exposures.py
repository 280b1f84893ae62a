"""Protected or flat: how long something has lain open of what the leading process was shown.

Time is taken to the millisecond, at every event that changes anything. It runs while all of
this is so: something of ours is held; the fills that were shown tell of a position in that
direction; no stop rests for as much as they tell of; the process that leads has compared the
account since it took the lead, and is not frozen; the exchange can be reached; and nothing
that went wrong on the way holds up just that exit.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from tests.support.simulated.loop import Host, SimulatedLoop
from tests.support.simulated.records import Disk
from tests.support.simulated.remote import Remote, Whose
from tests.support.simulated.venue import Venue

from milobot.domain.money import ZERO
from milobot.domain.orders import Fill, OrderPurpose, OrderStatus, OrderUpdate
from milobot.domain.reports import AccountNews, NewsKind, OrderReport

P, S = OrderPurpose, OrderStatus
PROMISE_MS = 2_000
# Longer than this a fault holds up nothing: an exit without an answer is to be sent again, and
# a ledger that does not answer is not to be waited for.
UNANSWERED_S = 0.8
UNRECORDED_S = 0.5
# A stop that has ended otherwise than by our own cancel guards nothing any more.
_ENDED = frozenset({S.REJECTED, S.EXPIRED, S.FILLED})
_AT_WORK = frozenset({S.SUBMITTED, S.TRIGGERED, S.PARTIALLY_FILLED})


@dataclass(slots=True)
class Exposure:
    """What of ours is held in one symbol, what was shown of it, and how long it has lain open.

    Attributes:
        fills: Signed quantities of our fills since nothing of ours was held, by id.
        shown: Ids of the fills that the process that leads was shown, in whatever way.
        named: Ids of those that it was told with their order, so that nothing is left to ask.
        unseen: Intents of the stops that have ended, by our id of the stop, for as long as
            nobody was told.
        told: Our ids of the stops of which it was told that they have ended.
        has_lost_stop: Whether only asking tells what has come of a stop.
        is_late: Whether a fill showed up only after its order had been given up.
        held_up: Until when each fault holds up an exit, in seconds.
        unanswered_s: Until when a question waits in vain.
        is_open: Whether time has run since it was last looked at.
        open_s: How much of it has passed.
    """

    fills: dict[str, Decimal] = field(default_factory=dict)
    shown: set[str] = field(default_factory=set)
    named: set[str] = field(default_factory=set)
    unseen: dict[str, str] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    has_lost_stop: bool = False
    is_late: bool = False
    held_up: dict[object, float] = field(default_factory=dict)
    unanswered_s: float = 0.0
    is_open: bool = False
    open_s: float = 0.0

    @property
    def has_to_ask(self) -> bool:
        """Return whether only an answer tells what a stop came to, or whose a fill is."""
        return self.has_lost_stop or not self.shown.isdisjoint(self.fills.keys() - self.named)

    @property
    def known(self) -> Decimal:
        """Return what is held by what was shown, negative when short."""
        return sum((q for name, q in self.fills.items() if name in self.shown), ZERO)


class Exposures:
    """Watches every symbol of a history.

    Attributes:
        leader: The process that leads the account.
        is_ready: Whether it has compared the account since.
        longest_ms: The longest time that anything lay open.
    """

    def __init__(self, loop: SimulatedLoop, venue: Venue, disk: Disk) -> None:
        """Watch a venue and what is on record."""
        self._loop = loop
        self._venue = venue
        self._disk = disk
        self._of = {symbol: Exposure() for symbol in venue.symbols}
        self._stops: dict[str, list[Remote]] = {symbol: [] for symbol in venue.symbols}
        self._counted = dict.fromkeys(venue.symbols, 0)
        self._looked_s = 0.0
        self.leader: Host | None = None
        self.is_ready = False
        self.longest_ms = 0
        self.too_long: list[str] = []
        disk.held_up = self.ledger_stalls

    # --- who leads

    def leads(self, host: Host) -> None:
        """Take note that another process leads: it knows what is on record, and nothing else."""
        self.look()
        self.leader, self.is_ready = host, False
        for symbol, exposure in self._of.items():
            exposure.shown = {name for name in exposure.fills if (symbol, name) in self._disk.fills}
            exposure.named = set(exposure.shown)
            alive = {name for name, order in self._disk.orders.items() if order.is_live}
            lost = self._ended_stops(symbol)
            exposure.unseen = {name: of for name, of in lost.items() if name in alive}
        self.look()

    def ready(self, host: Host) -> None:
        """Take note that it has compared the account: from now on it can act."""
        if self.leader is not host:
            return
        self.look()
        self.is_ready = True
        for exposure in self._of.values():
            exposure.open_s = 0.0
        self.look()

    # --- what it is shown

    def shown_update(self, host: Host, update: OrderUpdate) -> None:
        """Take note of news of an order, whether told or asked for."""
        exposure = self._of.get(update.symbol)
        if exposure is None or host is not self.leader:
            return
        self.look()
        name = update.client_order_id
        told = {fill.fill_id for fill in update.fills}
        exposure.shown |= told
        exposure.named |= told
        if update.status.is_final:
            exposure.told.add(name)
            exposure.unseen.pop(name, None)
        elif name not in exposure.told and name in (lost := self._ended_stops(update.symbol)):
            exposure.unseen[name] = lost[name]  # it was not listed, and is said to be there now
        self.look()

    def shown_fills(self, host: Host, fills: Iterable[Fill]) -> None:
        """Take note of executions: of a listing, or behind a position that is shown."""
        if host is not self.leader:
            return
        self.look()
        for fill in fills:
            self._of[fill.symbol].shown.add(fill.fill_id)
        self.look()

    def shown_news(self, host: Host, news: AccountNews) -> None:
        """Take note of news of the account: of a position, or of a trigger that came to nothing."""
        if host is not self.leader or news.symbol not in self._of:
            return
        if news.kind is NewsKind.POSITION:
            found = self._venue.fills[news.symbol]
            told = (f for f, r in found if f.time_ms <= news.time_ms and not r.is_silent)
            self.shown_fills(host, told)
        elif news.kind is NewsKind.TRIGGER_REJECTED:
            self.look()
            remote = self._venue.find(news.symbol, news.exchange_order_id)
            if remote is not None:
                self._of[news.symbol].unseen.pop(remote.order.client_order_id, None)
            self.look()

    def shown_listing(self, host: Host, symbol: str | None, reports: Iterable[OrderReport]) -> None:
        """Take note of what rests: what a listing lacks does not."""
        if host is not self.leader:
            return
        self.look()
        names = {report.client_order_id for report in reports}
        for one in self._of if symbol is None else (symbol,):
            unseen = self._of[one].unseen
            for name in unseen.keys() - names:
                del unseen[name]
        self.look()

    # --- what holds it up

    def hold_up(self, symbol: str, cause: object, seconds: float) -> None:
        """Let time stand still in a symbol from now on, until ``go_on``, but not for longer."""
        self.look()
        self._of[symbol].held_up[cause] = self._loop.time() + seconds
        self.look()

    def go_on(self, symbol: str, cause: object = None) -> None:
        """End what holds up an exit: one cause, or whatever it is when none is named."""
        self.look()
        held_up = self._of[symbol].held_up
        if cause is None:
            held_up.clear()
        else:
            held_up.pop(cause, None)
        self.look()

    def unanswered(self, seconds: float, about: str) -> None:
        """Take note of a question without an answer: who depends on it waits that long."""
        for symbol, exposure in self._of.items():
            if exposure.has_to_ask or symbol == about:
                self.look()
                exposure.unanswered_s = max(exposure.unanswered_s, self._loop.time() + seconds)

    def ledger_stalls(self, seconds: float) -> None:
        """Take note that a record takes its time."""
        for symbol in self._of:
            self.hold_up(symbol, object(), min(seconds, UNRECORDED_S))

    # --- what is true

    def executed(self, remote: Remote, fill: Fill) -> None:
        """Take note of an execution of ours."""
        exposure = self._of[fill.symbol]
        exposure.fills[fill.fill_id] = remote.sign * fill.quantity
        exposure.is_late |= remote.is_late
        if remote.order.purpose is P.ENTRY:
            key = remote.order.intent_key
            for name in [name for name, of in exposure.unseen.items() if of not in {key, ""}]:
                del exposure.unseen[name]  # a stop of another position guards nothing here

    def changed(self, symbol: str) -> None:
        """Take note that something is different at the exchange."""
        exposure = self._of[symbol]
        if not self._venue.own[symbol]:
            exposure.fills.clear()
            exposure.shown.clear()
            exposure.named.clear()
            exposure.has_lost_stop = exposure.is_late = False
        orders, stops = self._venue.orders[symbol], self._stops[symbol]
        stops += (remote for remote in orders[self._counted[symbol] :] if remote.is_stop)
        self._counted[symbol] = len(orders)
        for remote in [remote for remote in stops if remote.status not in _AT_WORK]:
            stops.remove(remote)
            if remote.status in _ENDED:
                exposure.unseen[remote.order.client_order_id] = remote.order.intent_key
                exposure.has_lost_stop = True
        self.look()

    def look(self) -> None:
        """Let time have passed, and judge what lies open."""
        now_s = self._loop.time()
        for symbol, exposure in self._of.items():
            if exposure.is_open:
                self._pass(symbol, exposure, now_s)
            for cause in [c for c, until_s in exposure.held_up.items() if until_s <= now_s]:
                del exposure.held_up[cause]
            exposure.is_open = self._is_open(symbol, exposure)
        self._looked_s = now_s

    def _pass(self, symbol: str, exposure: Exposure, now_s: float) -> None:
        lost_until_s = max(exposure.unanswered_s, *exposure.held_up.values(), 0.0)
        exposure.open_s += max(0.0, now_s - max(self._looked_s, lost_until_s))
        open_ms = round(exposure.open_s * 1000)
        self.longest_ms = max(self.longest_ms, open_ms)
        if open_ms > PROMISE_MS:
            held, shown = self._venue.own[symbol], exposure.known
            self.too_long.append(f"{symbol}: {held} open ({shown} shown) for {open_ms} ms")
            exposure.open_s = 0.0

    def _is_open(self, symbol: str, exposure: Exposure) -> bool:
        own = self._venue.own[symbol]
        if not own:
            exposure.open_s = 0.0
            return False
        covered, known = self._covered(symbol), exposure.known
        if covered >= abs(own):
            exposure.unseen.clear()
        if covered >= min(abs(own), abs(known)):
            exposure.open_s = 0.0
            return False
        can_act = self.is_ready and self.leader is not None and not self.leader.is_stopped
        if not can_act or self._venue.is_away or symbol in self._venue.mixed or exposure.unseen:
            return False
        if exposure.is_late and self._disk.is_away:
            return False  # what was given up is on record only: nobody can say whose it is
        return known * own > 0 and not self._is_being_closed(symbol)

    def is_protected(self, symbol: str) -> bool:
        """Return whether a stop of ours rests, or is at work, for all that is ours."""
        return self._covered(symbol) >= abs(self._venue.own[symbol])

    def _covered(self, symbol: str) -> Decimal:
        covered = ZERO
        for remote in self._stops[symbol]:
            if remote.order.close_position:
                return abs(self._venue.held[symbol])
            covered += remote.order.quantity - remote.filled
        return covered

    def _is_being_closed(self, symbol: str) -> bool:
        """Return whether the market takes its time with the rest of an exit that it has begun."""
        return any(
            remote.status is S.PARTIALLY_FILLED
            and remote.whose is Whose.OURS
            and remote.order.purpose is P.CLOSE
            for remote in self._venue.orders[symbol]
        )

    def _ended_stops(self, symbol: str) -> dict[str, str]:
        """Return the intents of stops that have ended, by our id of the stop."""
        return {
            remote.order.client_order_id: remote.order.intent_key
            for remote in self._venue.orders[symbol]
            if remote.is_stop and remote.status in _ENDED
        }
