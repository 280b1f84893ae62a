"""What must hold after every event, whatever goes wrong; measured on the truth alone."""

from decimal import Decimal

from tests.support.simulated.exposures import Exposures
from tests.support.simulated.loop import SimulatedLoop
from tests.support.simulated.records import Disk
from tests.support.simulated.remote import Remote, Whose
from tests.support.simulated.venue import Venue
from tests.support.simulated.weather import Weather

from milobot.domain.intents import Enter, Reduce, Side, TradeIntent
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
        self._of_plan: dict[str, Decimal] = {}
        self._reductions: dict[str, tuple[Decimal, Decimal]] = {}
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
        if order.purpose is P.REDUCE:
            self._check_reduction(name, order)
        if order.symbol in self._venue.late or self._weather.has_strangers:
            return
        entered = self._of_plan.get(order.intent_key)
        if entered is not None and order.quantity > entered:
            self.broken(f"{name}: {order.quantity} where at most {entered} was entered")

    def _check_entry(self, name: str, order: Order) -> None:
        if order.client_order_id not in self._disk.first:
            self.broken(f"{name}: sent before it was on record")
        if order.symbol in self._venue.late or self._weather.has_strangers:
            return
        own, intent = self._venue.own[order.symbol], self._disk.intents.get(order.intent_key)
        is_addition = intent is not None and _plan_of(intent) != intent.key
        if own and not (is_addition and (own > 0) == (order.side is Side.BUY)):
            self.broken(f"{name}: {own} is held already")
        for other in self._venue.resting(order.symbol):
            if other.whose is Whose.OURS and other.order.purpose is P.ENTRY:
                self.broken(f"{name}: another entry is at work")

    def _check_reduction(self, name: str, order: Order) -> None:
        """Check that a reduction leaves once, on record, and for no more than was asked for."""
        if order.client_order_id not in self._disk.first:
            self.broken(f"{name}: sent before it was on record")
        intent = self._disk.intents.get(order.intent_key)
        if order.intent_key in self._reductions or intent is None:
            self.broken(f"{name}: {order.intent_key} reduces twice, or was never asked for")
            return
        self._reductions[order.intent_key] = order.quantity, ZERO
        asked = _asked(intent)
        if asked is not None and order.quantity > asked:
            self.broken(f"{name}: {order.quantity} where {asked} was to be taken off")

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
            intent = self._disk.intents.get(order.intent_key)
            plan = order.intent_key if intent is None else _plan_of(intent)
            self._of_plan[plan] = self._of_plan.get(plan, ZERO) + fill.quantity
        elif held and (held > 0) != (held_before > 0):
            self.broken(f"{order.purpose} {order.client_order_id} turned the position around")

        elif order.purpose is P.REDUCE:
            self._took_off(order, fill.quantity)

    def _took_off(self, order: Order, quantity: Decimal) -> None:
        asked, before = self._reductions.get(order.intent_key, (ZERO, ZERO))
        self._reductions[order.intent_key] = asked, before + quantity
        if before + quantity > asked:
            self.broken(f"{order.intent_key} took {before + quantity} off instead of {asked}")

    def look(self) -> None:
        """Let time have passed, and check what lies open."""
        self.checks += 1
        self.exposures.look()
        for law in self.exposures.too_long:
            self.broken(law)
        self.exposures.too_long.clear()


def _plan_of(intent: TradeIntent) -> str:
    """Return the key of the intent whose position an entry opens or enlarges."""
    adds_to = intent.action.adds_to if isinstance(intent.action, Enter) else ""
    return adds_to or intent.key


def _asked(intent: TradeIntent) -> Decimal | None:
    """Return how much an intent names that is to be taken off; None for a share."""
    action = intent.action
    if isinstance(action, Reduce):
        return action.quantity
    return action.size.value if isinstance(action, Enter) else None
