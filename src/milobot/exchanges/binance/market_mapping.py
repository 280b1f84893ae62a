"""Binance's public payloads in our words: rules, limits, brackets, candles, prices. Pure."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from milobot.domain.market import Candle, CandleSeries, LeverageBracket, SymbolRules
from milobot.domain.money import ZERO
from milobot.domain.reports import BookTicker, ClosedCandle, FundingRate, MarkPrice
from milobot.domain.timeframes import Timeframe, parse_timeframe
from milobot.errors import DataError, ProtocolError
from milobot.exchanges.binance.requests import ORDERS_1M, ORDERS_10S, REQUESTS, WEIGHT
from milobot.exchanges.fields import Fields, objects, parse_decimal
from milobot.exchanges.limits import Limit, Usage
from milobot.exchanges.wire import Answer

_QUOTE = "USDT"
_LIMITS = {
    ("REQUEST_WEIGHT", "MINUTE", 1): (WEIGHT, 60_000),
    ("RAW_REQUESTS", "MINUTE", 1): (REQUESTS, 60_000),
    ("ORDERS", "SECOND", 10): (ORDERS_10S, 10_000),
    ("ORDERS", "MINUTE", 1): (ORDERS_1M, 60_000),
}
_USAGE = {
    "x-mbx-used-weight-1m": WEIGHT,
    "x-mbx-order-count-10s": ORDERS_10S,
    "x-mbx-order-count-1m": ORDERS_1M,
}
_CANDLE_FIELDS = 7
_LAST_MS = 2**53


def parse_server_time(data: Any) -> int:
    """Return the server's clock, UTC milliseconds."""
    return Fields(data, "the server time").integer("serverTime")


def parse_limits(data: Any) -> tuple[Limit, ...]:
    """Return the rate limits of exchangeInfo that we keep."""
    found = []
    for row in Fields(data, "exchangeInfo").rows("rateLimits"):
        kind = (row.text("rateLimitType"), row.text("interval"), row.integer("intervalNum"))
        if kind in _LIMITS and row.integer("limit") > 0:
            name, window_ms = _LIMITS[kind]
            found.append(Limit(name, row.integer("limit"), window_ms))
    return tuple(found)


def parse_usage(answer: Answer) -> Iterable[Usage]:
    """Yield what the answer's headers say is used."""
    for header, name in _USAGE.items():
        value = answer.headers.get(header, "")
        if value.isdecimal():
            yield Usage(name, int(value))


def parse_all_rules(data: Any) -> dict[str, SymbolRules]:
    """Return the rules of what may be traded: USDT perpetuals whose status is TRADING.

    Quarterly contracts, contracts that settle or are not open yet, and those margined in
    anything but USDT are left out.
    """
    found = {}
    for row in Fields(data, "exchangeInfo").rows("symbols"):
        if _is_tradable(row):
            rules = _rules(row)
            found[rules.symbol] = rules
    return found


def parse_all_brackets(data: Any) -> dict[str, tuple[LeverageBracket, ...]]:
    """Return the leverage brackets of every symbol, in order of notional."""
    return {
        row.text("symbol"): tuple(
            sorted((_bracket(one) for one in row.rows("brackets")), key=lambda b: b.notional_floor)
        )
        for row in objects(data, "the brackets")
    }


def parse_candles(data: Any) -> CandleSeries:
    """Return the candles of a listing, oldest first, the one that forms included."""
    if not isinstance(data, list):
        raise ProtocolError("the candles are no list")
    found = {candle.time: candle for candle in map(_candle, data)}
    return CandleSeries.from_candles([found[open_ms] for open_ms in sorted(found)])


def parse_stream_candle(data: Any) -> ClosedCandle | None:
    """Return the candle of a stream event; None while it is forming."""
    fields = Fields(data, "a candle event").object("k")
    if not fields.flag("x"):
        return None
    try:
        timeframe = parse_timeframe(fields.text("i"))
    except DataError as unknown:
        raise ProtocolError(str(unknown)) from None
    prices = (float(fields.decimal(name)) for name in ("o", "h", "l", "c", "v"))
    return ClosedCandle(fields.text("s"), timeframe, Candle(fields.integer("t"), *prices))


def parse_funding_rates(data: Any) -> list[FundingRate]:
    """Return rates that were paid, oldest first."""
    rows = objects(data, "the funding rates")
    found = [
        FundingRate(r.text("symbol"), r.decimal("fundingRate"), r.integer("fundingTime"))
        for r in rows
    ]
    return sorted(found, key=lambda rate: rate.time_ms)


