"""The judge itself: each of its laws is broken by a forged history, and kept by a true one."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.crash.exposure import Exposure
from tests.support.crash.judge import (
    Execution,
    Life,
    OurDecision,
    OurOrder,
    Records,
    TheirOrder,
    Truth,
    differences,
    executed_twice,
    exposed_ms,
    unprotected_too_long,
    without_final_state,
)
from tests.support.crash.marks import LED, SHOWN, STARVED, Mark, MarkWriter, read_marks

ONE = Decimal(1)
WISHED = {"k1": ("BTCUSDT", ONE)}
ENTRY = TheirOrder("e1", "BTCUSDT", ONE, ONE, reduces=False)
FILL = Execution("f1", "BTCUSDT", "BUY", ONE, Decimal(100), Decimal("0.05"))
OUR_ENTRY = OurOrder("e1", "11", "k1", "BTCUSDT", "entry", "FILLED", ONE)
OUR_STOP = OurOrder("s1", "12", "k1", "BTCUSDT", "stop", "SUBMITTED", Decimal(0))
TRUTH = Truth(orders=(ENTRY,), fills=(FILL,), positions={"BTCUSDT": ONE}, resting=frozenset({"s1"}))
RECORDS = Records(
    intents=frozenset({"k1"}),
    orders=(OUR_ENTRY, OUR_STOP),
    fills=(FILL,),
    positions={"BTCUSDT": ONE},
    decisions=(OurDecision("k1", "accepted", "accepted", "long"),),
)
LIVES = (Life(1, 0, 10_000), Life(2, 20_000, 40_000))


def test_a_true_history_breaks_no_law() -> None:
    """The base of the forgeries below: what is broken there is broken by the forgery alone."""
    assert executed_twice(TRUTH, WISHED) == []
    assert without_final_state(RECORDS, {"k1"}) == []
    assert differences(TRUTH, RECORDS) == []
    assert unprotected_too_long(TRUTH, LIVES, []) == []


def test_a_second_execution_is_found_under_whatever_name() -> None:
    """A bot that forgot makes a new order id: the quantity is what gives it away."""
    again = replace(TRUTH, orders=(ENTRY, replace(ENTRY, client_id="e2")))

    assert executed_twice(again, WISHED) == ["k1 was executed 2 times"]


def test_an_entry_that_nobody_wished_for_is_found() -> None:
    """An entry of a wrong size is as bad as a second one."""
    strange = replace(TRUTH, orders=(ENTRY, replace(ENTRY, quantity=Decimal(3))))

    assert executed_twice(strange, WISHED) == ["nobody wished 3 of BTCUSDT (e1)"]


def test_orders_that_reduce_or_did_not_fill_are_no_entries() -> None:
    """A close of the same size, or an entry that was refused, is no second execution."""
    others = (replace(ENTRY, reduces=True), replace(ENTRY, filled=Decimal(0)))

    assert executed_twice(replace(TRUTH, orders=(ENTRY, *others)), WISHED) == []


@pytest.mark.parametrize(
    ("forged", "asked", "sentence"),
    [
        (RECORDS, {"k2"}, "k2 was asked and there is no decision"),
        (replace(RECORDS, intents=frozenset({"k3"})), set(), "k3 was asked and there is no"),
        (replace(RECORDS, orders=(OUR_STOP,)), set(), "k1 was accepted and has no entry"),
        (
            replace(RECORDS, orders=(replace(OUR_ENTRY, status="UNKNOWN"),)),
            set(),
            "the entry e1 is still UNKNOWN",
        ),
        (
            replace(RECORDS, orders=(OUR_ENTRY, replace(OUR_STOP, status="CANCEL_PENDING"))),
            set(),
            "the stop s1 is still CANCEL_PENDING",
        ),
    ],
)
def test_an_intent_without_a_final_state_is_found(
    forged: Records, asked: set[str], sentence: str
) -> None:
    """Never asked about again, lost between two commits, or in doubt for ever."""
    (found,) = without_final_state(forged, asked)

    assert found.startswith(sentence)


def test_a_close_or_a_denial_needs_no_entry() -> None:
    """Their decision is their final state."""
    decisions = (
        OurDecision("k1", "accepted", "accepted", "close"),
        OurDecision("k2", "denied", "slot_busy", "long"),
    )

    assert without_final_state(Records(decisions=decisions), {"k1", "k2"}) == []


def _exposed(*exposures: Exposure, outages: tuple[tuple[int, int], ...] = ()) -> Truth:
    return replace(TRUTH, exposures=exposures, outages=outages, ended_ms=40_000)


def _shown(time_ms: int, life: int) -> Mark:
    return Mark(time_ms, life, SHOWN, "BTCUSDT")


def test_a_position_without_a_stop_for_longer_than_promised_is_found() -> None:
    """From when it was shown, not from when it was filled; the end of the run is an end too."""
    late = _exposed(Exposure("BTCUSDT", 1_000, 4_000))
    for_ever = _exposed(Exposure("BTCUSDT", 30_000))

    assert unprotected_too_long(late, LIVES, [_shown(1_900, 1)]) == [
        "BTCUSDT was 2100 ms without a stop from 1000 on"
    ]
    assert len(unprotected_too_long(for_ever, LIVES, [_shown(30_000, 2)])) == 1


def test_time_in_which_nobody_lived_or_knew_does_not_count() -> None:
    """A dead process protects nothing: its successor has 2 s from its first look."""
    across = _exposed(Exposure("BTCUSDT", 9_000, 22_000))
    marks = [_shown(9_000, 1), _shown(20_500, 2)]

    assert exposed_ms(across.exposures[0], across, LIVES, marks) == 1_500
    assert unprotected_too_long(across, LIVES, []) == []


def test_an_outage_is_left_out() -> None:
    """An exchange that takes no order cannot be blamed on the bot, but only for that long."""
    first, last = 1_000, 5_000
    short = _exposed(Exposure("BTCUSDT", first, last), outages=((2_000, 3_000), (2_500, 4_000)))

    assert exposed_ms(short.exposures[0], short, LIVES, [_shown(first, 1)]) == 2_000
    assert unprotected_too_long(short, LIVES, [_shown(first, 1)]) == []


def test_time_without_a_processor_is_left_out_but_no_more_than_that() -> None:
    """A busy machine is not the bot's fault; half a second of it excuses half a second."""
    late = _exposed(Exposure("BTCUSDT", 1_000, 4_000))
    starved = Mark(2_500, 1, STARVED, said="500")

    assert exposed_ms(late.exposures[0], late, LIVES, [_shown(1_000, 1), starved]) == 2_500


