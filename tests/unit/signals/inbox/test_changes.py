"""Edits, deletions, replies and commands, before the entry, on its way and after it."""

import asyncio
from dataclasses import replace

import pytest
from tests.support.signal_desk import SignalDesk
from tests.support.trading import dec

from milobot.domain.intents import ChangeTargets, Close, Enter, MoveStop, Reduce
from milobot.signals.door import SignalState
from milobot.storage.ledger import Ledger

MARKET = "Long BTCUSDT now SL 63000 TP 66000 67000"
LIMIT = "Long BTCUSDT entry 64000 SL 63000 TP 66000 67000"


async def state_of(desk: SignalDesk, number: int = 1) -> SignalState:
    """Return where a signal stands."""
    return (await desk.story(number)).receipt.state


async def test_an_edit_before_the_entry_takes_the_place_of_the_plan(ledger: Ledger) -> None:
    """The entry that is reached afterwards is the new one, under a key of its own."""
    desk = SignalDesk(ledger)
    async with desk.leading():
        await desk.say(LIMIT)
        await desk.wait(1)
        await desk.say(LIMIT.replace("64000", "64800"), version=5)
        desk.trades.prices["BTCUSDT"] = dec("64700")
        await desk.wait(1.5)

    assert [intent.key for intent in desk.trades.submitted] == ["telegram:-1001|1|1|v5"]
    assert await state_of(desk) is SignalState.OPEN


async def test_an_edit_to_something_else_cancels_what_has_not_filled(ledger: Ledger) -> None:
    """Channels rub out a set-up by writing over it."""
    desk = SignalDesk(ledger)
    async with desk.leading():
        await desk.say(LIMIT)
        await desk.say("forget it, no trade today", version=1)
        await desk.wait(1)

    assert await state_of(desk) is SignalState.CANCELLED


async def test_an_edit_of_an_open_signal_moves_its_levels_only(ledger: Ledger) -> None:
    """After the fill only protection changes."""
    desk = SignalDesk(ledger)
    async with desk.leading():
        await desk.say(MARKET)
        await desk.wait(1)
        await desk.say("Long BTCUSDT now SL 63500 TP 66500 67500", version=1)
        await desk.say("Short BTCUSDT now SL 67000 TP 60000", version=2)
        await desk.wait(1)

    actions = [intent.action for intent in desk.trades.submitted]
    assert isinstance(actions[1], ChangeTargets)
    assert actions[1].stop == dec(63_500)
    assert len(actions) == 2
    codes = [event.code for event in (await desk.story()).events]
    assert codes.count("not_the_same_plan") == 1


async def test_a_deletion_before_it_was_sent_takes_it_back(ledger: Ledger) -> None:
    """While the account is not traded nothing can have been sent: the engine is asked first."""
    desk = SignalDesk(ledger)
    await desk.say(MARKET)
    await desk.inbox.delete("telegram:-1001", "1")
    async with desk.leading():
        await desk.wait(1)

    assert desk.trades.submitted == []
    kinds = [event.kind for event in (await desk.story()).events]
    assert kinds == ["received", "deleted", "not_sent", "deleted"]
    assert await state_of(desk) is SignalState.CANCELLED


async def test_a_deletion_while_the_order_is_on_its_way_leaves_the_position(ledger: Ledger) -> None:
    """What was sent cannot be taken back; it is protected as it was planned."""
    desk = SignalDesk(ledger)
    desk.trades.gate = asyncio.Event()
    async with desk.leading():
        await desk.say(MARKET)
        await desk.wait(0.5)
        await desk.inbox.delete("telegram:-1001", "1")
        desk.trades.gate.set()
        await desk.wait(1)

    assert await state_of(desk) is SignalState.OPEN
    assert len(desk.trades.entries) == 1


async def test_a_deleted_message_that_never_came_is_nothing(ledger: Ledger) -> None:
    """Channels delete what was there before the bot."""
    assert await SignalDesk(ledger).inbox.delete("telegram:-1001", "77") is None


@pytest.mark.parametrize(
    ("text", "actions"),
    [
        ("close", [Close()]),
        ("close half", [Reduce(share=dec("0.5"))]),
        ("Close half of BTC, SL to entry", [Reduce(share=dec("0.5")), MoveStop()]),
        ("SL to entry", [MoveStop()]),
        ("move SL to 64000", [MoveStop(dec(64_000))]),
    ],
)
async def test_a_reply_does_what_it_says_to_the_signal_it_answers(
    ledger: Ledger, text: str, actions: list[object]
) -> None:
    """Each wish has the reply's own key: handed in twice it is carried out once."""
    desk = SignalDesk(ledger)
    async with desk.leading():
        await desk.say(MARKET)
        await desk.wait(1)
        reply = await desk.say(text, "2", reply_to="1")
        await desk.say(text, "2", reply_to="1")
        await desk.wait(1)

    assert [intent.action for intent in desk.trades.submitted[1:]] == actions
    assert reply.state is SignalState.APPLIED
    keys = (await desk.story(reply.signal_id)).intent_keys
    assert list(keys) == [intent.key for intent in desk.trades.submitted[1:]]


async def test_half_is_closed_once_an_entry_that_was_not_sent_yet_has_filled(
    ledger: Ledger,
) -> None:
    """The reply came first: taken back it would be nothing, forgotten it would be everything."""
    desk = SignalDesk(ledger)
    await desk.say(MARKET)
    await desk.say("close half", "2", reply_to="1")
    async with desk.leading():
        await desk.wait(2)

    assert [type(intent.action) for intent in desk.trades.submitted] == [Enter, Reduce]


