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
from milobot.exchanges.market_channel import MarketChannel
from milobot.exchanges.streams import chunks

# 200 streams a connection is the older of two published limits; ten texts a second may be sent.
MOST_STREAMS = 200
_STREAMS_A_TEXT = 100


def candle_channels(
    hosts: BinanceHosts, series: Iterable[Series], feed: CandleFeed
) -> list[MarketChannel]:
    """Return the connections that bring the candles of all series to a feed.

    Candles and mark prices come from ``/market`` only, best bids and asks from ``/public``.
    """
    return [
        _channel(
            f"{hosts.stream}/market/ws",
            [market_mapping.channel_of(*one) for one in part],
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
        _channel(
            f"{hosts.stream}/{path}/ws",
            [f"{symbol.lower()}@{stream}" for symbol in part],
            take=lambda kind, data: _take_price(latest, kind, data),
            opened=lambda: None,
        )
        for path, stream in (("market", "markPrice@1s"), ("public", "bookTicker"))
        for part in chunks(symbols, MOST_STREAMS)
    ]


def _channel(
    url: str,
    names: Sequence[str],
    *,
    take: Callable[[str, Any], None],
    opened: Callable[[], None],
) -> MarketChannel:
    texts = [
        orjson.dumps({"method": "SUBSCRIBE", "params": part, "id": number}).decode()
        for number, part in enumerate(chunks(names, _STREAMS_A_TEXT), 1)
    ]
    return MarketChannel(url, texts, read=_read, take=take, opened=opened)


def _read(frame: str | bytes) -> tuple[str, Any] | None:
    data = event_of(frame)
    return None if data is None else (str(data.get("e", "")), data)


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
