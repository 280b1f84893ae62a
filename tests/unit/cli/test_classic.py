"""The flags that users of the old bot have in their fingers."""

import pytest

from milobot.cli.classic import main


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--backtest"], "--script"),
        (["--loop", "live"], "--script"),
        (["--initdb"], "--initdb"),
        (["--initdb", "BTCUSDT", "--timeframes", "7h"], "unknown timeframe"),
        (["--initdb", "BTCUSDT", "ETHUSDT", "--limit", "-1"], "--limit -1"),
        (["--initdb", "BTCUSDT", "--exchange", "mtgox"], "binance or bingx"),
        (["--json", "out.json"], "--script"),
        (["--script"], "--script"),
        (["--script", "a", "--loop", "forever"], "--loop"),
        (["--script", "a", "--print-indicators"], "not allowed with"),
        (["--print-indicators"], "--symbol and --interval"),
        (["--print-indicators", "--symbol", "BTCUSDT", "--interval", "7h"], "unknown timeframe"),
    ],
)
def test_wrong_flags_are_one_sentence(
    words: list[str], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The classic flags refuse like the sub-commands do: a sentence and code 2."""
    try:
        code = main(words)
    except SystemExit as end:
        code = int(end.code or 0)

    said = capsys.readouterr().err
    assert code == 2
    assert part in said
    assert len(said.splitlines()) == 1


def test_no_flags_show_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Typing main.py alone is a question, not a mistake."""
    assert main([]) == 0
    assert "--print-indicators" in capsys.readouterr().out
