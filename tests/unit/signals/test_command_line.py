"""``milobot signals read``: the reading for people and for programs."""

import json
from pathlib import Path

import pytest

from milobot.cli.main import main

SET_UP = (
    "Long #BTC/USDT\nEntry: 65,000 - 64,500.5 (now)\nSL: 63,000 daily close\nTP: 70,000\nrisk 1%"
)


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Print as into a wide terminal, whatever other tests have set."""
    monkeypatch.setenv("COLUMNS", "160")


def _run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["signals", "read", *words])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_each_field_stands_beside_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    """Why was it read so? The answer is the words."""
    code, out, _ = _run(capsys, SET_UP)

    assert code == 0
    rows = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert "63000 (the message waits for a candle's close)" in rows["stop"]
    assert rows["stop"].rstrip().endswith("SL: 63,000")
    assert "LONG" in rows["side"]
    assert "1.00 % at risk" in rows["size"]


def test_carets_stand_under_the_words(capsys: pytest.CaptureFixture[str]) -> None:
    """Wide signs take two columns; the carets must keep up."""
    _, out, _ = _run(capsys, "\U0001f525 Long BTCUSDT Entry 65000 SL 63000 TP 66000")
    lines = out.splitlines()
    place = next(at for at, line in enumerate(lines) if line.startswith("\U0001f525"))

    assert lines[place + 1].startswith("   ^^^^ ^^^^^^^ ^^^^^^^^^^^ ^^^^^^^^")


@pytest.mark.parametrize(
    ("text", "said"),
    [("hello there", "not a signal"), ("BUY BTCUSDT -1", "bad_quantity: The quantity '-1'")],
)
def test_refusal_is_an_answer(capsys: pytest.CaptureFixture[str], text: str, said: str) -> None:
    """The command did what it was asked: code 0, with kind, code and sentence."""
    code, out, _ = _run(capsys, text)

    assert code == 0
    assert said in out


def test_json_holds_the_whole_reading(capsys: pytest.CaptureFixture[str]) -> None:
    """Programs get numbers as text: a float would change them."""
    _, out, _ = _run(capsys, "--json", SET_UP)
    reading = json.loads(out)

    assert reading["stop"] == {"price": "63000", "fraction": None, "is_on_close": True}
    assert reading["entry"]["prices"] == ["65000", "64500.5"]
    assert reading["size"] == {"kind": "%risk", "value": "0.01"}
    assert {"field": "symbol", "start": 5, "end": 14, "words": "#BTC/USDT"} in reading["spans"]


def test_profile_bears_on_the_reading(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A trader tries a profile on yesterday's messages before money hangs on it."""
    profile = tmp_path / "channel.toml"
    profile.write_text('sides = ["short"]', encoding="utf-8")

    code, out, _ = _run(capsys, SET_UP, "--profile", str(profile))

    assert code == 0
    assert "side_not_allowed" in out


@pytest.mark.parametrize("words", [(), ("hello", "--profile", "nowhere.toml"), ("--what", "x")])
def test_bad_usage_is_one_sentence(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    """Only a wrong call ends with code 2."""
    code, out, err = _run(capsys, *words)

    assert (code, out) == (2, "")
    assert err.count("\n") == 1
