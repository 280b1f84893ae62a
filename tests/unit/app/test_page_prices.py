"""What positions are valued at when no stream tells their price."""

import pytest
from tests.support.shown_accounts import Shown
from tests.support.trading import SYMBOL, dec

from milobot.app.page_prices import APART_MS, ASKED_FRESH_MS, STREAM_FRESH_MS, PagePrices
from milobot.errors import ExchangeUnavailableError

ETH = "ETHUSDT"


async def test_the_stream_is_asked_first_and_nothing_else_then() -> None:
    """A price that comes by itself costs nothing."""
    live, prices = Shown(), PagePrices()
    live.tell(SYMBOL, "101")

    await prices.ask(live, [SYMBOL])

    assert prices.price(live, SYMBOL) == dec("101")
    assert live.market.asked == []


async def test_what_no_stream_tells_is_asked_for_in_turn() -> None:
    """One request at a time, and each symbol gets one: trading has the rate budget first."""
    live, prices = Shown(), PagePrices()
    live.tell(SYMBOL, "101", age_ms=STREAM_FRESH_MS + 1)
    assert prices.price(live, SYMBOL) is None

    for _ in range(5):
        await prices.ask(live, [SYMBOL, ETH])

    assert sorted(live.market.asked) == [("mark", SYMBOL), ("mark", ETH)]
    assert prices.price(live, ETH) == dec("110")
    live.step(APART_MS)
    await prices.ask(live, [SYMBOL, ETH])
    assert live.market.count["mark"] == 3


async def test_an_old_price_is_none() -> None:
    """A gain of an hour ago is worse than a dash."""
    live, prices = Shown(), PagePrices()
    await prices.ask(live, [SYMBOL])

    live.step(ASKED_FRESH_MS + 1)

    assert prices.price(live, SYMBOL) is None


async def test_a_symbol_that_cannot_be_asked_does_not_keep_the_others_waiting() -> None:
    """One delisted symbol must not leave all others without a value."""
    live, prices = Shown(), PagePrices()
    live.market.failure = ExchangeUnavailableError("away")
    with pytest.raises(ExchangeUnavailableError):
        await prices.ask(live, [SYMBOL, ETH])
    live.market.failure = None

    await prices.ask(live, [SYMBOL, ETH])

    assert len(set(live.market.asked)) == 2
