"""Faults that an answer does not show: orders late, invisible, forgotten, cut or named wrongly."""

from typing import Any

import pytest
from tests.support.faulty_wire import attempt, executed, strike
from tests.support.wire import (
    bars,
    binance_on,
    bingx_on,
    flat_bars,
    next_event,
    setup_of,
)
from tests.unit.local_exchange.test_bingx import exit_at, open_rows

PRICE = 40_000.0


async def test_late_execution_comes_after_the_connection_has_dropped() -> None:
    """Not found now, filled later: why 'not found' counts only after a fence."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        strike(wire, "late_execution:seconds=5")
        assert await attempt(wire) == "ServerDisconnectedError"
        found = await wire.call("GET", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="x")
        assert (found.body["code"], executed(wire)) == (-2013, False)
        await wire.exchange.elapse(5_000)

        assert executed(wire)
        assert wire.exchange.ledger()["requests"][-1]["executed"] is True


async def test_invisible_order_appears_after_its_time_with_its_events() -> None:
    """Accepted, but neither query nor listing nor position nor stream shows it yet."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        socket = await wire.user_socket()
        strike(wire, "invisible:seconds=5")
        assert (await wire.order(newClientOrderId="x")).status == 200

        async def seen() -> tuple[Any, Any, Any]:
            order = await wire.call(
                "GET", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="x"
            )
            fills = await wire.call("GET", "/fapi/v1/userTrades", symbol="BTCUSDT")
            position = (await wire.position())["positionAmt"]
            return order.body.get("code"), len(fills.body), position

        assert await seen() == (-2013, 0, "0.000")
        await wire.exchange.elapse(5_000)
        assert await seen() == (None, 1, "0.010")
        assert (await next_event(socket, "ORDER_TRADE_UPDATE"))["o"]["c"] == "x"
        await socket.close()


async def test_stale_snapshots_show_the_past_once() -> None:
    """Positions and orders of before the last change, then the truth again."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        strike(wire, "stale_positions:seconds=5")
        strike(wire, "stale_orders:seconds=5,on=query_open")
        await wire.order()
        await wire.limit("39000.0")

        assert (await wire.position())["positionAmt"] == "0.000"
        assert (await wire.call("GET", "/fapi/v1/openOrders")).body == []
        assert (await wire.position())["positionAmt"] == "0.010"
        assert len((await wire.call("GET", "/fapi/v1/openOrders")).body) == 1


async def test_old_orders_are_forgotten() -> None:
    """The exchange keeps canceled orders for days only: -2013 then proves nothing."""
    async with binance_on(setup_of(flat_bars(3))) as wire:
        await wire.order(newClientOrderId="x")
        strike(wire, "history_retention:times=2")
        found = await wire.call("GET", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="x")
        listed = await wire.call("GET", "/fapi/v1/allOrders", symbol="BTCUSDT")

        assert (found.body["code"], listed.body) == (-2013, [])


@pytest.mark.parametrize(
    ("rest", "status"), [("rests", "PARTIALLY_FILLED"), ("expires", "EXPIRED")]
)
async def test_partial_fill_leaves_a_rest(rest: str, status: str) -> None:
    """Half fills; the rest follows with the market's next move, or never."""
    async with binance_on(setup_of(flat_bars(4))) as wire:
        strike(wire, f"partial_fill:fraction=0.5,rest={rest}")
        done = (await wire.order(newClientOrderId="x")).body
        assert (done["status"], done["executedQty"]) == (status, "0.005")
        await wire.exchange.advance(2)

        found = await wire.call("GET", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="x")
        assert found.body["executedQty"] == ("0.010" if rest == "rests" else "0.005")


async def test_child_of_a_triggered_stop_is_rejected() -> None:
    """Triggered is not filled: the position is still there and nothing protects it."""
    candles = bars((PRICE,) * 4, (PRICE, PRICE, 38_500.0, 38_600.0), (38_600.0,) * 4)
    async with binance_on(setup_of(candles)) as wire:
        await wire.order()
        strike(wire, "child_rejected:on=place_conditional")
        await wire.algo("39000.0", clientAlgoId="stop")
        await wire.exchange.advance(3)

        found = (await wire.call("GET", "/fapi/v1/algoOrder", clientAlgoId="stop")).body
        assert (found["algoStatus"], found["actualOrderId"]) == ("REJECTED", "")
        assert (await wire.position())["positionAmt"] == "0.010"


async def test_attached_stop_can_vanish_or_lose_its_id() -> None:
    """BingX: 'attached' is a claim; only what is seen resting protects."""
    async with bingx_on(setup_of(flat_bars(4))) as wire:
        strike(wire, "attached_stop_dropped")
        await wire.order(stopLoss=exit_at(39_000))
        assert await open_rows(wire) == []
        strike(wire, "attached_stop_nameless")
        await wire.order(stopLoss=exit_at(39_000))

        assert [(row["type"], row["orderId"]) for row in await open_rows(wire)] == [
            ("STOP_MARKET", 0)
        ]


async def test_attached_stop_can_be_too_small() -> None:
    """BingX: a stop that rests need not be over what was asked for."""
    async with bingx_on(setup_of(flat_bars(4))) as wire:
        strike(wire, "attached_stop_resized")
        await wire.order(stopLoss=exit_at(39_000))

        (row,) = await open_rows(wire)
        assert (row["stopPrice"], row["origQty"]) == ("39000.0", "0.005")


async def test_client_id_can_be_dropped_or_accepted_twice() -> None:
    """Two ways in which a client id fails as the way to find an order."""
    async with bingx_on(setup_of(flat_bars(4))) as wire:
        strike(wire, "client_id_dropped")
        placed = await wire.order(clientOrderId="x")
        assert placed.body["data"]["order"]["clientOrderId"] == ""
        await wire.order(clientOrderId="y")
        strike(wire, "client_id_reused")
        again = await wire.order(clientOrderId="y")

        assert again.body["code"] == 0
        path = "/openApi/swap/v2/trade/order"
        found = await wire.call("GET", path, symbol="BTC-USDT", clientOrderId="y")
        newest = again.body["data"]["order"]["orderId"]
        assert found.body["data"]["order"]["orderId"] == newest
