"""Entries that wait for a price: reached, given up, taken for a misprint."""

import pytest
from tests.support.signal_desk import ACCOUNT, CHANNEL, SignalDesk
from tests.support.trading import dec

from milobot.signals.door import SignalState
from milobot.signals.inbox.inbox import InboxPlan
from milobot.signals.profile import ChannelProfile
from milobot.storage.ledger import Ledger

LADDER = "Long BTCUSDT\nEntry 1 - 64500 (60%)\nEntry 2 - 64000 (40%)\nSL 63000\nTP 66000 67000"


def at(desk: SignalDesk, price: str) -> None:
    """Set the price of BTCUSDT."""
    desk.trades.prices["BTCUSDT"] = dec(price)


@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        ("Long BTCUSDT entry 64000 SL 63000 TP 67000", "64100", "63990"),
        ("Short BTCUSDT entry 66000 SL 67000 TP 64000", "65900", "66010"),
        ("Long BTCUSDT entry 64000 - 64500 SL 63000 TP 67000", "64600", "64499"),
        ("Long BTC if it breaks above 65500, SL 63000, TP 70000", "65400", "65510"),
    ],
)
async def test_the_bot_enters_once_the_price_is_there(
    ledger: Ledger, text: str, before: str, after: str
) -> None:
    """Nothing rests unprotected at the exchange: an entry that waits is the bot's business."""
    desk = SignalDesk(ledger)
    at(desk, before)
    async with desk.leading():
        await desk.say(text)
        await desk.wait(3)
        waited = (await desk.story()).receipt.state
        at(desk, after)
        await desk.wait(1.5)

    assert waited is SignalState.WAITING
    assert len(desk.trades.submitted) == 1
    assert (await desk.story()).receipt.state is SignalState.OPEN


async def test_each_rung_of_a_ladder_adds_its_share(ledger: Ledger) -> None:
    """The first opens the position, the second enlarges it; both have the levels of the whole."""
    desk = SignalDesk(ledger)
    async with desk.leading():
        await desk.say(LADDER)
        at(desk, "64400")
        await desk.wait(2)
        at(desk, "63900")
        await desk.wait(2)

    first, second = desk.trades.submitted
    assert (first.reference_price, second.reference_price) == (dec(64_500), dec(64_000))
    assert (first.entry.size.value, second.entry.size.value) == (dec("0.006"), dec("0.004"))
    assert (first.entry.adds_to, second.entry.adds_to) == ("", first.key)
    assert [aim.share for aim in first.entry.aims] == [dec("0.5"), dec("0.5")]


async def test_an_exit_ends_the_waiting_of_further_rungs(ledger: Ledger) -> None:
    """What has begun to take profit is not enlarged any more."""
    desk = SignalDesk(ledger)
    at(desk, "64400")
    async with desk.leading():
        await desk.say(LADDER)
        await desk.wait(2)
        desk.trades.take_target("BTCUSDT", dec("0.5"))
        await desk.wait(1)
        at(desk, "63900")
        await desk.wait(2)

    assert len(desk.trades.submitted) == 1
    assert "legs_dropped" in [event.kind for event in (await desk.story()).events]


@pytest.mark.parametrize(
    ("price", "state", "code"),
    [
        ("62900", SignalState.CANCELLED, "stop_before_entry"),
        ("67100", SignalState.CANCELLED, "target_before_entry"),
        ("90000", SignalState.REFUSED, "far_from_market"),
    ],
)
async def test_a_set_up_whose_levels_are_behind_the_price_is_not_traded(
    ledger: Ledger, price: str, state: SignalState, code: str
) -> None:
    """Entering there would be another trade than the one that was meant."""
    desk = SignalDesk(ledger)
    at(desk, price)
    async with desk.leading():
        await desk.say("Long BTCUSDT entry 64000 SL 63000 TP 67000")
        await desk.wait(2)

    receipt = (await desk.story()).receipt
    assert (receipt.state, receipt.code) == (state, code)
    assert desk.trades.submitted == []


