"""What the actor knows of live signals, whatever order it hears of them in."""

from functools import partial

from tests.support.signal_desk import ACCOUNT, CHANNEL, SignalDesk

from milobot.signals.inbox.live import LiveSignals
from milobot.storage.ledger import Ledger
from milobot.storage.signal_records import list_live, read_signal

LIMIT = "Long BTCUSDT entry 64000 SL 63000 TP 66000 67000"


async def test_a_signal_that_ended_while_it_was_read_is_not_taken_for_alive(
    ledger: Ledger,
) -> None:
    """Its wishes stand in the old row, and were taken back since: they must not be asked for."""
    desk, live = SignalDesk(ledger), LiveSignals()
    await desk.say(LIMIT)
    live.begin_reading()
    old = await ledger.read(partial(list_live, account=ACCOUNT))
    live.take(old)
    await desk.inbox.delete(CHANNEL, "1")
    over = await ledger.read(partial(read_signal, signal_id=1))
    assert over is not None
    live.take([over])

    live.take(old)

    assert old[0].is_live
    assert not over.is_live
    assert live.symbols() == []
