"""The table at the end of a campaign: what is proved, of which commit, and what is not."""

import io
import json
from pathlib import Path

from rich.console import Console
from tests.support.crash.judge import EXPOSED
from tests.support.crash.plan import all_cases
from tests.support.crash.run import Verdict
from tests.support.crash.runs import Told, load_rows
from tests.support.crash.summary import Campaign, summary

FIGURES = {"lives": 2, "entries": 7, "raw_ms": 2_400, "served_ms": 2_100, "judged_ms": 300}


def _said(campaign: Campaign) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(summary(campaign))
    assert isinstance(console.file, io.StringIO)
    return " ".join(console.file.getvalue().replace("│", " ").split())


def test_runs_of_another_commit_and_runs_once_wrong_are_told(tmp_path: Path) -> None:
    """A resumed campaign must not pass for a proof of today's code, or a repetition for a first try."""
    first, second = all_cases(2)
    results = tmp_path / "results.jsonl"
    before, now = Told(results, "aaaaaaa"), Told(results, "bbbbbbb")
    before(Verdict(first, {}, FIGURES, [str(first.kills[0])]))
    before(Verdict(second, {EXPOSED: ["BTCUSDT was 2400 ms without a stop"]}, FIGURES))
    now(Verdict(second, {}, FIGURES))

    rows = load_rows(results, {first.name, second.name})
    said = _said(Campaign(rows, new=1, seconds=9.0, commit="bbbbbbb", missed=("twice",)))

    assert "2 runs, 1 of them now in 9 s" in said
    assert "NOT ALL OF THEM OF ONE COMMIT" in said
    assert "once wrong, and then repeated 1" in said
    assert "bot that breaks a law, twice NOT SEEN" in said
    assert "unprotected at most, raw 2400 ms runs beyond the promise of 2 s 2 of 2" in said
    assert "of them where it was planned 1" in said


def test_a_campaign_of_one_commit_has_nothing_to_confess(tmp_path: Path) -> None:
    """The words that warn are there only when there is something to warn of."""
    (case,) = all_cases(1)
    told = Told(tmp_path / "results.jsonl", "bbbbbbb")
    told(Verdict(case, {}, FIGURES))

    said = _said(Campaign(told.rows, new=1, seconds=9.0, commit="bbbbbbb"))

    assert "runs at commit bbbbbbb 1" in said
    assert "books equal to the exchange's ledger 100.00%" in said
    assert "NOT" not in said
    assert "once wrong" not in said
    assert json.loads((tmp_path / "results.jsonl").read_text())["commit"] == "bbbbbbb"
