"""Sockets of the Binance dialect: what is pushed, when, and to whom."""

from decimal import Decimal

import aiohttp
import pytest
from tests.support.wire import bars, binance_on, flat_bars, next_event, setup_of

from milobot.local_exchange.listen_keys import KEY_LIFE_MS

PRICE = 40_000.0


async def test_closed_candle_comes_with_the_next_open_and_then_the_new_one() -> None:
    """Decisions on a close execute at the next open: the market stands there when x is true."""
    candles = bars((1.0, 3.0, 0.5, 2.0), (2.5, 4.0, 2.0, 3.0), (3.0, 3.0, 3.0, 3.0))
    async with binance_on(setup_of(candles)) as wire:
        socket = await wire.socket("/market/ws/btcusdt@kline_1m")
        await wire.exchange.advance(2)

        rest, closed, opened = [(await next_event(socket, "kline"))["k"] for _ in range(3)]
        assert (rest["x"], rest["c"]) == (False, "2")
        assert (closed["x"], closed["t"], closed["o"], closed["h"], closed["l"], closed["c"]) == (
            True,
            candles[0].time,
            "1",
            "3",
            "0.5",
            "2",
        )
        assert (opened["x"], opened["t"], opened["c"]) == (False, candles[1].time, "2.5")
        price = await wire.send("GET", "/fapi/v1/ticker/price?symbol=BTCUSDT")
        assert Decimal(price.body["price"]) == Decimal("2.5")
        await socket.close()


async def test_coarser_candles_are_added_up_and_close_with_their_last_part() -> None:
    """A 3m stream on 1m data: one close in three, made of all three."""
    candles = bars(*[(float(i), i + 2.0, i - 0.5, i + 1.0) for i in range(1, 9)])
    async with binance_on(setup_of(candles)) as wire:
        socket = await wire.socket("/market/stream?streams=btcusdt@kline_3m")
        await wire.exchange.advance(6)

        closed: list[dict[str, str]] = []
        while len(closed) < 1:
            frame = await next_event(socket)
            assert frame["stream"] == "btcusdt@kline_3m"
            closed += [frame["data"]["k"]] if frame["data"]["k"]["x"] else []
        assert (closed[0]["o"], closed[0]["h"], closed[0]["l"], closed[0]["c"]) == (
            "1",
            "5",
            "0.5",
            "4",
        )
        assert closed[0]["v"] == "30"
        await socket.close()


@pytest.mark.parametrize(
    ("path", "stream", "comes"),
    [
        ("/market/ws", "btcusdt@kline_1m", True),
        ("/market/ws/1", "btcusdt@markPrice@1s", True),
        ("/public/ws", "btcusdt@bookTicker", True),
        ("/ws", "btcusdt@bookTicker", True),
        ("/ws", "btcusdt@kline_1m", False),
        ("/public/ws", "btcusdt@kline_1m", False),
        ("/market/ws", "btcusdt@bookTicker", False),
        ("/market/ws", "dogeusdt@kline_1m", False),
        ("/market/ws", "btcusdt@kline_7m", False),
    ],
)
async def test_each_path_carries_its_own_kind_of_stream(
    path: str, stream: str, *, comes: bool
) -> None:
    """Since the split of paths a kline subscription elsewhere is accepted and stays silent."""
    async with binance_on(setup_of(flat_bars(4))) as wire:
        socket = await wire.socket(path)
        await socket.send_json({"method": "SUBSCRIBE", "params": [stream], "id": 5})
        assert await next_event(socket) == {"result": None, "id": 5}
        await wire.exchange.advance()
        await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 6})

        event = await next_event(socket)
        assert (event == {"result": [stream], "id": 6}) is not comes
        await socket.close()


async def test_unsubscribed_stream_stops_and_nonsense_is_answered() -> None:
    """Clients re-subscribe after reconnects; what they dropped must stay dropped."""
    async with binance_on(setup_of(flat_bars(4))) as wire:
        socket = await wire.socket("/market/ws/btcusdt@kline_1m")
        await socket.send_json({"method": "UNSUBSCRIBE", "params": ["btcusdt@kline_1m"], "id": 1})
        await socket.send_str("hello")
        assert (await next_event(socket))["id"] == 1
        await wire.exchange.advance(2)

        assert (await next_event(socket))["code"] == 2
        await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 2})
        assert (await next_event(socket))["result"] == []
        await socket.close()


async def test_fill_is_told_with_its_balance_first() -> None:
    """NEW, then ACCOUNT_UPDATE, then the TRADE, with ids, fee and gain."""
    async with binance_on(setup_of(flat_bars(4))) as wire:
        socket = await wire.user_socket()
        await wire.order(newClientOrderId="abc")

        new = (await next_event(socket))["o"]
        balance = await next_event(socket, "ACCOUNT_UPDATE")
        trade = (await next_event(socket))["o"]
        assert (new["x"], new["X"], new["c"]) == ("NEW", "NEW", "abc")
        assert balance["a"]["P"][0]["pa"] == "0.010"
        assert balance["a"]["B"][0]["wb"] == "9999.80000000"
        assert (trade["x"], trade["X"], trade["z"], trade["n"]) == (
            "TRADE",
            "FILLED",
            "0.010",
            "0.20000000",
        )
        assert trade["i"] == new["i"]
        await socket.close()


