"""The table of docs/signals.md is the one that the code lives by."""

from itertools import product
from pathlib import Path

from milobot.signals.door import SignalState
from milobot.signals.life.table import ROWS, leads_to, lines

DOCUMENT = (Path(__file__).parents[4] / "docs" / "signals.md").read_text(encoding="utf-8")


def test_the_document_shows_the_table() -> None:
    """Whoever wonders what an edit does finds out there; property tests hold the code to it."""
    shown = DOCUMENT.split("<!-- life -->\n")[1].split("\n\n")[0]

    assert shown == "\n".join(lines())


def test_what_happens_to_a_signal_leads_to_one_state() -> None:
    """Only of a new message the state says more than what has happened."""
    kinds = {row.kind for row in ROWS}

    ambiguous = [
        (state, kind)
        for state, kind in product(SignalState, kinds)
        if kind != "received" and len(leads_to(state, kind)) > 1
    ]

    assert ambiguous == []


def test_nothing_leads_out_of_the_end() -> None:
    """A signal that is over stays so, but one that never was any may become one by an edit."""
    ways_out = [row for row in ROWS if row.before and row.before.is_final]

    assert {row.before for row in ways_out} == {SignalState.NOT_A_SIGNAL, SignalState.REFUSED}
    assert all(row.after is row.before for row in ways_out)
