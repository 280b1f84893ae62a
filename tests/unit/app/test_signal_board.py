"""The newest signals as lines of the page."""

from dataclasses import replace

from tests.support.doors import MemoryDoor

from milobot.app.signal_board import LONGEST_TEXT, message_view, read_board
from milobot.signals.door import Incoming, Receipt, SignalHistory, SignalState
from milobot.web.views import LONGEST_NOTE, MOST_MESSAGES

HISTORY = SignalHistory(
    receipt=Receipt(7, SignalState.DENIED, "too_small", "It is below the minimum."),
    account="bingx:default",
    source="telegram:-100",
    message_id="m",
    text="LONG  BTC\nSL 5%",
    received_ms=5,
    reading={"kind": "setup", "symbol": "BTCUSDT", "side": "LONG", "stop": "5.00 %"},
    intent_keys=(),
    events=(),
)


def test_a_line_says_what_was_written_what_was_read_and_what_became_of_it() -> None:
    """The three questions after every message."""
    row = message_view(HISTORY).row()

    assert row == {
        "id": 7,
        "time": 5,
        "source": "telegram:-100",
        "text": "LONG BTC SL 5%",
        "read": "long BTCUSDT, stop 5.00 %",
        "state": "denied",
        "code": "too_small",
        "reason": "It is below the minimum.",
    }


def test_what_is_no_signal_says_so() -> None:
    """Most of what a channel posts is talk."""
    chat = replace(HISTORY, reading={"kind": "not_a_signal"})

    assert message_view(chat).read == "not a signal"


def test_texts_of_strangers_are_cut_and_cannot_steer_a_display() -> None:
    """A channel must neither fill the page nor turn its words around."""
    evil = "\u202e\x1b[2J" + "x" * 10_000
    hostile = replace(HISTORY, text=evil, reading={"kind": "order", "symbol": evil})

    row = message_view(hostile).row()

    assert len(row["text"]) <= LONGEST_TEXT
    assert len(row["read"]) <= LONGEST_NOTE
    assert "\u202e" not in row["text"] + row["read"]
    assert "\x1b" not in row["text"] + row["read"]


async def test_the_newest_come_first_and_no_more_than_fit() -> None:
    """A channel of years must not travel to every telephone."""
    door = MemoryDoor()
    for number in range(MOST_MESSAGES + 5):
        await door.receive(Incoming("http:default", f"m{number}", f"hello {number}", number))

    board = await read_board(door)

    assert len(board) == MOST_MESSAGES
    assert board[0].text == f"hello {MOST_MESSAGES + 4}"
