"""Numbers: what is certain is read, what can be read in two ways is not."""

from decimal import Decimal

import pytest

from milobot.signals.numbers import Convention, convention_of, parse_number, split_list


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("65000", "65000"),
        ("0.00001234", "0.00001234"),
        (".5", "0.5"),
        ("1,234.5", "1234.5"),
        ("1,234,567", "1234567"),
        ("1.234,5", "1234.5"),
        ("1.234.567", "1234567"),
        ("1'234.5", "1234.5"),
        ("1\u00a0234,5", "1234.5"),
        ("0,0624", "0.0624"),
        ("0,123", "0.123"),
        ("3663,10", "3663.10"),
        ("185.900", "185.900"),
    ],
)
def test_number_is_read_by_itself(text: str, value: str) -> None:
    """Each of these has one reading, whoever wrote it."""
    assert parse_number(text, convention_of([text])) == Decimal(value)


@pytest.mark.parametrize("text", ["1,880", "30,025", "999,999"])
def test_comma_before_three_digits_is_read_in_company_only(text: str) -> None:
    """A price that is wrong by a thousand is the dearest misreading there is."""
    assert parse_number(text, convention_of([text])) is None
    assert parse_number(text, convention_of([text, "0.5"])) == Decimal(text.replace(",", ""))
    assert parse_number(text, convention_of([text, "0,5"])) == Decimal(text.replace(",", "."))


def test_comma_between_two_like_numbers_is_read_in_company_only() -> None:
    """``31,32`` is one price, or two targets without a space between."""
    assert parse_number("31,32", convention_of(["31,32"])) is None
    assert parse_number("31,32", convention_of(["31,32", "0,5"])) == Decimal("31.32")
    assert parse_number("31,3", convention_of(["31,3"])) == Decimal("31.3")
    assert parse_number("31,02", convention_of(["31,02"])) == Decimal("31.02")


def test_contradicting_numbers_leave_a_comma_unread() -> None:
    """A message that writes decimals in two ways shows nothing about its commas."""
    convention = convention_of(["0,5", "0.5"])

    assert convention == Convention(has_decimal_comma=True, has_decimal_dot=True)
    assert parse_number("1,880", convention) is None


def test_dot_before_three_digits_follows_a_decimal_comma() -> None:
    """Where decimals have a comma, the dot stands between thousands."""
    assert parse_number("64.000", convention_of(["64.000", "66.000,50"])) == Decimal(64000)
    assert parse_number("64.000", convention_of(["64.000"])) == Decimal(64)


@pytest.mark.parametrize("text", ["1.2.3", "30.09.2025", "1,2,3", "1,23,456", "9" * 25, "0,5,"])
def test_what_is_no_number_is_not_read(text: str) -> None:
    """Dates, versions and rows of digits are no prices."""
    assert parse_number(text, Convention()) is None


def test_lists_without_spaces_fall_apart() -> None:
    """``22,25,27`` are three targets, ``1,234,567`` is one number."""
    assert [part for _, part in split_list("22,25,27")] == ["22", "25", "27"]
    assert [part for _, part in split_list("1,234,567")] == ["1,234,567"]
