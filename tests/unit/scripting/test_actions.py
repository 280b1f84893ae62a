"""Behaviour of the action grammar."""

from decimal import Decimal

import pytest

from milobot.domain.intents import (
    Close,
    Distance,
    DistanceKind,
    DoNothing,
    Enter,
    PositionSide,
    Size,
    SizeKind,
)
from milobot.errors import ActionFormatError
from milobot.scripting.actions import format_action, parse_action

PERCENT, ATR, PRICE = DistanceKind.PERCENT, DistanceKind.ATR, DistanceKind.PRICE


def test_documented_action_is_read_exactly() -> None:
    """The specification's own example: fractions, not percents, and no float on the way."""
    action = parse_action("long(1%risk@10x,sl=2%,rr=3)")

    assert action == Enter(
        side=PositionSide.LONG,
        size=Size(SizeKind.RISK, Decimal("0.01")),
        leverage=10,
        stop=Distance(PERCENT, Decimal("0.02")),
        reward_ratio=Decimal(3),
    )


def test_all_options_of_a_short() -> None:
    """Each option has its own field; none is folded into another."""
    action = parse_action("short(250.5usdt@3x, sl=1.5atr, tp=90%, trail=0.1%, be=0.5)")

    assert action == Enter(
        side=PositionSide.SHORT,
        size=Size(SizeKind.QUOTE, Decimal("250.5")),
        leverage=3,
        stop=Distance(ATR, Decimal("1.5")),
        target=Distance(PERCENT, Decimal("0.9")),
        trail=Distance(PERCENT, Decimal("0.001")),
        break_even=Decimal("0.5"),
    )


def test_words_without_arguments() -> None:
    """Doing nothing and closing are the two actions without a size."""
    assert parse_action(" donothing ") == DoNothing()
    assert parse_action("close") == Close()


def test_missing_stop_differs_from_no_stop() -> None:
    """No sl means the default stop; only sl=none means none, and it must be visible."""
    silent = parse_action("long(20%equity@2x)")
    explicit = parse_action("long(20%equity@2x,sl=none)")

    assert isinstance(silent, Enter)
    assert isinstance(explicit, Enter)
    assert (silent.stop, silent.unprotected) == (None, False)
    assert (explicit.stop, explicit.unprotected) == (None, True)


def test_prices_stay_exact() -> None:
    """0.1 has no exact float: a price must be the number that was written."""
    action = parse_action("long(0.1,sl=0.1,tp=123456789012.123456789012)")

    assert isinstance(action, Enter)
    assert action.size == Size(SizeKind.BASE, Decimal("0.1"))
    assert action.target == Distance(PRICE, Decimal("123456789012.123456789012"))


def test_long_target_may_exceed_hundred_percent() -> None:
    """A price can more than double, though it cannot fall by more than all."""
    action = parse_action("long(1usdt,tp=250%)")

    assert isinstance(action, Enter)
    assert action.target == Distance(PERCENT, Decimal("2.5"))


