"""The BingX client against the local exchange, which speaks BingX and was written apart from it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from tests.support.bingx import entry, stop
from tests.support.wire import START_MS, bars, flat_bars, setup_of

from milobot.domain.intents import PositionSide, Side
from milobot.domain.market import CandleSeries
from milobot.domain.orders import Order, OrderPurpose, OrderStatus, OrderType, OrderUpdate, Refusal
from milobot.domain.reports import AccountNews, ClosedCandle, IncomeKind, MarginMode, NewsKind
from milobot.domain.timeframes import MINUTE_MS, Timeframe
from milobot.errors import AuthenticationError, DataError
from milobot.exchanges.bingx.client import BingxClient
from milobot.exchanges.bingx.hosts import BingxHosts
from milobot.exchanges.bingx.signing import Credentials
from milobot.exchanges.gateway import Timeouts
from milobot.exchanges.options import ClientOptions
from milobot.exchanges.streams import StreamPlan
from milobot.local_exchange.core.accounts import Rights
from milobot.local_exchange.faults import parse_rule_text
from milobot.local_exchange.server import LocalExchange
from milobot.local_exchange.setup import DEFAULT_KEY, DEFAULT_SECRET
from milobot.local_exchange.setup import Credentials as Account
from milobot.ports import News

PRICE = 40_000.0
FALLING = bars((PRICE,) * 4, (PRICE, PRICE, 38_900.0, 38_950.0), *[(38_950.0,) * 4] * 5)
STOP_AT, TARGET_AT = Decimal(39_000), Decimal(41_000)


@dataclass
class Desk:
    """A client and the exchange that it trades on."""

    exchange: LocalExchange
    client: BingxClient
    heard: list[News] = field(default_factory=list)

    def strike(self, text: str) -> None:
        """Plan a fault."""
        self.exchange.plan.extend([parse_rule_text(text)])

    def truth(self) -> dict[str, Any]:
        """Return what the account really holds."""
        (account,) = self.exchange.ledger()["accounts"]
        return dict(account)

    def resting_stops(self) -> int:
        """Return how many stops really rest."""
        return sum(one["status"] == "NEW" for one in self.truth()["conditionals"])

    def updates(self, client_order_id: str) -> list[OrderUpdate]:
        """Return the news heard of an order."""
        return [
            news
            for news in self.heard
            if isinstance(news, OrderUpdate) and news.client_order_id == client_order_id
        ]


def options() -> ClientOptions:
    timeouts = Timeouts(order_s=0.4, query_s=1.0, download_s=1.0)
    return ClientOptions(timeouts=timeouts, plan=StreamPlan(reconnect_delay_s=0.05))


def client_of(exchange: LocalExchange, key: str = DEFAULT_KEY) -> BingxClient:
    hosts = BingxHosts.at(exchange.bingx_url)
    return BingxClient(hosts, Credentials(key, DEFAULT_SECRET), options())


@asynccontextmanager
async def trading(candles: CandleSeries = FALLING, **more: Any) -> AsyncIterator[Desk]:
    setup = setup_of(candles, dialects=("bingx",), heartbeat_s=0.05, **more)
    async with LocalExchange(setup) as exchange:
        await exchange.advance()
        async with client_of(exchange) as client:
            yield Desk(exchange, client)


@asynccontextmanager
async def listening(desk: Desk) -> AsyncIterator[None]:
    feed = desk.client.user_feed()

    async def listen() -> None:
        async for news in feed.news():
            desk.heard.append(news)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(feed.run()), group.create_task(listen())]
        await until(lambda: feed._stream is not None and feed._stream.health.connections > 0)
        yield
        for task in tasks:
            task.cancel()


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110 - the exchange has no event to wait for
            await asyncio.sleep(0.01)


def our_entry(**more: Any) -> Order:
    return entry(created_ms=START_MS, **more)


def our_stop(trigger: Decimal = STOP_AT, **more: Any) -> Order:
    return stop(str(trigger), created_ms=START_MS, **more)


def our_target(**more: Any) -> Order:
    terms = {
        "client_order_id": "milo3",
        "type": OrderType.TAKE_PROFIT_MARKET,
        "purpose": OrderPurpose.TARGET,
        "close_position": False,
        **more,
    }
    return our_stop(TARGET_AT, **terms)


async def test_a_trade_from_entry_to_stop() -> None:
    """Entry with both exits, found resting; the stop fills, the target goes, the books add up."""
    async with trading() as desk:
        account = desk.client.account
        settings = await account.prepare_symbol(
            "BTCUSDT", leverage=7, margin_mode=MarginMode.ISOLATED
        )

        (entered,) = await account.place_order(
            our_entry(), stop_price=STOP_AT, target_price=TARGET_AT
        )
        (stopped,) = await account.place_order(our_stop())
        (aimed,) = await account.place_order(our_target())
        (position,) = await account.fetch_positions()
        resting = await account.fetch_open_orders("BTCUSDT")
        await desk.exchange.advance(3)
        done = await account.fetch_update(our_stop())
        gone = await account.fetch_update(our_target())
        fills = await account.fetch_fills("BTCUSDT", first_ms=START_MS - 1000)
        income = await account.fetch_income(first_ms=START_MS - 1, last_ms=START_MS + 10**7)

        assert (settings.leverage, settings.margin_mode) == (7, MarginMode.ISOLATED)
        assert (entered.status, entered.fills[0].price) == (OrderStatus.FILLED, Decimal(40_000))
        assert {stopped.status, aimed.status} == {OrderStatus.SUBMITTED}
        assert (position.side, position.quantity) == (PositionSide.LONG, Decimal("0.010"))
        assert (position.leverage, position.entry_price) == (7, Decimal(40_000))
        assert {one.client_order_id for one in resting} == {"milo2", "milo3"}
        assert done is not None
        assert (done.status, done.fills[0].price) == (OrderStatus.FILLED, STOP_AT)
        assert gone is not None
        assert gone.status.is_final
        assert [fill.client_order_id for fill in fills] == ["milo1", "milo2"]
        assert await account.fetch_positions() == []
        booked = {kind: sum(i.amount for i in income if i.kind is kind) for kind in IncomeKind}
        assert booked[IncomeKind.REALIZED_PNL] == -10
        assert booked[IncomeKind.FEE] == -sum(fill.fee for fill in fills)
        assert len(desk.truth()["conditionals"]) == 2


async def test_events_tell_the_trade_too() -> None:
    """Nothing is asked for by us: events lead to the executions."""
    async with trading() as desk, listening(desk):
        await desk.client.account.place_order(our_entry(), stop_price=STOP_AT)
        await desk.client.account.place_order(our_stop())
        await desk.exchange.advance(3)
        await until(lambda: any(u.status is OrderStatus.FILLED for u in desk.updates("milo2")))
        await until(lambda: any(u.status is OrderStatus.FILLED for u in desk.updates("milo1")))

        (fill,) = desk.updates("milo2")[-1].fills
        assert (fill.price, fill.side, fill.quantity) == (STOP_AT, Side.SELL, Decimal("0.010"))
        positions = [
            p.quantity for n in desk.heard if isinstance(n, AccountNews) for p in n.positions
        ]
        assert positions == [Decimal("0.010"), Decimal(0)]


@pytest.mark.parametrize("fault", ["events_twice:times=0", "events_out_of_order:times=3"])
async def test_each_execution_has_one_name_however_often_it_is_told(fault: str) -> None:
    """Doubled and disordered events name the same fills."""
    async with trading() as desk, listening(desk):
        desk.strike(fault)
        await desk.client.account.place_order(our_entry())
        close = our_entry(
            client_order_id="milo9", side=Side.SELL, purpose=OrderPurpose.CLOSE, reduce_only=True
        )
        await desk.client.account.place_order(close)
        await until(lambda: any(u.status is OrderStatus.FILLED for u in desk.updates("milo9")))
        await until(lambda: any(u.status is OrderStatus.FILLED for u in desk.updates("milo1")))

        told = [n.fills for n in desk.heard if isinstance(n, OrderUpdate)]
        names = {fill.fill_id for fills in told for fill in fills}
        assert len(names) == len(desk.truth()["fills"]) == 2


async def test_an_expired_key_and_a_dropped_socket_are_survived() -> None:
    """What was missed is told by RECONNECTED; later events come again."""
    async with trading() as desk, listening(desk):
        await desk.exchange.expire_listen_keys()
        await until(lambda: any(is_reconnected(n) for n in desk.heard))
        await desk.exchange.drop_streams()
        await until(lambda: sum(is_reconnected(n) for n in desk.heard) == 2)
        await desk.client.account.place_order(our_entry())
        await until(lambda: bool(desk.updates("milo1")))


def is_reconnected(news: News) -> bool:
    return isinstance(news, AccountNews) and news.kind is NewsKind.RECONNECTED


async def test_after_a_restart_stops_are_found_and_withdrawn() -> None:
    """The new process knows what it wanted to rest, and nothing of BingX's ids."""
    async with trading() as desk:
        account = desk.client.account
        await account.place_order(our_entry())
        (placed,) = await account.place_order(our_stop())
        other = our_stop(Decimal(38_000), client_order_id="milo4", close_position=False)
        await account.place_order(other)

        async with client_of(desk.exchange) as again:
            report = await again.account.fetch_order(our_stop())
            (gone,) = await again.account.cancel_order(our_stop())

        assert report is not None
        assert report.exchange_order_id == placed.exchange_order_id
        assert gone.status is OrderStatus.CANCELLED
        assert desk.resting_stops() == 1


