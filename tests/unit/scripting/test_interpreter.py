"""What a script sees, and what becomes of its mistakes."""

import numpy as np
import pytest

from milobot.domain.market import COLUMNS, Candle, CandleSeries
from milobot.errors import DataError, ScriptError
from milobot.scripting.interpreter import Interpreter
from milobot.scripting.results import Code, Evaluation

HEAD = 'timeframe = "1h"\ncoin = "BTCUSDT"\naction_if_true = "long(1usdt)"\n'
HOUR_MS = 3_600_000
START_MS = 1_704_067_200_000


def _columns(length: int, *, first: int = 0) -> dict[str, np.ndarray]:
    candles = [
        Candle(START_MS + n * HOUR_MS, n + 1.0, n + 3.0, n + 0.5, n + 2.0, 10.0 * n)
        for n in range(first, first + length)
    ]
    series = CandleSeries.from_candles(candles)
    return {name: getattr(series, name) for name in COLUMNS}


def _run(body: str, length: int = 6, *, limit: int = 5000) -> Evaluation:
    interpreter = Interpreter(HEAD + body, limit=limit)
    interpreter.append(_columns(length))
    return interpreter.evaluate(0, length)


def _printed(body: str, length: int = 6, *, limit: int = 5000) -> str:
    """Return what the script prints at the last candle."""
    result = _run(body + "\ncondition_true = False", length, limit=limit)
    assert result.errors == ()
    return result.prints[-1].text


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("lastclose", "7.0"),
        ("data[-1]['close'], data[-1]['time']", f"7.0 {START_MS + 5 * HOUR_MS}"),
        ("data[0]['open'], data[5].get('high'), data[5].get('foo')", "1.0 8.0 None"),
        ("len(data), len(data[-3:]), len(data[10:])", "6 3 0"),
        ("[c['close'] for c in data[-2:]], [c['low'] for c in data][0]", "[6.0, 7.0] 0.5"),
        (
            "data[-1]",
            (
                "{'time': 1704085200000, 'open': 6.0, 'high': 8.0, 'low': 5.5, 'close': 7.0, "
                "'volume': 50.0}"
            ),
        ),
        ("list(data[-1].keys())", "['time', 'open', 'high', 'low', 'close', 'volume']"),
        ("'close' in data[-1], 'x' in data[-1], data[-1] == data[5]", "True False True"),
        ("await calculate_sma(data, 2)", "<series of 6 values: ..., 4.5, 5.5, 6.5>"),
        ("(await calculate_sma(data, 2))[-2:]", "[5.5, 6.5]"),
        ("(await calculate_sma(data, 2))[0], len(await calculate_obv(data))", "nan 6"),
        ("list(reversed(await calculate_sma(data, 2)))[0]", "6.5"),
        ("zip([1], [2]), map(len, 'a'), enumerate([1])", None),
        ("(c for c in data)", "<generator: use list(...) to see it>"),
        ("[*zip([1], [2])], dict(zip('a', [1]))", "[(1, 2)] {'a': 1}"),
        ("sorted(data[-3:], key=lambda c: -c['close'])[0]['close']", "7.0"),
        ("max(data, key=lambda c: c['high'])['high']", "8.0"),
        ("round(2.675, 2), 7 // 2, 7 % 3, 2 ** 0.5", "2.67 3 1 1.4142135623730951"),
        ("await calculate_zigzag(data, 10, depth=1)", None),
        ("len(await candles('2h')), (await candles('2h'))[-1]['volume']", "3 90.0"),
        ("(await candles('1h'))[-1] == data[-1]", "True"),
        ("data", None),
        ("[c['high'] for c in data[-3:] if c['high'] != 7.0]", "[6.0, 8.0]"),
        ("[c['high'] for c in data[-2:] for _ in range(2)]", "[7.0, 7.0, 8.0, 8.0]"),
        ("sum(c['high'] for c in data[::-2]), max(c['low'] for c in data[-2:])", "18.0 5.5"),
        ("[c['high'] for c in data[::-3]], [c['time'] for c in data[9:]]", "[8.0, 5.0] []"),
        ("data[True]['close'], data[False]['close']", "3.0 2.0"),
        ("(await calculate_sma(period=1 + 1, data=data))[-1]", "6.5"),
        ("(await calculate_macd(data, 2, signal=1 + 1, slow=3))[0][-1] > 0", "True"),
        (
            "await calculate_macd([1.0, 2.0, 4.0], 2, 3, 1)",
            "([nan, nan, 0.6666666666666665], [nan, nan, 0.6666666666666665])",
        ),
        ("[await calculate_sma(data, n) for n in (2, 3)][1][-1]", "6.0"),
        (
            "(await calculate_obv(data)).index(0.0), (await calculate_sma(data, 2)).count(6.5)",
            "0 1",
        ),
        ("1, 2, sep='-', end='!'", "1-2!"),
        ("'x', end=None", "x"),
        (
            "len((await calculate_zigzag(data))[-1]), 'price' in (await calculate_zigzag(data))[0]",
            "5 True",
        ),
        ("[k for k in (await calculate_zigzag(data))[-1]]", None),
        ("f'{lastclose:08.2f}|{lastclose!r}|{[1, 2]}'", "00007.00|7.0|[1, 2]"),
    ],
)
def test_values_look_like_plain_python(expression: str, text: str | None) -> None:
    """Scripts are written against lists, dictionaries and numbers; nothing else may show."""
    printed = _printed(f"print({expression})")

    assert " at 0x" not in printed
    assert "np." not in printed
    assert text is None or printed == text


