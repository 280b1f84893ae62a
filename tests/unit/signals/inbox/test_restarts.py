"""Crashes, other processes and bad luck: never twice, never lost, one never stops the others."""

import asyncio

import pytest
from sqlalchemy import Connection, update
from tests.support.signal_desk import SignalDesk
from tests.support.trading import dec

from milobot.errors import LeaseLostError
from milobot.signals.door import SignalState
from milobot.signals.life.happenings import Ended
from milobot.storage import tables
from milobot.storage.ledger import Ledger

MARKET = "Long BTCUSDT now SL 63000 TP 66000 67000"
OTHER = "Long ETHUSDT now SL 2900 TP 3300"


def again(desk: SignalDesk) -> SignalDesk:
    """Return the desk of a process that was started anew."""
    return SignalDesk(desk.ledger, desk.plan, trades=desk.trades, time=desk.time)


async def test_what_was_decided_before_a_crash_is_not_asked_for_again(ledger: Ledger) -> None:
    """The engine took it, the process died before the answer was on record."""
    desk = SignalDesk(ledger)
    desk.trades.breaks_late = True
    desk.trades.breaks = [asyncio.CancelledError()]
    async with desk.leading():
        await desk.say(MARKET)
        await desk.wait(1)
    desk = again(desk)
    desk.time.step(3_600_000)  # long enough for a new entry to be too late
    async with desk.leading():
        await desk.wait(1)

    assert len(desk.trades.submitted) == 1
    assert (await desk.story()).receipt.state is SignalState.OPEN


async def test_what_was_not_sent_before_a_crash_is_sent_if_it_is_not_late(ledger: Ledger) -> None:
    """Half a minute later it may still be traded, an hour later not."""
    desk = SignalDesk(ledger)
    await desk.say(MARKET)
    desk.time.step(30_000)
    async with desk.leading():
        await desk.wait(1)
    late = again(desk)
    await late.say(OTHER, "2")
    late.time.step(3_600_000)
    async with late.leading():
        await late.wait(1)

    assert (await late.story(1)).receipt.state is SignalState.OPEN
    receipt = (await late.story(2)).receipt
    assert (receipt.state, receipt.code) == (SignalState.LATE, "too_old")


async def test_a_message_of_another_process_is_acted_on_by_the_one_that_leads(
    ledger: Ledger,
) -> None:
    """Every replica takes signals over HTTP."""
    desk = SignalDesk(ledger)
    standby = SignalDesk(ledger, desk.plan, time=desk.time)
    async with desk.leading():
        await desk.wait(0.5)
        await standby.say(MARKET)
        await desk.wait(1)

    assert (await desk.story()).receipt.state is SignalState.OPEN
    assert standby.trades.submitted == []


async def test_nothing_is_asked_before_the_account_is_known(ledger: Ledger) -> None:
    """Until it was compared with the exchange every slot looks empty: nothing has closed."""
    desk = SignalDesk(ledger)
    async with desk.leading():
        await desk.say(MARKET)
        await desk.wait(1)
    desk = again(desk)
    slots, desk.trades.slots = desk.trades.slots, {}
    desk.trades.is_leading = False
    async with desk.leading():
        await desk.wait(3)
        desk.trades.slots, desk.trades.is_leading = slots, True
        await desk.wait(1)

    assert (await desk.story()).receipt.state is SignalState.OPEN


async def test_one_symbol_does_not_hold_up_another(ledger: Ledger) -> None:
    """An order that hangs is the business of its symbol alone."""
    desk = SignalDesk(ledger)
    desk.trades.prices["BTCUSDT"] = dec(-1)  # nobody knows its price
    async with desk.leading():
        await desk.say("BUY BTCUSDT 1", "1")
        await desk.say("BUY ETHUSDT 1", "2")
        await desk.wait(1)
        states = [(await desk.story(number)).receipt.state for number in (1, 2)]
        desk.trades.prices["BTCUSDT"] = dec(65_000)
        await desk.wait(2)

    assert states == [SignalState.ENTERING, SignalState.OPEN]
    assert (await desk.story(1)).receipt.state is SignalState.OPEN


async def test_a_signal_that_the_engine_fails_at_is_given_up_and_said(ledger: Ledger) -> None:
    """Three times, in case it was the moment; then the others of its symbol have their turn."""
    desk = SignalDesk(ledger)
    desk.trades.breaks = [ZeroDivisionError("by nothing") for _ in range(3)]
    async with desk.leading():
        await desk.say(MARKET)
        await desk.wait(4)
        await desk.say("BUY BTCUSDT 1", "2")
        await desk.wait(1)

    receipt = (await desk.story(1)).receipt
    assert (receipt.state, receipt.code) == (SignalState.DENIED, "failed")
    assert (await desk.story(2)).receipt.state is SignalState.OPEN
    assert [alert.sentence for alert in desk.alerts] == [
        "looking after signals went wrong: ZeroDivisionError('by nothing')"
    ]


async def test_a_record_that_cannot_be_read_is_said_and_stops_nothing(ledger: Ledger) -> None:
    """Somebody has changed it by hand."""
    desk = SignalDesk(ledger)
    await desk.say(MARKET)
    spoilt = update(tables.signals).values(details="{}")

    def spoil(connection: Connection) -> None:
        connection.execute(spoilt)

    await ledger.write(spoil)
    async with desk.leading():
        await desk.say(OTHER, "2")
        await desk.wait(1)
        reply = await desk.say("close", "3", reply_to="1")
    listed = {history.receipt.signal_id: history for history in await desk.inbox.latest(10)}

    assert (await desk.story(2)).receipt.state is SignalState.OPEN
    assert "signal 1 cannot be looked after" in desk.alerts[0].sentence
    assert (reply.state, reply.code) == (SignalState.REFUSED, "unreadable")
    assert listed.keys() == {1, 2, 3}
    assert (listed[1].text, list(listed[1].reading)) == (MARKET, ["unreadable"])


