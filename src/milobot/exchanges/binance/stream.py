"""Binance's market streams: what is subscribed where, and what its frames say."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import orjson

from milobot.domain.reports import BookTicker, MarkPrice
from milobot.errors import ProtocolError
from milobot.exchanges.binance import market_mapping
from milobot.exchanges.binance.hosts import BinanceHosts
from milobot.exchanges.candle_feed import CandleFeed, Series
from milobot.exchanges.latest import LatestPrices
from milobot.exchanges.sockets import SocketAddress
from milobot.exchanges.streams import chunks

# 200 streams a connection is the older of two published limits; ten texts a second may be sent.
MOST_STREAMS = 200
_STREAMS_A_TEXT = 100


class MarketChannel:
    """One connection with market streams.

    Candles and mark prices come from ``/market`` only, best bids and asks from ``/public``.
    """

    def __init__(
        self,
        hosts: BinanceHosts,
        names: Sequence[str],
        *,
        path: str,
        take: Callable[[str, Any], None],
        opened: Callable[[], None],
    ) -> None:
        """Carry the named streams.

        Args:
            hosts: Where.
            names: Streams such as ``btcusdt@kline_1m``.
            path: ``market`` or ``public``.
            take: Gets the kind and the data of every event.
            opened: Called when the subscriptions are sent.
        """
        self._url = f"{hosts.stream}/{path}/ws"
        self._names = names
        self._take = take
        self._opened = opened

    async def address(self) -> SocketAddress:
        """Return where to connect."""
        return SocketAddress(self._url)

    def greetings(self) -> Sequence[str]:
        """Return the subscriptions."""
        return [
            orjson.dumps({"method": "SUBSCRIBE", "params": part, "id": number}).decode()
            for number, part in enumerate(chunks(self._names, _STREAMS_A_TEXT), 1)
        ]

    def reply_to(self, frame: str | bytes) -> str | None:
        """Return None: Binance pings with ping frames."""
        return None

    async def opened(self, *, is_first: bool) -> None:
        """Pass on that the subscriptions are sent."""
        self._opened()

    async def received(self, frame: str | bytes) -> None:
        """Pass on an event."""
        data = event_of(frame)
        if data is not None:
            self._take(str(data.get("e", "")), data)


def candle_channels(
    hosts: BinanceHosts, series: Iterable[Series], feed: CandleFeed
) -> list[MarketChannel]:
    """Return the connections that bring the candles of all series to a feed."""
    return [
        MarketChannel(
            hosts,
            [market_mapping.channel_of(*one) for one in part],
            path="market",
            take=lambda kind, data: _take_candle(feed, kind, data),
            opened=partial(feed.check, part),
        )
        for part in chunks(list(series), MOST_STREAMS)
    ]


def price_channels(
    hosts: BinanceHosts, symbols: Sequence[str], latest: LatestPrices
) -> list[MarketChannel]:
    """Return the connections that bring mark prices and best bids and asks."""
    return [
        MarketChannel(
            hosts,
            [f"{symbol.lower()}@{stream}" for symbol in part],
            path=path,
            take=lambda kind, data: _take_price(latest, kind, data),
            opened=lambda: None,
        )
        for path, stream in (("market", "markPrice@1s"), ("public", "bookTicker"))
        for part in chunks(symbols, MOST_STREAMS)
    ]


def event_of(frame: str | bytes) -> dict[str, Any] | None:
    """Return the event in a frame, bare or wrapped; None for the answer to a subscription.

    Raises:
        ProtocolError: The frame is no event, or says that a subscription was refused.
    """
    try:
        data = orjson.loads(frame)
    except orjson.JSONDecodeError:
        raise ProtocolError("a frame is no JSON") from None
    if isinstance(data, dict) and "stream" in data:
        data = data.get("data")
    if not isinstance(data, dict):
        raise ProtocolError("a frame holds no event")
    if "error" in data or ("code" in data and "msg" in data):
        raise ProtocolError("a subscription was refused")
    return data if "e" in data else None


def _take_candle(feed: CandleFeed, kind: str, data: Any) -> None:
    if kind == "kline":
        closed = market_mapping.parse_stream_candle(data)
        if closed is not None:
            feed.closed(closed.symbol, closed.timeframe, closed.candle)


def _take_price(latest: LatestPrices, kind: str, data: Any) -> None:
    price: MarkPrice | BookTicker
    if kind == "markPriceUpdate":
        price = market_mapping.parse_stream_mark_price(data)
    elif kind == "bookTicker":
        price = market_mapping.parse_stream_book_ticker(data)
    else:
        return
    latest.put(price)
