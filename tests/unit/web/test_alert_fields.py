"""Alerts in fields: each becomes a message that says the same, or is refused."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milobot.domain.intents import PositionSide
from milobot.errors import SignalFormatError
from milobot.signals.reader import read
from milobot.signals.reading import ReadingKind
from milobot.web.alert_fields import plain_symbol, write_message


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"action": "buy", "symbol": "BTCUSDT", "quantity": 0.001}, "BUY BTCUSDT 0.001"),
        ({"action": "SELL", "ticker": "BINANCE:ETHUSDT.P", "qty": "2"}, "SELL ETHUSDT 2"),
        ({"side": "buy", "ticker": "BTCUSDTPERP", "contracts": 1e-05}, "BUY BTCUSDT 0.00001"),
        (
            {"action": "buy", "symbol": "BTCUSDT", "quantity": 1, "price": 64000, "type": "market"},
            "BUY BTCUSDT 1",
        ),
        ({"action": "close", "symbol": "BINGX:BTC-USDT"}, "close BTCUSDT"),
        ({"action": "flat", "symbol": "BTC/USDT", "quantity": None}, "close BTCUSDT"),
        (
            {"action": "long", "symbol": "BTCUSDT", "sl": 63000, "tp": [65000, "66000.5"]},
            "LONG BTCUSDT\nEntry: market\nStop: 63000\nTarget 1: 65000\nTarget 2: 66000.5",
        ),
        (
            {
                "action": "sell", "symbol": "ETHUSDT", "price": "3000", "stop": 3100, "tp": 2900,
                "leverage": 5, "risk": "1%",
            },
            "SHORT ETHUSDT\nEntry: 3000\nStop: 3100\nTarget 1: 2900\nLeverage: 5x\nRisk: 1%",
        ),
        (
            {"action": "buy", "symbol": "BTCUSDT", "qty": 0.01, "sl": 1.45, "tp": 1.6, "price": 1.5},
            "LONG BTCUSDT\nEntry: 1.5\nStop: 1.45\nTarget 1: 1.6\nQuantity: 0.01",
        ),
        (
            {"action": "buy", "symbol": "BTCUSDT", "sl": "2%", "price": 64000},
            "LONG BTCUSDT\nEntry: 64000\nStop: 2%",
        ),
    ],
)  # fmt: skip
def test_fields_become_a_message(fields: dict[str, Any], text: str) -> None:
    """One reader decides what a signal says, whatever form it came in."""
    assert write_message(fields)[0] == text


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"action": "fly", "symbol": "BTCUSDT"}, "no_action"),
        ({"action": 1, "symbol": "BTCUSDT"}, "no_action"),
        ({"symbol": "BTCUSDT"}, "no_action"),
        ({"action": "buy"}, "no_symbol"),
        ({"action": "buy", "symbol": 5}, "no_symbol"),
        ({"action": "buy", "symbol": "B T C"}, "bad_field"),
        ({"action": "buy", "symbol": "{{ticker}}", "quantity": 1}, "bad_field"),
        ({"action": "buy", "symbol": "BTCUSDT"}, "bad_field"),
        ({"action": "long", "symbol": "BTCUSDT", "quantity": 1}, "bad_field"),
        ({"action": "close", "symbol": "BTCUSDT", "quantity": 1}, "bad_field"),
        ({"action": "buy", "symbol": "BTCUSDT", "quantity": 1, "type": "stop"}, "bad_field"),
        ({"action": "buy", "side": "sell", "symbol": "BTCUSDT", "quantity": 1}, "two_fields"),
        ({"action": "buy", "symbol": "BTCUSDT", "qty": 1, "quantity": 2}, "two_fields"),
        ({"action": "buy", "symbol": "BTCUSDT", "sl": 1, "tp": list(range(1, 12))}, "bad_field"),
        ({"action": "buy", "symbol": "BTCUSDT", "sl": 1, "leverage": 2.5}, "not_certain"),
        ({"action": "buy", "symbol": "BTCUSDT", "sl": 1, "risk": "1%", "qty": 1}, "two_fields"),
        ({"action": "buy", "symbol": "BTCUSDT", "sl": 1, "risk": "500%"}, "not_certain"),
    ],
)
def test_fields_that_are_not_certain_are_refused(fields: dict[str, Any], code: str) -> None:
    """Nothing is guessed, and nothing that was said is left out."""
    with pytest.raises(SignalFormatError) as caught:
        write_message(fields)

    assert caught.value.code == code


@pytest.mark.parametrize(
    "value",
    [
        0,
        -1,
        True,
        "",
        "0",
        "-1",
        "1e3",
        "1,5",
        "0,001",
        "NaN",
        "inf",
        1e300,
        1e-300,
        [],
        {},
        "5 USDT",
    ],
)
@pytest.mark.parametrize("field", ["quantity", "price", "sl", "leverage"])
def test_only_plain_numbers_are_read(field: str, value: Any) -> None:
    """A placeholder that TradingView fills with NaN is no quantity."""
    fields = {"action": "buy", "symbol": "BTCUSDT", "quantity": 1, field: value}

    with pytest.raises(SignalFormatError) as caught:
        write_message(fields)

    assert caught.value.code == "bad_field"


def test_fields_without_a_part_in_the_message_are_given_back() -> None:
    """They are kept beside it."""
    _, others = write_message(
        {"action": "buy", "symbol": "BTCUSDT", "quantity": 1, "interval": "5", "none": None}
    )

    assert others == {"interval": "5"}


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("BINANCE:BTCUSDT.P", "BTCUSDT"),
        ("BINGX:1000PEPEUSDT.P", "1000PEPEUSDT"),
        ("BTCUSDTPERP", "BTCUSDT"),
        ("BTCUSDT_PERP", "BTCUSDT"),
        ("PERPUSDT", "PERPUSDT"),
        ("btc-usdt", "BTCUSDT"),
        ("BTCUSD.P", "BTCUSD"),
        ("XAUUSD", "XAUUSD"),
    ],
)
def test_symbols_of_tradingview(text: str, symbol: str) -> None:
    """Its spelling of perpetuals is known; what is not quoted in USDT is left to the reader."""
    assert plain_symbol(text) == symbol


_PRICES = st.integers(1, 10**9).map(lambda n: Decimal(n) / 1000)


@given(st.sampled_from(["buy", "sell", "long", "short"]), _PRICES, _PRICES, _PRICES, _PRICES)
def test_what_is_read_is_what_the_fields_say(
    action: str, price: Decimal, stop: Decimal, target: Decimal, quantity: Decimal
) -> None:
    """The way through text must not change a number: it is refused, or exactly the same."""
    fields = {
        "action": action, "symbol": "BTCUSDT", "price": str(price), "sl": float(stop),
        "tp": str(target), "quantity": str(quantity),
    }  # fmt: skip
    try:
        reading = read(write_message(fields)[0])
    except SignalFormatError:
        return
    if reading.kind is ReadingKind.REFUSED:
        return

    side = PositionSide.LONG if action in {"buy", "long"} else PositionSide.SHORT
    assert reading.kind is ReadingKind.SETUP
    assert reading.entry is not None
    assert reading.stop is not None
    assert reading.size is not None
    assert (reading.symbol, reading.position_side) == ("BTCUSDT", side)
    assert reading.entry.prices == (price,)
    assert reading.stop.price == stop
    assert [level.price for level in reading.targets] == [target]
    assert reading.size.value == quantity
