"""Orders over the Binance dialect: what fills, what is refused, and with which code."""

from decimal import Decimal

import pytest
from tests.support.wire import BinanceWire, bars, binance_on, flat_bars, setup_of

from milobot.local_exchange.core.terms import Terms

PRICE = 40_000.0


async def test_market_order_fills_at_the_open_and_pays_the_taker_fee() -> None:
    """The first thing anybody does; wallet and position must be exact to the last digit."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        done = (await wire.order(newClientOrderId="first")).body

        assert (done["status"], done["executedQty"], done["avgPrice"]) == (
            "FILLED",
            "0.010",
            "40000.00000",
        )
        position = await wire.position()
        assert (position["positionAmt"], position["entryPrice"]) == ("0.010", "40000")
        balance = (await wire.call("GET", "/fapi/v3/balance")).body[0]
        assert balance["balance"] == "9999.80000000"  # 0.01 * 40,000 * 0.0005 = 0.2


async def test_acknowledgement_shows_the_order_before_its_fill() -> None:
    """Real answers default to ACK: a client that reads a fill from it is wrong."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        done = (await wire.order(newOrderRespType="ACK")).body

        assert (done["status"], done["executedQty"]) == ("NEW", "0.000")
        query = await wire.call("GET", "/fapi/v1/order", symbol="BTCUSDT", orderId=done["orderId"])
        assert query.body["status"] == "FILLED"
        assert done["orderId"] > 2**53


async def test_spread_and_slippage_make_a_market_order_dearer() -> None:
    """A taker crosses the spread first and slips then, always to its disadvantage."""
    terms = Terms(spread=Decimal("0.001"), slippage=Decimal("0.001"))
    async with binance_on(setup_of(flat_bars(3), terms=terms)) as wire:
        bought, sold = (await wire.order()).body, (await wire.order("SELL")).body

        assert bought["avgPrice"] == "40060.10000"  # 40,020 * 1.001, up to the tick
        assert sold["avgPrice"] == "39940.00000"


REFUSED = [
    ({"quantity": "0.0005"}, -4003),
    ({"quantity": "0.0011"}, -1111),
    ({"quantity": "500"}, -4005),
    ({"quantity": "0.002"}, -4164),
    ({"quantity": "20"}, -2019),
    ({"quantity": "x"}, -1102),
    ({"quantity": ""}, -1102),
    ({"side": "HOLD"}, -1102),
    ({"type": "STOP_MARKET", "stopPrice": "1"}, -4120),
    ({"type": "TRAILING_STOP_MARKET"}, -4120),
    ({"type": "ICEBERG"}, -1116),
    ({"type": "LIMIT"}, -1102),
    ({"type": "LIMIT", "timeInForce": "GTC", "price": "39999.95"}, -4014),
    ({"type": "LIMIT", "timeInForce": "SOON", "price": "39999.9"}, -1115),
    ({"type": "LIMIT", "timeInForce": "GTX", "price": "41000.0"}, -5022),
    ({"positionSide": "LONG"}, -4061),
    ({"newClientOrderId": "no spaces"}, -4015),
    ({"reduceOnly": "true"}, -2022),
    ({"reduceOnly": "maybe"}, -1102),
    ({"symbol": "DOGEUSDT"}, -1121),
]


@pytest.mark.parametrize(("change", "code"), REFUSED)
async def test_wrong_order_is_refused_with_the_real_code(change: dict[str, str], code: int) -> None:
    """Clients classify by code: each must be the one the exchange publishes, and nothing fills."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        answer = await wire.order(**change)

        assert (answer.status, answer.body["code"]) == (400, code)
        account = wire.exchange.ledger()["accounts"][0]
        assert account["orders"] == []


async def test_position_too_large_for_its_leverage_is_refused() -> None:
    """Brackets bound the notional: 125x carries 50,000 USDT and no more."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        await wire.call("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=125)
        answer = await wire.order(quantity="2")

        assert answer.body["code"] == -2027


async def test_limit_order_rests_and_fills_as_maker_when_touched() -> None:
    """A resting order fills at its own price, for the maker's fee, inside the candle."""
    candles = bars((PRICE,) * 4, (PRICE, PRICE, 39_000.0, 39_500.0), (39_500.0,) * 4)
    async with binance_on(setup_of(candles)) as wire:
        placed = (await wire.limit("39500.0", newClientOrderId="low")).body
        assert placed["status"] == "NEW"
        await wire.exchange.advance(3)

        found = (
            await wire.call("GET", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="low")
        ).body
        assert (found["status"], found["avgPrice"]) == ("FILLED", "39500.00000")
        trade = (await wire.call("GET", "/fapi/v1/userTrades", symbol="BTCUSDT")).body[0]
        assert trade["maker"] is True
        assert trade["commission"] == "0.07900000"  # 0.01 * 39,500 * 0.0002