@pytest.mark.parametrize("fault", ["attached_stop_dropped", "attached_stop_nameless"])
async def test_an_attached_stop_that_is_not_there_is_replaced(fault: str) -> None:
    """Dropped, or listed without an id: it does not count, and a separate one is placed."""
    async with trading() as desk:
        desk.strike(fault)

        await desk.client.account.place_order(our_entry(), stop_price=STOP_AT)
        (stopped,) = await desk.client.account.place_order(our_stop())

        report = await desk.client.account.fetch_order(our_stop())
        assert stopped.status is OrderStatus.SUBMITTED
        assert report is not None
        assert (report.trigger_price, report.close_position) == (STOP_AT, True)


FAULTS = (
    "timeout_after_accept:seconds=0.6",
    "timeout_before_accept:seconds=0.6",
    "drop_before",
    "drop_after",
    "cut_body",
    "endless_body:on=place,seconds=0.6",
    "empty_body",
    "empty_json",
    "truncated_json",
    "html:on=place",
    "http_error:status=504",
    "http_error:status=502,executed=0",
    "unknown_503",
    "unknown_503:executed=0",
    "unavailable_503",
    "overload_503",
    "internal_503",
    "unknown_1006",
    "unknown_1006:executed=0",
    "timeout_1007",
    "rate_limited:on=place",
    "maintenance:on=place",
    "reject:code=101204",
    "reject:code=101204,executed=0",
    "reject:code=80012,executed=1",
    "reject:code=101481,executed=1",
    "reject:code=100421",
)


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_is_said_of_an_order_agrees_with_the_truth(fault: str) -> None:
    """Certain only where it is certain; and after asking, what really happened."""
    async with trading(flat_bars(4)) as desk:
        desk.strike(fault)

        (update,) = await desk.client.account.place_order(our_entry())
        was_executed = bool(desk.truth()["orders"])
        found = await desk.client.account.fetch_update(our_entry())

        if update.status in {OrderStatus.REJECTED, OrderStatus.NOT_EXECUTED}:
            assert not was_executed
        if update.status in {OrderStatus.SUBMITTED, OrderStatus.FILLED}:
            assert was_executed
        assert (found is not None) == was_executed
        assert len(desk.truth()["orders"]) <= 1


