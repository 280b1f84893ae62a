"""Sockets of the BingX dialect: gzip, heartbeats, candles without a close flag, user events."""

import gzip
from decimal import Decimal

import aiohttp
from tests.support.wire import bars, bingx_on, flat_bars, next_event, setup_of
from tests.unit.local_exchange.test_bingx import exit_at

from milobot.local_exchange.listen_keys import KEY_LIFE_MS

PRICE = 40_000.0


async def test_candles_are_gzipped_and_say_nothing_about_their_end() -> None:
    """A candle is final when the next begins: two frames of the first, then one of the next."""
    candles = bars((1.0, 3.0, 0.5, 2.0), (2.5, 4.0, 2.0, 3.0), (3.0,) * 4)
    async with bingx_on(setup_of(candles)) as wire:
        socket = await wire.session.ws_connect(wire.exchange.bingx_ws_url)
        await socket.send_json({"id": "7", "reqType": "sub", "dataType": "BTC-USDT@kline_1m"})
        assert (await next_event(socket))["id"] == "7"
        await wire.exchange.advance(2)

        rest, opened = [await next_event(socket) for _ in range(2)]
        assert (rest["dataType"], rest["s"]) == ("BTC-USDT@kline_1m", "BTC-USDT")
        assert rest["data"] == [
            {"c": "2", "o": "1", "h": "3", "l": "0.5", "v": "10", "T": candles[0].time}
        ]
        assert (opened["data"][0]["T"], opened["data"][0]["c"]) == (candles[1].time, "2.5")
        await socket.close()


async def test_other_streams_and_wrong_names() -> None:
    """Mark price, last price and book come too; an unknown contract is refused by code."""
    async with bingx_on(setup_of(flat_bars(4))) as wire:
        socket = await wire.session.ws_connect(wire.exchange.bingx_ws_url)
        for kind in ("markPrice", "lastPrice", "bookTicker", "weather"):
            await socket.send_json({"id": kind, "reqType": "sub", "dataType": f"BTC-USDT@{kind}"})
            assert (await next_event(socket))["code"] == 0
        await socket.send_json({"id": "x", "reqType": "sub", "dataType": "DOGE-USDT@kline_1m"})
        assert (await next_event(socket))["code"] == 80015
        await socket.send_str("hello")
        assert (await next_event(socket))["code"] == 80014
        await socket.send_json({"id": "u", "reqType": "unsub", "dataType": "BTC-USDT@markPrice"})
        assert (await next_event(socket))["code"] == 0
        await wire.exchange.advance()

        kinds = [(await next_event(socket))["data"]["e"] for _ in range(2)]
        assert kinds == ["lastPriceUpdate", "bookTicker"]
        await socket.close()


async def test_heartbeat_is_answered_or_the_socket_closes() -> None:
    """``Ping`` comes gzipped about every five seconds; ``Pong`` keeps the socket."""
    async with bingx_on(setup_of(flat_bars(4))) as wire:
        polite = await wire.session.ws_connect(wire.exchange.bingx_ws_url)
        rude = await wire.session.ws_connect(wire.exchange.bingx_ws_url)
        for _ in range(7):
            await wire.exchange.elapse(5_000)
            assert await next_event(polite, "Ping") == "Ping"
            await polite.send_str("Pong")
            await polite.send_json({"id": "1", "reqType": "sub", "dataType": "BTC-USDT@kline_1m"})
            assert (await next_event(polite))["id"] == "1"
        pings = 0
        while (message := await rude.receive(timeout=20)).type is aiohttp.WSMsgType.BINARY:
            assert gzip.decompress(message.data) == b"Ping"
            pings += 1

        assert pings == 5
        assert not polite.closed
        await polite.close()


async def test_user_events_tell_entry_exits_and_position() -> None:
    """The entry's fill, then both exits as they begin to rest, under ids that queries know."""
    async with bingx_on(setup_of(flat_bars(4))) as wire:
        socket = await wire.user_socket()
        assert (await next_event(socket))["e"] == "SNAPSHOT"
        await wire.order(clientOrderId="e", stopLoss=exit_at(39_000))

        told = []
        for _ in range(4):
            event = await next_event(socket)
            order = event.get("o", {})
            told.append((event["e"], order.get("o"), order.get("x"), order.get("X")))
        assert told == [
            ("ORDER_TRADE_UPDATE", "MARKET", "NEW", "NEW"),
            ("ACCOUNT_UPDATE", None, None, None),
            ("ORDER_TRADE_UPDATE", "MARKET", "TRADE", "FILLED"),
            ("ORDER_TRADE_UPDATE", "STOP_MARKET", "NEW", "NEW"),
        ]
        await wire.exchange.move_price("BTCUSDT", Decimal(38_900))
        while True:
            event = await next_event(socket)
            if event["e"] == "ORDER_TRADE_UPDATE" and event["o"]["X"] == "FILLED":
                break
        assert (event["o"]["o"], event["o"]["ap"], event["o"]["rp"]) == (
            "STOP_MARKET",
            "39000.0",
            "-10.00000000",
        )
        await socket.close()


async def test_leverage_change_and_listen_key_expiry_are_told() -> None:
    """ACCOUNT_CONFIG_UPDATE, then after an hour without PUT listenKeyExpired."""
    async with bingx_on(setup_of(flat_bars(4))) as wire:
        socket = await wire.user_socket()
        leverage = "/openApi/swap/v2/trade/leverage"
        await wire.call("POST", leverage, symbol="BTC-USDT", side="BOTH", leverage=3)
        assert (await next_event(socket, "ACCOUNT_CONFIG_UPDATE"))["ac"]["l"] == 3
        path = "/openApi/user/auth/userDataStream"
        key = (await wire.send("POST", path)).body["listenKey"]
        await wire.exchange.elapse(KEY_LIFE_MS - 10)
        assert (await wire.send("PUT", f"{path}?listenKey={key}")).status == 200
        assert (await wire.send("PUT", f"{path}?listenKey=unknown")).body["code"] == 100400
        await wire.exchange.elapse(KEY_LIFE_MS + 10)

        assert (await next_event(socket, "listenKeyExpired"))["listenKey"] == key
        await socket.close()