async def test_limit_beyond_the_market_fills_at_once() -> None:
    """A marketable limit takes at the market's price, not at its own."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        done = (await wire.limit("41000.0")).body

        assert (done["status"], done["avgPrice"]) == ("FILLED", "40000.00000")


@pytest.mark.parametrize("time_in_force", ["IOC", "FOK"])
async def test_impatient_limit_expires(time_in_force: str) -> None:
    """Without a match it ends at once and rests nowhere."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        done = (await wire.limit("39000.0", timeInForce=time_in_force)).body

        assert done["status"] == "EXPIRED"
        assert (await wire.call("GET", "/fapi/v1/openOrders")).body == []


async def test_cancel_ends_a_resting_order_once() -> None:
    """The second cancel finds nothing open: -2011, which clients must read as 'query it'."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        number = (await wire.limit("39000.0")).body["orderId"]
        first = await wire.call("DELETE", "/fapi/v1/order", symbol="BTCUSDT", orderId=number)
        second = await wire.call("DELETE", "/fapi/v1/order", symbol="BTCUSDT", orderId=number)
        unknown = await wire.call("DELETE", "/fapi/v1/order", symbol="BTCUSDT", orderId=7)

        assert first.body["status"] == "CANCELED"
        assert [second.body["code"], unknown.body["code"]] == [-2011, -2011]


async def test_open_client_id_is_taken_and_free_again_after_the_end() -> None:
    """Ids are unique among open orders only: the reason a client must query, never just repeat."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        await wire.limit("39000.0", newClientOrderId="same")
        twice = await wire.limit("39000.0", newClientOrderId="same")
        await wire.call("DELETE", "/fapi/v1/allOpenOrders", symbol="BTCUSDT")
        again = await wire.limit("39000.0", newClientOrderId="same")

        assert twice.body["code"] == -4116
        assert again.body["status"] == "NEW"


async def test_order_that_does_not_exist_is_not_found() -> None:
    """-2013 is the answer on which 'not executed' is built."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        by_name = await wire.call(
            "GET", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="nobody"
        )
        without = await wire.call("GET", "/fapi/v1/order", symbol="BTCUSDT")

        assert (by_name.body["code"], without.body["code"]) == (-2013, -1102)


async def test_reduce_only_never_opens_the_other_side() -> None:
    """More than is open fills only what is open; the rest expires."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        await wire.order()
        done = (await wire.order("SELL", "0.03", reduceOnly="true")).body

        assert (done["status"], done["executedQty"]) == ("EXPIRED", "0.010")
        assert (await wire.position())["positionAmt"] == "0.000"


async def test_plain_order_beyond_flat_turns_the_position() -> None:
    """One-way mode nets: selling more than is held opens the other side."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        await wire.order()
        await wire.order("SELL", "0.03")

        assert (await wire.position())["positionAmt"] == "-0.020"


async def _entered(wire: BinanceWire) -> None:
    await wire.order()


async def test_stop_rests_triggers_and_closes() -> None:
    """The stop's child is a plain order of its own id: a triggered stop is not yet a fill."""
    candles = bars((PRICE,) * 4, (PRICE, PRICE, 38_000.0, 38_500.0), (38_500.0,) * 4)
    async with binance_on(setup_of(candles)) as wire:
        await _entered(wire)
        stop = (await wire.algo("39000.0", clientAlgoId="stop-1")).body
        assert (stop["algoStatus"], stop["triggerPrice"]) == ("NEW", "39000.0")
        await wire.exchange.advance(3)

        found = (await wire.call("GET", "/fapi/v1/algoOrder", clientAlgoId="stop-1")).body
        assert (found["algoStatus"], found["actualPrice"]) == ("FINISHED", "39000.00000")
        child = await wire.call(
            "GET", "/fapi/v1/order", symbol="BTCUSDT", orderId=found["actualOrderId"]
        )
        assert (child.body["status"], child.body["executedQty"]) == ("FILLED", "0.010")
        assert (await wire.position())["positionAmt"] == "0.000"