@pytest.mark.parametrize("fault", FAULTS[:-8])
async def test_a_stop_is_never_placed_twice(fault: str) -> None:
    """It has no id that would keep a second one out: it is listed before it is repeated."""
    async with trading(flat_bars(4)) as desk:
        await desk.client.account.place_order(our_entry())
        desk.strike(fault.replace("on=place", "on=place*"))
        statuses: list[OrderStatus] = []

        while len(statuses) < 3 and OrderStatus.SUBMITTED not in statuses:
            again = our_stop(client_order_id=f"milo{10 + len(statuses)}")
            statuses += [u.status for u in await desk.client.account.place_order(again)]

        assert statuses[-1] is OrderStatus.SUBMITTED
        assert desk.resting_stops() == 1


async def test_a_repeated_entry_is_the_one_before() -> None:
    """The duplicate is refused, and what rests is told."""
    async with trading(flat_bars(4)) as desk:
        (first,) = await desk.client.account.place_order(our_entry())
        (again,) = await desk.client.account.place_order(our_entry())

        assert (first.status, again.status) == (OrderStatus.FILLED, OrderStatus.FILLED)
        assert [f.fill_id for f in first.fills] == [f.fill_id for f in again.fills]
        assert len(desk.truth()["orders"]) == 1


async def test_refusals_are_in_our_words() -> None:
    """Too large, beyond the trigger, nothing to close."""
    async with trading(flat_bars(4)) as desk:
        account = desk.client.account
        asked = [
            our_entry(quantity="90", client_order_id="a1"),
            our_entry(
                client_order_id="a2",
                side=Side.SELL,
                purpose=OrderPurpose.CLOSE,
                reduce_only=True,
            ),
        ]
        refusals = [(await account.place_order(order))[0].refusal for order in asked]
        await account.place_order(our_entry())
        (beyond,) = await account.place_order(our_stop(Decimal(41_000)))

        assert refusals == [Refusal.INSUFFICIENT_MARGIN, Refusal.NOTHING_TO_REDUCE]
        assert (beyond.status, beyond.refusal) == (OrderStatus.REJECTED, Refusal.WOULD_TRIGGER)