def test_data_is_a_window_and_series_keep_their_history() -> None:
    """The window slides, yet an average knows what was before it: values stay reproducible."""
    body = "s = await calculate_ema(data, 2)\nprint(len(data), data[0]['close'], len(s), s[0])"

    windowed, whole = _printed(body, 10, limit=3), _printed(body, 10)

    series = Interpreter(
        HEAD + "s = await calculate_ema(data, 2)\nprint(s[-3])\ncondition_true = False"
    )
    series.append(_columns(10))
    expected = series.evaluate(9, 10).prints[0].text
    assert windowed == f"3 9.0 3 {expected}"
    assert whole.startswith("10 2.0 10 nan")


def test_list_begins_at_its_own_first_element() -> None:
    """A list that the script builds has no history before it."""
    body = "s = await calculate_sma([c['close'] for c in data[-3:]], 2)\nprint(s)"

    assert _printed(body) == "[nan, 5.5, 6.5]"


def test_points_count_within_the_window() -> None:
    """An index into points must be an index into data, however long the run is."""
    body = (
        "points = await calculate_zigzag(data, 0.1, depth=1)\n"
        "print([data[p['index']]['time'] == p['time'] for p in points])"
    )

    assert set(_printed(body, 40, limit=7)) <= set("[True, ]")


def test_no_value_yet_is_warm_up_not_a_decision() -> None:
    """NaN compares false: without this rule action_if_false would trade on nothing."""
    result = _run("s = await calculate_sma(data, 3)\ncondition_true = s[-1] > 0")

    assert result.codes.tolist() == [Code.WARM_UP] * 2 + [Code.TRUE] * 4
    assert result.warm_up == 2
    assert result.errors == ()


def test_reaching_back_too_far_is_warm_up() -> None:
    """data[-4] on the third candle is not the author's mistake."""
    result = _run("condition_true = data[-4]['close'] > 0")

    assert result.codes.tolist() == [Code.WARM_UP] * 3 + [Code.TRUE] * 3


def test_reaching_back_further_than_any_history_fails() -> None:
    """An index that no history satisfies would be warm-up for ever: say so instead."""
    result = _run("condition_true = data[-9]['close'] > 0", 12, limit=8)

    assert result.codes.tolist() == [Code.FAILED] * 12
    assert "there is no [-9]" in result.errors[0].reason


def test_own_list_out_of_range_fails() -> None:
    """More candles do not make a fixed list longer."""
    result = _run("x = [1, 2]\ncondition_true = x[2] > 0", 2)

    assert result.codes.tolist() == [Code.FAILED] * 2


