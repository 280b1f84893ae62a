"""Plain text: foreign words cannot be tapped, hidden or reversed; numbers read well."""

from decimal import Decimal

import pytest

from milobot.signals.talk import plain as say

JOINER = "\u2060"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\nlines\tand  blanks", "two lines and blanks"),
        ("\u202egnol\u202c \x1b[31mred\x00", "gnol [31mred"),
        ("zero\u200bwidth", "zero width"),
        ("broken \ud83d half", "broken half"),
    ],
)
def test_invisible_letters_are_gone(text: str, shown: str) -> None:
    """What reverses, hides or colours text changes what a trader believes to read."""
    assert say.plain(text) == shown


@pytest.mark.parametrize("text", ["see t.me/pumps", "ask @admin", "/close BTCUSDT", "evil.com"])
def test_nothing_foreign_can_be_tapped(text: str) -> None:
    """A message quoted in a refusal must not put a button for a command on the screen."""
    shown = say.plain(text)

    assert JOINER in shown
    assert shown.replace(JOINER, "") == text


def test_numbers_stay_whole() -> None:
    """Only names are parted: prices have to be copied as they are."""
    assert say.plain("stop at 0.512, entry 60,000.5.") == "stop at 0.512, entry 60,000.5."


def test_long_text_is_cut() -> None:
    """One message of a channel must not push everything else off the screen."""
    assert say.plain("x" * 5_000, 10) == "xxxxxxxxx…"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("0", "0"),
        ("64000", "64,000"),
        ("1234.5678", "1,234.57"),
        ("0.5", "0.5"),
        ("1e-9", "0.000000001"),
    ],
)
def test_prices_have_sensible_digits(value: str, shown: str) -> None:
    """Averages have 28 digits, and nobody reads them on a telephone."""
    assert say.price(Decimal(value)) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [("-1234.567", "-1,234.57"), ("0", "0.00"), ("3", "+3.00")]
)
def test_results_have_a_sign(value: str, shown: str) -> None:
    """Whether it was a loss is the first thing to see."""
    assert say.signed(Decimal(value)) == shown


def test_small_negative_numbers_keep_their_sign() -> None:
    """Minus a half is not a half."""
    assert say.price(Decimal("-0.5")) == "-0.5"
    assert say.quantity(Decimal("-1234.5")) == "-1,234.5"


def test_what_does_not_fit_one_message_is_counted() -> None:
    """A messenger refuses what is too long, and then nothing would be told."""
    text = "\n".join(f"line {number}" for number in range(1_000))

    cut = say.cut_lines(text, 200)

    assert len(cut) <= 200
    first, *_, last = cut.split("\n")
    assert first == "line 0"
    kept = cut.count("line ")
    assert last == f"…and {1_000 - kept} more lines"


def test_length_is_counted_as_messengers_do() -> None:
    """They count UTF-16 units: a rocket is two."""
    cut = say.cut_lines("\U0001f680" * 100 + "\n" + "x", 150)

    assert len(cut.encode("utf-16-le")) // 2 <= 150


@pytest.mark.parametrize(
    ("ms", "shown"),
    [(0, "0 s"), (61_000, "1 min"), (3_600_000, "1 h 0 min"), (90_000_000, "1 d 1 h")],
)
def test_durations_have_two_units(ms: int, shown: str) -> None:
    """Nobody wants the seconds of a position held for days."""
    assert say.lasting(ms) == shown
