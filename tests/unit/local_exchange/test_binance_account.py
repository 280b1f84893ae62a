"""Account, settings, authentication and budgets of the Binance dialect."""

from decimal import Decimal

import pytest
from tests.support.wire import BinanceWire, bars, binance_on, flat_bars, setup_of

from milobot.local_exchange.core.accounts import Rights
from milobot.local_exchange.core.market import FundingRates
from milobot.local_exchange.core.timing import ClockMode
from milobot.local_exchange.setup import Credentials

HOUR_MS = 3_600_000


async def test_leverage_and_margin_mode_are_set_and_read_back() -> None:
    """Clients set both before an entry and believe only what they read."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        leverage = await wire.call("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=7)
        mode = {"symbol": "BTCUSDT", "marginType": "ISOLATED"}
        first = await wire.call("POST", "/fapi/v1/marginType", **mode)
        second = await wire.call("POST", "/fapi/v1/marginType", **mode)

        assert (leverage.body["leverage"], first.body["code"]) == (7, 200)
        assert second.body["code"] == -4046
        config = (await wire.call("GET", "/fapi/v1/symbolConfig", symbol="BTCUSDT")).body[0]
        assert (config["leverage"], config["marginType"]) == (7, "ISOLATED")


async def test_open_position_forbids_less_leverage_and_another_margin_mode() -> None:
    """-4161, -4048 and -4047: settings belong to a flat account."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        await wire.limit("39000.0")
        mode = {"symbol": "BTCUSDT", "marginType": "ISOLATED"}
        with_order = await wire.call("POST", "/fapi/v1/marginType", **mode)
        await wire.order()
        less = await wire.call("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=5)
        more = await wire.call("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=50)
        with_position = await wire.call("POST", "/fapi/v1/marginType", **mode)

        codes = [with_order.body["code"], less.body["code"], with_position.body["code"]]
        assert codes == [-4047, -4161, -4048]
        assert more.body["leverage"] == 50


async def test_position_mode_is_told_and_hedge_mode_refuses_one_way_orders() -> None:
    """A hedge-mode account is a frequent trap: -4059 without a change, -4061 on the order."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        path = "/fapi/v1/positionSide/dual"
        same = await wire.call("POST", path, dualSidePosition="false")
        change = await wire.call("POST", path, dualSidePosition="true")
        told = await wire.call("GET", path)

        assert (same.body["code"], change.body["code"]) == (-4059, 200)
        assert told.body == {"dualSidePosition": True}
        assert (await wire.order()).body["code"] == -4061


async def test_funding_is_paid_at_its_time_and_listed() -> None:
    """A long pays a positive rate at 00:00, 08:00, 16:00 UTC on the mark price."""
    before = 1_704_067_200_000 + 8 * HOUR_MS - 60_000
    candles = bars(*[(40_000.0,) * 4] * 3, first_ms=before)
    rates = FundingRates.fixed(Decimal("0.0001"))
    async with binance_on(setup_of(candles, funding=rates)) as wire:
        await wire.order()
        await wire.exchange.advance(2)

        rows = (await wire.call("GET", "/fapi/v1/income", incomeType="FUNDING_FEE")).body
        assert [(row["income"], row["time"]) for row in rows] == [("-0.04000000", before + 60_000)]
        rates_told = (await wire.send("GET", "/fapi/v1/fundingRate?symbol=BTCUSDT")).body
        assert rates_told[-1]["fundingRate"] == "0.00010000"


async def test_unrealized_gain_follows_the_price_and_equity_adds_up() -> None:
    """Wallet, gain and margin are three numbers; a client that mixes them sizes wrongly."""
    async with binance_on(setup_of(flat_bars(5))) as wire:
        await wire.order()
        await wire.exchange.move_price("BTCUSDT", Decimal(41_000))

        account = (await wire.call("GET", "/fapi/v3/account")).body
        assert account["totalUnrealizedProfit"] == "10.00000000"
        assert account["totalMarginBalance"] == "10009.80000000"
        assert account["availableBalance"] == "9979.80000000"  # 400 / 20 tied up


SIGNATURES = [
    ("key", {"key": "nobody"}, 401, -2015),
    ("no key", {"key": ""}, 401, -2014),
    ("secret", {"secret": "wrong"}, 400, -1022),
]


@pytest.mark.parametrize(("what", "change", "status", "code"), SIGNATURES)
async def test_wrong_credentials_are_refused(
    what: str, change: dict[str, str], status: int, code: int
) -> None:
    """Each way to be wrong has its own code; none of them may reach an account."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        async with BinanceWire(wire.exchange, **change) as other:
            answer = await other.call("GET", "/fapi/v3/balance")

        assert (answer.status, answer.body["code"]) == (status, code), what


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("timestamp=1", -1102),
        ("signature=00", -1022),
        ("timestamp=x&signature=00", -1022),
    ],
)
async def test_missing_pieces_are_named(query: str, code: int) -> None:
    """A request without signature or time is malformed, not unauthorised."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        answer = await wire.send("GET", f"/fapi/v3/balance?{query}")

        assert answer.body["code"] == code


async def test_clock_of_the_client_must_be_right_by_the_wall_clock() -> None:
    """-1021 in both directions, and recvWindow decides how late is too late."""
    async with binance_on(setup_of(flat_bars(3), clock=ClockMode.WALL)) as wire:
        now = wire.exchange.clock.now_ms()
        path = "/fapi/v3/balance"
        late = await wire.call("GET", path, timestamp=now - 6_000)
        patient = await wire.call("GET", path, timestamp=now - 6_000, recvWindow=20_000)
        early = await wire.call("GET", path, timestamp=now + 5_000)
        greedy = await wire.call("GET", path, recvWindow=60_001)

        assert [late.body["code"], early.body["code"], greedy.body["code"]] == [
            -1021,
            -1021,
            -1131,
        ]
        assert patient.status == 200


async def test_market_clock_takes_every_time_a_client_can_have_reached() -> None:
    """In lock-step the clock stands still while the client's own runs on."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        now = wire.exchange.clock.now_ms()
        path = "/fapi/v3/balance"
        behind = await wire.call("GET", path, timestamp=now - 3_600_000)
        far_ahead = await wire.call("GET", path, timestamp=now + 3_600_000)

        assert (behind.body["code"], far_ahead.body["code"]) == (-1021, -1021)
        assert (await wire.call("GET", path)).status == 200