async def test_whoever_does_not_lead_any_more_stops(ledger: Ledger) -> None:
    """The other process goes on with the same records."""
    desk = SignalDesk(ledger)
    desk.trades.breaks = [LeaseLostError("another process leads")]
    with pytest.raises(ExceptionGroup) as told:
        await _traded_for_a_second(desk)

    assert told.group_contains(LeaseLostError)
    assert (await desk.story()).receipt.state is SignalState.ENTERING


async def _traded_for_a_second(desk: SignalDesk) -> None:
    async with desk.leading():
        await desk.say(MARKET)
        await desk.wait(1)


@pytest.mark.parametrize(
    ("text", "end", "state"),
    [
        (MARKET, Ended(has_entered=True, code="target", sentence="why"), SignalState.CLOSED),
        (MARKET, Ended(has_entered=False, code="not_filled", sentence="why"), SignalState.DENIED),
        (
            "BUY BTCUSDT 1",
            Ended(has_entered=False, has_reduced=True, code="reduced", sentence="why"),
            SignalState.APPLIED,
        ),
    ],
)
async def test_what_is_over_between_two_looks_ends_as_it_is_on_record(
    ledger: Ledger, text: str, end: Ended, state: SignalState
) -> None:
    """The slot is free again before anybody looked: the orders tell."""
    desk = SignalDesk(ledger)
    desk.trades.fills_at_once = False
    desk.trades.gate = asyncio.Event()
    async with desk.leading():
        await desk.say(text)
        await desk.wait(0.5)
        desk.trades.gate.set()
        await asyncio.sleep(0)
        desk.trades.slots.clear()
        desk.trades.ends["telegram:-1001|1|1"] = end
        await desk.wait(3)

    assert (await desk.story()).receipt.state is state


async def test_a_reversal_whose_entry_is_being_planned_is_not_over(ledger: Ledger) -> None:
    """The old position is closed, the new one not yet on record: its signal must not be lost."""
    desk = SignalDesk(ledger)
    async with desk.leading():
        desk.trades.fills_at_once = False
        await desk.say(MARKET)
        await desk.wait(0.25)
        planned = desk.trades.slots.pop("BTCUSDT")
        sentence = "reverse BTCUSDT"
        unknown = Ended(has_entered=False, has_reduced=True, code="reduced", sentence=sentence)
        desk.trades.ends["telegram:-1001|1|1"] = unknown
        await desk.wait(4)
        between = (await desk.story()).receipt.state
        desk.trades.slots["BTCUSDT"] = planned
        desk.trades.fill("BTCUSDT")
        await desk.wait(1)

    assert between is SignalState.ENTERING
    assert (await desk.story()).receipt.state is SignalState.OPEN


async def test_an_end_that_never_comes_on_record_is_not_waited_for(ledger: Ledger) -> None:
    """The position is gone: that is certain; how it went is not."""
    desk = SignalDesk(ledger)
    async with desk.leading():
        await desk.say(MARKET)
        await desk.wait(1)
        desk.trades.slots.clear()
        await desk.wait(1)
        waited = (await desk.story()).receipt.state
        await desk.wait(3)

    assert waited is SignalState.OPEN
    assert (await desk.story()).receipt.state is SignalState.CLOSED


async def test_a_signal_that_breaks_its_own_life_ends_alone(ledger: Ledger) -> None:
    """A price that is no number is nobody else's trouble."""
    desk = SignalDesk(ledger)
    async with desk.leading():
        desk.trades.prices["ETHUSDT"] = dec("NaN")
        await desk.say("Long ETHUSDT entry 2900 SL 2800 TP 3300")
        await desk.say(MARKET, "2")
        await desk.wait(2)

    receipt = (await desk.story(1)).receipt
    assert (receipt.state, receipt.code) == (SignalState.DENIED, "failed")
    assert (await desk.story(2)).receipt.state is SignalState.OPEN
    assert "signal 1 went wrong" in desk.alerts[0].sentence


async def test_nothing_is_put_on_record_by_whoever_has_lost_the_account(ledger: Ledger) -> None:
    """A process that was frozen believes in slots of long ago."""
    desk = SignalDesk(ledger)
    desk.lease = ledger.lease(desk.plan.account, "one", desk.time)
    other = ledger.lease(desk.plan.account, "other", desk.time)
    assert await desk.lease.take()
    desk.time.step(60_000)
    assert await other.take()

    with pytest.raises(ExceptionGroup) as told:
        await _traded_for_a_second(desk)

    assert told.group_contains(LeaseLostError)
    assert [event.kind for event in (await desk.story()).events] == ["received"]


async def test_what_the_engine_says_after_the_end_is_on_record(ledger: Ledger) -> None:
    """A close was on its way when the stop filled: why it did nothing can be asked."""
    desk = SignalDesk(ledger)
    async with desk.leading():
        await desk.say(MARKET)
        await desk.wait(1)
        desk.trades.gate = asyncio.Event()
        await desk.say("close", "2", reply_to="1")
        desk.trades.close("BTCUSDT", "stop")
        await desk.wait(1)
        desk.trades.gate.set()
        await desk.wait(1)

    story = await desk.story()
    assert (story.receipt.state, story.receipt.code) == (SignalState.CLOSED, "stop")
    assert [event.kind for event in story.events][-2:] == ["closed", "decided"]
