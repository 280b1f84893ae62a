"""An account as the page looks at it: held in memory, and counting what it is asked."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from tests.support.charts import random_candles
from tests.support.records import SLOT
from tests.support.trading import dec
from tests.support.virtual_time import VirtualTime

from milobot.domain.intents import PositionSide
from milobot.domain.market import CandleSeries
from milobot.domain.orders import Order, OrderPurpose, OrderStatus, OrderType
from milobot.domain.positions import Position
from milobot.domain.reports import BookTicker, MarkPrice
from milobot.domain.slots import PositionState, Slot, Tally, position_state
from milobot.domain.timeframes import Timeframe
from milobot.errors import ExchangeError
from milobot.exchanges.price_board import Quote
from milobot.exchanges.times import ExchangeClock
from milobot.ports import Account

MINUTE_MS = 60_000


def slot_of(
    symbol: str, *, entered_ms: int = 1, is_covered: bool = True, price: str = "100"
) -> Slot:
    """Return a slot that is long one unit, with a stop that rests or none."""
    stop = Order(
        f"stop-{symbol}", "k", symbol, PositionSide.LONG.exit, OrderType.STOP_MARKET,
        OrderPurpose.STOP, dec("1"), 0, status=OrderStatus.SUBMITTED, close_position=True,
    )  # fmt: skip
    return replace(
        SLOT,
        symbol=symbol,
        position=Position(symbol, PositionSide.LONG, dec("1"), dec(price)),
        owner="http:default",
        orders=(stop,) if is_covered else (),
        stop=dec("95") if is_covered else None,
        tally=Tally(Position(symbol), entry_time_ms=entered_ms),
        blocked="",
        seen=dec("0"),
        early=(),
    )


class ShownMarket:
    """Candles of a random walk, and one mark price.

    Attributes:
        asked: Symbols whose candles or price were asked for, by kind.
        now_ms: Minutes that have closed by then are there.
        failure: What every question raises; None for none.
    """

    def __init__(self, now_ms: int) -> None:
        """Be at ``now_ms``."""
        self.asked: list[tuple[str, str]] = []
        self.now_ms = now_ms
        self.mark = Decimal(110)
        self.failure: ExchangeError | None = None

    @property
    def count(self) -> Counter[str]:
        """Return how often each kind of question was asked."""
        return Counter(kind for kind, _ in self.asked)

    async def fetch_candles(
        self, symbol: str, timeframe: Timeframe, *, first_ms: int | None, limit: int
    ) -> CandleSeries:
        """Return closed minutes, the latest ``limit`` of them or those from ``first_ms`` on."""
        self._ask("candles", symbol)
        end_ms = timeframe.open_of(self.now_ms)
        start_ms = end_ms - limit * MINUTE_MS if first_ms is None else first_ms
        count = min(limit, (end_ms - start_ms) // MINUTE_MS)
        if count <= 0:
            return CandleSeries.empty()
        shape = random_candles(count, seed=len(symbol), price=100.0)
        times = [start_ms + at * MINUTE_MS for at in range(count)]
        columns = (shape.open, shape.high, shape.low, shape.close, shape.volume)
        return CandleSeries(shape.time - shape.time[0] + times[0], *columns)

    async def fetch_mark_price(self, symbol: str) -> MarkPrice:
        """Return the mark price."""
        self._ask("mark", symbol)
        return MarkPrice(symbol, self.mark, self.mark, Decimal(0), 0, self.now_ms)

    def _ask(self, kind: str, symbol: str) -> None:
        self.asked.append((kind, symbol))
        if self.failure is not None:
            raise self.failure


class Shown:
    """An account that is traded.

    Attributes:
        held: What it holds, by symbol.
        quotes: What the price stream has told.
        failure: What asking for the balances raises; None for none.
    """

    def __init__(self, *slots: Slot, name: str = "bingx:default") -> None:
        """Hold ``slots``."""
        self.time = VirtualTime()
        self.name = name
        self.market = ShownMarket(self.time.now_ms())
        self.clock = ExchangeClock(self.time)
        self.held = {slot.symbol: slot for slot in slots}
        self.quotes: dict[str, Quote] = {}
        self.failure: ExchangeError | None = None

    @property
    def engine(self) -> "Shown":
        """Return what tells the positions."""
        return self

    @property
    def view(self) -> "Shown":
        """Return what tells the balances."""
        return self

    def hold(self, slot: Slot) -> None:
        """Hold something else in a symbol."""
        self.held[slot.symbol] = slot

    def step(self, ms: int) -> None:
        """Let time pass."""
        self.time.step(ms)
        self.market.now_ms = self.time.now_ms()

    def tell(self, symbol: str, price: str, *, age_ms: int = 0) -> None:
        """Let the price stream tell a price."""
        book = BookTicker(symbol, dec(price), dec("1"), dec(price), dec("1"), 0)
        self.quotes[symbol] = Quote(book, age_ms)

    def slots(self) -> Iterator[tuple[Slot, PositionState]]:
        """Yield every slot with how safe it is."""
        for slot in self.held.values():
            yield slot, position_state(slot)

    async def fetch_account(self) -> Account:
        """Return the balances."""
        if self.failure is not None:
            raise self.failure
        return Account(dec("10000"), dec("9000"), dec("10"), dec("0.0005"))

    def quote(self, symbol: str) -> Quote | None:
        """Return what the price stream has told."""
        return self.quotes.get(symbol)
