"""What the script language takes, and how it reports faults that are no forbidden construct."""

import pytest

from milobot.errors import ScriptError, ScriptForbiddenError
from milobot.scripting.language import parse_source


@pytest.mark.parametrize(
    "source",
    [
        "x = (1 + 2) * 3 - 4 / 5 // 6 % 7 ** 2 << 1 >> 1 | 2 ^ 3 & ~4",
        "x = not True and 1 < 2 <= 3 != 4 or None is None",
        "x = 1 if lastclose > 2 else -1",
        "x = 0\nfor i in range(3):\n    if i == 1:\n        continue\n    x += i\nelse:\n    x -= 1",
        "x = 5\nwhile x > 0:\n    x -= 1\n    if x == 2:\n        break",
        "a, (b, *c) = 1, (2, 3, 4)\nd = e = a",
        "x = [c['close'] for c in data if c['volume'] > 0 for _ in range(2)]",
        "x = {c['time']: c['close'] for c in data[-3:]}",
        "x = any(c['close'] > 1 for c in data)\ny = sum(c['close'] for c in data[-5:])",
        "x = data[-20:-1:2][0]['open']\ny = data[-1].get('close')",
        "print(f'{lastclose:>10.2f} {lastclose!s} {lastclose:{5}}', 'x', sep='-', end='')",
        "x = sorted(data[-5:], key=lambda candle: candle['low'])\ny = max(x, key=len)",
        "x = list(map(float, ['1', '2']))\ny = list(filter(lambda n: n > 1, x))",
        "x = [1]\nx.append(2)\nx.sort(reverse=True)\nx[0] = 3\nx[0] += 1",
        "x = 'a,b'.split(',')[0].upper()",
        "x = lastclose in {1, 2} or 'a' not in {'b'}",
        "if (x := lastclose) > 1:\n    y = x",
        "rsi = [await calculate_rsi(data, n) for n in (7, 14)]",
        "x = (await calculate_rsi(data))[-1] < 30",
        "a, b = await calculate_macd(data=data, fast=5, slow=10)",
        "x = await calculate_sma(await calculate_rsi(data), period=3)",
        "x = any(v > 1 for v in await calculate_rsi(data, 14))",
        "h = await candles('4h')\nc = (await get_symbol_constraints())['minQty']",
        "for _ in range(3):\n    pass",
        "x = '\\d'  # a doubtful escape is the author's affair",
    ],
)
def test_ordinary_python_passes(source: str) -> None:
    """The language is small, but what traders write every day is in it."""
    parse_source(source)


@pytest.mark.parametrize(
    ("source", "line", "column", "words"),
    [
        ("x = calculate_rsl(data, 14)", 1, 5, "did you mean calculate_rsi?"),
        ("x = await calculate_rsl(data, 14)", 1, 11, "did you mean calculate_rsi?"),
        ("x = await calculate_vwap(data)", 1, 11, "unknown name 'calculate_vwap'"),
        ("y = 1\nx = lastclos", 2, 5, "did you mean lastclose?"),
        ("period = 1\nx = perod", 2, 5, "did you mean period?"),
        ("x = qqq", 1, 5, "unknown name 'qqq'"),
        ("x = [c for c in data]\nprint(c)", 2, 7, "unknown name 'c'"),
        ("x = qqq.foo", 1, 5, "unknown name 'qqq'"),
        ("x = data()", 1, 5, "data is a value, not a function"),
        ("x = 1\nx(2)", 2, 1, "x is a value, not a function"),
        ("x = 1 +", 1, 8, "syntax error"),
        ("x = 1\n  y = 2", 2, 2, "syntax error: unexpected indent"),
        ("x = (", 1, 5, "'(' was never closed"),
        ("if x\n    y = 1", 1, 5, "expected ':'"),
        ("x = 'abc", 1, 5, "unterminated string"),
        ("\0", 1, 1, "null bytes"),
        ("x = await calculate_sma(data)", 1, 11, "calculate_sma needs period"),
        ("x = await calculate_rsi()", 1, 11, "calculate_rsi needs data"),
        ("x = await calculate_rsi(data, 1, 2)", 1, 11, "takes 2 arguments: data, period"),
        ("x = await calculate_obv(data, period=2)", 1, 31, "has no argument 'period'"),
        ("x = await calculate_rsi(data, perod=2)", 1, 31, "did you mean period?"),
        ("x = await calculate_rsi(data, 14, period=2)", 1, 35, "got period twice"),
        ("x = await get_symbol_constraints(1)", 1, 11, "takes 0 arguments: none"),
        ("ä = 'ü'; x = ß", 1, 14, "unknown name 'ß'"),
        ("x = " + "(" * 300 + ")" * 300, 1, 205, "too many nested parentheses"),
    ],
)
def test_fault_has_its_place(source: str, line: int, column: int, words: str) -> None:
    """Line and column count from 1, and columns count characters, not bytes."""
    with pytest.raises(ScriptError) as caught:
        parse_source(source)

    assert not isinstance(caught.value, ScriptForbiddenError)
    assert words in caught.value.reason
    assert (caught.value.line, caught.value.column) == (line, column)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("#" * 70_000, "at most 64 KB"),
        ("x = 1\n" * 2000, "at most 4000 syntax elements"),
        ("x = " + "-" * 900 + "1", "nested too deeply"),
        ("x = " + "+".join(["1"] * 5000), "not readable as a script"),
        ("x = '\ud800'", "not readable as a script"),
        ("x = " + "9" * 5000, "Exceeds the limit"),
    ],
)
def test_oversized_text_is_refused_in_a_sentence(source: str, words: str) -> None:
    """No text, however built, makes the parser fail in another way than its own error."""
    with pytest.raises(ScriptError, match=words):
        parse_source(source)
