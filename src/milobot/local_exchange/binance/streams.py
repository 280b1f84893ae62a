"""Sockets of the Binance dialect: market streams, user streams, listen keys."""

from decimal import Decimal

import orjson
from aiohttp import web

from milobot.domain.market import Candle
from milobot.domain.money import format_decimal
from milobot.domain.timeframes import Timeframe
from milobot.local_exchange.binance.errors import error
from milobot.local_exchange.binance.market_data import kline_row
from milobot.local_exchange.binance.shapes import (
    money,
)
from milobot.local_exchange.binance.user_events import UserEvents
from milobot.local_exchange.core.accounts import Account
from milobot.local_exchange.core.events import (
    AccountEvent,
)
from milobot.local_exchange.core.market import FUNDING_INTERVAL_MS, Tape
from milobot.local_exchange.core.playing import Played
from milobot.local_exchange.core.timing import Agenda
from milobot.local_exchange.core.venue import Venue
from milobot.local_exchange.listen_keys import KeyService
from milobot.local_exchange.streams import Connection, Hub, Ping
from milobot.local_exchange.wire import Call, Endpoint, Json, Security

_PING_MS = 180_000
_MOST_UNANSWERED = 4
_MOST_STREAMS = 1024
_MOST_MESSAGES_A_SECOND = 10
# Since the split of paths an unrouted socket gets public streams only.
_PUBLIC = ("bookTicker", "depth", "trade")
_ALL = frozenset({"market", "public", "private"})


