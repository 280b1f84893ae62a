"""Account, settings and market data of the Binance client."""

from decimal import Decimal
from typing import Any

import pytest
from tests.support.binance import bench
from tests.support.fake_transport import TIMEOUT, refusal, reply

from milobot.domain.intents import PositionSide
from milobot.domain.reports import KeyRights, MarginMode, SymbolSettings
from milobot.domain.timeframes import MINUTE_MS, Timeframe
from milobot.errors import DataError, OutcomeUnknownError, ProtocolError, RequestRefusedError

CONFIG, MODE, LEVERAGE = (
    "GET /fapi/v1/symbolConfig",
    "POST /fapi/v1/marginType",
    "POST /fapi/v1/leverage",
)
INFO, KLINES = "GET /fapi/v1/exchangeInfo", "GET /fapi/v1/klines"
DONE = reply({"code": 200, "msg": "success"})


def settings(mode: str, leverage: int) -> Any:
    return reply([{"symbol": "BTCUSDT", "marginType": mode, "leverage": leverage}])


def symbol_row(symbol: str, **more: object) -> dict[str, object]:
    return {
        "symbol": symbol,
        "contractType": "PERPETUAL",
        "status": "TRADING",
        "quoteAsset": "USDT",
        "marginAsset": "USDT",
        "pricePrecision": 2,
        "filters": [
            {"filterType": "PRICE_FILTER", "tickSize": "0.10"},
            {"filterType": "LOT_SIZE", "stepSize": "0.001", "minQty": "0.001", "maxQty": "1000"},
            {
                "filterType": "MARKET_LOT_SIZE",
                "stepSize": "0.010",
                "minQty": "0.005",
                "maxQty": "120",
            },
            {"filterType": "MIN_NOTIONAL", "notional": "100"},
        ],
        **more,
    }


def info(*rows: dict[str, object]) -> Any:
    return reply({"rateLimits": [], "symbols": list(rows)})


def candle_row(open_ms: int) -> list[object]:
    return [open_ms, "1.0", "2.0", "0.5", "1.5", "10", open_ms + MINUTE_MS - 1, "0", 1, "0", "0"]


async def test_settings_are_set_and_read_back() -> None:
    """What counts is what was read, not what was asked for."""
    desk = bench()
    desk.transport.on(CONFIG, settings("CROSSED", 20), settings("ISOLATED", 5))
    desk.transport.on(MODE, DONE)
    desk.transport.on(LEVERAGE, DONE)

    read = await desk.account.prepare_symbol("BTCUSDT", leverage=5, margin_mode=MarginMode.ISOLATED)

    assert read == SymbolSettings("BTCUSDT", 5, MarginMode.ISOLATED)
    assert desk.transport.names() == [CONFIG, MODE, LEVERAGE, CONFIG]


async def test_settings_that_are_right_are_left_alone() -> None:
    """Every needless change is a chance to fail before an entry."""
    desk = bench()
    desk.transport.on(CONFIG, settings("ISOLATED", 5))

    await desk.account.prepare_symbol("BTCUSDT", leverage=5, margin_mode=MarginMode.ISOLATED)

    assert desk.transport.names() == [CONFIG]


async def test_already_so_is_no_error() -> None:
    """-4046 and -4059: somebody was faster, and it is as it should be."""
    desk = bench()
    desk.transport.on(CONFIG, settings("CROSSED", 5))
    desk.transport.on(MODE, refusal(-4046))
    desk.transport.on("POST /fapi/v1/positionSide/dual", refusal(-4059))

    await desk.account.prepare_symbol("BTCUSDT", leverage=5, margin_mode=MarginMode.ISOLATED)
    await desk.account.set_one_way()


@pytest.mark.parametrize(
    ("answer", "error"), [(refusal(-4161), RequestRefusedError), (TIMEOUT, OutcomeUnknownError)]
)
async def test_a_leverage_that_is_not_set_is_told(answer: Any, error: type[Exception]) -> None:
    """An entry at the wrong leverage has another liquidation price."""
    desk = bench()
    desk.transport.on(CONFIG, settings("ISOLATED", 20))
    desk.transport.on(LEVERAGE, answer)

    with pytest.raises(error):
        await desk.account.prepare_symbol("BTCUSDT", leverage=5, margin_mode=MarginMode.ISOLATED)


