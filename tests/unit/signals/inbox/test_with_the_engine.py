"""Signals on the engine itself, over a simulated venue and the ledger's own records."""

from dataclasses import dataclass

from tests.support.signal_desk import ACCOUNT, SignalDesk
from tests.support.trading import SYMBOL, candle, dec, rules
from tests.support.virtual_time import VirtualTime

from milobot.domain.decisions import Decision
from milobot.domain.intents import TradeIntent
from milobot.domain.orders import OrderPurpose
from milobot.execution.engine import EngineConfig, ExecutionEngine
from milobot.execution.gates import Limits
from milobot.signals.door import SignalState
from milobot.signals.inbox.account_trades import AccountTrades
from milobot.simulation.matching import Bar
from milobot.simulation.venue import SimulatedVenue
from milobot.storage.ledger import Ledger

MARKET = "Long BTCUSDT now SL 95 TP 105 110"


@dataclass
class Floor:
    """A venue with the engine of one account, whose journal is a ledger."""

    ledger: Ledger
    time: VirtualTime

    def __post_init__(self) -> None:
        """Open the account at a price of 100."""
        self.venue = SimulatedVenue(
            wallet=dec(10_000), taker_fee=dec(0), slippage=dec(0), rules=lambda _: rules()
        )
        self.engine = ExecutionEngine(
            self.venue,
            self.ledger.journal(ACCOUNT),
            self.time,
            EngineConfig(account=ACCOUNT, limits=Limits()),
        )
        self.move(100, 100)

    @property
    def is_ready(self) -> bool:
        """Return that the account is known."""
        return True

    async def submit(self, intent: TradeIntent) -> Decision:
        """Let the engine decide."""
        return await self.engine.accept(intent)

    def move(self, low: float, high: float, start: float = 100) -> None:
        """Let the price begin somewhere and go to both ends."""
        bar = Bar.from_candle(candle(start, high, low, start)._replace(time=self.time.now_ms()))
        self.venue.open_bar(SYMBOL, bar)

    async def play(self) -> None:
        """Let the venue do what the candle asks for."""
        while (update := self.venue.next_update(SYMBOL)) is not None:
            await self.engine.apply(update)
        self.venue.close_bar(SYMBOL)

    def desk(self) -> SignalDesk:
        """Return an inbox whose signals trade here."""
        trades = AccountTrades(
            ACCOUNT, self, self.engine.slot, self.venue.fetch_last_price, self.ledger
        )
        return SignalDesk(self.ledger, trades=trades, time=self.time)


async def test_a_set_up_is_filled_protected_and_closed_by_its_target(ledger: Ledger) -> None:
    """The history ends with what the round trip brought."""
    floor = Floor(ledger, VirtualTime())
    desk = floor.desk()
    async with desk.leading():
        await desk.say(MARKET)
        await desk.wait(1)
        slot = floor.engine.slot(SYMBOL)
        held, stop = slot.position.quantity, slot.stop
        floor.move(100, 106)
        await floor.play()
        await desk.wait(1)
        half = floor.engine.slot(SYMBOL).position.quantity
        floor.move(94, 100)
        await floor.play()
        await desk.wait(1)

    story = await desk.story()
    kinds = [event.kind for event in story.events]
    assert (held, stop, half) == (dec(20), dec(95), dec(10))
    assert kinds == ["received", "decided", "filled", "target", "closed"]
    assert (story.receipt.state, story.receipt.code) == (SignalState.CLOSED, "stop")
    assert story.events[-1].sentence == "Closed at 100 (stop), +0.00 USDT."


async def test_a_plain_order_that_opposes_only_reduces(ledger: Ledger) -> None:
    """Sold against what was bought before: nothing new is open, both are told."""
    floor = Floor(ledger, VirtualTime())
    desk = floor.desk()
    async with desk.leading():
        await desk.say("BUY BTCUSDT 3", "1", source="http:default")
        await desk.wait(1)
        await desk.say("SELL BTCUSDT 1", "2", source="http:default")
        await desk.wait(1)
        held = floor.engine.slot(SYMBOL).position.quantity
        await desk.say("SELL BTCUSDT 2", "3", source="http:default")
        await desk.wait(3)

    states = [(await desk.story(number)).receipt.state for number in (1, 2, 3)]
    assert held == dec(2)
    assert states == [SignalState.CLOSED, SignalState.APPLIED, SignalState.APPLIED]


async def test_the_opposite_set_up_reverses(ledger: Ledger) -> None:
    """The first ends by the reversal, the second is open."""
    floor = Floor(ledger, VirtualTime())
    desk = floor.desk()
    async with desk.leading():
        await desk.say(MARKET)
        await desk.wait(1)
        await desk.say("Short BTCUSDT now SL 105 TP 90", "2")
        await desk.wait(1)

    first, second = (await desk.story(1)).receipt, (await desk.story(2)).receipt
    assert (first.state, first.code) == (SignalState.CLOSED, "reversal")
    assert second.state is SignalState.OPEN


async def test_a_ladder_enlarges_and_a_reply_takes_half(ledger: Ledger) -> None:
    """Each rung risks its share; the reply's reduction ends further rungs."""
    floor = Floor(ledger, VirtualTime())
    desk = floor.desk()
    ladder = (
        "Long BTCUSDT\nEntry 1 - 100 (50%)\nEntry 2 - 98 (30%)\nEntry 3 - 97 (20%)\nSL 95\nTP 110"
    )
    async with desk.leading():
        await desk.say(ladder)
        await desk.wait(1.5)
        first = floor.engine.slot(SYMBOL).position.quantity
        await floor.play()
        floor.move(98, 98, start=98)
        await desk.wait(2)
        both = floor.engine.slot(SYMBOL).position.quantity
        await desk.say("close half", "2", reply_to="1")
        await desk.wait(2)

    slot = floor.engine.slot(SYMBOL)
    assert first == dec(10)  # 0.5 % of 10,000 over 5
    assert both == first + dec(10)  # 0.3 % of 10,000 over 3
    assert slot.position.quantity == dec(10)
    assert [o.purpose for o in slot.orders if o.purpose is OrderPurpose.STOP]
    assert (await desk.story()).receipt.state is SignalState.OPEN


async def test_a_denial_of_the_engine_is_the_end(ledger: Ledger) -> None:
    """With its code, as every other denial."""
    floor = Floor(ledger, VirtualTime())
    desk = floor.desk()
    async with desk.leading():
        await desk.say("BUY BTCUSDT 0.00001")
        await desk.wait(1)

    receipt = (await desk.story()).receipt
    assert (receipt.state, receipt.code) == (SignalState.DENIED, "below_min_quantity")
