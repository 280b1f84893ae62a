"""Sentences: each thing that happens, as a person is told of it."""

from dataclasses import replace

import pytest
from tests.support.records import DECISION, FILL, TRIP
from tests.support.trading import dec

from milobot.domain.alerts import Alert, AlertKind
from milobot.domain.decisions import Outcome
from milobot.domain.intents import PositionSide, Side
from milobot.domain.orders import OrderPurpose
from milobot.signals.door import SignalEvent, SignalState
from milobot.signals.talk.notices import Notice, NoticeKind, parse_kinds
from milobot.signals.talk.sentences import (
    alert_notice,
    decision_notice,
    fill_notice,
    risk_multiple,
    signal_notice,
    trip_notice,
)

LOSS = replace(
    TRIP,
    symbol="BTCUSDT",
    side=PositionSide.LONG,
    quantity=dec("0.5"),
    entry_time_ms=0,
    exit_time_ms=3_720_000,
    entry_price=dec("60000"),
    exit_price=dec("59000"),
    stop=dec("59000"),
    exit_reason="stop",
    pnl=dec("-530.125"),
)


@pytest.mark.parametrize(
    ("purpose", "kind", "line"),
    [
        (OrderPurpose.ENTRY, NoticeKind.ENTRIES, "entry filled: sold 0.4 at 42,315"),
        (OrderPurpose.STOP, NoticeKind.EXITS, "stop hit: sold 0.4 at 42,315"),
        (OrderPurpose.TARGET, NoticeKind.EXITS, "target hit: sold 0.4 at 42,315"),
        (OrderPurpose.CLOSE, NoticeKind.EXITS, "closing: sold 0.4 at 42,315"),
        (OrderPurpose.LIQUIDATION, NoticeKind.PROTECTION, "LIQUIDATED: sold 0.4 at 42,315"),
        (
            OrderPurpose.EXTERNAL,
            NoticeKind.EXITS,
            "changed by somebody else: sold 0.4 at 42,315",
        ),
    ],
)
def test_fills_say_what_they_mean(purpose: OrderPurpose, kind: NoticeKind, line: str) -> None:
    """That the stop was hit is the news, not that an order was executed."""
    notice = fill_notice(replace(FILL, side=Side.SELL), purpose)

    assert (notice.kind, notice.about, notice.line) == (kind, "BTCUSDT", line)


def test_fills_of_one_order_are_told_as_one() -> None:
    """A market order that meets ten others is one entry, at its average price."""
    first = fill_notice(FILL, OrderPurpose.ENTRY)
    second = fill_notice(replace(FILL, price=dec("42415")), OrderPurpose.ENTRY)

    assert first.joined(second).line == "entry filled: bought 0.8 at 42,365"


def test_a_result_comes_in_money_and_in_risk() -> None:
    """Both are asked for first; how long it took says the rest."""
    assert trip_notice(LOSS, "binance:default") == Notice(
        NoticeKind.RESULTS,
        "BTCUSDT on binance:default",
        "long 0.5 closed (stop): -530.12 USDT, -1.06 R; 60,000 to 59,000 in 1 h 2 min",
        3_720_000,
    )


def test_without_a_stop_there_is_no_risk_to_measure_by() -> None:
    """An unprotected position has no R; and a stop at the entry none either."""
    assert risk_multiple(replace(LOSS, stop=None)) is None
    assert risk_multiple(replace(LOSS, stop=LOSS.entry_price)) is None
    assert " R" not in trip_notice(replace(LOSS, stop=None)).line


def test_a_wish_that_was_taken_is_told_with_its_source() -> None:
    """The time is when it was heard of: that of the candle is long ago."""
    assert decision_notice(DECISION, 99) == Notice(
        NoticeKind.SIGNALS, "BTCUSDT", "long: entry sent (s1)", 99
    )


def test_a_wish_that_was_refused_is_told_with_its_reason() -> None:
    """Why it was not traded is answered before anybody asks."""
    denied = replace(
        DECISION, outcome=Outcome.DENIED, code="level_passed", reason="beyond its stop"
    )

    notice = decision_notice(denied, 99)

    assert notice == Notice(
        NoticeKind.REFUSALS,
        "BTCUSDT",
        "not traded: long, beyond its stop [level_passed] (s1)",
        99,
    )


def test_a_wish_that_changed_nothing_is_not_told() -> None:
    """A script says the same at every candle."""
    assert decision_notice(replace(DECISION, outcome=Outcome.IGNORED), 99) is None


@pytest.mark.parametrize("kind", AlertKind)
def test_every_alert_has_its_kind(kind: AlertKind) -> None:
    """What nobody thought of must not be lost on the way."""
    begun = alert_notice(Alert(kind, "", "it is so", 5))
    over = alert_notice(Alert(kind, "ETHUSDT", "it was so", 5, is_over=True))

    assert (begun.line, begun.about) == ("⚠ it is so", "")
    assert (over.line, over.about) == ("✓ it was so", "ETHUSDT")
    is_urgent = kind in {AlertKind.UNPROTECTED, AlertKind.GOVERNOR}
    assert begun.kind.is_urgent is is_urgent


@pytest.mark.parametrize(
    ("kind", "state", "told"),
    [
        ("received", SignalState.WAITING, NoticeKind.SIGNALS),
        ("received", SignalState.REFUSED, NoticeKind.REFUSALS),
        ("received", SignalState.LATE, NoticeKind.REFUSALS),
        ("received", SignalState.DUPLICATE, NoticeKind.REFUSALS),
        ("deleted", SignalState.CANCELLED, NoticeKind.REFUSALS),
        ("reply", SignalState.APPLIED, NoticeKind.SIGNALS),
        ("received", SignalState.NOT_A_SIGNAL, None),
        ("filled", SignalState.OPEN, None),
        ("decided", SignalState.DENIED, None),
        ("received", SignalState.ENTERING, None),
    ],
)
def test_signals_are_told_where_nothing_else_tells(
    kind: str, state: SignalState, told: NoticeKind | None
) -> None:
    """Chat is no news, and what the engine tells is not told twice."""
    notice = signal_notice("telegram:-1001", "BTCUSDT", SignalEvent(7, kind, state))

    assert (notice.kind if notice else None) == told


def test_a_refused_signal_says_why_and_cannot_be_tapped() -> None:
    """The sentence quotes the message, which a stranger wrote."""
    event = SignalEvent(7, "received", SignalState.REFUSED, "two_symbols", "names t.me/x\n/halt")

    notice = signal_notice("telegram:-1001", "", event)

    assert notice is not None
    assert notice.line.replace("\u2060", "") == (
        "signal refused: names t.me/x /halt [two_symbols] (telegram:-1001)"
    )
    assert "/halt" not in notice.line
    assert "t.me" not in notice.line


def test_kinds_are_chosen_by_their_words() -> None:
    """What is urgent comes with every choice; only none is none."""
    assert parse_kinds(" Entries, exits ") == {
        NoticeKind.ENTRIES,
        NoticeKind.EXITS,
        NoticeKind.PROTECTION,
        NoticeKind.GOVERNOR,
    }
    assert parse_kinds("all") == set(NoticeKind)
    assert parse_kinds("none") == set()
    with pytest.raises(ValueError, match="fills"):
        parse_kinds("fills")
