"""Exits that count as resting, asked for one by one: a listing may be older than what was told."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal

from milobot.domain.money import ZERO
from milobot.domain.orders import OrderPurpose, OrderStatus, OrderUpdate
from milobot.domain.slots import Slot
from milobot.errors import AuthenticationError, ExchangeError
from milobot.execution.doubt import lost_with_its_trigger
from milobot.execution.engine import ExecutionEngine
from milobot.execution.inquiry import askable
from milobot.ports import Clock, ExchangeAccount

Heard = Callable[[OrderUpdate], Awaitable[None]]
Sleep = Callable[[float], Awaitable[None]]

_TIMES = 4


def misses_a_stop(slot: Slot, listed: frozenset[str]) -> bool:
    """Return whether a stop that counts as resting was not listed when all was compared.

    Args:
        slot: The slot.
        listed: Client and exchange order ids of all that was listed.
    """
    return bool(slot.held) and any(
        order.status is OrderStatus.SUBMITTED
        and not {order.client_order_id, order.exchange_order_id} & listed
        for order in slot.live(OrderPurpose.STOP)
    )


@dataclass(frozen=True, slots=True)
class StopCheck:
    """Asks an exchange for the exits of an account, each by itself.

    Attributes:
        heard: Takes what is told of them.
        pause_s: Between one round and the next.
    """

    engine: ExecutionEngine
    account: ExchangeAccount
    clock: Clock
    sleep: Sleep
    heard: Heard
    pause_s: float
    _counted: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)

    def is_to_ask(self, slot: Slot) -> bool:
        """Return, once each time, whether an entry and an exit may have filled the other way round.

        An exchange ends the stop that closes everything when nothing is left to close. Where a
        target takes all that is open just before an entry fills on, the stop is gone, in our
        books something was open all the time, and nobody may have heard of it.
        """
        tally = slot.tally
        now = (tally.entry_quantity, tally.exit_quantity) if tally else (ZERO, ZERO)
        before = self._counted.get(slot.symbol, now)
        self._counted[slot.symbol] = now
        has_entry = now[0] != before[0] or bool(slot.live(OrderPurpose.ENTRY))
        return now != before and now[1] > 0 and has_entry and bool(slot.held)

    async def once(self, symbol: str = "") -> None:
        """Ask for each stop that counts as resting, of one symbol or of all.

        Where one is not found nothing follows: the answer may be older than the stop.

        Raises:
            ExchangeError: The exchange could not be asked.
        """
        slots = [slot for slot, _ in self.engine.slots() if symbol in {"", slot.symbol}]
        stops = [order for slot in slots for order in slot.live(OrderPurpose.STOP)]
        for order in (o for o in stops if o.status is OrderStatus.SUBMITTED):
            update = await self.account.fetch_update(order)
            if update is not None:
                await self.heard(update)

    async def twice(self, symbol: str) -> None:
        """Ask for the stops of a symbol now and once more soon: one answer may be an old one.

        Raises:
            ExchangeError: The exchange could not be asked.
        """
        await self.once(symbol)
        await self.sleep(self.pause_s)
        await self.once(symbol)

    async def verify(self, symbol: str) -> None:
        """Ask for each exit of a symbol a few times; of every symbol where none is named.

        One that is not known twice has ended with its trigger.

        Raises:
            AuthenticationError: The exchange refuses the key.
        """
        missed: set[str] = set()
        for _ in range(_TIMES):
            slots = [slot for slot, _ in self.engine.slots() if symbol in {"", slot.symbol}]
            for order in (o for slot in slots for o in askable(slot) if o.type.is_conditional):
                try:
                    update = await self.account.fetch_update(order)
                except AuthenticationError:
                    raise
                except ExchangeError:
                    continue  # asked again below
                if update is None and order.client_order_id in missed:
                    update = lost_with_its_trigger(order, self.clock.now_ms())
                elif update is None:  # one answer may be older than the order
                    missed.add(order.client_order_id)
                if update is not None:
                    await self.heard(update)
            await self.sleep(self.pause_s)
