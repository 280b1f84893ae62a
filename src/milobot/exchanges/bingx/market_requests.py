"""Public requests to BingX perpetual swaps, built without side effects."""

from milobot.domain.timeframes import Timeframe
from milobot.exchanges.bingx.requests import MARKET_1M, MARKET_10S, MOST_ROWS
from milobot.exchanges.bingx.symbols import to_wire
from milobot.exchanges.wire import Access, Call, Params, Priority

MOST_CANDLES = 1440

_QUOTE = "/openApi/swap/v2/quote"


def fetch_server_time() -> Call:
    """Return the call for the server's time."""
    return _public("/openApi/swap/v2/server/time", priority=Priority.ORDER)


def fetch_contracts() -> Call:
    """Return the call for all contracts and their rules."""
    return _public(f"{_QUOTE}/contracts")


def fetch_candles(
    symbol: str, timeframe: Timeframe, *, first_ms: int | None, limit: int, priority: Priority
) -> Call:
    """Return the call for candles; the one that forms is among them."""
    params: Params = (
        ("symbol", to_wire(symbol)),
        ("interval", timeframe.value),
        ("limit", str(limit)),
    )
    if first_ms is not None:
        # The start is taken for exclusive by some and inclusive by others: one before fits both.
        params += (("startTime", str(max(first_ms - 1, 0))),)
        params += (("endTime", str(_end_of(timeframe, first_ms, limit))),)
    return _public("/openApi/swap/v3/quote/klines", params, priority)


def fetch_funding_rates(symbol: str, *, first_ms: int, last_ms: int) -> Call:
    """Return the call for rates that were paid."""
    params = (
        ("symbol", to_wire(symbol)),
        ("startTime", str(first_ms)),
        ("endTime", str(last_ms)),
        ("limit", str(MOST_ROWS)),
    )
    return _public(f"{_QUOTE}/fundingRate", params, Priority.DOWNLOAD)


def fetch_book_ticker(symbol: str) -> Call:
    """Return the call for best bid and ask."""
    return _public(f"{_QUOTE}/bookTicker", (("symbol", to_wire(symbol)),))


def fetch_mark_price(symbol: str) -> Call:
    """Return the call for mark price and funding."""
    return _public(f"{_QUOTE}/premiumIndex", (("symbol", to_wire(symbol)),))


def fetch_last_price(symbol: str) -> Call:
    """Return the call for the price of the latest trade."""
    return _public("/openApi/swap/v1/ticker/price", (("symbol", to_wire(symbol)),))


def _end_of(timeframe: Timeframe, first_ms: int, count: int) -> int:
    """Return the last millisecond of the last of ``count`` candles."""
    if not timeframe.is_calendar:
        return first_ms + timeframe.milliseconds * count - 1
    end_ms = timeframe.open_of(first_ms)
    for _ in range(count):
        end_ms = timeframe.next_open(end_ms)
    return end_ms - 1


def _public(path: str, params: Params = (), priority: Priority = Priority.QUERY) -> Call:
    costs = ((MARKET_10S, 1), (MARKET_1M, 1))
    return Call("GET", path, params, Access.PUBLIC, priority, costs)