async def test_life_of_a_stop_is_told_by_algo_updates() -> None:
    """NEW, TRIGGERED, the child's own updates, FINISHED: only the child's trade is a fill."""
    candles = bars((PRICE,) * 4, (PRICE, PRICE, 38_500.0, 38_600.0), (38_600.0,) * 4)
    async with binance_on(setup_of(candles)) as wire:
        await wire.order()
        socket = await wire.user_socket()
        await wire.algo("39000.0", clientAlgoId="stop")
        await wire.exchange.advance(3)

        events = [await next_event(socket) for _ in range(6)]
        told = [
            (e["e"], e["o"].get("x", ""), e["o"]["X"]) if "o" in e else (e["e"], "", "")
            for e in events
        ]
        assert told == [
            ("ALGO_UPDATE", "", "NEW"),
            ("ALGO_UPDATE", "", "TRIGGERED"),
            ("ORDER_TRADE_UPDATE", "NEW", "NEW"),
            ("ACCOUNT_UPDATE", "", ""),
            ("ORDER_TRADE_UPDATE", "TRADE", "FILLED"),
            ("ALGO_UPDATE", "", "FINISHED"),
        ]
        assert events[5]["o"]["ai"] == str(events[4]["o"]["i"])
        await socket.close()


async def test_liquidation_adl_and_foreign_close_name_themselves() -> None:
    """Fills that nobody ordered are recognised by their client id."""
    async with binance_on(setup_of(flat_bars(4))) as wire:
        socket = await wire.user_socket()
        names = []
        for act in ("close", "adl", "liquidation"):
            await wire.order()
            if act == "close":
                assert await wire.exchange.close_position("BTCUSDT") == 1
            elif act == "adl":
                assert await wire.exchange.deleverage("BTCUSDT", quantity=Decimal("0.01")) == 1
            else:
                await wire.exchange.move_price("BTCUSDT", Decimal(30_000))
            while True:
                order = (await next_event(socket, "ORDER_TRADE_UPDATE"))["o"]
                if order["S"] == "SELL" and order["X"] == "FILLED":
                    names.append((order["c"].rstrip("0123456789"), order["x"], order["o"]))
                    break
        assert names[0] == ("web_", "TRADE", "MARKET")
        assert names[1] == ("adl_autoclose", "TRADE", "MARKET")
        assert names[2][0].startswith("autoclose-")
        assert names[2][1:] == ("CALCULATED", "LIQUIDATION")
        await socket.close()


async def test_listen_key_lives_an_hour_from_its_last_extension() -> None:
    """POST gives the same key while it lives; then listenKeyExpired comes and nothing more."""
    async with binance_on(setup_of(flat_bars(4))) as wire:
        path = "/fapi/v1/listenKey"
        first = (await wire.send("POST", path)).body["listenKey"]
        assert (await wire.send("POST", path)).body["listenKey"] == first
        socket = await wire.socket(f"/private/ws?listenKey={first}")
        await wire.exchange.elapse(KEY_LIFE_MS - 1000)
        assert (await wire.send("PUT", path)).status == 200
        await wire.exchange.elapse(KEY_LIFE_MS - 1000)
        await wire.order()
        assert await next_event(socket, "ORDER_TRADE_UPDATE")
        await wire.exchange.elapse(2000)

        assert (await next_event(socket, "listenKeyExpired"))["listenKey"] == first
        assert (await wire.send("PUT", path)).body["code"] == -1125
        assert (await wire.send("POST", path)).body["listenKey"] != first
        await socket.close()


async def test_deleted_listen_key_closes_its_socket() -> None:
    """DELETE ends the stream at once."""
    async with binance_on(setup_of(flat_bars(4))) as wire:
        socket = await wire.user_socket()
        await wire.send("DELETE", "/fapi/v1/listenKey")

        message = await socket.receive(timeout=20)
        assert message.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}


async def test_server_pings_and_drops_who_never_answers() -> None:
    """Every three minutes a ping; a socket that leaves four unanswered is closed."""
    async with binance_on(setup_of(flat_bars(4))) as wire:
        url = f"{wire.exchange.binance_ws_url}/market/ws"
        polite = await wire.session.ws_connect(url)
        rude = await wire.session.ws_connect(url, autoping=False)
        pings = 0
        for _ in range(6):
            await wire.exchange.elapse(180_000)
            await polite.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 1})
            assert (await next_event(polite))["id"] == 1
        while (message := await rude.receive(timeout=20)).type is aiohttp.WSMsgType.PING:
            pings += 1

        assert pings == 4
        assert message.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}
        assert not polite.closed
        await polite.close()


async def test_client_that_talks_too_much_is_disconnected() -> None:
    """Ten messages a second are allowed: hundreds of symbols must be subscribed in few."""
    async with binance_on(setup_of(flat_bars(4))) as wire:
        socket = await wire.socket("/market/ws")
        for number in range(11):
            await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": number})
        answers = 0
        while (await socket.receive(timeout=20)).type is aiohttp.WSMsgType.TEXT:
            answers += 1

        assert answers == 10
