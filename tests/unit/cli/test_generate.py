"""The made-up market that newcomers play with."""

from pathlib import Path

import pytest

from milobot.cli.main import main
from milobot.marketdata.files import load_candles
from milobot.marketdata.generated import generate_candles


def test_file_holds_the_market_of_the_demo(tmp_path: Path) -> None:
    """A back-test of the file and the demo without a file must be about the same market."""
    path = tmp_path / "market.csv.gz"

    assert main(["data", "generate", str(path)]) == 0
    assert load_candles(path).candles.equals(generate_candles())


def test_days_seed_and_symbol_choose_another_market(tmp_path: Path) -> None:
    """One market is too few to trust a strategy."""
    path = tmp_path / "market.csv"
    words = ["--days", "2", "--seed", "7", "--symbol", "ethusdt"]

    assert main(["data", "generate", str(path), *words]) == 0
    wanted = generate_candles("ETHUSDT", minutes=2880, seed=7)
    assert load_candles(path).candles.equals(wanted)


@pytest.mark.parametrize(
    "words", [["m.csv", "--days", "0"], ["m.csv", "--symbol", "BTC/USDT"], ["m.txt"], []]
)
def test_wrong_words_are_one_sentence(
    words: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """And no file is written."""
    placed = [str(tmp_path / word) if word.startswith("m.") else word for word in words]

    assert main(["data", "generate", *placed]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not list(tmp_path.iterdir())
