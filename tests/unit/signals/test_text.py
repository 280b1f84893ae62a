"""Folding: what looks the same is the same, and every sign knows where it stood."""

import pytest

from milobot.signals.text import fold, is_forbidden


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("\uff22\uff34\uff23 \uff11", "BTC 1"),
        ("\U0001d417\U0001d400\U0001d414", "XAU"),
        ("B\u200bT\u200dC", "BTC"),
        ("\u0412\u0422\u0421USDT", "BTCUSDT"),
        ("\u0412\u0422\u0421/USDT", "BTC/USDT"),
        ("10\u0445", "10x"),
        ("\u043b\u043e\u043d\u0433", "\u043b\u043e\u043d\u0433"),
        ("\u06f1\u06f2\u066b\u06f5", "12.5"),
        ("a\u2013b\u2014c~d", "a-b-c-d"),
        ("cafe\u0301 \u00e9", "cafe e"),
        ("\u2460 \u278a", "\ue001 \ue001"),
        ("10\u00b2 \u00bd", "10? ?"),
        ("a\r\nb\u2028c", "a\nb\nc"),
        ("\ue001", " "),
    ],
)
def test_signs_have_one_spelling(text: str, plain: str) -> None:
    """Channels write the same letter in a dozen alphabets; a power is no digit."""
    assert fold(text).text == plain


def test_spans_lead_back_to_the_original() -> None:
    """What was read must be shown in the words of the message, invisible signs and all."""
    text = "x\u200b\u200b BT\u200bC \U0001f3af 1\r\n2"
    folded = fold(text)

    for word in ("BT\u200bC", "2"):
        plain = word.replace("\u200b", "")
        start = folded.text.index(plain)
        first, last = folded.span(start, start + len(plain))
        assert text[first:last] == word


@pytest.mark.parametrize(
    ("text", "expected"), [("a\x00b", True), ("1\u202e2", True), ("\u200f\n\t", False)]
)
def test_control_signs_are_told_apart(text: str, expected: bool) -> None:  # noqa: FBT001 - pytest's
    """Overrides show digits in another order than a machine reads; marks of direction do not."""
    assert is_forbidden(text) is expected
