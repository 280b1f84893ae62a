"""What the codec refuses: a row that was changed by hand must not become a plan."""

from dataclasses import dataclass

import pytest
from tests.support.records import CLOSE_INTENT, INTENT

from milobot.domain.intents import TradeIntent
from milobot.errors import LedgerError
from milobot.storage.codec import codec_of
from milobot.storage.plain_text import to_plain_text

CODEC = codec_of(TradeIntent)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"key":', '"kez":'),
        ('"time_ms":1704067200000', '"time_ms":"soon"'),
        ('"reference_price":"42314.1"', '"reference_price":42314.1'),
        ('"reference_price":"42314.1"', '"reference_price":"x"'),
        ('"is":"Enter"', '"is":"Close"'),
        ('"is":"Enter"', '"is":"Hold"'),
        ('"is":"Enter",', ""),
        ('"side":"LONG"', '"side":"UP"'),
        ("{", ""),
    ],
)
def test_a_damaged_value_is_an_error(old: str, new: str) -> None:
    """A guess at what was meant would be traded."""
    text = CODEC.encode(INTENT)
    assert old in text

    with pytest.raises(LedgerError, match=r"holds a tradeintent that cannot be read"):
        CODEC.decode(text.replace(old, new, 1))


def test_a_field_that_is_missing_takes_its_default() -> None:
    """Rows of an older version are read by a newer one that knows more fields."""
    text = CODEC.encode(CLOSE_INTENT)

    assert CODEC.decode(text.replace(',"atr":null', "")) == CLOSE_INTENT


def test_a_type_without_a_form_is_refused_when_the_codec_is_made() -> None:
    """A float in a record is a mistake, found by whoever adds it, not by a trader."""

    @dataclass(frozen=True)
    class Wrong:
        price: float

    with pytest.raises(TypeError, match="has no form in the ledger"):
        codec_of(Wrong)


def test_text_that_no_database_takes_is_replaced() -> None:
    """A message with NUL in it must not stop the books on PostgreSQL alone."""
    assert to_plain_text("plain") == "plain"
    assert to_plain_text("ž€😀") == "ž€😀"
    assert to_plain_text("a\x00b") == "a\ufffdb"
    assert to_plain_text("é\x00\ud800c") == "é\ufffd\ufffdc"
