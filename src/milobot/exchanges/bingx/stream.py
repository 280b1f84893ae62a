"""BingX's market streams: what is subscribed where, and what its frames say."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import orjson

from milobot.domain.reports import BookTicker, MarkPrice
from milobot.exchanges.bingx import market_mapping
from milobot.exchanges.bingx.frames import event_of, heartbeat_reply
from milobot.exchanges.bingx.hosts import BingxHosts
from milobot.exchanges.bingx.symbols import to_wire
from milobot.exchanges.candle_feed import CandleFeed, Series
from milobot.exchanges.latest import LatestPrices
from milobot.exchanges.market_channel import MarketChannel
from milobot.exchanges.sequencer import CandleCloser
from milobot.exchanges.streams import chunks

# No limit is published for this host; the spot and coin hosts allow 200 subscriptions.
MOST_STREAMS = 200


class CandleTaker:
    """Hands candles on once they are final: when the next one begins.

    After a break a candle that was forming may be final with a state that never came, so
    it is forgotten; the feed asks for it. It asks too for one that was quiet at its end.
    """

    def __init__(self, series: Iterable[Series], feed: CandleFeed) -> None:
        """Take the candles of some series for a feed."""
        self._closers = {one: CandleCloser() for one in series}
        self._feed = feed

    def opened(self) -> None:
        """Hear that the connection is new."""
        for closer in self._closers.values():
            closer.forget()
        self._feed.check(self._closers)

    def take(self, channel: str, data: Any) -> None:
        """Take candles as they stand."""
        if "@kline_" not in channel:
            return
        symbol, timeframe, candles = market_mapping.parse_stream_candles(channel, data)
        closer = self._closers.get((symbol, timeframe))
        if closer is None:
            return
        for candle in candles:
            ended = closer.update(candle, self._feed.clock.now_ms())
            if ended is not None and ended.is_final:
                self._feed.closed(symbol, timeframe, ended.candle)
            elif ended is not None:
                self._feed.doubted(symbol, timeframe, ended.candle.time)


def candle_channels(
    hosts: BingxHosts, series: Iterable[Series], feed: CandleFeed
) -> list[MarketChannel]:
    """Return the connections that bring the candles of all series to a feed."""
    found = []
    for part in chunks(list(series), MOST_STREAMS):
        taker = CandleTaker(part, feed)
        names = [market_mapping.channel_of(*one) for one in part]
        found.append(_channel(hosts, names, take=taker.take, opened=taker.opened))
    return found


def price_channels(
    hosts: BingxHosts, symbols: Sequence[str], latest: LatestPrices
) -> list[MarketChannel]:
    """Return the connections that bring mark prices and best bids and asks."""
    names = [
        f"{to_wire(symbol)}@{stream}"
        for symbol in symbols
        for stream in ("markPrice", "bookTicker")
    ]
    return [
        _channel(hosts, part, take=partial(_take_price, latest), opened=lambda: None)
        for part in chunks(names, MOST_STREAMS)
    ]


def _channel(
    hosts: BingxHosts,
    names: Sequence[str],
    *,
    take: Callable[[str, Any], None],
    opened: Callable[[], None],
) -> MarketChannel:
    """Return one connection; each stream needs a text of its own to be subscribed."""
    texts = [
        orjson.dumps({"id": str(number), "reqType": "sub", "dataType": name}).decode()
        for number, name in enumerate(names, 1)
    ]
    return MarketChannel(
        hosts.stream, texts, read=_read, take=take, opened=opened, reply_to=heartbeat_reply
    )


def _read(frame: str | bytes) -> tuple[str, Any] | None:
    event = event_of(frame)
    return None if event is None else (str(event.get("dataType", "")), event.get("data"))


def _take_price(latest: LatestPrices, channel: str, data: Any) -> None:
    price: MarkPrice | BookTicker
    if channel.endswith("@markPrice"):
        price = market_mapping.parse_stream_mark_price(data)
    elif channel.endswith("@bookTicker"):
        price = market_mapping.parse_stream_book_ticker(data)
    else:
        return
    latest.put(price)
