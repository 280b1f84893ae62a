"""Answers from the ledger: short lines, sensible digits, the reason first."""

from dataclasses import replace

from tests.support.records import DECISION, FILL, INTENT, ORDER, TRIP
from tests.support.trading import dec

from milobot.domain.decisions import Gate, Outcome
from milobot.domain.orders import OrderPurpose, OrderStatus
from milobot.signals.door import Receipt, SignalHistory, SignalState
from milobot.signals.talk.answers import (
    balance_text,
    orders_text,
    profit_text,
    signal_lines,
    why_text,
)
from milobot.storage.account_records import EquitySnapshot
from milobot.storage.queries import DecisionLine, Explanation, OrderLine

ACCOUNT = "binance:default"
STOP = replace(
    ORDER,
    purpose=OrderPurpose.STOP,
    trigger_price=dec("41467.90"),
    status=OrderStatus.SUBMITTED,
    reason="first stop",
)


def test_orders_say_what_they_are_for() -> None:
    """Price, size and state of each in one line."""
    half = replace(ORDER, filled_quantity=dec("0.4"), status=OrderStatus.PARTIALLY_FILLED)

    text = orders_text(ACCOUNT, [OrderLine(ACCOUNT, STOP), OrderLine(ACCOUNT, half)])

    assert text.split("\n") == [
        ACCOUNT,
        "BTCUSDT stop: buy 1 at 41,467.9 (submitted): first stop",
        "BTCUSDT entry: buy 1 (partially filled, 0.4 filled)",
    ]
    assert orders_text(ACCOUNT, []) == f"{ACCOUNT}\nno order rests or is on its way"


def test_balance_says_when_it_was_read() -> None:
    """It is read once a minute: a number without its time may be old."""
    snapshot = EquitySnapshot(ACCOUNT, 1704067261000, dec("10000"), dec("7500.5"), dec("-12.345"))

    assert balance_text(ACCOUNT, snapshot).split("\n") == [
        ACCOUNT,
        "equity 9,987.66 USDT",
        "wallet 10,000.00",
        "open gains -12.34",
        "free 7,500.50",
        "read 2024-01-01 00:01 UTC",
    ]
    assert balance_text(ACCOUNT, None) == f"{ACCOUNT}\nnot read yet"


def test_profit_is_net_with_what_it_is_made_of() -> None:
    """Sum, share won, extremes, costs, and the symbols that made it."""
    won = replace(TRIP, pnl=dec("30"), stop=dec("90"), fees=dec("1.25"), funding=dec("-0.5"))
    lost = replace(TRIP, symbol="ETHUSDT", pnl=dec("-10"), fees=dec("0.75"))

    assert profit_text(ACCOUNT, 7, [won, lost]).split("\n") == [
        "binance:default, last 7 days (UTC)",
        "net +20.00 USDT, +3.00 R",
        "2 closed, 1 won (50.00 %)",
        "best +30.00, worst -10.00",
        "paid: fees 2.00, funding -0.50",
        "BTCUSDT +30.00",
        "ETHUSDT -10.00",
    ]
    assert profit_text(ACCOUNT, 1, []) == f"{ACCOUNT}, today (UTC)\nnothing was closed"


def test_profit_names_no_symbols_where_there_is_one_and_not_all_where_there_are_many() -> None:
    """A telephone shows a dozen lines."""
    many = [replace(TRIP, symbol=f"A{number}USDT", pnl=dec(number)) for number in range(9)]

    assert "BTCUSDT" not in profit_text(ACCOUNT, 1, [TRIP])
    text = profit_text(ACCOUNT, 1, many).split("\n")
    assert text[5:] == [
        "A8USDT +8.00",
        "A7USDT +7.00",
        "A6USDT +6.00",
        "A5USDT +5.00",
        "A4USDT +4.00",
        "4 others +6.00",
    ]


def test_why_shows_the_check_that_failed() -> None:
    """That is the answer; those that passed are a number."""
    gates = (Gate("spread", "0.8 %", "<= 0.5 %", is_passed=False), Gate("age", "1 s", "<= 30 s"))
    denied = replace(
        DECISION, outcome=Outcome.DENIED, code="spread_too_wide", reason="too wide", gates=gates
    )
    found = Explanation(ACCOUNT, (DecisionLine(2, ACCOUNT, denied),), INTENT, (), ())

    text = why_text("BTCUSDT", found, [DecisionLine(1, ACCOUNT, DECISION)])

    assert text.split("\n") == [
        "BTCUSDT on binance:default",
        "long, asked for by s1",
        "DENIED: too wide [spread_too_wide]",
        "FAILED spread: 0.8 %, has to be <= 0.5 %",
        "1 of 2 checks passed",
        "as of 2024-01-01 00:00 UTC at 42,314.1",
        "before that:",
        "ACCEPTED: entry sent",
    ]


def test_why_shows_what_followed() -> None:
    """Orders and fills of what was traded."""
    taken = replace(DECISION, gates=())
    found = Explanation(ACCOUNT, (DecisionLine(1, ACCOUNT, taken),), None, (STOP,), (FILL,))

    assert why_text("BTCUSDT", found, []).split("\n")[3:] == [
        "BTCUSDT stop: buy 1 at 41,467.9 (submitted): first stop",
        "buy filled: 0.4 at 42,315",
    ]
    assert why_text("XUSDT", None, []) == "XUSDT: nothing was decided about it yet"


def test_signals_that_never_got_to_a_decision_are_named() -> None:
    """Most are refused before: their reason is the answer to why."""
    refused = Receipt(3, SignalState.NOT_A_SIGNAL, "chat", "it names no side")
    late = Receipt(4, SignalState.LATE)
    histories = [
        SignalHistory(receipt, ACCOUNT, "telegram:-1001", "7", "…", 1704067261000, {}, (), ())
        for receipt in (refused, late)
    ]

    assert signal_lines(histories) == [
        "2024-01-01 00:01 UTC telegram:-1001 not a signal: it names no side",
        "2024-01-01 00:01 UTC telegram:-1001 late",
    ]
