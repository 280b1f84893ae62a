"""What was written or read a moment ago is not read again, and nothing else is different."""

import pytest
from tests.support.records import CLOSE_INTENT, INTENT

from milobot.domain.intents import TradeIntent
from milobot.errors import LedgerError
from milobot.storage.codec import codec_of
from milobot.storage.remembered import RememberedCodec

PLAIN = codec_of(TradeIntent)


def test_what_was_written_is_not_read_again() -> None:
    """The very value comes back, which is the one that a new process would read."""
    codec = RememberedCodec(PLAIN)

    text = codec.encode(INTENT)

    assert codec.decode(text) is INTENT
    assert text == PLAIN.encode(INTENT)
    assert PLAIN.decode(text) == INTENT


def test_what_another_process_wrote_is_read_once() -> None:
    """It is kept from then on."""
    codec = RememberedCodec(PLAIN)
    text = PLAIN.encode(INTENT)

    first = codec.decode(text)

    assert first == INTENT
    assert codec.decode(text) is first


def test_the_oldest_are_forgotten() -> None:
    """A year of signals must not stay in memory."""
    codec = RememberedCodec(PLAIN, most=1)
    text = codec.encode(INTENT)
    codec.encode(CLOSE_INTENT)

    again = codec.decode(text)

    assert again == INTENT
    assert again is not INTENT


def test_a_damaged_text_is_an_error_each_time() -> None:
    """One character makes it another text: what is remembered says nothing of it."""
    codec = RememberedCodec(PLAIN)
    text = codec.encode(INTENT)

    for _ in range(2):
        with pytest.raises(LedgerError, match="cannot be read"):
            codec.decode(text.replace('"key":', '"kez":', 1))
