"""How accounts stand, on a telephone."""

from dataclasses import replace

from tests.support.records import ORDER, SLOT
from tests.support.trading import dec

from milobot.app.account_status import AccountStatus, Held, TaskRun
from milobot.app.presence import Presence
from milobot.app.talk_answers import held_text, positions_text, status_text
from milobot.domain.governor import GovernorLimits, GovernorState, Halt, HaltKind, Mark
from milobot.domain.positions import Position
from milobot.domain.slots import PositionState, Slot
from milobot.storage.account_records import EquitySnapshot, Session

ACCOUNT = "binance:default"
CALM = replace(SLOT, blocked="", seen=dec("0"), early=())
OPEN = Held(CALM, PositionState.PROTECTED)


def no_price(account: str, symbol: str) -> None:
    """Know no price."""
    del account, symbol


def test_status_says_the_worst_where_it_is_seen() -> None:
    """Halts, bare positions and orders in doubt stand out; the rest is short."""
    halt = Halt(HaltKind.MANUAL, "by telegram:5", 1704067261000)
    state = GovernorState(
        ACCOUNT,
        day_start=Mark(dec("10000"), 0),
        high_water=Mark(dec("10000"), 0),
        last=Mark(dec("9800"), 0),
        halts=(halt,),
    )
    status = AccountStatus(
        account=ACCOUNT,
        presence=Presence(is_alive=True, holder="host-1"),
        sessions=(Session("s1", ACCOUNT, "s1", "x.script", "testnet", 0, 0),),
        governor=state,
        equity=EquitySnapshot(ACCOUNT, 1704067261000, dec("9800"), dec("9000"), dec("0")),
        held=(replace(OPEN, state=PositionState.UNPROTECTED),),
        doubtful=(ORDER,),
        tasks=(TaskRun("reconciliation", "ok", 1704067261000),),
    )

    assert status_text(status, GovernorLimits()).split("\n") == [
        "binance:default, play money",
        "led by host-1",
        "equity 9,800.00 USDT, 2024-01-01 00:01 UTC",
        "today lost 2.00 % of 5.00 %",
        "drawdown 2.00 % of 20.00 %",
        "⚠ HALTED since 2024-01-01 00:01 UTC: by telegram:5",
        "1 open: BTCUSDT",
        "⚠ without a resting stop: BTCUSDT",
        "orders whose end is not known yet: 1",
        "compared with the exchange 2024-01-01 00:01 UTC",
    ]


def test_status_of_an_account_that_nobody_leads_says_so() -> None:
    """A bot that stopped without a word is what traders fear."""
    status = AccountStatus(ACCOUNT, Presence(is_alive=False), (), None, None, (), (), ())

    assert status_text(status, GovernorLimits()).split("\n") == [
        "binance:default, never traded",
        "⚠ nobody leads it: no bot runs on it",
        "nothing is open",
    ]


def test_many_positions_are_counted() -> None:
    """/positions tells of each."""
    held = tuple(
        Held(replace(CALM, symbol=f"A{number}USDT"), PositionState.PROTECTED)
        for number in range(10)
    )
    status = AccountStatus(ACCOUNT, Presence(is_alive=False), (), None, None, held, (), ())

    assert "10 open: A0USDT, A1USDT" in status_text(status, GovernorLimits())
    assert "A7USDT and 2 more" in status_text(status, GovernorLimits())


def test_a_position_shows_its_levels_and_its_gain() -> None:
    """Entry, price now, gain, stop, targets, how safe it is, whose it is."""
    text = held_text(ACCOUNT, OPEN, lambda _account, _symbol: dec("42738.15"))

    assert text.split("\n") == [
        "BTCUSDT long 0.4",
        "entry 42,315, now 42,738.15",
        "gain +169.26 USDT (1.00 %)",
        "stop 41,467.9, targets 43,000, 44,852.7",
        "PROTECTED, of s1",
    ]


def test_a_position_without_a_price_or_a_stop_says_what_is_known() -> None:
    """Nothing is made up."""
    slot = replace(CALM, stop=None, setup=None, owner="", closing="close", blocked="foreign_orders")

    text = held_text(ACCOUNT, Held(slot, PositionState.CLOSING), no_price)

    assert text.split("\n") == [
        "BTCUSDT long 0.4",
        "entry 42,315",
        "UNPROTECTED, no stop",
        "⚠ CLOSING, closing: close, blocked: foreign_orders, of nobody",
    ]


def test_what_is_seen_and_not_explained_yet_has_no_entry_price() -> None:
    """An entry in doubt: the exchange shows a position and no fill."""
    seen = replace(CALM, position=Position("BTCUSDT"), seen=dec("0.1"))

    text = held_text(ACCOUNT, Held(seen, PositionState.UNPROTECTED), no_price)

    assert text.split("\n")[:2] == ["BTCUSDT long 0.1", "stop 41,467.9, targets 43,000, 44,852.7"]


def test_positions_name_what_blocks_a_symbol_as_well() -> None:
    """Why nothing enters there."""
    foreign = Held(Slot("XUSDT", Position("XUSDT"), blocked="foreign_position"), PositionState.FLAT)
    opening = Held(Slot("YUSDT", Position("YUSDT")), PositionState.OPENING)

    text = positions_text(ACCOUNT, (foreign, opening), no_price)

    assert text == f"{ACCOUNT}\n\nXUSDT: foreign_position\n\nYUSDT: opening"
    assert positions_text(ACCOUNT, (), no_price) == f"{ACCOUNT}\nnothing is open"
