"""A message becomes a trade: on record first, then asked for once, then told how it went."""

from tests.support.signal_desk import SignalDesk
from tests.support.trading import dec

from milobot.domain.intents import Enter, PositionSide, Size, SizeKind
from milobot.signals.door import SignalState
from milobot.storage.ledger import Ledger

ORDER = "BUY BTCUSDT 0.001"
MARKET = "Long BTCUSDT now SL 63000 TP 67000"


async def test_an_order_is_on_record_before_it_is_traded_and_opens(ledger: Ledger) -> None:
    """The receipt promises that it will be acted on; the history tells how."""
    desk = SignalDesk(ledger)
    async with desk.leading():
        await desk.wait()
        receipt = await desk.say(ORDER, source="http:default")
        await desk.wait()

    story = await desk.story(receipt.signal_id)
    assert receipt.state is SignalState.ENTERING
    assert story.receipt.state is SignalState.OPEN
    assert [event.kind for event in story.events] == ["received", "decided", "filled"]
    intent = desk.trades.submitted[0]
    assert (intent.key, intent.owner) == ("http:default|1|1", "http:default")
    assert intent.reference_price == dec(65_000)
    assert intent.action == Enter(PositionSide.LONG, Size(SizeKind.BASE, dec("0.001")), is_net=True)


async def test_a_market_set_up_carries_its_levels(ledger: Ledger) -> None:
    """Stop and targets are prices of the message, not distances from the fill."""
    desk = SignalDesk(ledger)
    async with desk.leading():
        await desk.wait()
        await desk.say(MARKET)
        await desk.wait()

    story = await desk.story()
    entry = desk.trades.submitted[0].entry
    assert story.receipt.state is SignalState.OPEN
    assert entry.stop is not None
    assert entry.stop.value == dec(63_000)
    assert [aim.distance.value for aim in entry.aims] == [dec(67_000)]
    assert story.intent_keys == ("telegram:-1001|1|1",)


async def test_what_came_before_this_process_led_is_traded_then(ledger: Ledger) -> None:
    """A replica that stands by takes messages in, too."""
    desk = SignalDesk(ledger)
    receipt = await desk.say(MARKET)
    assert desk.trades.submitted == []

    async with desk.leading():
        await desk.wait()

    assert (await desk.story(receipt.signal_id)).receipt.state is SignalState.OPEN


async def test_the_same_message_again_is_known_and_not_traded_again(ledger: Ledger) -> None:
    """Sources repeat what they got no receipt for."""
    desk = SignalDesk(ledger)
    async with desk.leading():
        first = await desk.say(MARKET)
        again = await desk.say(MARKET)
        await desk.wait()

    assert (again.signal_id, again.is_known) == (first.signal_id, True)
    assert len(desk.trades.submitted) == 1
