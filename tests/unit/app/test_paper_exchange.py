"""Paper over the wire: the real exchange's prices, orders that stay on this machine."""

import asyncio
import json
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.support.paper import (
    BTC,
    ETH,
    account_of,
    entry,
    held,
    paper_exchange,
    real_exchange,
    stop,
    trading_on_paper,
    until,
)
from tests.support.wire import bars

from milobot.app.exchanges import ExchangeClient
from milobot.app.paper_exchange import PaperClient, paper_client
from milobot.app.paper_plan import PaperPlan, paper_file
from milobot.domain.orders import OrderStatus, Refusal
from milobot.domain.reports import BookTicker, MarginMode, MarkPrice
from milobot.domain.timeframes import MINUTE_MS
from milobot.errors import ConfigurationError, DataError, ExchangeError, ExchangeUnavailableError
from milobot.local_exchange.core.market import FundingRates
from milobot.local_exchange.server import LocalExchange
from milobot.ports import PriceStream
from milobot.settings import load_settings

DIALECTS = ("binance", "bingx")


async def enter(client: PaperClient, symbol: str = BTC) -> None:
    """Open a long position as the engine does: settings first."""
    await client.account.prepare_symbol(symbol, leverage=5, margin_mode=MarginMode.ISOLATED)
    updates = await client.account.place_order(entry(symbol))
    assert updates


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_an_order_lives_on_paper_and_nothing_reaches_the_real_exchange(dialect: str) -> None:
    """Entry, stop at rest, a fall of the real price, the stop's fill: all by the real prices."""
    async with (
        real_exchange(dialect) as real,
        paper_exchange(dialect) as paper,
        trading_on_paper(dialect, real, paper) as client,
    ):
        rules = await client.account.fetch_rules(BTC)
        await enter(client)
        await until(lambda: held(paper) == Decimal("0.01"))
        filled = account_of(paper).executions[0].price
        await client.account.place_order(stop("39000"))
        assert len(await client.account.fetch_open_orders(BTC)) == 1

        await real.move_price(BTC, Decimal(39500))
        await until(lambda: price_of(paper) == Decimal(39500))
        assert held(paper)
        await real.move_price(BTC, Decimal(38000))
        await until(lambda: not held(paper))
        truth = real.ledger()

    assert rules.brackets
    assert filled == Decimal(40040)  # the ask and a tenth of a percent of slippage
    assert account_of(paper).executions[1].price == Decimal(37962)  # the gap counts, not 39000
    assert not truth["requests"]
    assert not any(account["orders"] for account in truth["accounts"])


async def test_two_symbols_are_followed_each_from_its_first_order_on() -> None:
    """A bot with signals does not know beforehand what it will trade."""
    async with (
        real_exchange("binance") as real,
        paper_exchange("binance") as paper,
        trading_on_paper("binance", real, paper) as client,
    ):
        await enter(client, BTC)
        await enter(client, ETH)
        await until(lambda: held(paper, BTC) > 0 and held(paper, ETH) > 0)
        await client.account.place_order(stop("1900", ETH))
        await real.move_price(ETH, Decimal(1800))
        await until(lambda: not held(paper, ETH))
        assert held(paper, BTC)
        with pytest.raises(DataError, match="NOSUCH"):
            await client.account.fetch_last_price("NOSUCH")


