"""What must hold after every event, whatever goes wrong; measured on the truth alone."""

from decimal import Decimal

from tests.support.simulated.exposures import Exposures
from tests.support.simulated.loop import SimulatedLoop
from tests.support.simulated.records import Disk
from tests.support.simulated.remote import Remote, Whose
from tests.support.simulated.venue import Venue
from tests.support.simulated.weather import Weather

from milobot.domain.money import ZERO
from milobot.domain.orders import Fill, Order, OrderPurpose

P = OrderPurpose
# Orders that make a position safe: what holds them up is what a position waits for.
_SAVING = frozenset({P.STOP, P.CLOSE})


class Laws:
    """Watches one history.

    Attributes:
        breaches: What was broken, in words, with the time.
        exposures: How long what lies open has lain open.
        checks: How often the truth was looked at.
    """

    def __init__(self, loop: SimulatedLoop, venue: Venue, disk: Disk, weather: Weather) -> None:
        """Watch a venue and what is on record."""
        self._loop = loop
        self._venue = venue
        self._disk = disk
        self._weather = weather
        self._entered: dict[str, Decimal] = {}
        self._epoch = 0
        self.exposures = Exposures(loop, venue, disk)
        self.breaches: list[str] = []
        self.checks = 0
        venue.executed = self._executed
        venue.changed = self.exposures.changed

    def broken(self, law: str) -> None:
        """Remember a breach."""
        self.breaches.append(f"{self._loop.time():.3f} s: {law}")

    # --- what a process does

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
        if order.purpose in _SAVING:
            self.exposures.go_on(order.symbol)
        if order.symbol in self._venue.late or self._weather.has_strangers:
            return
        entered = self._entered.get(order.intent_key)
        if entered is not None and order.quantity > entered:
            self.broken(f"{name}: {order.quantity} where at most {entered} was entered")

    def _check_entry(self, name: str, order: Order) -> None:
        if order.client_order_id not in self._disk.first:
            self.broken(f"{name}: sent before it was on record")
        if order.symbol in self._venue.late or self._weather.has_strangers:
            return
        if self._venue.own[order.symbol]:
            self.broken(f"{name}: {self._venue.own[order.symbol]} is held already")
        for other in self._venue.resting(order.symbol):
            if other.whose is Whose.OURS and other.order.purpose is P.ENTRY:
                self.broken(f"{name}: another entry is at work")

    # --- what is true

    def _executed(self, remote: Remote, fill: Fill, held_before: Decimal) -> None:
        self.checks += 1
        order, symbol = remote.order, fill.symbol
        held = self._venue.held[symbol]
        if remote.whose is not Whose.OURS:
            return
        self.exposures.executed(remote, fill)
        if order.purpose is P.ENTRY:
            entered = self._entered.get(order.intent_key, ZERO) + fill.quantity
            self._entered[order.intent_key] = entered
            if entered > order.quantity:
                self.broken(f"the entry of {order.intent_key} was executed twice: {entered}")
        elif held and (held > 0) != (held_before > 0):
            self.broken(f"{order.purpose} {order.client_order_id} turned the position around")

    def look(self) -> None:
        """Let time have passed, and check what lies open."""
        self.checks += 1
        self.exposures.look()
        for law in self.exposures.too_long:
            self.broken(law)
        self.exposures.too_long.clear()
