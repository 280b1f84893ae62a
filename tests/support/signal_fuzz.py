"""A million mutated and random messages; ``python -m tests.support.signal_fuzz [COUNT]``.

Each message follows from the seed and its number alone, so that a fault can be repeated.
"""

# ruff: noqa: RUF001 - other alphabets are part of what is tried

import argparse
import random
import string
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from tests.support import signal_score
from tests.support.signal_laws import violations

from milobot.signals.reader import read
from milobot.signals.vocabulary import COMMANDS, TABLE

OWN = (
    "BUY BTCUSDT 0.001",
    "SELL ETHUSDT 0.5",
    """🔥 Long #BTC/USDT
Entry: 65,000 - 64,500.5 (now)
SL: 63,000
TP1: 66,000 (50%)
TP2: 67,000 (50%)
Leverage: 5-10x cross, risk 1%""",
    "SHORT $sol\nEntry zone 150 - 152\nStop 158\nTargets 145 / 140 / 130",
    """⚡️ #ETH/USDT ⚡️
Signal Type: Regular (Short)
Leverage: Isolated (10.0X)
Entry Targets:
1) 2370 - 50.0%
2) 2400 - 50.0%
Take-Profit Targets:
1) 2310
2) 2275
Stop Targets:
1) 2450""",
    "AVAXUSDT SHORTLeverage: Cross 50xEntry: 11.570Target 1: 11.508Target 2: 11.392Stoploss: 11.833",
    "#идея ADA/USDT 15М ШОРТ\nВход: 0.5 - 0.51\nСтоп: 0.53\nТейк 1: 0.48\nТейк 2: 0.46\nплечо 10х",
    "#BTC/USDT\nپوزیشن شورت باز کنید\nدر نقطه 27461.5\nتارگت: 26000\nاستاپ: 28000",
    "BTC/USDT LONG\nEinstieg: 64.000,50\nStop: 62.000,00\nZiele: 66.000,00 / 68.000,00",
    "XAUUSD BUY NOW 4650-4646 SL: 4642 TP1: 4660 TP2: 4670",
    "Close half of BTC, SL to entry",
    "New targets: 66000 - 67000 - 68000",
    "Стоп в б/у",
    "cancel #ETHUSDT",
    "TP1 hit ✅ +35% profit on #LINK, congratulations!",
)
_STRANGE = (
    "\u200b\u200e\u202e\x00\x07\ufeff\u0301\u20e3\ue001\ud800✅☑➊①½²🎯⛔٫٬۱９Ａ𝐀х\u00a0\u2028\r\t"
)
_SIGNS = (
    string.ascii_letters + string.digits + string.punctuation + "  \n\n" + "лонгстоп" + _STRANGE
)
_NUMBERS = (
    "0", "1", "2", "10", "0.5", "1.5", "65000", "65,000", "65.000", "1,234.5", "1.234,5", "38K",
    "0.00001234", "-1", "1e9", "NaN", "٣٫٥", "5%", "10x", "1 234", "999999999999", "0,001", "TP41.31",
)  # fmt: skip
_WORDS = tuple(
    " ".join(phrase.split())
    for table in (TABLE, COMMANDS)
    for text in table.values()
    for phrase in text.split(",")
)
_NAMES = (
    "#BTC/USDT",
    "ETHUSDT",
    "$sol",
    "BTC-USDT",
    "XAUUSD",
    "DOGE",
    "BTCUSDT.P",
    "1000PEPE/USDT",
)
_LONGEST = 6000
_SLOWEST_MS = 1.0
_SUSPECT_US = 500
_REPETITIONS = 4