async def test_the_bot_sees_a_price_only_once_orders_fill_at_it() -> None:
    """A decision on one price that is filled at another would be a lie about the strategy."""
    seen: list[BookTicker] = []

    async def watch(feed: PriceStream, paper: LocalExchange) -> None:
        async for price in feed.prices():
            if not isinstance(price, MarkPrice) and price.symbol == ETH:
                assert price_of(paper, ETH) == (price.bid_price + price.ask_price) / 2
                seen.append(price)

    async with (
        real_exchange("binance") as real,
        paper_exchange("binance") as paper,
        trading_on_paper("binance", real, paper) as client,
    ):
        feed = client.price_feed([ETH])
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(feed.run()), tasks.create_task(watch(feed, paper))]
            await until(lambda: bool(seen))
            await real.move_price(ETH, Decimal(2100))
            await until(lambda: seen[-1].bid_price == Decimal(2100))
            for task in running:
                task.cancel()
        assert await client.account.fetch_last_price(ETH) == Decimal(2100)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_without_public_data_nothing_fills(dialect: str) -> None:
    """An order that fills at a price of yesterday would make paper better than the market."""
    async with AsyncExitStack() as stack:
        paper = await stack.enter_async_context(paper_exchange(dialect, stale_after_s=0.6))
        async with real_exchange(dialect) as real:
            client = await stack.enter_async_context(trading_on_paper(dialect, real, paper))
            await enter(client)
            await until(lambda: held(paper) > 0)
        await asyncio.sleep(0.61)  # that the price grows old is what this is about
        (update,) = await client.account.place_order(entry(client_order_id="milo9"))
        with pytest.raises(ExchangeError):
            await client.account.fetch_last_price(ETH)
        await client.account.place_order(stop("39000"))
        assert len(await client.account.fetch_open_orders(BTC)) == 1  # protection may still rest

    assert held(paper) == Decimal("0.01")
    expected = {"binance": OrderStatus.NOT_EXECUTED, "bingx": OrderStatus.UNKNOWN}
    assert update.status is expected[dialect]
    assert update.refusal is Refusal.UNAVAILABLE


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_restart_continues_with_position_and_stop(dialect: str, tmp_path: Path) -> None:
    """Paper that forgets over night proves nothing about a strategy."""
    file = tmp_path / f"paper-{dialect}.json"
    async with real_exchange(dialect) as real:
        async with (
            paper_exchange(dialect, file) as paper,
            trading_on_paper(dialect, real, paper) as client,
        ):
            await enter(client)
            await client.account.place_order(stop("39000"))
            await until(lambda: held(paper) > 0)
            wallet = (await client.account.fetch_account()).wallet
        async with (
            paper_exchange(dialect, file) as paper,
            trading_on_paper(dialect, real, paper) as client,
        ):
            (position,) = await client.account.fetch_positions()
            (resting,) = await client.account.fetch_open_orders(BTC)
            assert (await client.account.fetch_account()).wallet == wallet
            since_ms = client.clock.now_ms() - 60_000
            assert len(await client.account.fetch_fills(BTC, first_ms=since_ms)) == 1
            await real.move_price(BTC, Decimal(38_000))
            await until(lambda: not held(paper))

    assert position.quantity == Decimal("0.01")
    assert resting.trigger_price == Decimal(39_000)


async def test_a_stop_that_was_passed_while_paper_was_off_has_triggered(tmp_path: Path) -> None:
    """Switching off must not save a losing trade: the candles of the time between are played."""
    file = tmp_path / "paper-binance.json"
    calm = (40_000.0, 40_000.0, 40_000.0, 40_000.0)
    fall = (40_000.0, 40_000.0, 38_500.0, 39_900.0)
    rows = [fall if number in {18, 25} else calm for number in range(40)]
    async with real_exchange("binance", candles={BTC: bars(*rows)}) as real:
        async with (
            paper_exchange("binance", file) as paper,
            trading_on_paper("binance", real, paper) as client,
        ):
            await enter(client)
            await client.account.place_order(stop("39000"))
        # The last price is from the 20th minute: what fell before it, fell before the entry.
        off_ms = client.clock.now_ms() - 10 * MINUTE_MS
        go_back(file, off_ms)
        async with (
            paper_exchange("binance", file) as paper,
            trading_on_paper("binance", real, paper),
        ):
            bought, sold = account_of(paper).executions

    assert not held(paper)
    assert sold.price == Decimal(38_961)  # the level, less a tenth of a percent
    assert off_ms < sold.time_ms < off_ms + 7 * MINUTE_MS
    assert bought.id < sold.id


async def test_candles_that_leave_the_stop_alone_leave_the_position_alone(tmp_path: Path) -> None:
    """The opposite lie: a stop that never traded must still be there."""
    file = tmp_path / "paper-binance.json"
    async with real_exchange("binance") as real:
        async with (
            paper_exchange("binance", file) as paper,
            trading_on_paper("binance", real, paper) as client,
        ):
            await enter(client)
            await client.account.place_order(stop("39000"))
        go_back(file, client.clock.now_ms() - 10 * MINUTE_MS)
        async with (
            paper_exchange("binance", file) as paper,
            trading_on_paper("binance", real, paper) as client,
        ):
            assert len(await client.account.fetch_open_orders(BTC)) == 1
            assert held(paper) == Decimal("0.01")