def test_stumbling_on_missing_values_is_warm_up() -> None:
    """int(nan) fails only because the indicator has no value yet."""
    result = _run("s = await calculate_sma(data, 3)\ncondition_true = int(s[-1]) > 0")

    assert result.codes.tolist() == [Code.WARM_UP] * 2 + [Code.TRUE] * 4


def test_short_history_is_told() -> None:
    """An average over more candles than there are depends on where the history begins."""
    result = _run("s = await calculate_ema(data, 3)\ncondition_true = s[-1] > 0")

    assert result.warnings == (
        (
            "calculate_ema(3) settles after 60 candles, and there are 6: its values still depend on "
            "where the history begins"
        ),
    )


def test_uses_are_listed_for_the_chart() -> None:
    """The page draws the panes that the script looks at."""
    result = _run(
        "a = await calculate_sma(data, 2)\nb = await calculate_rsi(a, period=2)\n"
        "c = await calculate_sma(await candles('2h'), 2)\ncondition_true = a[-1] > 0",
        12,
    )

    facts = [(use.name, use.settings, use.is_direct, use.first_index) for use in result.indicators]
    assert facts == [
        ("calculate_sma", (2.0,), True, 1),
        ("calculate_rsi", (2.0,), False, 3),
        ("calculate_sma", (2.0,), False, 3),
    ]


def test_higher_candle_shows_when_it_has_ended() -> None:
    """A 4h candle seen before its end would let the back-test see the future."""
    result = _run("h = await candles('4h')\nprint(len(h))\ncondition_true = False", 9)

    assert [line.text for line in result.prints] == list("000111122")


def test_higher_candle_that_began_before_the_anchor_is_left_out() -> None:
    """Its open and extremes are not in the data: half a candle is a wrong one."""
    interpreter = Interpreter(
        HEAD + "h = await candles('4h')\nprint([c['time'] for c in h])\ncondition_true = False"
    )
    interpreter.append(_columns(10, first=2))

    result = interpreter.evaluate(0, 10)

    assert result.prints[-1].text == f"[{START_MS + 4 * HOUR_MS}, {START_MS + 8 * HOUR_MS}]"