async def test_read_only_and_foreign_address_keys_cannot_trade() -> None:
    """What a key may do is checked before the order is looked at."""
    keys = (
        Credentials("reader", "s", Rights(can_trade=False)),
        Credentials("elsewhere", "s", Rights(allowed_ip=False)),
        Credentials("rich", "s", Rights(can_withdraw=True)),
    )
    async with binance_on(setup_of(flat_bars(3), credentials=keys)) as wire:
        exchange = wire.exchange
        async with BinanceWire(exchange, "reader", "s") as reader:
            assert (await reader.call("GET", "/fapi/v3/balance")).status == 200
            assert (await reader.order()).body["code"] == -2015
        async with BinanceWire(exchange, "elsewhere", "s") as foreign:
            assert (await foreign.call("GET", "/fapi/v3/balance")).body["code"] == -2015
        async with BinanceWire(exchange, "rich", "s") as rich:
            told = (await rich.call("GET", "/sapi/v1/account/apiRestrictions")).body
            assert told["enableWithdrawals"] is True


async def test_two_accounts_do_not_see_each_other() -> None:
    """Keys are accounts: orders, wallets and ids of clients are apart."""
    keys = (Credentials("a", "1"), Credentials("b", "2"))
    async with (
        binance_on(setup_of(flat_bars(3), credentials=keys)) as wire,
        BinanceWire(wire.exchange, "a", "1") as first,
        BinanceWire(wire.exchange, "b", "2") as second,
    ):
        await first.order(newClientOrderId="x")

        assert (await second.position())["positionAmt"] == "0.000"
        found = await second.call("GET", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="x")
        assert found.body["code"] == -2013


