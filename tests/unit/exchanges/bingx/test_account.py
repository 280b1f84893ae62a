"""Account of BingX: rules, brackets, settings, rights."""

from decimal import Decimal
from typing import Any

import pytest
from tests.support.bingx import TIME_MS, Bench, bench, ok, refused
from tests.support.fake_transport import reply

from milobot.domain.reports import KeyRights, MarginMode, SymbolSettings
from milobot.errors import (
    AuthenticationError,
    DataError,
    ExchangeUnavailableError,
    ProtocolError,
    RequestRefusedError,
)

CONTRACTS = "GET /openApi/swap/v2/quote/contracts"
BRACKETS = "GET /openApi/swap/v1/maintMarginRatio"
LEVERAGE = "/openApi/swap/v2/trade/leverage"
MARGIN = "/openApi/swap/v2/trade/marginType"
MODE = "/openApi/swap/v1/positionSide/dual"
BALANCE, FEES = "GET /openApi/swap/v3/user/balance", "GET /openApi/swap/v2/user/commissionRate"
RIGHTS = "GET /openApi/v1/account/apiPermissions"


def contract(symbol: str = "BTC-USDT", **more: Any) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "quantityPrecision": 4,
        "pricePrecision": 1,
        "tradeMinQuantity": 0.0001,
        "tradeMinUSDT": 2,
        "maxLongLeverage": 125,
        "maxShortLeverage": 100,
        "currency": "USDT",
        "status": 1,
        "apiStateOpen": "true",
        "apiStateClose": "true",
        **more,
    }


def leverage(long: int, short: int, most: int = 75) -> Any:
    return ok(
        {
            "longLeverage": long,
            "shortLeverage": short,
            "maxLongLeverage": most,
            "maxShortLeverage": most,
        }
    )


def bracket(floor: str, cap: str, rate: str, amount: str) -> dict[str, str]:
    return {
        "symbol": "BTC-USDT",
        "minPositionVal": floor,
        "maxPositionVal": cap,
        "maintMarginRatio": rate,
        "maintAmount": amount,
    }


TIERS = [bracket("150000", "900000", "0.01", "900"), bracket("0", "150000", "0.004", "0")]


def market_desk(*contracts: dict[str, Any]) -> Bench:
    desk = bench()
    desk.transport.on(CONTRACTS, ok(list(contracts or (contract(),))))
    return desk


async def test_rules_come_with_brackets_and_the_leverage_of_the_account() -> None:
    """A bracket names no leverage: the account's highest bounds the first, its rate the others."""
    desk = market_desk()
    desk.transport.on(BRACKETS, ok(TIERS))
    desk.transport.on(f"GET {LEVERAGE}", leverage(5, 5, most=75))

    rules = await desk.account.fetch_rules("BTCUSDT")

    assert [(b.notional_floor, b.max_leverage) for b in rules.brackets] == [
        (Decimal(0), 75),
        (Decimal(150_000), 50),
    ]
    assert rules.brackets[1].maintenance_amount == 900
    assert (rules.tick_size, rules.quantity_step) == (Decimal("0.1"), Decimal("0.0001"))
    assert rules.min_notional == 2
    assert rules.max_market_quantity is None


async def test_rules_are_asked_for_once_an_hour() -> None:
    """Three calls before every order would be three too many."""
    desk = market_desk()
    desk.transport.on(BRACKETS, ok(TIERS))
    desk.transport.on(f"GET {LEVERAGE}", leverage(5, 5))

    first = await desk.account.fetch_rules("BTCUSDT")
    asked = len(desk.transport.sent)
    again = await desk.account.fetch_rules("BTCUSDT")
    desk.time.step(3_700_000)
    await desk.account.fetch_rules("BTCUSDT")

    assert first == again
    assert asked == 3
    assert len(desk.transport.sent) == 6


async def test_all_brackets_use_the_leverage_that_contracts_list() -> None:
    """One call a symbol instead of two; where it is not listed it is asked for."""
    desk = market_desk(contract(), contract("ETH-USDT", maxLongLeverage=0))
    desk.transport.on(BRACKETS, ok(TIERS))
    desk.transport.on(f"GET {LEVERAGE}", leverage(5, 5))

    found = await desk.account.fetch_brackets()

    assert list(found) == ["BTCUSDT"]  # the recorded tiers are not those of the other symbol
    assert found["BTCUSDT"][0].max_leverage == 100
    assert desk.transport.names().count(f"GET {LEVERAGE}") == 1
    rules = await desk.market.fetch_rules("BTCUSDT")
    assert rules.brackets == found["BTCUSDT"]


