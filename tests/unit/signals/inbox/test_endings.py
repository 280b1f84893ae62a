"""What a run that is asked to end still does for its signals: nothing that opens a position."""

from tests.support.signal_desk import SignalDesk
from tests.support.trading import dec

from milobot.signals.door import SignalState
from milobot.storage.ledger import Ledger

MARKET = "Long BTCUSDT now SL 63000 TP 66000 67000"
LIMIT = "Long ETHUSDT entry 64000 SL 63000 TP 66000 67000"


async def test_nothing_enters_while_a_run_ends(ledger: Ledger) -> None:
    """A position that opens then may be left without its stop; the next start goes on."""
    desk = SignalDesk(ledger)
    async with desk.leading():
        await desk.say(LIMIT, "1")
        await desk.wait(1.5)
        desk.inbox.close()
        await desk.say(MARKET, "2")
        desk.trades.prices["ETHUSDT"] = dec(63_900)
        await desk.wait(2)
        during = list(desk.trades.submitted)
    before = [(await desk.story(number)).receipt.state for number in (1, 2)]
    async with desk.leading():
        await desk.wait(2)

    after = [(await desk.story(number)).receipt.state for number in (1, 2)]
    assert during == []
    assert before == [SignalState.WAITING, SignalState.ENTERING]
    assert after == [SignalState.OPEN, SignalState.OPEN]


async def test_a_wish_whose_price_is_being_asked_for_does_not_leave_when_a_run_ends(
    ledger: Ledger,
) -> None:
    """Between its price and its order there is a moment: the end may come in it."""
    desk = SignalDesk(ledger)

    async def price(symbol: str) -> object:
        del symbol
        desk.inbox.close()
        return dec(65_000)

    desk.trades.last_price = price
    async with desk.leading():
        await desk.say(MARKET)
        await desk.wait(1)

    assert desk.trades.submitted == []
    assert (await desk.story()).receipt.state is SignalState.ENTERING
