"""Laws hold for every reading, of whatever text; ``make prove-signals`` tries a million."""

import time
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from tests.support import signal_fuzz
from tests.support.signal_laws import violations

from milobot.domain.intents import PositionSide
from milobot.signals.reader import read
from milobot.signals.reading import ReadingKind

SAMPLE = range(4_000)
STEPS = st.lists(st.integers(1001, 2999), min_size=4, max_size=8, unique=True)
SCALES = st.integers(0, 6)


def _prices(steps: list[int], scale: int) -> list[Decimal]:
    """Return prices of one order of magnitude, from thousands to thousandths."""
    return [Decimal(step).scaleb(-scale) for step in steps]


def test_sample_of_the_campaign_breaks_nothing() -> None:
    """The first messages of the campaign, the same every time."""
    tally = signal_fuzz.run(6, SAMPLE)

    assert tally.faults == []
    assert tally.kinds["setup"] > 300
    assert tally.kinds["refused"] > 300


@given(st.text(max_size=400))
def test_any_text_has_a_reading(text: str) -> None:
    """The reader raises nothing: a message must not stop the bot."""
    assert violations(read(text)) == []


@given(
    steps=STEPS,
    scale=SCALES,
    is_long=st.booleans(),
    join=st.sampled_from([" - ", " / ", ", ", "\n", " "]),
)
def test_well_formed_set_up_is_read_back(
    *, steps: list[int], scale: int, is_long: bool, join: str
) -> None:
    """What is written plainly comes back digit by digit, whatever the numbers are."""
    stop, entry, *targets = _prices(sorted(steps, reverse=not is_long), scale)
    side = PositionSide.LONG if is_long else PositionSide.SHORT
    levels = join.join(f"{target:f}" for target in targets)

    reading = read(f"{side.value} #ABC/USDT\nEntry: {entry:f}\nTargets:\n{levels}\nSL: {stop:f}")

    assert reading.kind is ReadingKind.SETUP, reading.reason
    assert reading.entry is not None
    assert reading.entry.prices == (entry,)
    assert reading.stop is not None
    assert reading.stop.price == stop
    assert [target.price for target in reading.targets] == targets


@given(steps=STEPS, scale=SCALES)
def test_stop_on_the_wrong_side_is_never_read(steps: list[int], scale: int) -> None:
    """It would close the position in the moment it opens."""
    low, *rest, high = _prices(sorted(steps), scale)

    reading = read(f"Long ABCUSDT entry {low:f} sl {rest[0]:f} tp {high:f}")

    assert reading.code == "stop_wrong_side"


def test_hostile_messages_take_no_longer_than_their_length() -> None:
    """No pattern may go back and forth over a message: a sender must not be able to stall us."""
    pieces = ("9", "1.1", "TP1 1.2 ", "(", "\n", "1,", "stop loss ", "Aa", "BTC/", "#BTC ", "@", ", [",
              "LONGSHORT", "take profit ", "\U0001f3af", "1/1/2020 ", "10:10", "a\u0301", "BTC  ", "x1")  # fmt: skip
    started = time.process_time()

    for piece in pieces:
        read((piece * 4_096)[:4_096])
        read(piece * 100_000)

    assert time.process_time() - started < 3