async def test_fundings_that_were_paid_while_paper_was_off_are_charged(tmp_path: Path) -> None:
    """Holding a position costs what it costs at the real exchange, over night too."""
    file = tmp_path / "paper-binance.json"
    funding = FundingRates.fixed(Decimal("0.001"))
    async with real_exchange("binance", funding=funding) as real:
        async with (
            paper_exchange("binance", file) as paper,
            trading_on_paper("binance", real, paper) as client,
        ):
            await enter(client)
        content = json.loads(file.read_text())
        content["executions"][0]["time_ms"] -= 20 * 60 * MINUTE_MS
        content["held"][0]["funded_ms"] -= 8 * 60 * MINUTE_MS
        file.write_text(json.dumps(content))
        async with (
            paper_exchange("binance", file) as paper,
            trading_on_paper("binance", real, paper),
        ):
            account = account_of(paper)
            await until(lambda: account.incomes[-1].kind == "FUNDING_FEE")

    assert [income.amount for income in account.incomes[1:]] == [Decimal("-0.4")]


async def test_a_paper_exchange_that_has_ended_ends_the_run() -> None:
    """Nothing may look as if it traded while nobody is there to trade with."""

    async def trade_on(real: LocalExchange, stack: AsyncExitStack) -> None:
        paper = await stack.enter_async_context(paper_exchange("binance"))
        async with trading_on_paper("binance", real, paper) as client:
            await enter(client)
            await stack.aclose()
            while True:
                await real.move_price(BTC, Decimal(40_100))
                await asyncio.sleep(0.01)

    async with real_exchange("binance") as real, AsyncExitStack() as stack:
        with pytest.raises(ExceptionGroup) as caught:
            await asyncio.wait_for(trade_on(real, stack), 5)

    _, told = caught.value.split(ExchangeUnavailableError)
    assert told is None


async def _at_once(real: ExchangeClient) -> None:
    """Begin without asking."""


async def test_a_damaged_account_is_named_by_the_run(tmp_path: Path) -> None:
    """The sentence of the process reaches whoever started the run, not its traceback."""
    plan = PaperPlan(state_file=tmp_path / "paper-binance.json")
    (tmp_path / "paper-binance.json").write_text("{")
    async with real_exchange("binance") as real:
        settings = load_settings(None).model_copy(update={"binance_base_url": real.url})
        with pytest.raises(ConfigurationError, match=r"start: paper-binance\.json cannot be read"):
            async with paper_client(settings, "binance", plan, _at_once):
                raise AssertionError("it was opened")


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("sqlite:///ledgers/mine.db", "ledgers/paper-bingx.json"),
        ("postgresql://u:p@localhost:5432/bot", "paper-bingx.json"),
    ],
)
def test_the_account_is_kept_beside_the_ledger(url: str, file: str) -> None:
    """What belongs together is moved and backed up together."""
    settings = load_settings(None).model_copy(update={"database_url": SecretStr(url)})
    assert paper_file(settings, "bingx") == Path(file)


async def test_paper_runs_as_a_process_of_its_own(tmp_path: Path) -> None:
    """The two calls that a run makes: settings in, a client out, the account kept."""
    plan = PaperPlan(wallet=Decimal(500), state_file=tmp_path / "paper-binance.json")
    async with real_exchange("binance") as real:
        settings = load_settings(None).model_copy(update={"binance_base_url": real.url})
        async with paper_client(settings, "binance", plan, _at_once) as client:
            assert (await client.account.fetch_account()).wallet == 500
            await enter(client, ETH)
        assert "ETHUSDT" in plan.state_file.read_text() if plan.state_file else False


def go_back(file: Path, told_ms: int) -> None:
    """Let the kept account's last price be of an earlier time."""
    content = json.loads(file.read_text())
    for one in content["held"]:
        one["told_ms"] = told_ms
    file.write_text(json.dumps(content))


def price_of(paper: LocalExchange, symbol: str = BTC) -> Decimal:
    """Return what the paper exchange fills around now."""
    (venue,) = paper.venues.values()
    return venue.tape(symbol).last_price
