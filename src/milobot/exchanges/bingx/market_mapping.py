"""BingX's public payloads in our words: rules, brackets, candles, prices. Pure."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from milobot.domain.market import Candle, CandleSeries, LeverageBracket, SymbolRules
from milobot.domain.money import ONE, ZERO
from milobot.domain.reports import BookTicker, FundingRate, MarkPrice
from milobot.domain.timeframes import Timeframe, parse_timeframe
from milobot.errors import DataError, ProtocolError
from milobot.exchanges.bingx.payloads import fields_of, first_of, rows_of
from milobot.exchanges.bingx.symbols import from_wire, to_wire
from milobot.exchanges.fields import Fields, parse_decimal

_QUOTE = "-USDT"
_MARGINS = {"USDT", "VST"}
_ACTIVE = 1
_CANDLE_FIELDS = 6
_MOST_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract that may be traded.

    Attributes:
        max_leverage: The highest of any position; 0 where the listing does not say.
    """

    rules: SymbolRules
    max_leverage: int


def parse_server_time(data: Any) -> int:
    """Return the server's clock, UTC milliseconds."""
    return fields_of(data, "the server time").integer("serverTime")


def parse_contracts(data: Any) -> dict[str, Contract]:
    """Return what may be traded: active USDT perpetuals that the interface may open and close."""
    found = {}
    for row in rows_of(data, "the contracts"):
        if _is_tradable(row):
            contract = Contract(_rules(row), _lower_leverage(row))
            found[contract.rules.symbol] = contract
    return found


def parse_max_leverage(data: Any) -> int:
    """Return the highest leverage of a symbol, the lower of both directions."""
    leverage = _lower_leverage(fields_of(data, "the leverage"))
    if leverage < 1:
        raise ProtocolError("the leverage does not say how high it may be")
    return leverage


def parse_brackets(data: Any, *, symbol: str, max_leverage: int) -> tuple[LeverageBracket, ...]:
    """Return the leverage brackets of a symbol, in order of notional.

    BingX tells no leverage for a bracket, only the highest of the symbol. A maintenance
    margin of half the initial one, as in the tables that do tell, gives the bound
    ``1 / (2 * rate)``: what BingX would allow beyond it is left out, since there a
    position is born close to its liquidation.
    """
    rows = [row for row in rows_of(data, "the brackets") if from_wire(row.text("symbol")) == symbol]
    found = [_bracket(row, max_leverage) for row in rows]
    return tuple(sorted(found, key=lambda bracket: bracket.notional_floor))


def parse_candles(data: Any) -> CandleSeries:
    """Return the candles of a listing, oldest first, the one that forms included."""
    payload = data.get("data") if isinstance(data, dict) else None
    if payload is None:
        payload = []
    if not isinstance(payload, list):
        raise ProtocolError("the candles are no list")
    found = {candle.time: candle for candle in map(_candle, payload)}
    return CandleSeries.from_candles([found[open_ms] for open_ms in sorted(found)])


def parse_stream_candles(channel: str, data: Any) -> tuple[str, Timeframe, list[Candle]]:
    """Return symbol, timeframe and candles as they stand, oldest first, of a stream event.

    There is no sign of which is final. Besides the list of today there is an older form
    with one object that is nested twice.
    """
    name, _, suffix = channel.partition("@kline_")
    try:
        timeframe = parse_timeframe("1m" if suffix == "1min" else suffix)
    except DataError as unknown:
        raise ProtocolError(str(unknown)) from None
    inner = data.get("K") if isinstance(data, dict) else data
    rows = [inner] if isinstance(inner, dict) else inner
    if not isinstance(rows, list):
        raise ProtocolError("a candle event holds no candles")
    candles = [_stream_candle(Fields(row, "a candle event"), timeframe) for row in rows]
    return from_wire(name), timeframe, sorted(candles)


def parse_funding_rates(data: Any) -> list[FundingRate]:
    """Return rates that were paid, oldest first."""
    found = [
        FundingRate(
            from_wire(row.text("symbol")), row.decimal("fundingRate"), row.integer("fundingTime")
        )
        for row in rows_of(data, "the funding rates")
    ]
    return sorted(found, key=lambda rate: rate.time_ms)


def parse_book_ticker(data: Any, *, now_ms: int) -> BookTicker:
    """Return best bid and ask of a listing; ``now_ms`` where it does not tell its time."""
    outer = fields_of(data, "the book ticker")
    fields = outer.object("book_ticker") if outer.has("book_ticker") else outer
    return BookTicker(
        symbol=from_wire(fields.text("symbol")),
        bid_price=fields.decimal(first_of(fields, "bid_price", "bidPrice")),
        bid_quantity=fields.decimal(first_of(fields, "bid_qty", "bidQty")),
        ask_price=fields.decimal(first_of(fields, "ask_price", "askPrice")),
        ask_quantity=fields.decimal(first_of(fields, "ask_qty", "askQty")),
        time_ms=fields.integer_or_zero("time") or now_ms,
    )


