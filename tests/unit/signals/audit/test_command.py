"""``milobot signals audit``: what people, programs and pages get, and what is refused."""

import json
import re
from pathlib import Path

import pytest
from tests.support.shared_data import shared_file

from milobot.cli.main import main

DOCUMENT = (Path(__file__).parents[4] / "docs" / "signal-audit.md").read_text(encoding="utf-8")


def _block(kind: str) -> str:
    (found,) = re.findall(rf"```{kind}\n(.*?)```", DOCUMENT, re.DOTALL)
    return str(found)


@pytest.fixture
def example(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Path:
    """Write the channel and the candles of the document into a folder of their own."""
    monkeypatch.setenv("COLUMNS", "110")
    monkeypatch.setenv("CANDLE_DATABASE", str(tmp_path / "none.db"))
    (tmp_path / "channel.jsonl").write_text(_block("jsonl"), encoding="utf-8")
    (tmp_path / "BTCUSDT_1h.csv").write_text(_block("csv"), encoding="utf-8")
    capsys.readouterr()
    return tmp_path


def _run(*words: str | Path) -> int:
    return main(["signals", "audit", *map(str, words)])


def test_example_of_the_document_is_what_is_printed(
    example: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever reads the page and tries it sees the same, to the last digit."""
    data = example / "BTCUSDT_1h.csv"
    code = _run(example / "channel.jsonl", "--data", data, "--slippage", "0.01%")

    printed = "".join(f"{line.rstrip()}\n" for line in capsys.readouterr().out.splitlines())
    assert (code, printed) == (0, _block("text"))


def test_narrow_terminal_shows_the_same_one_below_the_other(
    example: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eighty columns are what a server's terminal has: no line is cut off."""
    monkeypatch.setenv("COLUMNS", "80")
    _run(example / "channel.jsonl", "--data", example)
    lines = capsys.readouterr().out.splitlines()

    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)


def test_json_is_for_programs(example: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One document, each set-up in it with what became of it."""
    _run(example / "channel.jsonl", "--data", example, "--json")
    document = json.loads(capsys.readouterr().out)

    assert [setup["fate"] for setup in document["setups"]] == ["closed", "closed", "cancelled"]
    assert document["claims"] == {"checked": 2, "confirmed": 1, "unmatched": 0}
    assert document["missing_candles"] == {"ETHUSDT": 1}


def test_page_needs_nothing_else(example: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is sent by mail and opened years later: nothing is fetched."""
    page = example / "audit.html"
    _run(example / "channel.jsonl", "--data", example, "--html", page)
    capsys.readouterr()
    content = page.read_text(encoding="utf-8")

    assert "Expectancy" in content
    assert "http" not in content
    assert "<script" not in content


def test_without_candles_the_messages_are_read(
    example: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Reading alone says what a channel asks for; the rest is not made up."""
    code = _run(example / "channel.jsonl")
    out = " ".join(capsys.readouterr().out.split())

    assert code == 0
    assert "None of the 4 set-ups could be played (4: no candles of its symbol)" in out
    assert "messages were only read: name some with --data" in out


def test_profile_bounds_what_is_played(example: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An audit says what the profile that will trade would have brought."""
    profile = example / "whales.toml"
    profile.write_text('sides = ["short"]\n')
    _run(example / "channel.jsonl", "--data", example, "--profile", profile, "--json")
    document = json.loads(capsys.readouterr().out)

    assert document["messages"]["refusals"]["side_not_allowed"] == 3
    assert document["trades"]["count"] == 1


def test_risk_is_that_of_live_signals_unless_named(
    example: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An audit answers for the settings that will trade; a flag tries another one."""
    monkeypatch.setenv("SIGNAL_RISK", "2%")
    risks = []
    for words in ((), ("--risk", "0.5%")):
        _run(example / "channel.jsonl", "--data", example, "--json", *words)
        risks.append(json.loads(capsys.readouterr().out)["terms"]["risk"])

    assert risks == ["0.02", "0.005"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["none.json"], "cannot be read"),
        (["channel.jsonl", "--data", "none"], "--data: "),
        (["channel.jsonl", "--data", "BTCUSDT_1h.csv", "--db", "x.db"], "exclude each other"),
        (["channel.jsonl", "--db", "x.db"], "does not exist"),
        (["channel.jsonl", "--risk", "2"], "--risk '2' is no risk"),
        (["channel.jsonl", "--risk", "much"], "--risk 'much' is no risk"),
        (["channel.jsonl", "--coarsest", "7m"], "7m"),
        (["channel.jsonl", "--html", "no/such/folder.html"], "no/such/folder.html"),
    ],
)
def test_wrong_words_end_in_one_sentence(
    example: Path, capsys: pytest.CaptureFixture[str], words: list[str], reason: str
) -> None:
    """Code 2 and a sentence, never a traceback."""
    names = {"channel.jsonl", "BTCUSDT_1h.csv", "none.json", "none", "x.db"}
    code = _run(*(example / word if word in names else word for word in words))
    said = capsys.readouterr().err

    assert code == 2
    assert reason in said
    assert said.count("\n") == 1


def test_shared_messages_are_audited_in_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    """Real messages without times: none may be played as a record, some can be tried."""
    messages, candles = shared_file("signals/signals.jsonl"), shared_file("klines")
    code = _run(messages, "--data", candles, "--json")
    document = json.loads(capsys.readouterr().out)

    assert code == 0
    setups = document["messages"]["setups"]
    assert document["not_played"] == {"the message has no time": setups}
    assert document["trades"]["count"] == 0
    tried = document["rehearsal"]
    assert tried["setups"] + tried["no_place"] <= setups
    assert tried["tries"] >= 20
    assert "cannot be said" in document["verdict"]
