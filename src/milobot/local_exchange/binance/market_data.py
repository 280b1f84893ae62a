"""Public endpoints of the Binance dialect."""

from collections.abc import Callable

from milobot.domain.market import Candle
from milobot.domain.money import decimal_from_float, format_decimal
from milobot.domain.timeframes import DAY_MS, Timeframe
from milobot.local_exchange import params as read
from milobot.local_exchange.binance.shapes import money, price_text, quantity_text
from milobot.local_exchange.core.contracts import Contract
from milobot.local_exchange.core.market import FUNDING_INTERVAL_MS, Tape
from milobot.local_exchange.core.statistics import day_figures
from milobot.local_exchange.core.venue import Venue
from milobot.local_exchange.wire import Call, Endpoint, Json

_LISTED_MS = 1_569_398_400_000
_FOREVER_MS = 4_133_404_800_000
_BOOK_DEPTH = 20
_BOOK_QUANTITY = 50
_TYPES = ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET"]


class MarketData:
    """Answers what anybody may ask."""

    def __init__(self, venue: Venue, rate_limits: list[dict[str, Json]]) -> None:
        """Keep the venue; ``rate_limits`` is what ``exchangeInfo`` says about them."""
        self._venue = venue
        self._rate_limits = rate_limits

    def endpoints(self) -> list[Endpoint]:
        """Return the public endpoints."""

        def get(path: str, handler: str, weight: int = 1, call: str = "market") -> Endpoint:
            return Endpoint("GET", f"/fapi/{path}", call, getattr(self, handler), weight=weight)

        return [
            get("v1/ping", "ping"),
            get("v1/time", "time", call="time"),
            get("v1/exchangeInfo", "exchange_info"),
            get("v1/klines", "klines", 5),
            get("v1/depth", "depth", 5),
            get("v1/trades", "trades", 5),
            get("v1/ticker/price", "price"),
            get("v2/ticker/price", "price"),
            get("v1/ticker/bookTicker", "book_ticker", 2),
            get("v1/ticker/24hr", "ticker"),
            get("v1/premiumIndex", "premium_index"),
            get("v1/fundingRate", "funding_rate"),
            get("v1/fundingInfo", "funding_info"),
        ]

    def ping(self, call: Call) -> Json:
        """Answer nothing."""
        return {}

    def time(self, call: Call) -> Json:
        """Answer the server's clock."""
        return {"serverTime": self._venue.clock.now_ms()}

    def exchange_info(self, call: Call) -> Json:
        """Answer the contracts and the budgets."""
        return {
            "timezone": "UTC",
            "serverTime": self._venue.clock.now_ms(),
            "futuresType": "U_MARGINED",
            "rateLimits": self._rate_limits,
            "exchangeFilters": [],
            "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": 0}],
            "symbols": [_contract(contract) for contract in self._venue.contracts.values()],
        }

    def klines(self, call: Call) -> Json:
        """Answer candles, oldest first, the one in the making included."""
        tape = self._venue.tape(read.required(call.params, "symbol"))
        timeframe = read.timeframe(call.params)
        candles = tape.select(
            timeframe,
            read.integer(call.params, "startTime"),
            read.integer(call.params, "endTime"),
            read.limit(call.params, 500, 1500),
        )
        return [kline_row(candle, timeframe) for candle in candles]

    def depth(self, call: Call) -> Json:
        """Answer a book as deep as it must be for the market's quantities to fill."""
        tape = self._venue.tape(read.required(call.params, "symbol"))
        rows = read.limit(call.params, 500, 1000)
        now, (bid, ask) = self._venue.clock.now_ms(), self._venue.quote(tape.symbol)
        step, size = (
            self._venue.contract(tape.symbol).tick_size,
            _size(self._venue.contract(tape.symbol)),
        )
        count = range(min(rows, _BOOK_DEPTH))
        return {
            "lastUpdateId": now,
            "E": now,
            "T": now,
            "bids": [
                [price_text(self._venue.contract(tape.symbol), bid - i * step), size] for i in count
            ],
            "asks": [
                [price_text(self._venue.contract(tape.symbol), ask + i * step), size] for i in count
            ],
        }

    def trades(self, call: Call) -> Json:
        """Answer the latest trade."""
        tape = self._venue.tape(read.required(call.params, "symbol"))
        price = tape.last_price
        return [
            {
                "id": self._venue.clock.now_ms(),
                "price": price_text(self._venue.contract(tape.symbol), price),
                "qty": quantity_text(
                    self._venue.contract(tape.symbol),
                    self._venue.contract(tape.symbol).rules.min_quantity,
                ),
                "quoteQty": format_decimal(
                    price * self._venue.contract(tape.symbol).rules.min_quantity
                ),
                "time": self._venue.clock.now_ms(),
                "isBuyerMaker": False,
            }
        ]

    def price(self, call: Call) -> Json:
        """Answer the price of the latest trade."""
        return self._each(call, self._price)

    def book_ticker(self, call: Call) -> Json:
        """Answer best bid and ask."""
        return self._each(call, self._book_ticker)

    def ticker(self, call: Call) -> Json:
        """Answer figures of the last 24 hours."""
        return self._each(call, self._ticker)

    def premium_index(self, call: Call) -> Json:
        """Answer mark price, index price and funding."""
        return self._each(call, self._premium_index)

    def funding_rate(self, call: Call) -> Json:
        """Answer past funding rates."""
        tape = self._venue.tape(call.params.get("symbol") or self._venue.market.first.symbol)
        now = self._venue.clock.now_ms()
        last = min(read.integer(call.params, "endTime") or now, now)
        first = read.integer(call.params, "startTime") or max(0, last - 30 * DAY_MS)
        found = tape.funding.between(first - 1, last)[: read.limit(call.params, 100, 1000)]
        return [
            {
                "symbol": tape.symbol,
                "fundingTime": time_ms,
                "fundingRate": money(rate),
                "markPrice": money(tape.last_price),
            }
            for time_ms, rate in found
        ]

    def funding_info(self, call: Call) -> Json:
        """Answer symbols whose funding differs from the usual: none."""
        return []

    def _each(self, call: Call, shape: Callable[[Tape], Json]) -> Json:
        symbol = call.params.get("symbol")
        if symbol:
            return shape(self._venue.tape(symbol))
        return [shape(tape) for tape in self._venue.market.tapes.values()]

    def _price(self, tape: Tape) -> Json:
        return {
            "symbol": tape.symbol,
            "price": price_text(self._venue.contract(tape.symbol), tape.last_price),
            "time": self._venue.clock.now_ms(),
        }

    def _book_ticker(self, tape: Tape) -> Json:
        bid, ask = self._venue.quote(tape.symbol)
        return {
            "symbol": tape.symbol,
            "bidPrice": format_decimal(bid),
            "bidQty": _size(self._venue.contract(tape.symbol)),
            "askPrice": format_decimal(ask),
            "askQty": _size(self._venue.contract(tape.symbol)),
            "time": self._venue.clock.now_ms(),
            "lastUpdateId": self._venue.clock.now_ms(),
        }

    def _premium_index(self, tape: Tape) -> Json:
        now, price = self._venue.clock.now_ms(), money(tape.last_price)
        return {
            "symbol": tape.symbol,
            "markPrice": price,
            "indexPrice": price,
            "estimatedSettlePrice": price,
            "lastFundingRate": money(tape.funding.last(now)),
            "interestRate": "0.00010000",
            "nextFundingTime": (now // FUNDING_INTERVAL_MS + 1) * FUNDING_INTERVAL_MS,
            "time": now,
        }

    def _ticker(self, tape: Tape) -> Json:
        contract, now = self._venue.contract(tape.symbol), self._venue.clock.now_ms()
        day = day_figures(tape)
        change = tape.last_price - day.open
        return {
            "symbol": tape.symbol,
            "priceChange": format_decimal(change),
            "priceChangePercent": f"{change / day.open * 100:.3f}",
            "weightedAvgPrice": price_text(contract, (day.high + day.low) / 2),
            "lastPrice": price_text(contract, tape.last_price),
            "lastQty": _size(contract),
            "openPrice": price_text(contract, day.open),
            "highPrice": price_text(contract, day.high),
            "lowPrice": price_text(contract, day.low),
            "volume": format_decimal(day.volume),
            "quoteVolume": format_decimal(day.volume * tape.last_price),
            "openTime": now - DAY_MS,
            "closeTime": now,
            "firstId": 1,
            "lastId": 1000,
            "count": 1000,
        }


def kline_row(candle: Candle, timeframe: Timeframe) -> Json:
    """Return a candle as a row of twelve fields; what candles do not tell is made from them."""
    open_, high, low, close = (
        format_decimal(decimal_from_float(p))
        for p in (candle.open, candle.high, candle.low, candle.close)
    )
    volume = decimal_from_float(candle.volume)
    turnover = volume * decimal_from_float(candle.close)
    return [
        candle.time,
        open_,
        high,
        low,
        close,
        format_decimal(volume),
        timeframe.next_open(candle.time) - 1,
        format_decimal(turnover),
        max(1, int(candle.volume)),
        format_decimal(volume / 2),
        format_decimal(turnover / 2),
        "0",
    ]


def _size(contract: Contract) -> str:
    most = contract.rules.max_market_quantity or contract.max_quantity
    return quantity_text(contract, max(contract.rules.min_quantity, most / _BOOK_QUANTITY))


def _contract(contract: Contract) -> Json:
    rules = contract.rules
    step, tick = format_decimal(rules.quantity_step), format_decimal(contract.tick_size)
    least = format_decimal(rules.min_quantity)
    return {
        "symbol": contract.symbol,
        "pair": contract.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": _FOREVER_MS,
        "onboardDate": _LISTED_MS,
        "status": "TRADING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": contract.base,
        "quoteAsset": contract.quote,
        "marginAsset": contract.quote,
        "pricePrecision": contract.price_digits + 1,
        "quantityPrecision": contract.quantity_digits,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": ["PoW"],
        "settlePlan": 0,
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
        "maxMoveOrderLimit": 10000,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": tick,
                "maxPrice": "4529764",
                "tickSize": tick,
            },
            {
                "filterType": "LOT_SIZE",
                "minQty": least,
                "maxQty": format_decimal(contract.max_quantity),
                "stepSize": step,
            },
            {
                "filterType": "MARKET_LOT_SIZE",
                "minQty": least,
                "maxQty": format_decimal(rules.max_market_quantity or contract.max_quantity),
                "stepSize": step,
            },
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 100},
            {"filterType": "MIN_NOTIONAL", "notional": format_decimal(rules.min_notional)},
            {
                "filterType": "PERCENT_PRICE",
                "multiplierUp": "1.0500",
                "multiplierDown": "0.9500",
                "multiplierDecimal": "4",
            },
        ],
        "orderTypes": _TYPES,
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
    }
