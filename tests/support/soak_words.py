"""How each exchange words what a soak needs of it: frames, listings, listen keys, clients."""

import gzip
from collections.abc import Sequence
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

import orjson
from tests.support.fake_sockets import FakeSocket
from tests.support.fake_transport import refusal, reply

from milobot.domain.market import Candle
from milobot.domain.timeframes import MINUTE_MS
from milobot.exchanges.binance.client import BinanceClient
from milobot.exchanges.binance.hosts import BinanceHosts
from milobot.exchanges.binance.signing import Credentials as BinanceCredentials
from milobot.exchanges.bingx.client import BingxClient
from milobot.exchanges.bingx.hosts import BingxHosts
from milobot.exchanges.bingx.signing import Credentials as BingxCredentials
from milobot.exchanges.options import ClientOptions
from milobot.exchanges.wire import Answer

Frame = str | bytes
# Both take a signed request whose timestamp is off by no more than this.
MOST_OFF_MS = 5000


class Words(Protocol):
    """One dialect, from the exchange's side.

    Attributes:
        candles_path: Where candles are listed.
        time_path: Where the time is told.
        gives_new_keys: Whether each POST gives a new listen key; else the active one.
    """

    candles_path: str
    time_path: str
    gives_new_keys: bool

    def client(self, options: ClientOptions) -> BinanceClient | BingxClient:
        """Return the real client of this exchange."""
        ...

    def subscribed(self, socket: FakeSocket) -> frozenset[str]:
        """Return the symbols whose candles a connection carries."""
        ...

    def closing(self, final: Candle, formed: Candle, symbol: str) -> Sequence[Frame]:
        """Return the frames of a candle's close; ``formed`` is it a moment before."""
        ...

    def forming(self, formed: Candle, symbol: str) -> Frame:
        """Return a frame of a candle that forms."""
        ...

    def listing(self, rows: Sequence[Candle]) -> Answer:
        """Return a listing of candles, given oldest first."""
        ...

    def told_time(self, now_ms: int) -> Answer:
        """Return the exchange's time."""
        ...

    def too_far_off(self) -> Answer:
        """Refuse a timestamp."""
        ...

    def key_gone(self) -> Answer:
        """Say that a listen key is not known."""
        ...

    def key_expired(self, key: str) -> Frame:
        """Return the event that a listen key has expired."""
        ...

    def symbol_of(self, named: str) -> str:
        """Return our name of a symbol."""
        ...


class BinanceWords:
    """Binance."""

    candles_path = "/fapi/v1/klines"
    time_path = "/fapi/v1/time"
    gives_new_keys = False

    def client(self, options: ClientOptions) -> BinanceClient:
        """Return the real client."""
        hosts = BinanceHosts("soak", "https://rest.test", "wss://stream.test")
        return BinanceClient(hosts, BinanceCredentials("key", "secret"), options)

    def subscribed(self, socket: FakeSocket) -> frozenset[str]:
        """Read what was subscribed."""
        names = [name for text in socket.sent for name in orjson.loads(text)["params"]]
        return frozenset(name.partition("@")[0].upper() for name in names)

    def closing(self, final: Candle, formed: Candle, symbol: str) -> Sequence[Frame]:
        """Return its last state before the close, then the close."""
        return [self.forming(formed, symbol), _kline(final, symbol, is_closed=True)]

    def forming(self, formed: Candle, symbol: str) -> Frame:
        """Return a frame that says so."""
        return _kline(formed, symbol, is_closed=False)

    def listing(self, rows: Sequence[Candle]) -> Answer:
        """Return rows of twelve."""
        tail = ["15", 3, "5", "7", "0"]
        return reply([[c.time, *map(str, c[1:]), c.time + MINUTE_MS - 1, *tail] for c in rows])

    def told_time(self, now_ms: int) -> Answer:
        """Return the exchange's time."""
        return reply({"serverTime": now_ms})

    def too_far_off(self) -> Answer:
        """Refuse a timestamp."""
        return refusal(-1021, "Timestamp for this request is outside of the recvWindow.")

    def key_gone(self) -> Answer:
        """Say that there is none."""
        return refusal(-1125, "This listenKey does not exist.")

    def key_expired(self, key: str) -> Frame:
        """Return the event."""
        return orjson.dumps({"e": "listenKeyExpired", "E": 1, "listenKey": key}).decode()

    def symbol_of(self, named: str) -> str:
        """Return the same name."""
        return named


