"""The judge itself: each of its laws is broken by a forged history, and kept by a true one."""

import asyncio
import os
import subprocess
import sys
import time
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
    Unprotected,
    differences,
    executed_twice,
    unprotected,
    unprotected_too_long,
    without_final_state,
)
from tests.support.crash.loops import MeasuredLoop, run_measured
from tests.support.crash.marks import CALLED, LED, SHOWN, STARVED, Mark, MarkWriter, read_marks
from tests.support.crash.spans import Span
from tests.support.crash.starvation import Starvation, waited_ns

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
    assert unprotected_too_long(_exposed(Exposure("BTCUSDT", 0, 2_000)), LIVES, [_shown(0)]) == []


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


BTC = Exposure("BTCUSDT", 1_000, 4_000)


def _exposed(
    exposure: Exposure = BTC,
    *,
    outages: tuple[Span, ...] = (),
    stalls: tuple[Span, ...] = (),
) -> Truth:
    return replace(TRUTH, exposures=(exposure,), outages=outages, stalls=stalls, ended_ms=40_000)


def _shown(time_ms: int, life: int = 1) -> Mark:
    return Mark(time_ms, life, SHOWN, "BTCUSDT")


def _spent(truth: Truth, *marks: Mark) -> Unprotected:
    return unprotected(truth.exposures[0], truth, LIVES, marks)


def test_a_position_without_a_stop_for_longer_than_promised_is_found() -> None:
    """From when it was shown, not from when it was filled; the end of the run is an end too."""
    for_ever = _exposed(Exposure("BTCUSDT", 30_000))

    assert unprotected_too_long(_exposed(), LIVES, [_shown(1_900)]) == [
        "BTCUSDT was 2100 ms without a stop from 1000 on (raw 2100 ms)"
    ]
    assert len(unprotected_too_long(for_ever, LIVES, [_shown(30_000, 2)])) == 1


def test_time_in_which_nobody_lived_or_knew_does_not_count() -> None:
    """A dead process protects nothing: its successor has 2 s from its first look."""
    across = _exposed(Exposure("BTCUSDT", 9_000, 22_000))

    assert _spent(across, _shown(9_000), _shown(20_500, 2)).raw == 1_500
    assert unprotected_too_long(across, LIVES, []) == []


def test_an_outage_is_left_out_and_told_apart() -> None:
    """An exchange that takes no order cannot be blamed on the bot, but only for that long."""
    truth = _exposed(Exposure("BTCUSDT", 1_000, 5_000), outages=((2_000, 3_000), (2_500, 4_000)))

    assert _spent(truth, _shown(1_000)) == Unprotected(raw=4_000, served=2_000, judged=2_000)
    assert unprotected_too_long(truth, LIVES, [_shown(1_000)]) == []


def test_time_without_a_processor_is_left_out_but_no_more_than_that() -> None:
    """A busy machine is not the bot's fault; half a second of it excuses half a second."""
    starved = Mark(2_500, 1, STARVED, "1900", "500")

    assert _spent(_exposed(), _shown(1_000), starved) == Unprotected(3_000, 3_000, 2_500)


@pytest.mark.parametrize(
    ("mark", "excused"),
    [
        (Mark(1_300, 1, STARVED, "700", "500"), 200),
        (Mark(1_300, 1, STARVED, "700", "300"), 0),
        (Mark(4_200, 1, STARVED, "3900", "250"), 50),
        (Mark(2_500, 2, STARVED, "1900", "500"), 0),
        (Mark(900, 1, STARVED, "100", "800"), 0),
    ],
)
def test_only_what_must_have_been_lost_while_it_was_exposed_is_left_out(
    mark: Mark, excused: int
) -> None:
    """What may have been lost before the position was shown, or after its stop, excuses nothing."""
    assert _spent(_exposed(), _shown(1_000), mark).judged == 3_000 - excused


def test_time_without_a_processor_within_an_outage_is_left_out_once() -> None:
    """Two excuses for the same moment are one: all of what was lost may lie within the outage."""
    truth = _exposed(outages=((2_000, 3_000),))
    within = Mark(3_000, 1, STARVED, "1800", "900")
    beyond = Mark(3_000, 1, STARVED, "1800", "1100")

    assert _spent(truth, _shown(1_000), within).judged == 2_000
    assert _spent(truth, _shown(1_000), beyond).judged == 1_900


def test_a_busy_exchange_excuses_only_a_bot_that_waits_for_its_answer() -> None:
    """Whoever asks nothing is not held up by an exchange that answers nobody."""
    truth = _exposed(stalls=((1_500, 2_500), (3_000, 3_400)))
    waited = Mark(2_000, 1, CALLED, "1400", "place_order")
    other = Mark(3_400, 2, CALLED, "3000", "place_order")

    assert _spent(truth, _shown(1_000), waited, other) == Unprotected(3_000, 3_000, 2_500)


async def test_a_loop_that_is_too_busy_to_look_says_so() -> None:
    """Its stalls are measured where sockets are read: a slow step counts, a sleep does not."""
    told: list[float] = []

    async def work() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, MeasuredLoop)
        await asyncio.sleep(0.06)
        loop.listeners.append(told.append)
        await asyncio.sleep(0.06)
        assert told == []
        time.sleep(0.06)  # noqa: ASYNC251 - what is to be noticed
        await asyncio.sleep(0)

    await asyncio.to_thread(run_measured, work())

    assert len(told) == 1
    assert told[0] >= 0.06


def test_a_process_tells_what_the_kernel_says_it_waited(tmp_path: Path) -> None:
    """The marks name the time within which it was lost, from one look to the next."""
    mark = MarkWriter(tmp_path / "marks", 1)
    before, starvation, began = waited_ns(), Starvation(mark), waited_ns()
    end = time.monotonic() + 5
    # Two processes more than there are processors: sooner or later this one has to wait.
    rivals = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in range((os.cpu_count() or 1) + 1)
    ]
    try:
        while waited_ns() - began < 20_000_000 and time.monotonic() < end:
            pass
        starvation.look()
    finally:
        for rival in rivals:
            rival.kill()
            rival.wait()

    (found,) = read_marks(tmp_path / "marks")
    assert found.kind == STARVED
    assert 20 <= int(found.said) <= (waited_ns() - before) / 1e6


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