@dataclass(slots=True)
class Tally:
    """What a run of messages showed.

    Attributes:
        faults: Number, message and what it broke.
        wall_us: How long each reading took.
        cpu_us: How much of a processor each reading took; the least of five for slow ones.
    """

    kinds: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[int, str, str]] = field(default_factory=list)
    wall_us: list[int] = field(default_factory=list)
    cpu_us: list[int] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Take in what another run showed."""
        self.kinds += other.kinds
        self.faults += other.faults
        self.wall_us += other.wall_us
        self.cpu_us += other.cpu_us


def base_messages() -> tuple[str, ...]:
    """Return the messages that are mutated: ours, and the recorded ones where they are at hand."""
    if not signal_score.MESSAGES.exists():
        return OWN
    return (*OWN, *(row["text"] for row in signal_score.load_messages()))


def message(seed: int, number: int, base: Sequence[str]) -> str:
    """Return the message of a number: mutated four times out of five, else random."""
    chance = random.Random(f"{seed}:{number}")  # noqa: S311 - repeatable, not secret
    if chance.random() < 0.2:
        return _random(chance)
    text = chance.choice(base)
    for _ in range(chance.choice((1, 1, 2, 3, 6))):
        text = chance.choice(_MUTATIONS)(text, chance, base)
    return text[:_LONGEST]


def _random(chance: random.Random) -> str:
    parts = []
    for _ in range(chance.randrange(40)):
        pool = chance.choice((_WORDS, _WORDS, _NUMBERS, _NAMES, _SIGNS))
        parts.append(chance.choice(pool))
        parts.append(chance.choice((" ", " ", ": ", " - ", "\n", "", "/", ", ")))
    return "".join(parts)


def _replaced(text: str, chance: random.Random, base: Sequence[str]) -> str:
    del base
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(_SIGNS) + text[at + chance.randrange(3) :]


def _cut(text: str, chance: random.Random, base: Sequence[str]) -> str:
    del base
    at = chance.randrange(len(text) + 1)
    return text[:at] + text[at + chance.randrange(20) :]


def _number_changed(text: str, chance: random.Random, base: Sequence[str]) -> str:
    """Return the text with a digit changed, a dot moved or a whole number replaced."""
    del base
    digits = [at for at, sign in enumerate(text) if sign in string.digits]
    if not digits:
        return text + chance.choice(_NUMBERS)
    at = chance.choice(digits)
    new = chance.choice((chance.choice(string.digits), ".", ",", chance.choice(_NUMBERS)))
    return text[:at] + new + text[at + 1 :]


def _lines_shuffled(text: str, chance: random.Random, base: Sequence[str]) -> str:
    del base
    lines = text.split("\n")
    chance.shuffle(lines)
    return chance.choice(("\n", " ", "", "\n\n")).join(lines)


def _line_gone(text: str, chance: random.Random, base: Sequence[str]) -> str:
    del base
    lines = text.split("\n")
    del lines[chance.randrange(len(lines))]
    return "\n".join(lines)


def _word_put_in(text: str, chance: random.Random, base: Sequence[str]) -> str:
    del base
    at = chance.randrange(len(text) + 1)
    word = chance.choice(chance.choice((_WORDS, _NUMBERS, _NAMES)))
    return f"{text[:at]} {word} {text[at:]}"


def _spliced(text: str, chance: random.Random, base: Sequence[str]) -> str:
    other = chance.choice(base)
    return text[: chance.randrange(len(text) + 1)] + other[chance.randrange(len(other)) :]


def _repeated(text: str, chance: random.Random, base: Sequence[str]) -> str:
    del base
    at = chance.randrange(len(text) + 1)
    return text[:at] + text[at : at + chance.randrange(30)] * chance.randrange(2, 6) + text[at:]


_MUTATIONS = (
    _replaced, _cut, _number_changed, _number_changed, _lines_shuffled, _line_gone, _word_put_in,
    _spliced, _repeated,
)  # fmt: skip


def run(seed: int, numbers: range) -> Tally:
    """Read the messages of a row of numbers and note what they broke and how long they took."""
    base, tally = base_messages(), Tally()
    for number in numbers:
        text = message(seed, number, base)
        wall, cpu = time.perf_counter_ns(), time.thread_time_ns()
        try:
            reading = read(text)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what we look for
            tally.faults.append((number, text, repr(error)))
            continue
        tally.wall_us.append((time.perf_counter_ns() - wall) // 1000)
        tally.cpu_us.append(_least_us(text, (time.thread_time_ns() - cpu) // 1000))
        tally.kinds[reading.kind.value] += 1
        tally.faults += [(number, text, fault) for fault in violations(reading)]
    return tally


def _least_us(text: str, first_us: int) -> int:
    """Return what a slow reading costs at the least: neighbours slow a processor, nothing speeds it up."""
    costs = [first_us]
    while costs[0] > _SUSPECT_US and len(costs) <= _REPETITIONS:
        started = time.thread_time_ns()
        read(text)
        costs.append((time.thread_time_ns() - started) // 1000)
    return min(costs)


def _parts(count: int, size: int) -> Iterator[range]:
    for start in range(0, count, size):
        yield range(start, min(start + size, count))


def quantile(values: list[int], share: float) -> float:
    """Return a quantile in milliseconds."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] / 1000


def main() -> int:
    """Run the campaign, print what it showed, and return 1 when something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    tally = Tally()
    parts = list(_parts(given.count, 5_000))
    with ProcessPoolExecutor(given.processes) as pool:
        for part in pool.map(run, [given.seed] * len(parts), parts):
            tally.add(part)
    for kind, count in tally.kinds.most_common():
        print(f"{kind:14} {count:9,}")  # noqa: T201 - the report of a program
    for name, values in (("wall clock", tally.wall_us), ("processor", tally.cpu_us)):
        p50, p99, p999 = (quantile(values, share) for share in (0.5, 0.99, 0.999))
        print(f"{name:14} p50 {p50:.3f} ms, p99 {p99:.3f} ms, p99.9 {p999:.3f} ms")  # noqa: T201 - as above
    print(f"messages {given.count:,}, crashes and broken laws: {len(tally.faults)}")  # noqa: T201 - as above
    for number, text, fault in tally.faults[:20]:
        print(f"  {number}: {fault}: {text!r}")  # noqa: T201 - as above
    is_slow = quantile(tally.cpu_us, 0.99) > _SLOWEST_MS
    return 1 if tally.faults or is_slow else 0


if __name__ == "__main__":
    sys.exit(main())