async def test_weight_is_counted_told_and_enforced() -> None:
    """The headers feed the client's limiter; beyond the budget come 429, Retry-After and 418."""
    limits = {"weight": 20}
    async with binance_on(setup_of(flat_bars(3), limits=limits)) as wire:
        first = await wire.send("GET", "/fapi/v1/klines?symbol=BTCUSDT&interval=1m&limit=1500")
        assert first.headers["X-MBX-USED-WEIGHT-1M"] == "10"
        answers = [await wire.call("GET", "/fapi/v3/balance") for _ in range(30)]

        limited = next(a for a in answers if a.status == 429)
        assert limited.body["code"] == -1003
        assert 1 <= int(limited.headers["Retry-After"]) <= 60
        assert answers[-1].status == 418
        assert int(answers[-1].headers["Retry-After"]) > 60


@pytest.mark.parametrize(
    ("path", "symbol", "weight"),
    [
        ("openOrders", "", 40),
        ("openAlgoOrders", "", 40),
        ("openOrders", "BTCUSDT", 1),
        ("openAlgoOrders", "BTCUSDT", 1),
    ],
)
async def test_a_listing_of_all_symbols_costs_what_it_costs_there(
    path: str, symbol: str, weight: int
) -> None:
    """A bot that starts asks for both: a budget that it keeps here has to be kept there, too."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        terms = {"symbol": symbol} if symbol else {}
        answer = await wire.call("GET", f"/fapi/v1/{path}", **terms)

        assert (answer.status, answer.headers["X-MBX-USED-WEIGHT-1M"]) == (200, str(weight))


async def test_orders_are_counted_and_limited_apart() -> None:
    """-1015 with the order counters in the headers; cancels are free."""
    limits = {"orders_10s": 2}
    async with binance_on(setup_of(flat_bars(3), limits=limits)) as wire:
        first, second = await wire.order(), await wire.order()
        third = await wire.order()

        assert second.headers["X-MBX-ORDER-COUNT-10S"] == "2"
        assert first.headers["X-MBX-ORDER-COUNT-1M"] == "1"
        assert (third.status, third.body["code"]) == (429, -1015)
        assert "Retry-After" in third.headers
        await wire.exchange.elapse(10_000)
        assert (await wire.order()).status == 200


async def test_unknown_path_and_method_are_answered_in_the_exchanges_words() -> None:
    """A client with a wrong path must meet an error it can read, not a crash."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        answer = await wire.send("GET", "/fapi/v1/nothing")
        other = await wire.send("GET", "/openApi/nothing")

        assert (answer.status, answer.body["code"]) == (404, -5000)
        assert other.body["code"] == 100400


async def test_history_is_selected_by_time_id_and_number() -> None:
    """Reconciliation pages through these: bounds are inclusive, order is oldest first."""
    async with binance_on(setup_of(flat_bars(5))) as wire:
        first = (await wire.order()).body
        await wire.exchange.advance(2)
        second = (await wire.order("SELL")).body

        async def ids(path: str, name: str, **params: object) -> list[int]:
            rows = (await wire.call("GET", path, symbol="BTCUSDT", **params)).body
            return [row[name] for row in rows]

        orders, trades = "/fapi/v1/allOrders", "/fapi/v1/userTrades"
        both = [first["orderId"], second["orderId"]]
        assert await ids(orders, "orderId") == both
        assert await ids(orders, "orderId", startTime=second["updateTime"]) == both[1:]
        assert await ids(orders, "orderId", endTime=first["updateTime"]) == both[:1]
        assert await ids(orders, "orderId", orderId=both[1]) == both[1:]
        assert await ids(orders, "orderId", limit=1) == both[1:]
        assert await ids(trades, "orderId") == both
        assert await ids(trades, "orderId", orderId=both[0]) == both[:1]
        known = await ids(trades, "id")
        assert await ids(trades, "id", fromId=known[1]) == known[1:]
