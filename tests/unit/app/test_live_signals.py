"""The hall: which account's door a message goes to; and what an account takes in."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest
from tests.support.doors import MemoryDoor
from tests.support.trading import SYMBOL, rules
from tests.support.virtual_time import VirtualTime

from milobot.app.exchanges import ExchangeClient
from milobot.app.live_signals import LiveSignals, SignalHall, SignalPlan
from milobot.app.profiles import Profiles
from milobot.domain.market import SymbolRules
from milobot.errors import LedgerUnavailableError
from milobot.signals.door import Incoming, SignalState
from milobot.signals.profile import ChannelProfile
from milobot.storage.ledger import open_ledger

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


@dataclass
class Listing:
    """An exchange's client, as far as signals need it before they trade."""

    clock: VirtualTime = field(default_factory=VirtualTime)

    @property
    def market(self) -> "Listing":
        """Return what is asked for public data."""
        return self

    async def fetch_all_rules(self) -> dict[str, SymbolRules]:
        """Return one symbol."""
        return {SYMBOL: rules()}


async def test_what_the_exchange_does_not_list_is_refused_from_the_first_message_on(
    tmp_path: Path,
) -> None:
    """Telegram hands in what was missed as soon as the door is open."""
    async with await open_ledger(f"sqlite:///{tmp_path}/milobot.db") as ledger:
        client = cast("ExchangeClient", Listing())
        signals = LiveSignals("binance:default", SignalPlan(), ledger, client)
        await signals.prepare()

        unlisted = Incoming("http:default", "1", "BUY FOOUSDT 1", posted_ms=0)
        receipt = await signals.inbox.receive(unlisted)

    assert (receipt.state, receipt.code) == (SignalState.REFUSED, "unknown_symbol")
