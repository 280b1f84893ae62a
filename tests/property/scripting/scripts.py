"""Random scripts of the language, and random candles, as Hypothesis strategies.

Both grow from a drawn seed: drawing every choice through Hypothesis costs a
hundred times the time of the test itself.
"""

from random import Random

from hypothesis import strategies as st

from milobot.domain.market import Candle

HOUR_MS = 3_600_000
HEAD = 'timeframe = "1h"\ncoin = "BTCUSDT"\naction_if_true = "long(1usdt)"\n'
_COLUMNS = ("open", "high", "low", "close", "volume", "time")


def candle_lists(*, longest: int = 60) -> st.SearchStrategy[list[Candle]]:
    """Hourly candles of a walk, some beginning inside a higher candle, with gaps."""
    return st.builds(random_walk, st.integers(0, 2**32), st.integers(1, longest))


def scripts() -> st.SearchStrategy[str]:
    """Scripts that use indicators, swing points, loops, comprehensions and prints."""
    return st.integers(0, 2**32).map(random_script)


def random_script(seed: int) -> str:
    """Return the script that grows from ``seed``."""
    return _Writer(Random(seed)).script()  # noqa: S311 - no secret


def random_walk(seed: int, length: int) -> list[Candle]:
    """Return the candles that grow from ``seed``."""
    chance = Random(seed)  # noqa: S311 - no secret
    time = 1_704_067_200_000 + HOUR_MS * chance.randrange(6)
    close = 100.0
    candles = []
    for _ in range(length):
        step = chance.randint(-40, 40) / 10
        high = max(close, close + step) + chance.randint(0, 10) / 10
        low = min(close, close + step) - chance.randint(0, 10) / 10
        candles.append(Candle(time, close, high, low, close + step, chance.randint(0, 50) / 7))
        close = max(20.0, close + step)
        time += HOUR_MS * chance.choice([1, 1, 1, 1, 1, 1, 1, 3])
    return candles