@pytest.mark.parametrize(
    "more",
    [
        {"status": 0},
        {"apiStateOpen": "false"},
        {"apiStateClose": "false"},
        {"symbol": "BTC-USDC", "currency": "USDC"},
        {"currency": "BTC"},
    ],
)
async def test_what_may_not_be_traded_is_left_out(more: dict[str, Any]) -> None:
    """Only active USDT perpetuals that can be opened and closed."""
    desk = market_desk(contract("ETH-USDT"), contract(**more))

    assert list(await desk.market.fetch_all_rules()) == ["ETHUSDT"]


async def test_an_unknown_symbol_is_answered_with_the_nearest() -> None:
    """A slip of the finger, named."""
    desk = market_desk(contract(), contract("ETH-USDT"))

    with pytest.raises(DataError, match="BTCUSDT"):
        await desk.market.fetch_rules("BTCUSD")


async def test_digits_that_no_market_has_are_refused() -> None:
    """A step of 10^-400 would be no step."""
    desk = market_desk(contract(pricePrecision=400))

    with pytest.raises(ProtocolError, match="pricePrecision"):
        await desk.market.fetch_all_rules()


async def test_a_symbol_is_prepared_and_read_back() -> None:
    """What counts is what BingX says afterwards; an order may wait for it, so it waits for none."""
    desk = bench()
    await desk.gateway.measure_clock()
    begun_ms = desk.time.now_ms()
    desk.transport.on(f"GET {LEVERAGE}", leverage(5, 5), leverage(10, 10))
    desk.transport.on(
        f"GET {MARGIN}", ok({"marginType": "CROSSED"}), ok({"marginType": "ISOLATED"})
    )
    desk.transport.on(f"POST {LEVERAGE}", ok({"leverage": 10}))
    desk.transport.on(f"POST {MARGIN}", reply({"code": 0, "msg": ""}))

    settings = await desk.account.prepare_symbol(
        "BTCUSDT", leverage=10, margin_mode=MarginMode.ISOLATED
    )

    assert settings == SymbolSettings("BTCUSDT", 10, MarginMode.ISOLATED)
    changed = [one for one in desk.transport.sent if one.method == "POST"]
    assert [one.params.get("side") for one in changed] == [None, "BOTH"]
    assert changed[0].params["marginType"] == "ISOLATED"
    assert desk.time.now_ms() == begun_ms


async def test_the_highest_leverage_told_with_a_setting_is_not_asked_for_again() -> None:
    """Rules are learnt right after: the same answer has it."""
    desk = market_desk()
    desk.transport.on(f"GET {LEVERAGE}", leverage(10, 10))
    desk.transport.on(f"GET {MARGIN}", ok({"marginType": "ISOLATED"}))
    desk.transport.on(BRACKETS, ok(TIERS))

    await desk.account.prepare_symbol("BTCUSDT", leverage=10, margin_mode=MarginMode.ISOLATED)
    rules = await desk.account.fetch_rules("BTCUSDT")

    assert rules.brackets
    assert desk.transport.names().count(f"GET {LEVERAGE}") == 1


async def test_a_prepared_symbol_is_left_alone() -> None:
    """Changing settings is refused while orders rest."""
    desk = bench()
    desk.transport.on(f"GET {LEVERAGE}", leverage(10, 10))
    desk.transport.on(f"GET {MARGIN}", ok({"marginType": "ISOLATED"}))

    await desk.account.prepare_symbol("BTCUSDT", leverage=10, margin_mode=MarginMode.ISOLATED)

    assert {one.method for one in desk.transport.sent} == {"GET"}


async def test_sides_that_differ_are_set_anew() -> None:
    """Left over from hedge mode: one of them would be wrong."""
    desk = bench()
    desk.transport.on(f"GET {LEVERAGE}", leverage(10, 20), leverage(10, 10))
    desk.transport.on(f"GET {MARGIN}", ok({"marginType": "ISOLATED"}))
    desk.transport.on(f"POST {LEVERAGE}", ok({"leverage": 10}))

    await desk.account.prepare_symbol("BTCUSDT", leverage=10, margin_mode=MarginMode.ISOLATED)

    assert f"POST {LEVERAGE}" in desk.transport.names()