@pytest.mark.parametrize(
    ("rights", "known"),
    [
        ({"enableFutures": True, "enableWithdrawals": False}, KeyRights(True, False)),  # noqa: FBT003 - can trade, can withdraw
        ({"enableFutures": True, "enableWithdrawals": True}, KeyRights(True, True)),  # noqa: FBT003 - can trade, can withdraw
        ({"enableFutures": False, "enableWithdrawals": False}, KeyRights(False, False)),  # noqa: FBT003 - can trade, can withdraw
    ],
)
async def test_rights_of_the_key_are_told(rights: dict[str, bool], known: KeyRights) -> None:
    """A key that may withdraw is refused: stolen, it would empty the account."""
    desk = bench()
    desk.transport.on("GET /fapi/v1/accountConfig", reply({"canTrade": True}))
    desk.transport.on("GET /sapi/v1/account/apiRestrictions", reply(rights))

    assert await desk.account.fetch_key_rights() == known
    assert desk.transport.sent[-1].request.url.startswith("https://rights.test/sapi/")


async def test_an_answer_without_the_right_to_withdraw_is_no_no() -> None:
    """Silence must not pass for safety: such an answer is not understood."""
    desk = bench()
    desk.transport.on("GET /fapi/v1/accountConfig", reply({"canTrade": True}))
    desk.transport.on("GET /sapi/v1/account/apiRestrictions", reply({"enableFutures": True}))

    with pytest.raises(ProtocolError, match="enableWithdrawals"):
        await desk.account.fetch_key_rights()


async def test_positions_say_side_and_size() -> None:
    """One-way accounts tell the side by the sign, hedged ones by a word; flat rows are noise."""
    row = {
        "symbol": "BTCUSDT", "positionAmt": "-0.5", "positionSide": "BOTH", "entryPrice": "61000",
        "markPrice": "60000", "unRealizedProfit": "500", "liquidationPrice": "0", "updateTime": 7,
    }  # fmt: skip
    desk = bench()
    hedged = {**row, "positionSide": "LONG", "positionAmt": "1", "marginType": "cross"}
    desk.transport.on(
        "GET /fapi/v3/positionRisk", reply([row, {**row, "positionAmt": "0.000"}, hedged])
    )

    short, long = await desk.account.fetch_positions()

    assert (short.side, short.quantity) == (PositionSide.SHORT, Decimal("0.5"))
    assert (short.liquidation_price, short.leverage, short.margin_mode) == (None, None, None)
    assert (long.side, long.margin_mode) == (PositionSide.LONG, MarginMode.CROSS)


async def test_an_account_without_usdt_is_empty() -> None:
    """Other assets are no margin of ours; guessing their worth would size entries wrong."""
    desk = bench()
    desk.transport.on("GET /fapi/v3/account", reply({"assets": [{"asset": "USDC"}]}))
    desk.transport.on("GET /fapi/v1/commissionRate", reply({"takerCommissionRate": "0.0004"}))

    account = await desk.account.fetch_account()

    assert (account.equity, account.taker_fee) == (Decimal(0), Decimal("0.0004"))
    await desk.account.fetch_account()
    assert desk.transport.names().count("GET /fapi/v1/commissionRate") == 1


async def test_rules_carry_brackets_once_these_are_known() -> None:
    """Liquidation prices need them; 0.004 is a guess."""
    desk = bench()
    desk.transport.on(INFO, info(symbol_row("BTCUSDT"), symbol_row("币安USDT")))
    bracket = {
        "bracket": 1, "initialLeverage": 75, "notionalCap": 10000, "notionalFloor": 0,
        "maintMarginRatio": 0.0065, "cum": 0,
    }  # fmt: skip
    desk.transport.on(
        "GET /fapi/v1/leverageBracket", reply([{"symbol": "BTCUSDT", "brackets": [bracket]}])
    )

    rules = await desk.account.fetch_rules("BTCUSDT")

    assert (rules.tick_size, rules.quantity_step) == (Decimal("0.10"), Decimal("0.010"))
    assert (rules.min_quantity, rules.max_market_quantity) == (Decimal("0.005"), Decimal(120))
    assert rules.brackets[0].maintenance_margin_rate == Decimal("0.0065")
    assert (await desk.account.fetch_rules("币安USDT")).brackets == ()
    assert desk.transport.names().count(INFO) == 1