async def test_a_reply_to_a_reply_reaches_the_signal(ledger: Ledger) -> None:
    """People answer the last message of a thread."""
    desk = SignalDesk(ledger)
    async with desk.leading():
        await desk.say(MARKET)
        await desk.wait(1)
        await desk.say("SL to entry", "2", reply_to="1")
        await desk.say("close", "3", reply_to="2")
        await desk.wait(1)

    assert isinstance(desk.trades.submitted[-1].action, Close)


async def test_a_command_without_a_reply_needs_one_signal_to_mean(ledger: Ledger) -> None:
    """With two it is refused; a symbol makes it certain, and so does everything."""
    desk = SignalDesk(ledger)
    async with desk.leading():
        nothing = await desk.say("close", "1")
        await desk.say(MARKET, "2")
        await desk.say("BUY ETHUSDT 1", "3")
        await desk.wait(1)
        unclear = await desk.say("close", "4")
        certain = await desk.say("close BTC", "5")
        await desk.wait(1)
        everything = await desk.say("Closing all positions", "6")
        await desk.wait(1)

    assert (nothing.state, nothing.code) == (SignalState.REFUSED, "nothing_open")
    assert (unclear.state, unclear.code) == (SignalState.REFUSED, "which_signal")
    assert certain.state is SignalState.APPLIED
    assert everything.state is SignalState.APPLIED
    closed = [i.symbol for i in desk.trades.submitted if isinstance(i.action, Close)]
    assert closed == ["BTCUSDT", "ETHUSDT"]


async def test_a_reply_that_fits_no_signal_is_refused(ledger: Ledger) -> None:
    """To another symbol, to what is over, or to what was never seen."""
    desk = SignalDesk(ledger)
    async with desk.leading():
        await desk.say(LIMIT)
        other = await desk.say("close ETH", "2", reply_to="1")
        unknown = await desk.say("close", "3", reply_to="99")
        await desk.say("cancel", "4", reply_to="1")
        over = await desk.say("cancel", "5", reply_to="1")

    assert [r.code for r in (other, unknown, over)] == ["other_symbol", "which_signal", "over"]
    assert await state_of(desk) is SignalState.CANCELLED


async def test_a_message_that_becomes_a_set_up_is_taken_then(ledger: Ledger) -> None:
    """Channels post half a message and complete it."""
    desk = SignalDesk(ledger)
    async with desk.leading():
        first = await desk.say("BTC looks good, signal in a minute")
        second = await desk.say(MARKET, version=1)
        await desk.wait(1)

    assert first.state is SignalState.NOT_A_SIGNAL
    assert second.state is SignalState.ENTERING
    assert await state_of(desk) is SignalState.OPEN
    assert isinstance(desk.trades.submitted[0].action, Enter)


async def test_the_same_set_up_trades_once_within_the_window(ledger: Ledger) -> None:
    """In other words, and as a forward in another channel; a program means what it repeats."""
    desk = SignalDesk(ledger)
    async with desk.leading():
        await desk.say(MARKET)
        await desk.wait(0.5)
        again = await desk.say(MARKET.replace("Long", "BUY"), "2")
        forward = await desk.say(MARKET, "9", source="telegram:-2", origin="telegram:-1001|1")
        program = await desk.say(MARKET, "3", source="http:default")
        program_again = await desk.say(MARKET, "4", source="http:default")
        await desk.wait(1)

    assert again.state is SignalState.DUPLICATE
    assert forward.state is SignalState.DUPLICATE
    assert {program.state, program_again.state} == {SignalState.ENTERING}
    assert len(desk.trades.entries) == 1  # the symbol has an owner


async def test_latest_lists_newest_first(ledger: Ledger) -> None:
    """What `/status` and the page show."""
    desk = SignalDesk(ledger)
    for number in "123":
        await desk.say("hello", number)

    assert [h.message_id for h in await desk.inbox.latest(2)] == ["3", "2"]
    assert await desk.inbox.history(99) is None


async def test_an_edit_may_lead_to_another_symbol(ledger: Ledger) -> None:
    """A slip of the channel: the old symbol is left alone from then on."""
    desk = SignalDesk(ledger)
    async with desk.leading():
        await desk.say(LIMIT)
        await desk.wait(0.5)
        await desk.say("Long ETHUSDT entry 66000 SL 63000 TP 70000", version=1)
        await desk.wait(1.5)
        desk.trades.close("ETHUSDT")
        await desk.wait(1)

    assert [intent.symbol for intent in desk.trades.submitted] == ["ETHUSDT"]
    assert await state_of(desk) is SignalState.CLOSED
    assert desk.alerts == []


async def test_a_reply_never_closes_the_next_position_of_its_channel(ledger: Ledger) -> None:
    """The position it answers was stopped a moment ago, and the channel's next one is open."""
    desk = SignalDesk(ledger)
    async with desk.leading():
        await desk.say(MARKET)
        await desk.wait(1)
        slot = desk.trades.slots["BTCUSDT"]
        following = replace(slot.setup, intent=replace(slot.setup.intent, key="the next"))
        desk.trades.slots["BTCUSDT"] = replace(slot, setup=following)
        await desk.say("close", "2", reply_to="1")
        await desk.wait(1)

    assert len(desk.trades.submitted) == 1
    assert [event.code for event in (await desk.story()).events if event.kind == "decided"][1:] == [
        "over"
    ]