async def test_gap_through_a_stop_fills_at_the_open() -> None:
    """A stop is no promise of a price: the market opens below it and that is the fill."""
    candles = bars((PRICE,) * 4, (38_000.0, 38_200.0, 37_900.0, 38_100.0), (38_100.0,) * 4)
    async with binance_on(setup_of(candles)) as wire:
        await wire.call("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=5)
        await _entered(wire)
        await wire.algo("39000.0", clientAlgoId="stop-1")
        await wire.exchange.advance(3)

        found = (await wire.call("GET", "/fapi/v1/algoOrder", clientAlgoId="stop-1")).body
        assert found["actualPrice"] == "38000.00000"


async def test_candle_that_touches_stop_and_target_hits_the_stop() -> None:
    """The pessimistic order of the simulation holds over the wire too."""
    candles = bars((PRICE,) * 4, (PRICE, 42_000.0, 38_000.0, PRICE), (PRICE,) * 4)
    async with binance_on(setup_of(candles)) as wire:
        await _entered(wire)
        await wire.algo("39000.0", clientAlgoId="stop", closePosition="true")
        await wire.algo("41000.0", "TAKE_PROFIT_MARKET", clientAlgoId="target")
        await wire.exchange.advance(3)

        stop = (await wire.call("GET", "/fapi/v1/algoOrder", clientAlgoId="stop")).body
        target = (await wire.call("GET", "/fapi/v1/algoOrder", clientAlgoId="target")).body
        assert (stop["algoStatus"], target["algoStatus"]) == ("FINISHED", "REJECTED")


ALGO_REFUSED = [
    ({"trigger": "41000.0"}, -2021),
    ({"trigger": "39000.05"}, -4014),
    ({"trigger": "39000.0", "algoType": "TWAP"}, -1102),
    ({"trigger": "39000.0", "type_": "TRAILING_STOP_MARKET"}, -1116),
    ({"trigger": "39000.0", "type_": "STOP"}, -1102),
    ({"trigger": "39000.0", "workingType": "INDEX"}, -1102),
    ({"trigger": "39000.0", "closePosition": "true", "quantity": "0.01"}, -1106),
    ({"trigger": "", "closePosition": "true"}, -1102),
]


@pytest.mark.parametrize(("change", "code"), ALGO_REFUSED)
async def test_wrong_conditional_order_is_refused(change: dict[str, str], code: int) -> None:
    """A stop that cannot rest must be told at once, or a position stays unprotected."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        await _entered(wire)
        answer = await wire.algo(**change)

        assert (answer.status, answer.body["code"]) == (400, code)


async def test_exit_needs_a_position() -> None:
    """-4509 and -2022 are what a client meets when its fill is not visible yet."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        whole = await wire.algo("39000.0", closePosition="true")
        part = await wire.algo("39000.0")

        assert (whole.body["code"], part.body["code"]) == (-4509, -2022)


async def test_second_close_position_stop_is_refused() -> None:
    """-4130: one backstop per side and kind."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        await _entered(wire)
        first = await wire.algo("39000.0", closePosition="true")
        second = await wire.algo("38000.0", closePosition="true")

        assert (first.status, second.body["code"]) == (200, -4130)


async def test_close_position_stop_goes_with_the_position() -> None:
    """A backstop of a closed position must not wait for the next one."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        await _entered(wire)
        await wire.algo("39000.0", closePosition="true", clientAlgoId="back")
        await wire.algo("38900.0", clientAlgoId="part")
        await wire.order("SELL", reduceOnly="true")

        rows = (await wire.call("GET", "/fapi/v1/openAlgoOrders")).body
        assert [row["clientAlgoId"] for row in rows] == ["part"]
        gone = (await wire.call("GET", "/fapi/v1/algoOrder", clientAlgoId="back")).body
        assert gone["algoStatus"] == "EXPIRED"


async def test_conditional_order_is_cancelled_by_either_name() -> None:
    """The answer carries the code as text, which naive clients take for an error."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        await _entered(wire)
        first = (await wire.algo("39000.0", clientAlgoId="a")).body
        await wire.algo("38900.0", clientAlgoId="b")
        by_id = await wire.call("DELETE", "/fapi/v1/algoOrder", algoId=first["algoId"])
        by_name = await wire.call("DELETE", "/fapi/v1/algoOrder", clientAlgoId="b")
        gone = await wire.call("DELETE", "/fapi/v1/algoOrder", clientAlgoId="b")

        assert (by_id.body["code"], by_name.body["code"]) == ("200", "200")
        assert gone.body["code"] == -2011
        everything = await wire.call("GET", "/fapi/v1/allAlgoOrders", symbol="BTCUSDT")
        assert [row["algoStatus"] for row in everything.body] == ["CANCELED", "CANCELED"]


async def test_stop_limit_puts_a_limit_order_into_the_book() -> None:
    """A STOP triggers into a LIMIT child, which may or may not fill."""
    candles = bars((PRICE,) * 4, (39_400.0, 39_400.0, 38_500.0, 38_600.0), (38_600.0,) * 4)
    async with binance_on(setup_of(candles)) as wire:
        await _entered(wire)
        await wire.algo("39000.0", "STOP", price="39500.0", clientAlgoId="sl")
        await wire.exchange.advance(3)

        found = (await wire.call("GET", "/fapi/v1/algoOrder", clientAlgoId="sl")).body
        assert found["algoStatus"] == "TRIGGERED"
        resting = (await wire.call("GET", "/fapi/v1/openOrders", symbol="BTCUSDT")).body
        assert [row["price"] for row in resting] == ["39500.0"]


async def test_liquidation_takes_the_margin_and_says_so() -> None:
    """Isolated: exactly the margin is lost, and the order names itself as every client expects."""
    candles = bars((PRICE,) * 4, (PRICE, PRICE, 30_000.0, 31_000.0), (31_000.0,) * 4)
    async with binance_on(setup_of(candles)) as wire:
        await wire.call("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=10)
        await _entered(wire)
        await wire.limit("35000.0")
        await wire.exchange.advance(3)

        balance = (await wire.call("GET", "/fapi/v3/balance")).body[0]["balance"]
        assert balance == "9959.80000000"  # 0.2 fee, 40 margin
        orders = (await wire.call("GET", "/fapi/v1/allOrders", symbol="BTCUSDT")).body
        assert [row["status"] for row in orders] == ["FILLED", "CANCELED", "FILLED"]
        assert orders[-1]["clientOrderId"].startswith("autoclose-")