@pytest.mark.parametrize(
    ("text", "caret", "words"),
    [
        ("", 0, "an action is donothing"),
        ("   ", 0, "an action is donothing"),
        ("buy(1%risk,sl=2%)", 0, "an action is donothing"),
        ("LONG(1%risk,sl=2%)", 0, "an action is donothing"),
        ("do nothing", 0, "an action is donothing"),
        ("donothing(1)", 9, "ends before this"),
        ("close!", 5, "ends before this"),
        ("long", 4, "needs a size in brackets"),
        ("long()", 5, "a size begins with a number"),
        ("long(sl=2%)", 5, "a size begins with a number"),
        ("long(1%risk,sl=2%", 17, "expected , or )"),
        ("long(1%risk,sl=2%) now", 19, "ends before this"),
        ("long(1%risk,sl=2%))", 18, "ends before this"),
        ("long(1%risk,,sl=2%)", 12, "an option is one of"),
        ("long(1%risk,sl=2%,)", 18, "an option is one of"),
        ("long(1%risk,stop=2%)", 12, "an option is one of"),
        ("long(1%risk sl=2%)", 12, "expected , or )"),
        ("long(1%risk,sl 2%)", 15, "needs a value, such as sl=2%"),
        ("long(1%risk,sl=)", 15, "sl begins with a number"),
        ("long(1%risk,sl=none)", 5, "%risk needs sl"),
        ("long(1%risk)", 5, "%risk needs sl"),
        ("long(1usdt,rr=2)", 11, "rr needs sl"),
        ("long(1usdt,sl=none,rr=2)", 19, "rr needs sl"),
        ("long(1usdt,sl=none,be=1)", 19, "sl=none says there is none"),
        ("long(1%risk,sl=2%,tp=3%,rr=2)", 24, "give one of them"),
        ("long(1%risk,sl=2%,rr=2,tp=3%)", 23, "give one of them"),
        ("long(1%risk,sl=2%,sl=3%)", 18, "given twice"),
        ("long(1%risk,sl=none,sl=3%)", 20, "given twice"),
        ("long(0%risk,sl=2%)", 5, "of 0 is not possible"),
        ("long(0.000usdt)", 5, "of 0 is not possible"),
        ("long(100.01%risk,sl=2%)", 5, "at most 100%"),
        ("long(1%cash,sl=2%)", 7, "risk or equity"),
        ("long(1%,sl=2%)", 7, "risk or equity"),
        ("long(1btc)", 6, "a size ends in"),
        ("long(1 0usdt)", 7, "a size ends in"),
        ("long(1.2.3usdt)", 8, "a size ends in"),
        ("long(.5usdt)", 5, "write 0.5"),
        ("long(-1usdt)", 5, "without sign"),
        ("long(1e3usdt)", 6, "a size ends in"),
        ("long(1e3)", 6, "without exponent"),
        ("long(1usdt,sl=1E2)", 15, "without exponent"),
        ("long(1usdt@0x)", 11, "a leverage of 0"),
        ("long(1usdt@2.5x)", 11, "whole number"),
        ("long(1usdt@x)", 11, "a leverage begins with a number"),
        ("long(1usdt@10)", 13, "ends in x"),
        ("long(1usdt@10xx)", 13, "ends in x"),
        ("long(1usdt,sl=100%)", 14, "below 100%"),
        ("short(1usdt,sl=100%)", 15, "below 100%"),
        ("short(1usdt,tp=100%)", 15, "below 100%"),
        ("long(1usdt,trail=100%)", 17, "below 100%"),
        ("long(1usdt,trail=5)", 17, "not a price"),
        ("long(1usdt,sl=0%)", 14, "of 0 is not possible"),
        ("long(1usdt,sl=2bp)", 15, "a distance ends in"),
        ("long(1usdt,sl=2%,rr=3%)", 21, "plain number"),
        ("long(1usdt,be=1atr)", 15, "plain number"),
        ("long(1usdt,tp=none)", 14, "tp begins with a number"),
        ("long(1234567890123usdt)", 5, "at most 12 digits"),
        ("long(0.1234567890123usdt)", 5, "at most 12 digits"),
        ("long(\u0661usdt)", 5, "plain ASCII"),
        ("long(1%risk,\u00a0sl=2%)", 12, "plain ASCII"),
        ("long(1usdt)\n", 11, "plain ASCII"),
        ("long(1usdt,\x1b[31msl=2%)", 11, "plain ASCII"),
    ],
)
def test_fault_is_named_with_a_caret(text: str, caret: int, words: str) -> None:
    """A trader sees which character is wrong, whatever the fault."""
    with pytest.raises(ActionFormatError) as caught:
        parse_action(text)

    reason, shown, pointer = str(caught.value).split("\n")
    assert words in reason
    assert caught.value.position == caret
    assert pointer.index("^") == caret + 2
    assert len(shown) == len(text) + 2


def test_over_long_text_is_cut_in_the_message() -> None:
    """A script could build a text of megabytes: neither parsed nor echoed."""
    with pytest.raises(ActionFormatError) as caught:
        parse_action("long(1usdt)" + " " * 100_000)

    assert len(str(caught.value)) < 700


def test_control_characters_never_reach_the_terminal() -> None:
    """An action is script-controlled text: its error must not carry an escape sequence."""
    with pytest.raises(ActionFormatError) as caught:
        parse_action("\x1b[2Jlong\u202e")

    assert str(caught.value).replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("  close  ", "close"),
        ("long( 1 % risk @ 10 x , rr = 3.0 , sl = 2.00 % )", "long(1%risk@10x,sl=2%,rr=3)"),
        ("short(010.50@1x,sl=none)", "short(10.5,sl=none)"),
        ("long(100usdt,be=1,trail=2atr,tp=70000)", "long(100usdt,tp=70000,trail=2atr,be=1)"),
    ],
)
def test_canonical_form(text: str, canonical: str) -> None:
    """Spaces, order and zeros do not matter, so that two equal actions read the same."""
    assert format_action(parse_action(text)) == canonical
