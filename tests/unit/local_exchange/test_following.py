"""An exchange that follows a market: what it is told moves it, and nothing else does."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.support.paper import BTC, account_of, held, paper_exchange
from tests.support.wire import BinanceWire

from milobot.domain.timeframes import Timeframe
from milobot.errors import ConfigurationError
from milobot.local_exchange.setup import ExchangeSetup

RULES: dict[str, Any] = {
    "symbol": BTC,
    "tick_size": "0.1",
    "quantity_step": "0.001",
    "min_quantity": "0.001",
    "max_market_quantity": None,
    "min_notional": "5",
    "brackets": [],
}


class Told(BinanceWire):
    """A client that tells the exchange its market, too."""

    async def tell(self, call: str, **fields: Any) -> int:
        """Send a control call and return its status."""
        url = f"{self.exchange.url}/control/{call}"
        async with self.session.post(url, json=fields) as answer:
            return answer.status

    async def quote(self, bid: str, ask: str, **more: Any) -> int:
        """Tell bid and ask of BTCUSDT."""
        return await self.tell("quotes", quotes=[{"symbol": BTC, "bid": bid, "ask": ask, **more}])


async def test_a_buy_fills_at_the_ask_and_a_sale_at_the_bid() -> None:
    """Paper pays the spread that the market has, and the slippage it was told to add."""
    async with paper_exchange("binance") as paper, Told(paper) as wire:
        await wire.tell("contracts", rules=[RULES])
        await wire.quote("39990", "40010")
        await wire.order("BUY")
        await wire.order("SELL", reduceOnly="true")

    prices = [execution.price for execution in account_of(paper).executions]
    assert prices == [Decimal("40050.1"), Decimal(39950)]


async def test_a_symbol_without_a_price_is_listed_but_nothing_fills() -> None:
    """Before the first price there is nothing to fill at, and no position to value."""
    async with paper_exchange("binance") as paper, Told(paper) as wire:
        await wire.tell("contracts", rules=[RULES])
        listed = await wire.send("GET", "/fapi/v1/exchangeInfo")
        brackets = await wire.call("GET", "/fapi/v1/leverageBracket")
        refused = await wire.order("BUY")
        stale = await wire.quote("39990", "40010", age_ms=60_000)
        too_old = await wire.order("BUY")

    assert [one["symbol"] for one in listed.body["symbols"]] == [BTC]
    assert brackets.body[0]["brackets"][0]["initialLeverage"] == 125
    assert refused.body["code"] == -1121
    assert stale == 200
    assert (too_old.status, too_old.body["code"]) == (503, -1008)


async def test_a_price_that_jumps_over_a_stop_fills_it_where_the_market_is() -> None:
    """A stop is no promise of a price; paper that fills at the level would flatter."""
    async with paper_exchange("binance") as paper, Told(paper) as wire:
        await wire.tell("contracts", rules=[RULES])
        await wire.quote("40000", "40000")
        await wire.call("POST", "/fapi/v1/leverage", symbol=BTC, leverage=5)
        await wire.order("BUY")
        assert (await wire.algo("39000")).status == 200
        await wire.quote("39000.1", "39000.1")
        assert held(paper)
        await wire.quote("38000", "38002")

    assert not held(paper)
    assert account_of(paper).executions[-1].price == Decimal(37_962)


async def test_fundings_are_charged_once_and_only_on_what_was_open_then() -> None:
    """A funding is listed minutes after it was paid: what was opened since owes nothing."""
    async with paper_exchange("binance") as paper, Told(paper) as wire:
        await wire.tell("contracts", rules=[RULES])
        await wire.quote("40000", "40000")
        before_ms = paper.clock.now_ms() + 1
        await paper.elapse(2)
        await wire.order("BUY")
        await paper.elapse(1_000)
        await wire.tell("funding", symbol=BTC, rate="0.001", time_ms=before_ms)
        unpaid = account_of(paper).wallet
        after_ms = paper.clock.now_ms()
        for _ in range(2):
            await wire.tell("funding", symbol=BTC, rate="0.001", time_ms=after_ms)

    assert account_of(paper).wallet == unpaid - Decimal("0.4")
    assert [i.kind for i in account_of(paper).incomes].count("FUNDING_FEE") == 1


@pytest.mark.parametrize(
    ("call", "fields"),
    [
        ("quotes", {"quotes": [{"symbol": "NOSUCH", "bid": "1", "ask": "1"}]}),
        ("quotes", {"quotes": [{"symbol": BTC, "bid": "2", "ask": "1"}]}),
        ("replay", {"symbol": "NOSUCH", "bars": []}),
        ("contracts", {"rules": [{"symbol": BTC, "tick_size": "much"}]}),
    ],
)
async def test_nonsense_is_refused_in_a_sentence(call: str, fields: dict[str, Any]) -> None:
    """Whoever feeds the market wrongly hears of it, and the market stands as it was."""
    async with paper_exchange("binance") as paper, Told(paper) as wire:
        await wire.tell("contracts", rules=[RULES])
        assert await wire.tell(call, **fields) == 400
        assert not paper.status()["prices"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"follows": True}, "add --dialect"),
        ({"state": Path("paper.json"), "dialects": ("bingx",)}, "--state belongs to --follow"),
    ],
)
def test_what_does_not_go_together_is_refused(more: dict[str, Any], said: str) -> None:
    """One market is followed at a time, and only one that is followed is kept."""
    with pytest.raises(ConfigurationError, match=said):
        ExchangeSetup(candles={}, timeframe=Timeframe.M1, **more)
