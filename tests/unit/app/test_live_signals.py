"""The hall: which account's door a message goes to."""

import pytest
from tests.support.doors import MemoryDoor

from milobot.app.live_signals import SignalHall
from milobot.app.profiles import Profiles
from milobot.errors import LedgerUnavailableError
from milobot.signals.door import Incoming
from milobot.signals.profile import ChannelProfile

ELSEWHERE = Profiles({"telegram_-1": ChannelProfile(exchange="binance")})


def _message(source: str) -> Incoming:
    return Incoming(source, "m1", "BUY BTCUSDT 0.001", posted_ms=0)


async def test_a_source_is_traded_where_its_profile_says_else_on_the_first_account() -> None:
    """Two accounts in one process: a message must reach one of them, and the right one."""
    bingx, binance, hall = MemoryDoor(), MemoryDoor(), SignalHall(ELSEWHERE)
    hall.open({"bingx": bingx, "binance": binance})

    await hall.receive(_message("telegram:-1"))
    await hall.receive(_message("http:default"))
    await hall.delete("telegram:-1", "m1")

    assert [one.source for one in binance.incoming] == ["telegram:-1"]
    assert [one.source for one in bingx.incoming] == ["http:default"]
    assert await hall.history(1) is not None
    assert await hall.history(99) is None
    assert len(await hall.latest(10)) == 2


async def test_before_the_ledger_is_open_nothing_is_taken_in() -> None:
    """Whoever is told so hands it in again; a receipt would be a lie."""
    hall = SignalHall(Profiles())

    with pytest.raises(LedgerUnavailableError, match="still starting"):
        await hall.receive(_message("http:default"))