async def test_a_resting_entry_is_withdrawn() -> None:
    """And a second try says what became of it."""
    async with trading(flat_bars(4)) as desk:
        resting = our_entry(type=OrderType.LIMIT, price=Decimal(30_000))
        await desk.client.account.place_order(resting)

        (first,) = await desk.client.account.cancel_order(resting)
        (again,) = await desk.client.account.cancel_order(resting)

        assert (first.status, again.status) == (OrderStatus.CANCELLED, OrderStatus.CANCELLED)


async def test_closed_candles_come_once_and_in_order() -> None:
    """History by listing, the rest by stream; a dropped socket leaves no hole."""
    prices = [(PRICE + n, PRICE + n + 5, PRICE + n - 5, PRICE + n + 1) for n in range(12)]
    async with trading(bars(*prices), history=3) as desk:
        await desk.client.market.fetch_server_time()
        series = ("BTCUSDT", Timeframe.M1)
        feed = desk.client.candle_feed({series: START_MS})
        heard: list[ClosedCandle] = []

        async def listen() -> None:
            async for closed in feed.candles():
                heard.append(closed)  # noqa: PERF401 - it must be seen while it grows

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(feed.run()), group.create_task(listen())]
            await until(lambda: len(heard) >= 3)
            for step in range(10):
                await desk.exchange.advance()
                await desk.client.market.fetch_server_time()
                if step == 4:
                    await desk.exchange.drop_streams()
                    await until(lambda: feed._streams[0].health.connections == 2)
            await until(lambda: len(heard) >= 7)
            for task in tasks:
                task.cancel()

        times = [one.candle.time for one in heard]
        assert times == [START_MS + n * MINUTE_MS for n in range(len(times))]
        assert [one.candle.close for one in heard] == [p[3] for p in prices[: len(heard)]]


async def test_prices_come_as_they_change() -> None:
    """Mark price and book, the latest of each."""
    async with trading() as desk:
        feed = desk.client.price_feed(["BTCUSDT"])
        async with asyncio.TaskGroup() as group:
            running = group.create_task(feed.run())
            await until(lambda: bool(feed._streams and feed._streams[0].health.connections))
            prices = feed.prices()
            kinds: set[type] = set()
            while len(kinds) < 2:
                await desk.exchange.advance()
                async with asyncio.timeout(5):
                    price = await anext(prices)
                assert price.symbol == "BTCUSDT"
                kinds.add(type(price))
            running.cancel()


async def test_keys_and_accounts_that_do_not_fit_are_said_so() -> None:
    """Wrong key, rights, hedge mode, unknown symbol: one sentence each."""
    rights = Rights(can_trade=False, can_withdraw=True)
    account = Account(DEFAULT_KEY, DEFAULT_SECRET, rights)
    async with trading(flat_bars(4), credentials=(account,)) as desk:
        told = await desk.client.account.fetch_key_rights()
        (update,) = await desk.client.account.place_order(our_entry())
        with pytest.raises(DataError, match="did you mean BTCUSDT"):
            await desk.client.account.fetch_rules("BTCUSD")
        async with client_of(desk.exchange, "wrong") as stranger:
            with pytest.raises(AuthenticationError, match="apiKey"):
                await stranger.account.fetch_account()

        assert (told.can_trade, told.can_withdraw) == (False, True)
        assert (update.status, update.refusal) == (OrderStatus.REJECTED, Refusal.KEY)


async def test_hedge_mode_is_left() -> None:
    """Orders are refused in it; leaving it is one call."""
    async with trading(flat_bars(4)) as desk:
        venue = desk.exchange.venues["bingx"]
        venue.accounts[DEFAULT_KEY].is_hedged = True

        (update,) = await desk.client.account.place_order(our_entry())
        was_hedged = await desk.client.account.fetch_is_hedged()
        await desk.client.account.set_one_way()

        assert was_hedged
        assert (update.status, update.refusal) == (OrderStatus.REJECTED, Refusal.HEDGE_MODE)
        assert not await desk.client.account.fetch_is_hedged()