class _Writer:
    """Writes one script."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._names: list[str] = []

    def script(self) -> str:
        lines: list[str] = []
        for number in range(self._chance.randint(1, 3)):
            lines += self._series(f"s{number}")
        if self._maybe():
            lines += self._divergences()
        lines.append(f"total = {self._value()}")
        if self._maybe():
            lines.append(f"for item in {self._list()}:\n    total += item * 0.5 + {self._value()}")
        if self._maybe():
            lines.append(f"if {self._condition()}:\n    total = {self._value()}")
        if self._maybe():
            lines += self._containers()
        if self._maybe():
            lines += self._countdown()
        if self._maybe():
            lines.append(f'print(f"{{total:.3f}} {{{self._value()}}}", {self._list()})')
        lines.append(f"condition_true = bool({self._condition()} or total > {self._value()})")
        return HEAD + "\n".join(lines) + "\n"

    def _series(self, name: str) -> list[str]:
        source = self._chance.choice(["data", "data", "c2", *self._names])
        period = self._chance.randint(2, 6)
        calls = [
            f"{name} = await calculate_sma({source}, {period})",
            f"{name} = await calculate_ema({source}, period={period})",
            f"{name} = await calculate_rsi({source}, {period})",
            f"{name}, other = await calculate_macd({source}, 2, {period + 1}, 2)",
        ]
        if source not in self._names:
            calls += [
                f"{name} = await calculate_atr({source}, {period})",
                f"{name} = await calculate_obv({source})",
                f"other, {name} = await calculate_stochastic({source}, {period}, 2, 2)",
                f"{name} = await calculate_sma([c['high'] for c in {source}[-9:]], {period})",
                f"{name} = [await calculate_ema({source}, n) for n in (2, {period})][-1]",
                f"p{name} = {period}\n{name} = await calculate_sma({source}, p{name})",
            ]
        self._names.append(name)
        higher = [f"c2 = await candles({self._chance.choice(['2h', '4h', '1h', '1d'])!r})"]
        return [*(higher if source == "c2" else []), self._chance.choice(calls)]

    def _containers(self) -> list[str]:
        """Lists, dictionaries and texts, which change as Python's do."""
        items, back = self._list(), self._back()
        return self._chance.choice(
            [
                [
                    f"pair = [total, *{items}]",
                    f"pair.insert({back}, {self._value()})",
                    "pair.reverse()",
                    "print(pair, pair.count(total), pair[:3] == pair, len(pair))",
                ],
                [
                    f"book = {{n: v for n, v in enumerate({items})}}",
                    "book.setdefault(7, total)",
                    "total += book.get(2, 0) - book.get(7, 1)",
                    "print(list(book.items())[-2:], 3 in book)",
                ],
                [
                    f"ranked = sorted({items}, key=lambda v: -abs(v))[:4]",
                    f"best = max(ranked + [0], key=lambda v: (v > {self._leaf()}, v))",
                    "print(ranked, best, min(ranked or [1]), list(reversed(ranked)))",
                ],
                [
                    f'word = f"{{{self._leaf()}:>12.2f}}|{{{self._leaf()}!r}}"',
                    "print(word.replace('.', ',').strip().split('|'), '%.3f %s' % (total, word))",
                ],
                [
                    f"for left, right in zip({items}, {self._list()}):",
                    f"    if left > right or left != left:\n        {self._chance.choice(['break', 'continue'])}",
                    "    total += left // 3 - right % 7",
                    "else:\n    total -= 1",
                ],
            ]
        )

    def _countdown(self) -> list[str]:
        """Loops with while, whole numbers and walrus."""
        return [
            f"count, steps = {self._chance.randint(1, 9)}, 0",
            f"while count > 0 and not (late := {self._condition(1)}):",
            f"    count -= {self._chance.randint(1, 3)}\n    steps += 1 << (count & 3)",
            f"total += steps ** 2 - (count ^ 5) * 0.1 if steps < 90 else {self._value()}",
            "print(count, steps, -count // 2, count % -3, ~steps, bool(steps))",
        ]

    def _divergences(self) -> list[str]:
        deviation, depth = self._chance.choice([0.5, 1.0, 2.0]), self._chance.randint(1, 4)
        right = self._chance.randint(0, 3)
        left = right + self._chance.randint(0, 6)
        points = self._chance.choice(["points", "points[-6:]", "list(points)"])
        return [
            "r = await calculate_rsi(data, 3)",
            f"points = await calculate_zigzag(data, {deviation}, depth={depth})",
            f"found = await detect_divergences(r, {points}, data, {left}, {right})",
            "print(len(points), [p['index'] for p in points[-3:]], points[-1], found)",
            "is_hidden = any(d['type'] == 'hidden_bullish' for d in found)",
            f"if is_hidden:\n    print(points[{self._back()}])",
        ]

    def _value(self, depth: int = 0) -> str:
        if depth > 1 or self._maybe():
            return self._leaf()
        left, right = self._value(depth + 1), self._value(depth + 1)
        forms = [
            f"({left} {self._chance.choice('+-*/')} {right})",
            f"abs({left})",
            f"round({left}, 2)",
            f"max({left}, {right})",
            f"({left} if {self._condition(depth + 1)} else {right})",
        ]
        return self._chance.choice(forms)

    def _leaf(self) -> str:
        name, column = self._chance.choice(self._names), self._chance.choice(_COLUMNS)
        leaves = [
            "lastclose",
            "len(data)",
            str(self._chance.randint(0, 120)),
            f"data[{self._back()}]['{column}']",
            f"data[{self._chance.randint(0, 9)}]['{column}']",
            f"{name}[{self._back()}]",
            f"{name}[{self._back()}]",
            f"len({name})",
            f"sum({self._list()})",
        ]
        return self._chance.choice(leaves)

    def _list(self) -> str:
        name = self._chance.choice(self._names)
        forms = [
            f"[c['close'] - c['open'] for c in data[{self._back()}:]]",
            f"[c['{self._chance.choice(_COLUMNS)}'] for c in data[{self._back()}:]]",
            f"list(c['low'] for c in data[{self._back()}:-1])",
            f"[c['open'] for c in data[{self._back()}:] if c['volume'] > 3]",
            f"[c['open'] for c in data[{self._back()}:] for _ in range(2)]",
            "[1, 2.5]",
            f"{name}[{self._back()}:]",
            f"[v for v in {name} if v > 50]",
            f"list({name})[::-2]",
        ]
        return self._chance.choice(forms)

    def _condition(self, depth: int = 0) -> str:
        compare = self._chance.choice(["<", "<=", ">", ">=", "==", "!="])
        simple = f"{self._value(depth + 1)} {compare} {self._value(depth + 1)}"
        if depth > 1 or self._maybe():
            return simple
        forms = [
            f"({simple} and {self._condition(depth + 1)})",
            f"({simple} or {self._condition(depth + 1)})",
            f"not ({simple})",
            f"{self._value(depth + 1)} < {self._value(depth + 1)} < lastclose",
            f"any(v > 50 for v in {self._list()})",
        ]
        return self._chance.choice(forms)

    def _back(self) -> int:
        return -self._chance.choice([1, 1, 1, 2, 2, 3, 5, 8])

    def _maybe(self) -> bool:
        return self._chance.random() < 0.5
