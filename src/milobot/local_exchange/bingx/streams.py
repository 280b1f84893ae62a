"""Sockets of the BingX dialect: everything gzipped, heartbeats as text, user events by key."""

import gzip

import orjson
from aiohttp import web

from milobot.domain.market import Candle
from milobot.domain.money import decimal_from_float, format_decimal
from milobot.domain.timeframes import Timeframe
from milobot.local_exchange.bingx.errors import error
from milobot.local_exchange.bingx.shapes import (
    price_text,
    symbol_name,
    symbol_of,
)
from milobot.local_exchange.bingx.user_events import UserEvents
from milobot.local_exchange.core.accounts import Account
from milobot.local_exchange.core.events import (
    AccountEvent,
)
from milobot.local_exchange.core.market import Tape
from milobot.local_exchange.core.playing import Played
from milobot.local_exchange.core.timing import Agenda
from milobot.local_exchange.core.venue import Venue
from milobot.local_exchange.listen_keys import KeyService
from milobot.local_exchange.streams import Connection, Hub
from milobot.local_exchange.wire import Bare, Call, Endpoint, Json, Security

_MOST_UNANSWERED = 5


class BingxStreams:
    """Serves the sockets and writes what goes over them."""

    def __init__(self, venue: Venue, hub: Hub, agenda: Agenda, *, heartbeat_s: float) -> None:
        """Listen to the venue; heartbeats begin at once."""
        self.hub = hub
        self.keys = KeyService(venue.clock, hub, agenda, self._put)
        self._venue = venue
        self._news = UserEvents(venue)
        venue.listeners.append(self._on_event)
        hub.on_expire = self.keys.expire
        hub.beat(int(heartbeat_s * 1000), gzip.compress(b"Ping", mtime=0), _MOST_UNANSWERED)

    def endpoints(self) -> list[Endpoint]:
        """Return the listen-key endpoints."""
        path = "/openApi/user/auth/userDataStream"
        return [
            Endpoint("POST", path, "listen_key", self._create_key, Security.KEY),
            Endpoint("PUT", path, "listen_key", self._extend_key, Security.KEY),
            Endpoint("DELETE", path, "listen_key", self._drop_key, Security.KEY),
        ]

    def routes(self) -> list[web.RouteDef]:
        """Return the path of the socket."""
        return [web.get("/swap-market", self.serve)]

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Run one socket."""
        key = request.query.get("listenKey", "")
        account = self.keys.find(key) if key else None
        connection = Connection(account=account, listen_key=key if account else "")
        if account is not None:
            self._put(connection, self._news.snapshot(account))
        return await self.hub.serve(request, connection, self._on_text)

    def on_step(self, played: Played) -> None:
        """Send what a step of the market means to those who subscribed."""
        for connection in list(self.hub.connections):
            for name in connection.subscriptions:
                message = self._market_data(name)
                if message is not None:
                    self.hub.send_market(connection, _packed(message))

    # Listen keys.

    def _create_key(self, call: Call) -> Json:
        return Bare(listenKey=self.keys.create(call.owner))

    def _extend_key(self, call: Call) -> Json:
        if not self.keys.extend(self._key_of(call)):
            raise error(100400, "the listenKey does not exist")
        return Bare()

    def _drop_key(self, call: Call) -> Json:
        self.keys.drop(self._key_of(call))
        return Bare()

    @staticmethod
    def _key_of(call: Call) -> str:
        return call.params.get("listenKey", "")

    # What clients say.

    def _on_text(self, connection: Connection, text: str) -> None:
        if text == "Pong":
            connection.unanswered = 0
            return
        try:
            request = orjson.loads(text)
            name, number = str(request["dataType"]), request.get("id", "")
            kind = request.get("reqType", "sub")
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
            self._put(connection, {"id": "", "code": 80014, "msg": "request not understood"})
            return
        if symbol_of(name.partition("@")[0]) not in self._venue.contracts:
            answer = {"id": number, "code": 80015, "msg": f"dataType {name[:40]} not supported"}
            self._put(connection, answer)
            return
        if kind == "unsub":
            connection.subscriptions = [n for n in connection.subscriptions if n != name]
        elif name not in connection.subscriptions:
            connection.subscriptions.append(name)
        self._put(connection, {"id": number, "code": 0, "msg": "", "dataType": "", "data": None})

    # Market data.

    def _market_data(self, name: str) -> Json | None:
        market, _, kind = name.partition("@")
        tape = self._venue.market.tapes.get(symbol_of(market))
        if tape is None:
            return None
        now = self._venue.clock.now_ms()
        price = price_text(self._venue.contract(tape.symbol), tape.last_price)
        if kind.startswith("kline_"):
            return self._klines(tape, name, kind.removeprefix("kline_"))
        if kind == "markPrice":
            data: Json = {"e": "markPriceUpdate", "E": now, "s": market, "p": price}
        elif kind == "lastPrice":
            data = {"e": "lastPriceUpdate", "E": now, "s": market, "c": price}
        elif kind == "bookTicker":
            data = self._book_ticker(tape, now)
        else:
            return None
        return {"code": 0, "dataType": name, "data": data}

    def _klines(self, tape: Tape, name: str, interval: str) -> Json | None:
        if interval not in set(Timeframe) or tape.forming is None:
            return None
        timeframe = Timeframe(interval)
        if not timeframe.is_multiple_of(tape.timeframe):
            return None
        candle = tape.candle(timeframe, tape.forming.time)
        if candle is None:
            return None
        row = _kline(candle)
        return {"code": 0, "dataType": name, "s": symbol_name(tape.symbol), "data": [row]}

    def _book_ticker(self, tape: Tape, now: int) -> Json:
        bid, ask = self._venue.quote(tape.symbol)
        rules = self._venue.contract(tape.symbol).rules
        size = format_decimal(rules.max_market_quantity or rules.min_quantity)
        return {
            "e": "bookTicker",
            "u": now,
            "E": now,
            "T": now,
            "s": symbol_name(tape.symbol),
            "b": format_decimal(bid),
            "B": size,
            "a": format_decimal(ask),
            "A": size,
        }

    def _on_event(self, account: Account, event: AccountEvent) -> None:
        message = self._news.message(account, event)
        if message is not None:
            self.hub.send_user(account, message["e"], _packed(message))

    @staticmethod
    def _put(connection: Connection, message: Json) -> None:
        connection.put(_packed(message))


def _kline(candle: Candle) -> Json:
    """Return a candle as the stream tells it: open time, no word on whether it has closed."""
    return {
        "c": format_decimal(decimal_from_float(candle.close)),
        "o": format_decimal(decimal_from_float(candle.open)),
        "h": format_decimal(decimal_from_float(candle.high)),
        "l": format_decimal(decimal_from_float(candle.low)),
        "v": format_decimal(decimal_from_float(candle.volume)),
        "T": candle.time,
    }


def _packed(message: Json) -> bytes:
    return gzip.compress(orjson.dumps(message), mtime=0)
