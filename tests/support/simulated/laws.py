"""What must hold after every event, whatever goes wrong; measured on the truth alone."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from tests.support.simulated.loop import Host, SimulatedLoop
from tests.support.simulated.records import Disk
from tests.support.simulated.remote import Remote, Whose
from tests.support.simulated.venue import Venue
from tests.support.simulated.weather import Weather

from milobot.domain.money import ZERO
from milobot.domain.orders import Fill, Order, OrderPurpose, OrderStatus, OrderUpdate
from milobot.domain.reports import OrderReport, PositionReport

P, S = OrderPurpose, OrderStatus
PROMISE_MS = 2_000
# Two entries that show up late and face each other take a comparison to be told apart.
BROKEN_PROMISE_MS = 15_000
# The truth is looked at this often: what began just after one look is seen at the next.
LOOK_MS = 250
_LOST = frozenset({S.REJECTED, S.EXPIRED})
_AT_WORK = frozenset({S.SUBMITTED, S.TRIGGERED, S.PARTIALLY_FILLED})


@dataclass(slots=True)
class Exposure:
    """How long something of ours has been held without a stop, as far as anybody could act.

    Attributes:
        is_shown: Whether the exchange has shown the fill to the process that leads.
        open_ms: How long it has been open since.
        excused_ms: How much of that faults on the way to the exchange have cost.
        stalled_ms: What the ledger had cost when it began.
        has_lost_stop: Whether a stop came to nothing, which only asking may tell.
        unseen: Stops that came to nothing without anybody having been told.
    """

    is_shown: bool = False
    open_ms: int = 0
    excused_ms: float = 0.0
    stalled_ms: int = 0
    unseen: set[str] = field(default_factory=set)
    has_lost_stop: bool = False

    def restart(self, stalled_ms: int) -> None:
        """Count from now."""
        self.open_ms, self.excused_ms, self.stalled_ms = 0, 0.0, stalled_ms


class Laws:
    """Watches one history.

    Attributes:
        breaches: What was broken, in words, with the time.
        under_way: Requests that have left and not arrived, by our id.
        longest_ms: The longest time that anything was open, faults taken off.
        checks: How often the truth was looked at.
    """

    def __init__(self, loop: SimulatedLoop, venue: Venue, disk: Disk, weather: Weather) -> None:
        """Watch a venue and what is on record."""
        self._loop = loop
        self._venue = venue
        self._disk = disk
        self._weather = weather
        self._entered: dict[str, Decimal] = {}
        self._noted: set[str] = set()
        self._epoch = 0
        self.exposures = {symbol: Exposure() for symbol in venue.symbols}
        self.breaches: list[str] = []
        self.under_way: set[str] = set()
        self.leader: Host | None = None
        self.is_ready = False
        self.longest_ms = 0
        self.checks = 0
        venue.executed = self._executed
        venue.changed = self._changed

    def broken(self, law: str) -> None:
        """Remember a breach."""
        self.breaches.append(f"{self._loop.time():.3f} s: {law}")

    # --- what a process does

    def leads(self, host: Host) -> None:
        """Take note that another process leads; it knows nothing yet."""
        self.leader, self.is_ready = host, False
        for exposure in self.exposures.values():
            exposure.is_shown = False

    def ready(self, host: Host) -> None:
        """Take note that it has compared the account: from now on it can act."""
        if self.leader is not host:
            return
        self.is_ready = True
        for exposure in self.exposures.values():
            exposure.restart(self._disk.stalled_ms)
            exposure.unseen.clear()

    def signed(self, epoch: int, order: Order) -> None:
        """Check an order that is about to leave."""
        self.checks += 1
        name = f"{order.purpose} {order.client_order_id}"
        if epoch < self._epoch:
            self.broken(f"{name}: epoch {epoch} sends while {self._epoch} leads")
        self._epoch = max(self._epoch, epoch)
        if order.purpose is P.ENTRY:
            self._check_entry(name, order)
            return
        if not (order.reduce_only or order.close_position):
            self.broken(f"{name}: an exit that can open something")
        if self._weather.is_broken or self._weather.has_strangers:
            return
        entered = self._entered.get(order.intent_key)
        if entered is not None and order.quantity > entered:
            self.broken(f"{name}: {order.quantity} where at most {entered} was entered")

    def _check_entry(self, name: str, order: Order) -> None:
        if order.client_order_id not in self._disk.first:
            self.broken(f"{name}: sent before it was on record")
        if self._weather.is_broken or self._weather.has_strangers:
            return
        if self._venue.own[order.symbol]:
            self.broken(f"{name}: {self._venue.own[order.symbol]} is held already")
        for other in self._venue.resting(order.symbol):
            if other.whose is Whose.OURS and other.order.purpose is P.ENTRY:
                self.broken(f"{name}: another entry is at work")

    # --- what it is shown

    def shown_update(self, host: Host, update: OrderUpdate) -> None:
        """Take note of news that has reached the process that leads."""
        exposure = self.exposures.get(update.symbol)
        if exposure is None or host is not self.leader:
            return
        if update.status.is_final:
            exposure.unseen.discard(update.client_order_id)
        if not update.fills or exposure.is_shown or not self._venue.own[update.symbol]:
            return
        remote = self._venue.find(update.symbol, update.client_order_id)
        if remote is not None and remote.order.purpose is P.ENTRY:
            exposure.is_shown = True
            exposure.restart(self._disk.stalled_ms)

    def shown_listing(self, host: Host, symbol: str | None, reports: Iterable[OrderReport]) -> None:
        """Take note of a listing: what it lacks does not rest."""
        if host is not self.leader:
            return
        names = {report.client_order_id for report in reports}
        for one in self.exposures if symbol is None else (symbol,):
            self.exposures[one].unseen &= names

    def shown_positions(self, host: Host, reports: Iterable[PositionReport]) -> None:
        """Take note of what a process finds when it starts."""
        if host is not self.leader or self.is_ready:
            return
        for report in reports:
            if self._venue.own[report.symbol]:
                self.exposures[report.symbol].is_shown = True

    def excuse(self, symbol: str, seconds: float) -> None:
        """Take off what a fault on the way costs."""
        self.exposures[symbol].excused_ms += seconds * 1000

    def unanswered(self, seconds: float) -> None:
        """Take off what a question without an answer costs where only asking tells of a loss."""
        for symbol, exposure in self.exposures.items():
            if exposure.has_lost_stop:
                self.excuse(symbol, seconds + 1.2)  # until everything is asked anew

    # --- what is true

    def _executed(self, remote: Remote, fill: Fill, held_before: Decimal) -> None:
        self.checks += 1
        order, symbol = remote.order, fill.symbol
        held = self._venue.held[symbol]
        if remote.whose is not Whose.OURS:
            return
        if order.purpose is not P.ENTRY and remote.status is S.PARTIALLY_FILLED:
            self.excuse(symbol, 0.8)  # the market takes its time with the rest
        if order.purpose is P.ENTRY:
            entered = self._entered.get(order.intent_key, ZERO) + fill.quantity
            self._entered[order.intent_key] = entered
            if entered > order.quantity:
                self.broken(f"the entry of {order.intent_key} was executed twice: {entered}")
        elif held and (held > 0) != (held_before > 0):
            self.broken(f"{order.purpose} {order.client_order_id} turned the position around")

    def _changed(self, symbol: str) -> None:
        exposure = self.exposures[symbol]
        if not self._venue.own[symbol]:
            exposure.is_shown = exposure.has_lost_stop = False
            exposure.restart(self._disk.stalled_ms)
        for remote in self._venue.orders[symbol]:
            if remote.is_stop and remote.status in _LOST and remote.exchange_id not in self._noted:
                self._noted.add(remote.exchange_id)
                exposure.unseen.add(remote.order.client_order_id)
                exposure.has_lost_stop = True

    def is_protected(self, symbol: str) -> bool:
        """Return whether a stop of ours rests, or is at work, for all that is ours."""
        covered = ZERO
        for remote in self._venue.orders[symbol]:
            if remote.is_stop and remote.status in _AT_WORK:
                if remote.order.close_position:
                    return True
                covered += remote.order.quantity - remote.filled
        return covered >= abs(self._venue.own[symbol])

    def look(self, passed_ms: int) -> None:
        """Let time have passed, and check what lies open."""
        self.checks += 1
        is_up = self.is_ready and self.leader is not None and not self.leader.is_stopped
        for symbol, exposure in self.exposures.items():
            if not self._venue.own[symbol] or symbol in self._venue.mixed:
                continue
            if self.is_protected(symbol):
                exposure.unseen.clear()
                exposure.restart(self._disk.stalled_ms)
                continue
            if self._is_unheard_of(symbol):
                exposure.is_shown = False
            if not is_up or self._venue.is_away or not exposure.is_shown or exposure.unseen:
                continue
            exposure.open_ms += passed_ms
            self._judge(symbol, exposure)

    def _is_unheard_of(self, symbol: str) -> bool:
        """Return whether all that is held comes of orders that nothing tells of."""
        silent = sum(
            (r.sign * r.filled for r in self._venue.orders[symbol] if r.is_silent),
            ZERO,
        )
        return (
            silent != 0
            and self._venue.own[symbol] * silent > 0
            and (abs(self._venue.own[symbol]) <= abs(silent))
        )

    def _judge(self, symbol: str, exposure: Exposure) -> None:
        stalled_ms = self._disk.stalled_ms - exposure.stalled_ms
        counted_ms = exposure.open_ms - round(exposure.excused_ms) - stalled_ms
        self.longest_ms = max(self.longest_ms, counted_ms)
        promise_ms = BROKEN_PROMISE_MS if self._weather.is_broken else PROMISE_MS
        if counted_ms > promise_ms + LOOK_MS:
            held = self._venue.own[symbol]
            self.broken(f"{symbol}: {held} open without a stop for {counted_ms} ms")
            exposure.restart(self._disk.stalled_ms)
