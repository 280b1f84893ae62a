"""The inbox on both databases: any order of what may happen, crashes among it, trades once."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.support.signal_desk import SignalDesk

from milobot.signals.door import SignalHistory, SignalState
from milobot.signals.inbox.inbox import InboxPlan
from milobot.signals.life.table import leads_to
from milobot.storage.ledger import open_ledger

SETUPS = (
    "Long BTCUSDT now SL 63000 TP 66000 67000",
    "Long BTCUSDT\nEntry 1 - 64500 (50%)\nEntry 2 - 64000 (50%)\nSL 63000\nTP 66000 67000",
    "Short BTCUSDT entry 66000 SL 67000 TP 64000",
    "BUY ETHUSDT 0.5",
    "hello everybody",
)
COMMANDS = ("close", "close half", "cancel", "SL to entry", "Closing all positions")
SYMBOLS = ("BTCUSDT", "ETHUSDT")
_ACCOUNTS = count(1)

names = st.sampled_from("123")
new = st.tuples(st.sampled_from(("new", "new", "twice", "standby")), names, st.sampled_from(SETUPS))
steps = st.lists(
    st.one_of(
        new,
        new,
        st.tuples(st.just("again"), st.just(""), st.just("")),
        st.tuples(st.just("forward"), names, st.sampled_from(SETUPS)),
        st.tuples(st.just("edit"), names, st.sampled_from(SETUPS)),
        st.tuples(st.just("delete"), names, st.just("")),
        st.tuples(st.just("reply"), names, st.sampled_from(COMMANDS)),
        st.tuples(st.just("command"), st.just(""), st.sampled_from(COMMANDS)),
        st.tuples(st.just("price"), st.just(""), st.sampled_from(("62900", "64200", "65000"))),
        st.tuples(st.just("fill"), st.sampled_from(SYMBOLS), st.just("")),
        st.tuples(st.just("close"), st.sampled_from(SYMBOLS), st.just("")),
        st.tuples(st.just("deny"), st.just(""), st.just("")),
        st.tuples(st.just("wait"), st.just(""), st.sampled_from(("0.5", "0.5", "100000"))),
        st.tuples(st.just("crash"), st.sampled_from(("before", "after")), st.just("")),
    ),
    min_size=6,
    max_size=12,
)
scripts = st.tuples(st.booleans(), st.tuples(names, st.sampled_from(SETUPS[:4])), steps)
Script = tuple[bool, tuple[str, str], list[tuple[str, str, str]]]

SAID_AGAIN: Script = (
    True,
    ("1", SETUPS[0]),
    [("wait", "", "0.5"), ("close", "BTCUSDT", ""), ("wait", "", "0.5"), ("again", "", "")],
)


class Play:
    """Plays steps on a desk."""

    def __init__(self, desk: SignalDesk) -> None:
        """Begin with nothing."""
        self.desk = desk
        self.turn = 0
        self.text = ""
        self.numbers: set[int] = set()

    async def play(self, name: str, what: str, value: str) -> None:
        """Play one step."""
        self.turn += 1
        match name:
            case "again":
                await self.say(self.text, f"a{self.turn}")
            case "new" | "twice" | "standby" | "forward" | "edit" | "delete":
                await self.play_message(name, what, value)
            case "reply":
                await self.say(value, f"r{self.turn}", reply_to=what)
            case "command":
                await self.say(value, f"c{self.turn}")
            case "wait":
                seconds = float(value)
                self.desk.time.step(int(seconds * 1000) if seconds > 10 else 0)
                await self.desk.wait(min(seconds, 1))
            case _:
                self.play_exchange(name, what, value)

    async def play_message(self, name: str, what: str, value: str) -> None:
        """Play what happens to a message of the channel."""
        desk = self.desk
        self.text = value or self.text
        match name:
            case "new":
                await self.say(value, what)
            case "twice":
                standby = SignalDesk(desk.ledger, desk.plan, time=desk.time)
                await asyncio.gather(self.say(value, what), self.say(value, what, standby))
            case "standby":
                await self.say(value, what, SignalDesk(desk.ledger, desk.plan, time=desk.time))
            case "forward":
                origin = f"telegram:-1001|{what}"
                await self.say(value, f"f{self.turn}", source="telegram:-2", origin=origin)
            case "edit":
                await self.say(value, what, version=self.turn)
            case _:
                await desk.inbox.delete("telegram:-1001", what)

    def play_exchange(self, name: str, what: str, value: str) -> None:
        """Play what happens at the exchange."""
        trades = self.desk.trades
        match name:
            case "price":
                trades.prices["BTCUSDT"] = Decimal(value)
            case "fill" if what in trades.slots:
                trades.fill(what)
            case "close":
                trades.close(what)
            case "deny":
                trades.refusals.append("below_min_notional")
            case _:
                pass  # nothing is there to be filled

    async def say(
        self, text: str, message_id: str, desk: SignalDesk | None = None, **fields: Any
    ) -> None:
        """Hand a message in, perhaps to a process that stands by, and note its number."""
        receipt = await (desk or self.desk).say(text, message_id, **fields)
        self.numbers.add(receipt.signal_id)

    async def histories(self) -> list[SignalHistory]:
        """Return what became of everything."""
        return [await self.desk.story(number) for number in sorted(self.numbers)]


async def play(url: str, script: Script) -> tuple[Play, list[SignalHistory]]:
    """Play a script on an account of its own, and return what became of each message."""
    async with await open_ledger(url) as ledger:
        desk = SignalDesk(ledger, InboxPlan(f"paper:{next(_ACCOUNTS)}"))
        game = Play(desk)
        desk.trades.fills_at_once = script[0]
        rest = iter([("new", *script[1]), *script[2]])
        is_over = False
        while not is_over:
            async with desk.leading():
                is_over = await _until_crash(game, rest)
            desk = game.desk = SignalDesk(
                ledger, desk.plan, trades=desk.trades, time=desk.time, alerts=desk.alerts
            )
        return game, await game.histories()


async def _until_crash(game: Play, rest: Iterator[tuple[str, str, str]]) -> bool:
    """Play until the next crash. Return whether nothing is left."""
    trades = game.desk.trades
    trades.breaks.clear()
    for name, what, value in rest:
        if name == "crash":
            if what == "after":
                trades.breaks_late = True
                trades.breaks.append(asyncio.CancelledError())
            await game.desk.settle()
            return False
        await game.play(name, what, value)
        await game.desk.settle()
    await game.desk.wait(3)
    return True


def check(game: Play, histories: list[SignalHistory]) -> None:
    """Check what the document promises."""
    trades = game.desk.trades
    assert game.desk.alerts == []
    assert len(trades.entries) == len(set(trades.entries))
    for history in histories:
        state: SignalState | None = None
        for event in history.events:
            assert event.state in leads_to(state, event.kind), (state, event)
            state = event.state
        assert state is history.receipt.state
        times = [event.time_ms for event in history.events]
        assert times == sorted(times)
        has_reason = bool(history.receipt.code)
        quiet = {SignalState.WAITING, SignalState.ENTERING, SignalState.OPEN, SignalState.APPLIED}
        assert has_reason or state in quiet
        if state is SignalState.DUPLICATE:
            assert not history.intent_keys
        if state is SignalState.ENTERING:  # nothing is in doubt but the fill
            assert set(history.intent_keys) & set(trades.decisions)


def check_duplicates(histories: list[SignalHistory], entries: list[str]) -> None:
    """Check that of the same set-up, said again within the window, one was traded.

    One that came to nothing may be said again; so may a plain order.
    """
    traded: dict[tuple[str, str], int] = {}
    for history in sorted(histories, key=lambda one: one.received_ms):
        is_edited = any(event.kind == "edited" for event in history.events)
        came_to_nothing = history.receipt.state is SignalState.DENIED
        if is_edited or came_to_nothing or not set(history.intent_keys) & set(entries):
            continue
        name = (history.source, history.text)
        is_order = history.text.startswith("BUY")
        since_ms = history.received_ms - traded.get(name, 0)
        assert is_order or since_ms > 3_600_000
        traded[name] = history.received_ms


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    """Give the URL of a file that all examples share, each with an account of its own."""
    return f"sqlite:///{tmp_path}/milobot.db"


def test_nothing_trades_twice_on_sqlite(sqlite: str) -> None:
    """Sources repeat, channels edit, processes die: the file knows what was done."""
    run_examples(sqlite, 25)


def test_nothing_trades_twice_on_postgres(ledger_on_postgres: str) -> None:
    """The same on the server that replicas share."""
    run_examples(ledger_on_postgres, 8)


def run_examples(url: str, most: int) -> None:
    """Play scripts and check each."""

    @settings(
        max_examples=most, suppress_health_check=[HealthCheck.too_slow], report_multiple_bugs=False
    )
    @given(script=scripts)
    @example(script=SAID_AGAIN)
    def examples(script: Script) -> None:
        game, histories = asyncio.run(play(url, script))
        check(game, histories)
        check_duplicates(histories, game.desk.trades.entries)

    examples()
