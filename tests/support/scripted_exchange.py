"""An exchange that answers the next orders of a purpose as a test has written down."""

from dataclasses import dataclass, field, replace
from decimal import Decimal

from tests.support.exchanges import RefusingExchange, status_news
from tests.support.trading import SYMBOL, Stage, at_price, base, candle, enter_long, intent, rules

from milobot.domain.intents import Enter
from milobot.domain.market import SymbolRules
from milobot.domain.orders import Order, OrderPurpose, OrderStatus, OrderUpdate, Refusal
from milobot.errors import ExchangeUnavailableError
from milobot.ports import Exchange

PLAN = enter_long(base("1"), stop=at_price("95"), target=at_price("110"))
QUIET = candle(100, 101, 99, 100)
LOOK_MS = 250


@dataclass(frozen=True)
class Says:
    """One answer instead of the exchange's own.

    Attributes:
        is_done: Whether the exchange carries the order out all the same, unheard.
    """

    status: OrderStatus
    refusal: Refusal | None = None
    is_done: bool = False


def refuses(refusal: Refusal) -> Says:
    """Return the answer of an exchange that says why not."""
    return Says(OrderStatus.REJECTED, refusal)


LOST = Says(OrderStatus.UNKNOWN, Refusal.UNAVAILABLE)
ARRIVED_UNHEARD = Says(OrderStatus.UNKNOWN, Refusal.UNAVAILABLE, is_done=True)


@dataclass
class Script:
    """What is answered to the next orders, by purpose; what is not written down is passed on.

    Attributes:
        placed: Every order that was asked for, in order.
        has_price: Whether the exchange says where the market is.
    """

    answers: dict[OrderPurpose, list[Says]] = field(default_factory=dict)
    placed: list[Order] = field(default_factory=list)
    has_price: bool = True

    def say(self, purpose: OrderPurpose, *answers: Says) -> None:
        """Answer the next orders of a purpose so."""
        self.answers.setdefault(purpose, []).extend(answers)

    def next(self, order: Order) -> Says | None:
        """Return the answer to an order; None when the exchange itself answers."""
        self.placed.append(order)
        waiting = self.answers.get(order.purpose)
        return waiting.pop(0) if waiting else None

    def of(self, purpose: OrderPurpose) -> list[Order]:
        """Return the orders of a purpose that were asked for."""
        return [o for o in self.placed if o.purpose is purpose]


class ScriptedExchange(RefusingExchange):
    """Stands before another exchange and speaks in its place."""

    def __init__(self, inner: Exchange, script: Script) -> None:
        """Answer from a script."""
        super().__init__(inner, {})
        self.script = script
        self.inner = inner

    async def fetch_last_price(self, symbol: str) -> Decimal:
        """Say it, or be away."""
        if not self.script.has_price:
            raise ExchangeUnavailableError("the exchange cannot be reached")
        return await self.inner.fetch_last_price(symbol)

    async def place_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Answer as written down."""
        said = self.script.next(order)
        if said is None:
            return await self.inner.place_order(order)
        if said.is_done:
            await self.inner.place_order(order)
        return (replace(status_news(order, said.status, "as written"), refusal=said.refusal),)


class Scene:
    """A stage with a script before its venue, and time that passes between looks."""

    def __init__(self, symbol_rules: SymbolRules | None = None) -> None:
        """Open an account."""
        self.script = Script()
        self.stage = Stage(
            symbol_rules=symbol_rules or rules(),
            exchange=lambda venue: ScriptedExchange(venue, self.script),
        )

    async def enter(self, plan: Enter = PLAN) -> None:
        """Enter at 100 and let the candle go on."""
        self.stage.open(QUIET)
        await self.stage.engine.accept(intent(plan))

    async def look(self, times: int = 1) -> None:
        """Let time pass, and look again as a trader does."""
        for _ in range(times):
            self.stage.clock.time_ms += LOOK_MS
            await self.stage.engine.look_again(SYMBOL)