async def test_an_entry_is_not_waited_for_forever(ledger: Ledger) -> None:
    """A set-up of yesterday says nothing about today."""
    desk = SignalDesk(ledger)
    async with desk.leading():
        await desk.say("Long BTCUSDT entry 64000 SL 63000 TP 67000")
        await desk.wait(1)
        desk.time.step(86_400_000)
        await desk.wait(1)

    assert (await desk.story()).receipt.state is SignalState.EXPIRED


@pytest.mark.parametrize(
    ("text", "age_s", "code"),
    [
        ("Long BTCUSDT now SL 63000 TP 67000", 121, "too_old"),
        ("BUY BTCUSDT 0.001", 121, "too_old"),
        ("Long BTCUSDT now 64000 SL 63000 TP 67000", 0, "price_left"),
    ],
)
async def test_what_comes_late_is_recorded_and_not_traded(
    ledger: Ledger, text: str, age_s: int, code: str
) -> None:
    """The price of a minute ago is gone."""
    desk = SignalDesk(ledger)
    async with desk.leading():
        await desk.say(text, age_s=age_s)
        await desk.wait(1)

    receipt = (await desk.story()).receipt
    assert (receipt.state, receipt.code) == (SignalState.LATE, code)
    assert desk.trades.submitted == []


async def test_the_stop_goes_to_entry_after_the_target_of_the_profile(ledger: Ledger) -> None:
    """Once, whatever is seen of it how often."""
    profile = ChannelProfile(break_even_after=1)
    desk = SignalDesk(ledger, InboxPlan(ACCOUNT, profile_of={CHANNEL: profile}.__getitem__))
    async with desk.leading():
        await desk.say("Long BTCUSDT now SL 63000 TP 66000 67000")
        await desk.wait(1)
        desk.trades.take_target("BTCUSDT", dec("0.5"))
        await desk.wait(2)

    assert [intent.key for intent in desk.trades.submitted][1:] == ["telegram:-1001|1|be"]


LADDER_NOW = "Long BTCUSDT\nEntry 1: market 65000 (50%)\nEntry 2: 64000 (50%)\nSL 63000\nTP 68000"


async def test_a_ladder_that_begins_at_the_market_is_sized_from_where_it_fills(
    ledger: Ledger,
) -> None:
    """Measured from the price that it names it would risk more than its share."""
    desk = SignalDesk(ledger)
    desk.trades.prices["BTCUSDT"] = dec(65_400)
    async with desk.leading():
        await desk.say(LADDER_NOW)
        await desk.wait(1)

    assert [intent.reference_price for intent in desk.trades.submitted] == [dec(65_400)]


async def test_a_ladder_at_the_market_that_the_price_has_left_is_not_entered(
    ledger: Ledger,
) -> None:
    """As every entry at the market: more than 1 % from the price that it names."""
    desk = SignalDesk(ledger)
    desk.trades.prices["BTCUSDT"] = dec(65_700)
    async with desk.leading():
        await desk.say(LADDER_NOW)
        await desk.wait(1)

    assert desk.trades.submitted == []
    assert (await desk.story()).receipt.state is SignalState.LATE


async def test_many_waiting_symbols_share_what_may_be_asked(ledger: Ledger) -> None:
    """Forty channels' limits must not use up the exchange's budget that entries need."""
    desk = SignalDesk(ledger)
    asked: list[str] = []
    tell = desk.trades.last_price

    async def counted(symbol: str) -> object:
        asked.append(symbol)
        return await tell(symbol)

    desk.trades.last_price = counted
    symbols = [f"C{chr(65 + number)}USDT" for number in range(20)]
    async with desk.leading():
        for number, symbol in enumerate(symbols):
            text = f"Long {symbol} entry 64000 SL 63000 TP 67000"
            await desk.say(text, message_id=str(number))
        await desk.wait(2)
        asked.clear()
        await desk.wait(20)

    assert set(asked) == set(symbols)
    assert len(asked) <= 4 * 20 + 20