@pytest.mark.parametrize(
    ("body", "line", "column", "words"),
    [
        ("x = 1\ncondition_true = x / (x - 1) > 0", 5, 18, "division by zero"),
        ("condition_true = data[-1]['clse'] > 0", 4, 18, "there is no key 'clse'"),
        ("s = await calculate_sma(data, 1 + 1)\ncondition_true = s > 1", 5, 18, "rsi[-1]"),
        ("m = await calculate_macd([1.0])\ncondition_true = m > 1", 5, 18, "a, b = await"),
        ("if len(data) > 9:\n    y = 1\ncondition_true = y > 0", 6, 18, "y has no value yet"),
        ("data.append(1)\ncondition_true = True", 4, 1, "cannot be changed"),
        ("c = data[-1]\nc['close'] = 1\ncondition_true = True", 5, 1, "item assignment"),
        ("s = await calculate_sma('abc', 2)\ncondition_true = True", 4, 5, "must be a list"),
        ("n = [1]\ns = await calculate_sma(data, n)\ncondition_true = True", 5, 5, "whole number"),
        ("print(1, sep=2)\ncondition_true = True", 4, 1, "sep is a text"),
        ("x = int('abc')\ncondition_true = True", 4, 5, "invalid literal"),
        ("a = await calculate_atr([1.0, 2.0])\ncondition_true = True", 4, 5, "candle with 'high'"),
        (
            "r = await get_symbol_constraints()\ncondition_true = True",
            4,
            5,
            "not known in this run",
        ),
        ("condition_true = 1", 0, 0, "must be True or False"),
        ("x = data['close']\ncondition_true = True", 4, 5, "takes whole numbers in [ ], not str"),
        ("x = data[1.0]\ncondition_true = True", 4, 5, "takes whole numbers in [ ], not float"),
        ("x = (await calculate_obv(data))['a']\ncondition_true = True", 4, 5, "whole numbers"),
        ("x = (await calculate_zigzag(data))['a']\ncondition_true = True", 4, 5, "whole numbers"),
        (
            "s = await calculate_obv(data)\nx = await calculate_atr(s)\ncondition_true = True",
            5,
            5,
            "needs candles, such as data",
        ),
        (
            "d = await detect_divergences([1], [], data, 1, 0)\ncondition_true = True",
            4,
            5,
            "rsi has 1 values but data has 2 candles",
        ),
        ("x = 2.0 ** 9999\ncondition_true = True", 4, 5, "grows too large"),
        ("x = (await calculate_obv(data)).index(7)\ncondition_true = True", 4, 5, "no such value"),
        ("x = [1].pop(5)\ncondition_true = True", 4, 5, "pop index out of range"),
        ("x = 'a'.append(1)\ncondition_true = True", 4, 5, "no attribute"),
        ("if lastclose < 0:\n    condition_true = True", 0, 0, "condition_true has no value"),
    ],
)
def test_mistake_is_told_with_its_place(body: str, line: int, column: int, words: str) -> None:
    """The candle fails, the bot goes on, and the author sees line, column and reason."""
    result = _run(body, 3)

    assert result.codes[-1] == Code.FAILED
    assert words in result.errors[0].reason
    assert (result.errors[0].line, result.errors[0].column) == (line, column)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("s = await calculate_sma(data, 1)", "period must be a whole number from 2"),
        ("p = 14.0\ns = await calculate_rsi(data, p)", "not 14.0"),
        ("s, t = await calculate_macd(data, fast=30)", "fast must be below slow"),
        ("z = await calculate_zigzag(data, 100)", "deviation must be a number from 0"),
        ("d = await detect_divergences(data, data, data, 1, 2)", "must not be below right_window"),
        ("h = await candles('7h')", "unknown timeframe '7h'"),
        ("h = await candles('15m')", "candles of 15m cannot be made from candles of 1h"),
        ("h = await candles(4)", "takes a timeframe in quotes"),
    ],
)
def test_wrong_setting_is_told_before_the_first_candle(body: str, words: str) -> None:
    """A period that can never work is a mistake in the text, not in the market."""
    with pytest.raises(ScriptError) as caught:
        Interpreter(f"{HEAD}{body}\ncondition_true = True")

    assert words in caught.value.reason
    assert caught.value.line >= 4


def test_nothing_is_remembered_between_candles() -> None:
    """A decision depends on the candles alone, so a restart cannot change it."""
    body = "if len(data) == 1:\n    seen = 1\ncondition_true = seen == 1"

    assert _run(body, 3).codes.tolist() == [Code.TRUE, Code.FAILED, Code.FAILED]


def test_only_the_first_failures_are_kept() -> None:
    """A script that fails on a million candles must not fill the memory with the same text."""
    result = _run("condition_true = 1 / 0", 300)

    assert len(result.errors) == 100
    assert result.codes.tolist() == [Code.FAILED] * 300


@pytest.mark.parametrize(("start", "stop"), [(-1, 2), (2, 1), (0, 7)])
def test_candles_that_are_not_there_cannot_be_decided(start: int, stop: int) -> None:
    """A slip of the caller must not become decisions about other candles."""
    interpreter = Interpreter(HEAD + "condition_true = True")
    interpreter.append(_columns(6))

    with pytest.raises(DataError, match="are not among the 6"):
        interpreter.evaluate(start, stop)


def test_unordered_candles_are_refused_whole() -> None:
    """After a refusal the history is as it was."""
    interpreter = Interpreter(HEAD + "condition_true = True")
    interpreter.append(_columns(3))

    with pytest.raises(DataError, match="in order of time"):
        interpreter.append(_columns(3, first=2))
    with pytest.raises(DataError, match="differ in length"):
        interpreter.append(_columns(2, first=3) | {"close": np.zeros(1)})

    assert interpreter.length == 3