class BingxWords:
    """BingX."""

    candles_path = "/openApi/swap/v3/quote/klines"
    time_path = "/openApi/swap/v2/server/time"
    gives_new_keys = True

    def client(self, options: ClientOptions) -> BingxClient:
        """Return the real client."""
        hosts = BingxHosts("soak", "https://rest.test", "wss://stream.test/swap-market")
        return BingxClient(hosts, BingxCredentials("key", "secret"), options)

    def subscribed(self, socket: FakeSocket) -> frozenset[str]:
        """Read what was subscribed; the rest are answers to heartbeats."""
        texts = [orjson.loads(text) for text in socket.sent if text.startswith("{")]
        return frozenset(self.symbol_of(t["dataType"].partition("@")[0]) for t in texts)

    def closing(self, final: Candle, formed: Candle, symbol: str) -> Sequence[Frame]:
        """Return its last state and the first of the next; none says that it is final."""
        price = final.close
        begun = Candle(final.time + MINUTE_MS, price, price, price, price, 0.0)
        return [self.forming(final, symbol), self.forming(begun, symbol)]

    def forming(self, formed: Candle, symbol: str) -> Frame:
        """Return a candle as it stands."""
        wire = f"{symbol[:-4]}-USDT"
        row = dict(zip("Tohlcv", (formed.time, *map(str, formed[1:])), strict=True))
        text = {"code": 0, "dataType": f"{wire}@kline_1m", "s": wire, "data": [row]}
        return gzip.compress(orjson.dumps(text), 1)

    def listing(self, rows: Sequence[Candle]) -> Answer:
        """Return rows, newest first."""
        names = ("time", "open", "high", "low", "close", "volume")
        values = [(c.time, *map(str, c[1:])) for c in reversed(rows)]
        return _ok([dict(zip(names, one, strict=True)) for one in values])

    def told_time(self, now_ms: int) -> Answer:
        """Return the exchange's time."""
        return _ok({"serverTime": now_ms})

    def too_far_off(self) -> Answer:
        """Refuse a timestamp."""
        return reply({"code": 100421, "msg": "timestamp mismatch", "data": {}})

    def key_gone(self) -> Answer:
        """Say that it is not known."""
        return Answer(404, {}, b"")

    def key_expired(self, key: str) -> Frame:
        """Return the event."""
        return gzip.compress(orjson.dumps({"e": "listenKeyExpired", "E": 1, "listenKey": key}), 1)

    def symbol_of(self, named: str) -> str:
        """Return our name."""
        return named.replace("-", "")


WORDS: dict[str, type[BinanceWords | BingxWords]] = {
    "binance": BinanceWords,
    "bingx": BingxWords,
}


def listen_key_of(socket: FakeSocket) -> str:
    """Return the listen key of a connection; empty for a market stream's."""
    return parse_qs(urlsplit(socket.address.url).query).get("listenKey", [""])[0]


def _ok(data: object) -> Answer:
    return reply({"code": 0, "msg": "", "data": data})


def _kline(candle: Candle, symbol: str, *, is_closed: bool) -> str:
    prices = dict(zip("ohlcv", map(str, candle[1:]), strict=True))
    kline = {"t": candle.time, "T": candle.time + MINUTE_MS - 1, "s": symbol, "i": "1m"}
    return orjson.dumps(
        {"e": "kline", "s": symbol, "k": {**kline, "x": is_closed, **prices}}
    ).decode()