@pytest.mark.parametrize(
    ("truth", "records", "sentence"),
    [
        (TRUTH, replace(RECORDS, fills=()), "the fill f1 of BTCUSDT is not in our books"),
        (
            TRUTH,
            replace(RECORDS, fills=(replace(FILL, fee=Decimal(0)),)),
            "the fill f1 of BTCUSDT is not in our books as it was",
        ),
        (
            TRUTH,
            replace(RECORDS, fills=(FILL, replace(FILL, fill_id="f2"))),
            "our books have the fill f2 of BTCUSDT, which never was",
        ),
        (TRUTH, replace(RECORDS, positions={}), "BTCUSDT: the exchange holds 1, our books 0"),
        (replace(TRUTH, positions={}), RECORDS, "BTCUSDT: the exchange holds 0, our books 1"),
        (
            TRUTH,
            replace(RECORDS, orders=(replace(OUR_ENTRY, filled=Decimal("0.5")), OUR_STOP)),
            "e1 filled 1, in our books 0.5",
        ),
        (
            replace(TRUTH, resting=frozenset({"s1", "s2"})),
            RECORDS,
            "s2 rests and is not in our books",
        ),
        (replace(TRUTH, resting=frozenset()), RECORDS, "s1 rests in our books only"),
    ],
)
def test_books_that_are_not_the_ledger_are_found(
    truth: Truth, records: Records, sentence: str
) -> None:
    """A lost or invented fill, a wrong fee, position or order: each is a difference."""
    (found,) = differences(truth, records)

    assert found.startswith(sentence)


def test_a_stop_is_known_by_the_exchange_id_where_it_has_no_other() -> None:
    """BingX takes no client id for stops: such a stop is no difference."""
    assert differences(replace(TRUTH, resting=frozenset({"12"})), RECORDS) == []


def test_marks_are_read_as_they_were_written(tmp_path: Path) -> None:
    """What a killed process noted is evidence; a run without any marks has none."""
    path = tmp_path / "marks"
    assert read_marks(path) == []

    MarkWriter(path, 1)(LED)
    MarkWriter(path, 2)(SHOWN, "BTCUSDT")

    assert [(m.life, m.kind, m.about) for m in read_marks(path)] == [
        (1, LED, ""),
        (2, SHOWN, "BTCUSDT"),
    ]