def parse_book_ticker(data: Any) -> BookTicker:
    """Return best bid and ask of a listing."""
    fields = Fields(data, "the book ticker")
    return BookTicker(
        symbol=fields.text("symbol"),
        bid_price=fields.decimal("bidPrice"),
        bid_quantity=fields.decimal("bidQty"),
        ask_price=fields.decimal("askPrice"),
        ask_quantity=fields.decimal("askQty"),
        time_ms=fields.integer_or_zero("time"),
    )


def parse_stream_book_ticker(data: Any) -> BookTicker:
    """Return best bid and ask of a stream event."""
    fields = Fields(data, "a book ticker event")
    return BookTicker(
        symbol=fields.text("s"),
        bid_price=fields.decimal("b"),
        bid_quantity=fields.decimal("B"),
        ask_price=fields.decimal("a"),
        ask_quantity=fields.decimal("A"),
        time_ms=fields.integer_or_zero("T"),
    )


def parse_mark_price(data: Any) -> MarkPrice:
    """Return mark price and funding of a listing."""
    fields = Fields(data, "the mark price")
    return MarkPrice(
        symbol=fields.text("symbol"),
        mark_price=fields.decimal("markPrice"),
        index_price=fields.decimal("indexPrice"),
        funding_rate=fields.decimal_or_zero("lastFundingRate"),
        next_funding_ms=fields.integer_or_zero("nextFundingTime"),
        time_ms=fields.integer("time"),
    )


def parse_stream_mark_price(data: Any) -> MarkPrice:
    """Return mark price and funding of a stream event."""
    fields = Fields(data, "a mark price event")
    return MarkPrice(
        symbol=fields.text("s"),
        mark_price=fields.decimal("p"),
        index_price=fields.decimal_or_zero("i"),
        funding_rate=fields.decimal_or_zero("r"),
        next_funding_ms=fields.integer_or_zero("T"),
        time_ms=fields.integer("E"),
    )


def parse_last_price(data: Any) -> Decimal:
    """Return the price of the latest trade."""
    return Fields(data, "the price").decimal("price")


def _is_tradable(row: Fields) -> bool:
    return (
        row.text_or_empty("contractType") == "PERPETUAL"
        and row.text_or_empty("status") == "TRADING"
        and row.text_or_empty("quoteAsset") == _QUOTE
        and row.text_or_empty("marginAsset") == _QUOTE
    )


def _rules(row: Fields) -> SymbolRules:
    symbol = row.text("symbol")
    filters = {one.text("filterType"): one for one in row.rows("filters")}
    missing = {"PRICE_FILTER", "LOT_SIZE"} - filters.keys()
    if missing:
        raise ProtocolError(f"exchangeInfo has no {min(missing)} for {symbol}")
    lots = [filters[name] for name in ("LOT_SIZE", "MARKET_LOT_SIZE") if name in filters]
    notional = filters.get("MIN_NOTIONAL")
    return SymbolRules(
        symbol=symbol,
        tick_size=filters["PRICE_FILTER"].decimal("tickSize"),
        quantity_step=max(lot.decimal("stepSize") for lot in lots),
        min_quantity=max(lot.decimal("minQty") for lot in lots),
        max_market_quantity=lots[-1].decimal("maxQty"),
        min_notional=notional.decimal("notional") if notional else ZERO,
    )


def _bracket(row: Fields) -> LeverageBracket:
    return LeverageBracket(
        notional_floor=row.decimal("notionalFloor"),
        notional_cap=row.decimal("notionalCap"),
        max_leverage=row.integer("initialLeverage"),
        maintenance_margin_rate=row.decimal("maintMarginRatio"),
        maintenance_amount=row.decimal("cum"),
    )


def _candle(row: Any) -> Candle:
    """Return a candle of a listing."""
    if not isinstance(row, list) or len(row) < _CANDLE_FIELDS:
        raise ProtocolError("a candle has not the promised number of fields")
    open_ms = row[0]
    if not (isinstance(open_ms, int) and 0 <= open_ms < _LAST_MS):
        raise ProtocolError("a candle has no time")
    prices = (float(parse_decimal(value, "a price of a candle")) for value in row[1:6])
    return Candle(open_ms, *prices)


def channel_of(symbol: str, timeframe: Timeframe) -> str:
    """Return the name of a candle stream."""
    return f"{symbol.lower()}@kline_{timeframe.value}"
