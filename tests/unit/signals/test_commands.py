"""Commands: every word understood, or nothing is done."""

# ruff: noqa: RUF001 - other alphabets are part of what is tried

from decimal import Decimal

import pytest

from milobot.domain.intents import PositionSide
from milobot.signals.reader import read
from milobot.signals.reading import ReadingKind


@pytest.mark.parametrize(
    ("text", "symbol", "share"),
    [
        ("close", None, "1"),
        ("Close TRB", "TRBUSDT", "1"),
        ("[In reply to Crypto #CRR]\nClose BTCUSDT\n\nby @user", "BTCUSDT", "1"),
        ("Close position\nBTC by 35091\nProfit is +300%", "BTCUSDT", "1"),
        ("Closing eth at entry", "ETHUSDT", "1"),
        ("Close 25% of #ETH/USDT", "ETHUSDT", "0.25"),
        ("Закрываем половину позиции", None, "0.5"),
        ("Закрыть BTC", "BTCUSDT", "1"),
        ("cerrar la mitad", None, "0.5"),
    ],
)
def test_close_names_market_and_share(text: str, symbol: str | None, share: str) -> None:
    """A close of the wrong half is as dear as a wrong entry."""
    reading = read(text)

    assert (reading.kind, reading.symbol) == (ReadingKind.CLOSE, symbol)
    assert reading.share == Decimal(share)
    assert not reading.is_everything


@pytest.mark.parametrize(
    ("text", "kind"),
    [("Close all positions now", ReadingKind.CLOSE), ("cancel all orders", ReadingKind.CANCEL)],
)
def test_all_means_everything(text: str, kind: ReadingKind) -> None:
    """It concerns what the channel holds, not the message it answers."""
    reading = read(text)

    assert (reading.kind, reading.is_everything) == (kind, True)


def test_all_of_one_symbol_is_not_everything() -> None:
    """``all`` is about the orders, the symbol bounds them."""
    reading = read("cancel all BTC orders")

    assert (reading.symbol, reading.is_everything) == ("BTCUSDT", False)


def test_close_knows_its_side() -> None:
    """It must not close a long that stands where the short was."""
    assert read("Close BTC short").position_side is PositionSide.SHORT


@pytest.mark.parametrize(
    "text",
    [
        "Move SL to entry",
        "SL to BE",
        "stop b/e",
        "Move to breakeven",
        "Стоп в б/у",
        "1 тейк, стоп в б/у 🔥",
    ],
)
def test_stop_goes_to_entry(text: str) -> None:
    """The commonest reply of all."""
    reading = read(text)

    assert (reading.kind, reading.is_to_entry) == (ReadingKind.MOVE_STOP, True)


@pytest.mark.parametrize("text", ["SL to 64,500.5", "Move stop to 64500.5", "Stop: 64500.5"])
def test_stop_goes_to_a_price(text: str) -> None:
    """Its number is read like that of a set-up."""
    reading = read(text)

    assert reading.kind is ReadingKind.MOVE_STOP
    assert reading.stop is not None
    assert reading.stop.price == Decimal("64500.5")


def test_close_and_stop_to_entry_go_together() -> None:
    """Half off and the rest free of risk is one instruction."""
    reading = read("Close 50% BTC and move SL to entry")

    assert (reading.kind, reading.share, reading.is_to_entry) == (
        ReadingKind.CLOSE, Decimal("0.5"), True,
    )  # fmt: skip


def test_changed_targets_keep_the_laws() -> None:
    """They lead one way, with the stop on the other side."""
    change = read("TP1 72950 TP2 72650 TP3 72350, SL 74000")

    assert change.kind is ReadingKind.CHANGE
    assert [target.price for target in change.targets] == [72950, 72650, 72350]
    assert read("New TP: 66000 - 64000 - 67000").code == "targets_out_of_order"
    assert read("New TP: 66000 - 68000, SL 67000").code == "stop_wrong_side"


@pytest.mark.parametrize(
    "text",
    [
        "close entry orders",
        "close all orders",
        "cancel position",
        "close 50",
        "close 1/2 BTC",
        "close above 65000 is bullish",
        "cancel my_tag",
        "Close your eyes and buy",
    ],
)
def test_uncertain_command_is_refused(text: str) -> None:
    """It begins like one; the sender should learn that nothing was done."""
    reading = read(text)

    assert (reading.kind, reading.code) == (ReadingKind.REFUSED, "unclear_command")


@pytest.mark.parametrize(
    "text",
    [
        "BTC close",
        "stop entry orders",
        "be at stop",
        "Close BTC?",
        "we will not close before Monday",
        "the daily close matters",
        "Стоп! Через 4 минуты эфир, готовьте вопросы)",
        "Сразу первый тейк закрыли, пока чутка прикрыл, больше ничего не делаю",
    ],
)
def test_talk_about_closing_closes_nothing(text: str) -> None:
    """These words are in half of all chat."""
    assert read(text).kind in {ReadingKind.NOT_A_SIGNAL, ReadingKind.REFUSED}


def test_small_letters_name_a_coin_only_among_the_known() -> None:
    """Where the list of symbols is at hand, a word that is not on it is no coin."""
    known = frozenset({"ETHUSDT"})

    assert read("close eth", known_symbols=known).symbol == "ETHUSDT"
    assert read("close it already", known_symbols=known).kind is not ReadingKind.CLOSE
