"""A desk: an engine on an exchange that says only what the test lets it say."""

from tests.support.exchanges import SilentExchange, fill_news, status_news
from tests.support.trading import SYMBOL, at_price, base, enter_long, intent

from milobot.domain.orders import Order, OrderPurpose, OrderStatus
from milobot.domain.slots import Slot
from milobot.execution.engine import EngineConfig, ExecutionEngine
from milobot.execution.gates import Limits
from milobot.simulation.clock import ReplayClock
from milobot.storage.memory import MemoryJournal

PLAN = enter_long(base("1"), stop=at_price("95"), target=at_price("110"))
P, S = OrderPurpose, OrderStatus


class Desk:
    """An engine on an exchange that says only what the test lets it say."""

    def __init__(
        self, limits: Limits | None = None, exchange: SilentExchange | None = None
    ) -> None:
        """Start flat."""
        self.exchange = exchange or SilentExchange()
        self.journal = MemoryJournal()
        config = EngineConfig(limits=limits or Limits(), patience_s=0.01)
        self.engine = ExecutionEngine(self.exchange, self.journal, ReplayClock(), config)

    @property
    def slot(self) -> Slot:
        """Return the engine's view of the symbol."""
        return self.engine.slot(SYMBOL)

    async def tell(self, order: Order, status: OrderStatus) -> None:
        """Report a status without fills."""
        await self.engine.apply(status_news(order, status))

    async def fill(
        self,
        order: Order,
        quantity: str,
        price: str,
        fill_id: str,
        status: OrderStatus = OrderStatus.FILLED,
    ) -> None:
        """Report a fill."""
        await self.engine.apply(fill_news(order, quantity, price, fill_id=fill_id, status=status))

    async def enter(self) -> Order:
        """Send an entry, of which nothing is heard yet; return it."""
        await self.engine.accept(intent(PLAN))
        return self.exchange.last(P.ENTRY)

    async def opened(self) -> Order:
        """Enter, fill at 100, let both exits rest; return the entry."""
        entry = await self.enter()
        await self.fill(entry, "1", "100", "f1")
        await self.tell(self.exchange.last(P.STOP), S.SUBMITTED)
        await self.tell(self.exchange.last(P.TARGET), S.SUBMITTED)
        return entry