async def test_a_setting_that_is_refused_raises() -> None:
    """The engine must not enter with another leverage."""
    desk = bench()
    desk.transport.on(f"GET {LEVERAGE}", leverage(5, 5))
    desk.transport.on(f"GET {MARGIN}", ok({"marginType": "ISOLATED"}))
    desk.transport.on(f"POST {LEVERAGE}", refused(101414, "maximum leverage is 5"))

    with pytest.raises(RequestRefusedError, match="maximum leverage"):
        await desk.account.prepare_symbol("BTCUSDT", leverage=10, margin_mode=MarginMode.ISOLATED)


async def test_a_margin_mode_of_another_kind_is_not_misread() -> None:
    """Separate isolated margin keeps several positions a symbol."""
    desk = bench()
    desk.transport.on(f"GET {LEVERAGE}", leverage(5, 5))
    desk.transport.on(f"GET {MARGIN}", ok({"marginType": "SEPARATE_ISOLATED"}))

    with pytest.raises(ProtocolError, match="SEPARATE_ISOLATED"):
        await desk.account.fetch_symbol_settings("BTCUSDT")


@pytest.mark.parametrize(("told", "posts"), [("true", 1), ("false", 0)])
async def test_hedge_mode_is_left_when_it_is_on(told: str, posts: int) -> None:
    """Nothing happens when the account has left it already."""
    desk = bench()
    desk.transport.on(f"GET {MODE}", ok({"dualSidePosition": told}))
    desk.transport.on(f"POST {MODE}", ok({"dualSidePosition": "false"}))

    await desk.account.set_one_way()

    assert desk.transport.names().count(f"POST {MODE}") == posts


@pytest.mark.parametrize(
    ("granted", "rights"),
    [
        ([2, 3], KeyRights(can_trade=True, can_withdraw=False)),
        ([2], KeyRights(can_trade=False, can_withdraw=False)),
        (["2", "3", "5"], KeyRights(can_trade=True, can_withdraw=True)),
        ([2, 3, 7], KeyRights(can_trade=True, can_withdraw=True)),
    ],
)
async def test_rights_are_numbers(granted: list[Any], rights: KeyRights) -> None:
    """A key that may withdraw, or send to other accounts, is refused by whoever stores it."""
    desk = bench()
    desk.transport.on(RIGHTS, ok({"apiKey": "k", "permissions": granted}))

    assert await desk.account.fetch_key_rights() == rights


async def test_rights_that_are_not_told_are_no_rights() -> None:
    """Not understood is an error, never 'may not withdraw'."""
    desk = bench()
    desk.transport.on(RIGHTS, ok({"apiKey": "k"}))

    with pytest.raises(ProtocolError, match="rights"):
        await desk.account.fetch_key_rights()


async def test_a_wrong_key_is_said_at_once() -> None:
    """One question, no repetition, one sentence."""
    desk = bench()
    desk.transport.on(BALANCE, refused(100413, "Incorrect apiKey"))

    with pytest.raises(AuthenticationError, match="Incorrect apiKey"):
        await desk.account.fetch_account()
    assert len(desk.transport.sent) == 1


async def test_a_clock_that_is_off_is_set_and_the_question_repeated() -> None:
    """Ten seconds off: the bot recovers by itself."""
    desk = bench(skew_ms=10_000)
    desk.transport.on(BALANCE, refused(100421, "timestamp mismatch"), ok([]))
    desk.transport.on(FEES, ok({"commission": {"takerCommissionRate": 0.0005}}))

    account = await desk.account.fetch_account()

    assert account.taker_fee == Decimal("0.0005")
    assert desk.gateway.clock.offset_ms == 10_000
    assert int(desk.transport.sent[-1].params["timestamp"]) >= TIME_MS + 10_000


async def test_a_maintenance_page_is_an_outage() -> None:
    """HTML instead of data, a few times, then one sentence."""
    desk = bench()
    desk.transport.on(BALANCE, refused(100503, "The system is under maintenance"))

    with pytest.raises(ExchangeUnavailableError, match="under maintenance"):
        await desk.account.fetch_account()
    assert len(desk.transport.sent) == 4
