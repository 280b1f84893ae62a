"""What a script says about itself, and what may be changed from outside."""

import pytest

from milobot.domain.intents import Close, DoNothing, Enter
from milobot.domain.timeframes import Timeframe
from milobot.errors import ScriptError
from milobot.scripting.language import parse_source
from milobot.scripting.metadata import Metadata, read_metadata

HEAD = 'timeframe = "1h"\ncoin = "BTCUSDT"\naction_if_true = "long(1usdt)"\n'
END = "condition_true = False\n"


def _read(source: str, **overrides: object) -> Metadata:
    return read_metadata(parse_source(source), source, overrides)


def test_settings_are_read_without_running() -> None:
    """A list of scripts must be shown without executing any of them."""
    metadata = _read(HEAD + 'action_if_false = "close"\nx = 1 / 0\n' + END)

    assert metadata.timeframe is Timeframe.H1
    assert metadata.coin == "BTCUSDT"
    assert isinstance(metadata.action_if_true, Enter)
    assert metadata.action_if_false == Close()
    assert metadata.action_texts == ("long(1usdt)", "close")


def test_left_out_action_does_nothing() -> None:
    """One action is enough: most strategies have nothing to say about the other case."""
    assert _read(HEAD + END).action_if_false == DoNothing()


def test_parameters_are_literals_set_once() -> None:
    """Whatever a script changes itself cannot be searched over."""
    source = (
        HEAD + "a = 1\nb = -2.5\nc = 'x'\nd = True\n"
        "e = 1\ne = 2\nf = 3\nf += 1\ng = [1]\nh = 1 + 1\ni = j = 1\nk, l = 1, 2\n"
        "for m in range(3):\n    n = 1\no = 1\nfor o in range(2):\n    pass\np = None\n"
        "_ = 1\ns = 1e999\nq = 1\nif (q := 2):\n    pass\nx = [r for r in data]\n" + END
    )

    assert _read(source).parameters == {"a": 1, "b": -2.5, "c": "x", "d": True}


def test_comprehension_variable_does_not_hide_a_parameter() -> None:
    """Inside a comprehension the same letter is another variable."""
    assert _read(HEAD + "n = 3\nx = [n for n in range(2)]\n" + END).parameters == {"n": 3}


@pytest.mark.parametrize(
    ("default", "given", "expected"),
    [
        ("14", "21", 21),
        ("14", 21, 21),
        ("14", "-3", -3),
        ("1.5", "2", 2.0),
        ("1.5", "1e-3", 0.001),
        ("'x'", "14", "14"),
        ("'x'", " y ", " y "),
        ("True", "no", False),
        ("False", "TRUE", True),
        ("False", True, True),
    ],
)
def test_override_takes_the_type_of_its_default(
    default: str, given: object, expected: object
) -> None:
    """The command line knows only text; a period must still arrive as a whole number."""
    value = _read(HEAD + f"p = {default}\n" + END, p=given).parameters["p"]

    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("source", "overrides", "words"),
    [
        ("p = 14", {"p": "2.5"}, "p is a whole number in the script, such as 14: '2.5' is not"),
        ("p = 1.0", {"p": "abc"}, "p is a number in the script, such as 1.0: 'abc' is not"),
        ("p = 1.0", {"p": "nan"}, "p is a number in the script, such as 1.0: 'nan' is not"),
        ("p = True", {"p": "2"}, "p is a truth value"),
        ("rsi_period = 1", {"rsi_perod": "2"}, "did you mean rsi_period?"),
        ("p = 1", {"zzz": "2"}, "parameters of this script: p"),
        ("", {"zzz": "2"}, "parameters of this script: none"),
        ("p = 1\np = 2", {"p": "2"}, "p cannot be set from outside"),
        ("", {"condition_true": "1"}, "condition_true cannot be set from outside"),
    ],
)
def test_wrong_override_is_one_sentence(
    source: str, overrides: dict[str, object], words: str
) -> None:
    """A mistyped --set must not silently run the defaults."""
    with pytest.raises(ScriptError) as caught:
        _read(f"{HEAD}{source}\n{END}", **overrides)

    assert words in caught.value.reason


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        (HEAD.replace('timeframe = "1h"', "") + END, 0, "does not say its timeframe"),
        (HEAD.replace('coin = "BTCUSDT"', "") + END, 0, "does not say its coin"),
        (HEAD.replace('"1h"', '"7m"') + END, 1, "unknown timeframe '7m'"),
        (HEAD.replace('"1h"', "'1' + 'h'") + END, 0, "timeframe must be set once"),
        (HEAD.replace('"1h"', "60") + END, 0, "timeframe must be set once"),
        (HEAD + 'timeframe = "2h"\n' + END, 0, "timeframe must be set once"),
        (HEAD.replace("BTCUSDT", "BTC-USDT") + END, 2, "coin is written like BTCUSDT"),
        (HEAD.replace("BTCUSDT", "btcusdt") + END, 2, "coin is written like BTCUSDT"),
        (HEAD.replace("BTCUSDT", "") + END, 2, "coin is written like BTCUSDT"),
        (HEAD.replace("BTCUSDT", "ÄÖUSDT") + END, 2, "coin is written like BTCUSDT"),
        (HEAD.replace("long(1usdt)", "donothing") + END, 0, "the script never acts"),
        (HEAD.replace("long(1usdt)", "buy") + END, 3, "action_if_true: an action is donothing"),
        (HEAD + 'action_if_false = "close()"\n' + END, 4, "action_if_false: the action ends"),
        (HEAD, 0, "never sets condition_true"),
    ],
)
def test_missing_or_malformed_setting(source: str, line: int, words: str) -> None:
    """The sentence says what is missing and how to write it."""
    with pytest.raises(ScriptError) as caught:
        _read(source)

    assert words in caught.value.reason
    assert caught.value.line == line