class BinanceStreams:
    """Serves the sockets and writes what goes over them."""

    def __init__(self, venue: Venue, hub: Hub, agenda: Agenda) -> None:
        """Listen to the venue; heartbeats begin at once."""
        self.hub = hub
        self.keys = KeyService(venue.clock, hub, agenda, self._put)
        self._venue = venue
        self._news = UserEvents(venue)
        self._routes: dict[int, str] = {}
        venue.listeners.append(self._on_event)
        hub.on_expire = self.keys.expire
        hub.beat(_PING_MS, Ping.FRAME, _MOST_UNANSWERED)

    def endpoints(self) -> list[Endpoint]:
        """Return the listen-key endpoints."""
        path = "/fapi/v1/listenKey"
        return [
            Endpoint("POST", path, "listen_key", self._create_key, Security.KEY),
            Endpoint("PUT", path, "listen_key", self._extend_key, Security.KEY),
            Endpoint("DELETE", path, "listen_key", self._drop_key, Security.KEY),
        ]

    def routes(self) -> list[web.RouteDef]:
        """Return the paths of the sockets."""
        heads = ("", "/market", "/public", "/private")
        return [
            web.get(f"{head}{tail}", self.serve)
            for head in heads
            for tail in ("/ws", "/ws/{names:.+}", "/stream")
        ]

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Run one socket."""
        path, query = request.path, request.query
        key = query.get("listenKey", "")
        names = [n for n in request.match_info.get("names", "").split("/") if n]
        names += [n for n in query.get("streams", "").split("/") if n]
        keys = [n for n in [key, *names] if self.keys.find(n) is not None]
        connection = Connection(
            account=self.keys.find(keys[0]) if keys else None,
            listen_key=keys[0] if keys else "",
            is_combined=path.endswith("/stream"),
            subscriptions=[n for n in names if "@" in n],
        )
        head = path.split("/")[1]
        self._routes[id(connection)] = head if head in _ALL else "public"
        try:
            return await self.hub.serve(request, connection, self._on_text)
        finally:
            del self._routes[id(connection)]

    def on_step(self, played: Played) -> None:
        """Send what a step of the market means to those who subscribed."""
        for connection in list(self.hub.connections):
            for name in connection.subscriptions:
                for data in self._market_data(connection, name, played):
                    frame = {"stream": name, "data": data} if connection.is_combined else data
                    self.hub.send_market(connection, orjson.dumps(frame).decode())

    # Listen keys.

    def _create_key(self, call: Call) -> Json:
        return {"listenKey": self.keys.create(call.owner)}

    def _extend_key(self, call: Call) -> Json:
        key = self._key_of(call)
        self.keys.extend(key)
        return {"listenKey": key}

    def _drop_key(self, call: Call) -> Json:
        self.keys.drop(self._key_of(call))
        return {}

    def _key_of(self, call: Call) -> str:
        alive = self.keys.living(call.owner)
        if not alive:
            raise error(-1125, "This listenKey does not exist.")
        return alive[0]

    # What clients say.

    def _on_text(self, connection: Connection, text: str) -> None:
        if self.hub.hears_too_much(connection, _MOST_MESSAGES_A_SECOND):
            connection.close()
            return
        try:
            request = orjson.loads(text)
            method, number = request["method"], request.get("id")
            names = [str(name) for name in request.get("params") or []]
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
            connection.put('{"code":2,"msg":"Invalid request: cannot parse"}')
            return
        result: Json = None
        if method == "SUBSCRIBE":
            new = [n for n in names if n not in connection.subscriptions]
            connection.subscriptions += new[: _MOST_STREAMS - len(connection.subscriptions)]
        elif method == "UNSUBSCRIBE":
            connection.subscriptions = [n for n in connection.subscriptions if n not in names]
        elif method == "LIST_SUBSCRIPTIONS":
            result = list(connection.subscriptions)
        connection.put(orjson.dumps({"result": result, "id": number}).decode())

    # Market data.

    def _market_data(self, connection: Connection, name: str, played: Played) -> list[Json]:
        symbol, _, kind = name.partition("@")
        tape = self._venue.market.tapes.get(symbol.upper())
        wanted = "public" if kind.startswith(_PUBLIC) else "market"
        if tape is None or self._routes[id(connection)] != wanted:
            return []
        now = self._venue.clock.now_ms()
        if kind.startswith("kline_"):
            return self._klines(tape, kind.removeprefix("kline_"), played)
        if kind.startswith("markPrice"):
            return [self._mark_price(tape, now)]
        if kind == "bookTicker":
            return [self._book_ticker(tape, now)]
        return []

    def _klines(self, tape: Tape, interval: str, played: Played) -> list[Json]:
        if interval not in set(Timeframe) or tape.forming is None:
            return []
        timeframe = Timeframe(interval)
        if not timeframe.is_multiple_of(tape.timeframe):
            return []
        found = []
        closed = played.closed.get(tape.symbol)
        is_new = closed is not None and (
            timeframe.open_of(closed.time) != timeframe.open_of(tape.forming.time)
        )
        if closed is not None and is_new:
            whole = tape.candle(timeframe, closed.time)
            if whole is not None:
                found.append(self._kline(tape, whole, timeframe, is_closed=True))
        forming = tape.candle(timeframe, tape.forming.time)
        if forming is not None:
            found.append(self._kline(tape, forming, timeframe, is_closed=False))
        return found

    def _kline(self, tape: Tape, candle: Candle, timeframe: Timeframe, *, is_closed: bool) -> Json:
        row = kline_row(candle, timeframe)
        return {
            "e": "kline",
            "E": self._venue.clock.now_ms(),
            "s": tape.symbol,
            "k": {
                "t": row[0],
                "T": row[6],
                "s": tape.symbol,
                "i": timeframe.value,
                "f": 1,
                "L": 1 + row[8],
                "o": row[1],
                "c": row[4],
                "h": row[2],
                "l": row[3],
                "v": row[5],
                "n": row[8],
                "x": is_closed,
                "q": row[7],
                "V": row[9],
                "Q": row[10],
                "B": "0",
            },
        }

    def _mark_price(self, tape: Tape, now: int) -> Json:
        price = money(tape.last_price)
        return {
            "e": "markPriceUpdate",
            "E": now,
            "s": tape.symbol,
            "p": price,
            "i": price,
            "P": price,
            "r": money(tape.funding.last(now)),
            "T": (now // FUNDING_INTERVAL_MS + 1) * FUNDING_INTERVAL_MS,
        }

    def _book_ticker(self, tape: Tape, now: int) -> Json:
        bid, ask = self._venue.quote(tape.symbol)
        size = format_decimal(
            self._venue.contract(tape.symbol).rules.max_market_quantity or Decimal(1)
        )
        return {
            "e": "bookTicker",
            "u": now,
            "E": now,
            "T": now,
            "s": tape.symbol,
            "b": format_decimal(bid),
            "B": size,
            "a": format_decimal(ask),
            "A": size,
        }

    def _on_event(self, account: Account, event: AccountEvent) -> None:
        message = self._news.message(account, event)
        self.hub.send_user(account, message["e"], orjson.dumps(message).decode())

    @staticmethod
    def _put(connection: Connection, message: Json) -> None:
        connection.put(orjson.dumps(message).decode())