def parse_stream_book_ticker(data: Any) -> BookTicker:
    """Return best bid and ask of a stream event."""
    fields = Fields(data, "a book ticker event")
    return BookTicker(
        symbol=from_wire(fields.text("s")),
        bid_price=fields.decimal("b"),
        bid_quantity=fields.decimal("B"),
        ask_price=fields.decimal("a"),
        ask_quantity=fields.decimal("A"),
        time_ms=fields.integer_or_zero("T") or fields.integer("E"),
    )


def parse_mark_price(data: Any, *, now_ms: int) -> MarkPrice:
    """Return mark price and funding of a listing; ``now_ms`` where it does not tell its time."""
    fields = fields_of(data, "the mark price")
    return MarkPrice(
        symbol=from_wire(fields.text("symbol")),
        mark_price=fields.decimal("markPrice"),
        index_price=fields.decimal("indexPrice"),
        funding_rate=fields.decimal_or_zero("lastFundingRate"),
        next_funding_ms=fields.integer_or_zero("nextFundingTime"),
        time_ms=fields.integer_or_zero("time") or now_ms,
    )


def parse_stream_mark_price(data: Any) -> MarkPrice:
    """Return the mark price of a stream event, which tells nothing of index and funding."""
    fields = Fields(data, "a mark price event")
    symbol = from_wire(fields.text("s"))
    return MarkPrice(symbol, fields.decimal("p"), ZERO, ZERO, 0, fields.integer("E"))


def parse_last_price(data: Any) -> Decimal:
    """Return the price of the latest trade."""
    return fields_of(data, "the price").decimal("price")


def channel_of(symbol: str, timeframe: Timeframe) -> str:
    """Return the name of a candle stream."""
    return f"{to_wire(symbol)}@kline_{timeframe.value}"


def _is_tradable(row: Fields) -> bool:
    return (
        row.text("symbol").endswith(_QUOTE)
        and row.text_or_empty("currency") in _MARGINS
        and row.integer_or_zero("status") == _ACTIVE
        and row.flag("apiStateOpen")
        and row.flag("apiStateClose")
    )


def _rules(row: Fields) -> SymbolRules:
    step = _grid(row, "quantityPrecision")
    return SymbolRules(
        symbol=from_wire(row.text("symbol")),
        tick_size=_grid(row, "pricePrecision"),
        quantity_step=step,
        min_quantity=max(step, row.decimal_or_zero("tradeMinQuantity")),
        max_market_quantity=None,
        min_notional=row.decimal_or_zero("tradeMinUSDT"),
    )


def _grid(row: Fields, name: str) -> Decimal:
    """Return the step that a number of decimals means."""
    digits = row.integer(name)
    if not 0 <= digits <= _MOST_DIGITS:
        raise ProtocolError(f"{name} of a contract is no number of decimals")
    return ONE.scaleb(-digits)


def _lower_leverage(row: Fields) -> int:
    return min(row.integer_or_zero("maxLongLeverage"), row.integer_or_zero("maxShortLeverage"))


def _bracket(row: Fields, max_leverage: int) -> LeverageBracket:
    rate = row.decimal("maintMarginRatio")
    bound = int(ONE / (2 * rate)) if rate > 0 else max_leverage
    return LeverageBracket(
        notional_floor=row.decimal("minPositionVal"),
        notional_cap=row.decimal("maxPositionVal"),
        max_leverage=max(1, min(max_leverage, bound)),
        maintenance_margin_rate=rate,
        maintenance_amount=row.decimal_or_zero("maintAmount"),
    )


def _candle(row: Any) -> Candle:
    """Return a candle of a listing, in either of its two forms."""
    if isinstance(row, list):
        if len(row) < _CANDLE_FIELDS or not isinstance(row[0], int):
            raise ProtocolError("a candle has not the promised fields")
        values = (float(parse_decimal(one, "a price of a candle")) for one in row[1:6])
        return Candle(row[0], *values)
    fields = Fields(row, "a candle")
    time_ms = fields.integer(first_of(fields, "time", "openTime"))
    names = ("open", "high", "low", "close", "volume")
    return Candle(time_ms, *(float(fields.decimal(name)) for name in names))


def _stream_candle(fields: Fields, timeframe: Timeframe) -> Candle:
    """Return a candle of an event; ``T`` is its begin, or its end where ``t`` is the begin."""
    time_ms = fields.integer(first_of(fields, "t", "T"))
    values = (float(fields.decimal(name)) for name in ("o", "h", "l", "c", "v"))
    return Candle(timeframe.open_of(time_ms), *values)