@pytest.mark.parametrize(
    "more",
    [
        {"contractType": "CURRENT_QUARTER"},
        {"status": "SETTLING"},
        {"status": "PENDING_TRADING", "contractType": ""},
        {"quoteAsset": "USDC", "marginAsset": "USDC"},
        {"marginAsset": "BNB"},
    ],
)
async def test_what_is_no_open_usdt_perpetual_is_not_traded(more: dict[str, str]) -> None:
    """Its margin, fees or end are others than those we compute with."""
    desk = bench()
    desk.transport.on(INFO, info(symbol_row("BTCUSDT"), symbol_row("ODDUSDT", **more)))

    with pytest.raises(DataError, match="does not trade 'ODDUSDT'"):
        await desk.market.fetch_rules("ODDUSDT")


async def test_an_unknown_symbol_names_the_nearest() -> None:
    """A slip of the finger is the usual reason; asking again each time would cost weight."""
    desk = bench()
    desk.transport.on(INFO, info(symbol_row("BTCUSDT"), symbol_row("ETHUSDT")))

    for _ in range(3):
        with pytest.raises(DataError, match="did you mean BTCUSDT"):
            await desk.market.fetch_rules("BTCUSD")

    assert desk.transport.names() == [INFO]


async def test_non_ascii_symbols_are_encoded_and_signed() -> None:
    """Such symbols exist since 2025; unencoded they break the request line."""
    desk = bench()
    desk.transport.on("GET /fapi/v2/ticker/price", reply({"price": "1"}))

    await desk.market.fetch_last_price("币安人生USDT")

    assert "%E5%B8%81" in desk.transport.sent[0].request.url
    assert desk.transport.sent[0].params["symbol"] == "币安人生USDT"


async def test_forming_candles_are_left_out_by_the_exchanges_time() -> None:
    """Our own clock may be minutes off."""
    desk = bench(skew_ms=-90_000)
    now_ms = desk.time.now_ms()
    open_ms = Timeframe.M1.open_of(now_ms - 90_000)
    rows = [candle_row(open_ms - n * MINUTE_MS) for n in range(4, -1, -1)]
    desk.transport.on(KLINES, reply(rows))

    candles = await desk.market.fetch_candles("BTCUSDT", Timeframe.M1, first_ms=None, limit=5)

    assert int(candles.time[-1]) + MINUTE_MS <= now_ms - 90_000
    assert desk.transport.sent[0].params["limit"] == "5"


async def test_long_listings_are_read_page_by_page() -> None:
    """A thousand rows at a time, where pages overlap in their last millisecond."""
    desk = bench()
    rows = [
        {"symbol": "BTCUSDT", "fundingTime": 1000 + n, "fundingRate": "0.0001"} for n in range(1500)
    ]
    desk.transport.on("GET /fapi/v1/fundingRate", reply(rows[:1000]), reply(rows[999:]))

    rates = await desk.market.fetch_funding_rates("BTCUSDT", first_ms=0, last_ms=9999)

    assert [rate.time_ms for rate in rates] == [1000 + n for n in range(1500)]
    assert desk.transport.sent[1].params["startTime"] == "1999"


@pytest.mark.parametrize(
    "payload", [{}, {"price": ""}, {"price": "NaN"}, {"price": "1e999999"}, {"price": True}, [1]]
)
async def test_a_price_that_is_none_is_refused(payload: object) -> None:
    """A size computed from it would be anything."""
    desk = bench()
    desk.transport.on("GET /fapi/v2/ticker/price", reply(payload))

    with pytest.raises(ProtocolError):
        await desk.market.fetch_last_price("BTCUSDT")


async def test_limits_of_the_exchange_are_taken_over() -> None:
    """The demo allows more weight than production; both say so themselves."""
    desk = bench()
    limits = [
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000},
        {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 0},
        {"rateLimitType": "NEW_KIND", "interval": "DAY", "intervalNum": 1, "limit": 1},
    ]
    desk.transport.on(INFO, reply({"rateLimits": limits, "symbols": []}))

    await desk.market.fetch_all_rules()

    assert desk.limiter.standing()["weight"][1] == 6000
    assert desk.limiter.standing()["orders-10s"][1] == 300
