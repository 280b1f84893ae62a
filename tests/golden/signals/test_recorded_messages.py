"""The recorded messages of real channels: read as their labels say, or refused, never wrong."""

from typing import Any

import pytest
from tests.support import signal_score
from tests.support.shared_data import shared_file
from tests.support.signal_score import OVERLAY, Outcome, Scored

from milobot.signals.reader import read
from milobot.signals.reading import ReadingKind

LEAST_EXACT = 0.95
NOT_TO_BE_TRADED = {ReadingKind.SETUP, ReadingKind.ORDER}


@pytest.fixture(scope="module", name="rows")
def loaded() -> list[dict[str, Any]]:
    """Return the recorded messages."""
    return signal_score.load_messages(shared_file("signals/signals.jsonl"))


@pytest.fixture(scope="module", name="scored")
def read_all(rows: list[dict[str, Any]]) -> list[Scored]:
    """Return the outcome of each labelled message."""
    return signal_score.score(rows)


def test_no_message_is_read_wrongly(scored: list[Scored]) -> None:
    """A misread signal costs money; this is the figure that matters most."""
    assert [(s.identity, s.detail) for s in scored if s.outcome is Outcome.WRONG] == []


@pytest.mark.parametrize("held_out", [False, True])
def test_nearly_all_messages_are_read_exactly(scored: list[Scored], *, held_out: bool) -> None:
    """Refusing everything would never be wrong; the third that was held out keeps us honest."""
    part = [s for s in scored if signal_score.is_held_out(s.identity) is held_out]

    assert len(part) > 40
    assert signal_score.exact_share(part) >= LEAST_EXACT


def test_nothing_that_is_no_signal_is_traded(rows: list[dict[str, Any]]) -> None:
    """Chat, results, replies and commands open no position."""
    assert signal_score.count_no_signals(rows) >= 40
    assert signal_score.traded_no_signals(rows) == []


def test_set_ups_without_a_label_are_read_too(rows: list[dict[str, Any]]) -> None:
    """Labels were made by other programs; what those missed is no worse a message."""
    unlabelled = [r for r in rows if r["kind"] == "open" and not (r["expected"] or {}).get("side")]

    kinds = [read(row["text"]).kind for row in unlabelled]

    assert kinds.count(ReadingKind.SETUP) >= 40


def test_each_correction_concerns_a_labelled_message(rows: list[dict[str, Any]]) -> None:
    """A correction of nothing hides a slip in its identity; each says what contradicts the label."""
    labelled = {row["id"] for row in rows if (row["expected"] or {}).get("side")}

    assert set(OVERLAY) <= labelled
    assert all(len(correction.reason) > 40 for correction in OVERLAY.values())


def test_each_field_points_at_its_words(rows: list[dict[str, Any]]) -> None:
    """A trader who asks why must be shown the words themselves, in the message as it came."""
    for row in rows:
        reading = read(row["text"])
        words = {span.field: row["text"][span.start : span.end] for span in reading.spans}
        assert all(0 <= s.start < s.end <= len(row["text"]) for s in reading.spans)
        if reading.kind is ReadingKind.SETUP and reading.stop is not None:
            assert any(sign.isdigit() for sign in words["stop"])
