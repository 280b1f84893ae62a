"""Public endpoints of the BingX dialect."""

from collections.abc import Callable
from decimal import Decimal

from milobot.domain.market import Candle
from milobot.domain.money import decimal_from_float, format_decimal
from milobot.domain.timeframes import DAY_MS
from milobot.local_exchange import params as read
from milobot.local_exchange.bingx.shapes import (
    price_text,
    quantity_text,
    symbol_name,
    symbol_of,
)
from milobot.local_exchange.core.contracts import Contract
from milobot.local_exchange.core.market import FUNDING_INTERVAL_MS, Tape
from milobot.local_exchange.core.statistics import day_figures
from milobot.local_exchange.core.venue import Venue
from milobot.local_exchange.wire import Call, Endpoint, Json

_BOOK_DEPTH = 20


class MarketData:
    """Answers what anybody may ask."""

    def __init__(self, venue: Venue) -> None:
        """Keep the venue."""
        self._venue = venue

    def endpoints(self) -> list[Endpoint]:
        """Return the public endpoints."""

        def get(path: str, handler: str, call: str = "market") -> Endpoint:
            return Endpoint("GET", f"/openApi/swap/{path}", call, getattr(self, handler))

        return [
            get("v2/server/time", "time", "time"),
            get("v2/quote/contracts", "contracts"),
            get("v3/quote/klines", "klines"),
            get("v2/quote/klines", "klines"),
            get("v2/quote/depth", "depth"),
            get("v2/quote/bookTicker", "book_ticker"),
            get("v2/quote/ticker", "ticker"),
            get("v2/quote/trades", "trades"),
            get("v1/ticker/price", "price"),
            get("v2/quote/price", "price"),
            get("v2/quote/premiumIndex", "premium_index"),
            get("v2/quote/fundingRate", "funding_rate"),
            Endpoint("GET", "/openApi/cswap/v1/market/contracts", "market", self.no_contracts),
            Endpoint("GET", "/openApi/spot/v1/common/symbols", "market", self.no_symbols),
        ]

    def time(self, call: Call) -> Json:
        """Answer the server's clock."""
        return {"serverTime": self._venue.clock.now_ms()}

    def contracts(self, call: Call) -> Json:
        """Answer the contracts."""
        wanted = call.params.get("symbol")
        return [
            _contract(self._venue, contract)
            for contract in self._venue.contracts.values()
            if not wanted or symbol_name(contract.symbol) == wanted
        ]

    def no_contracts(self, call: Call) -> Json:
        """Answer that no coin-margined contract trades here."""
        return []

    def no_symbols(self, call: Call) -> Json:
        """Answer that no spot market trades here."""
        return {"symbols": []}

    def klines(self, call: Call) -> Json:
        """Answer candles, newest first, the one in the making included."""
        tape = self._tape(call)
        candles = tape.select(
            read.timeframe(call.params),
            read.integer(call.params, "startTime"),
            read.integer(call.params, "endTime"),
            read.limit(call.params, 500, 1440),
        )
        return [kline(candle) for candle in reversed(list(candles))]

    def depth(self, call: Call) -> Json:
        """Answer a book as deep as it must be for the market's quantities to fill."""
        tape = self._tape(call)
        contract = self._venue.contract(tape.symbol)
        count = range(min(read.limit(call.params, 20, 1000), _BOOK_DEPTH))
        bid, ask = self._venue.quote(tape.symbol)
        step, size = contract.tick_size, quantity_text(contract, _size(contract))
        bids = [[price_text(contract, bid - i * step), size] for i in count]
        asks = [[price_text(contract, ask + i * step), size] for i in reversed(count)]
        now = self._venue.clock.now_ms()
        return {"T": now, "bids": bids, "asks": asks, "bidsCoin": bids, "asksCoin": asks}

    def book_ticker(self, call: Call) -> Json:
        """Answer best bid and ask."""
        tape = self._tape(call)
        bid, ask = self._venue.quote(tape.symbol)
        size = float(_size(self._venue.contract(tape.symbol)))
        ticker = {
            "symbol": symbol_name(tape.symbol),
            "bid_price": float(bid),
            "bid_qty": size,
            "ask_price": float(ask),
            "ask_qty": size,
        }
        return {"book_ticker": ticker}

    def ticker(self, call: Call) -> Json:
        """Answer figures of the last 24 hours."""
        return self._each(call, self._ticker)

    def trades(self, call: Call) -> Json:
        """Answer the latest trade."""
        tape = self._tape(call)
        contract = self._venue.contract(tape.symbol)
        amount = contract.rules.min_quantity
        return [
            {
                "time": self._venue.clock.now_ms(),
                "isBuyerMaker": False,
                "price": price_text(contract, tape.last_price),
                "qty": quantity_text(contract, amount),
                "quoteQty": f"{amount * tape.last_price:.2f}",
            }
        ]

    def price(self, call: Call) -> Json:
        """Answer the price of the latest trade."""
        return self._each(call, self._price)

    def premium_index(self, call: Call) -> Json:
        """Answer mark price, index price and funding."""
        return self._each(call, self._premium_index)

    def funding_rate(self, call: Call) -> Json:
        """Answer past funding rates, newest first."""
        tape = self._tape(call)
        now = self._venue.clock.now_ms()
        last = min(read.integer(call.params, "endTime") or now, now)
        first = read.integer(call.params, "startTime") or max(0, last - 30 * DAY_MS)
        found = tape.funding.between(first - 1, last)
        count = read.limit(call.params, 100, 1000)
        return [
            {
                "symbol": symbol_name(tape.symbol),
                "fundingRate": f"{rate:.8f}",
                "fundingTime": time_ms,
            }
            for time_ms, rate in reversed(found[-count:])
        ]

    def _tape(self, call: Call) -> Tape:
        return self._venue.tape(symbol_of(read.required(call.params, "symbol")))

    def _each(self, call: Call, shape: Callable[[Tape], Json]) -> Json:
        if call.params.get("symbol"):
            return shape(self._tape(call))
        return [shape(tape) for tape in self._venue.market.tapes.values()]

    def _price(self, tape: Tape) -> Json:
        return {
            "symbol": symbol_name(tape.symbol),
            "price": price_text(self._venue.contract(tape.symbol), tape.last_price),
            "time": self._venue.clock.now_ms(),
        }

    def _premium_index(self, tape: Tape) -> Json:
        now = self._venue.clock.now_ms()
        price = price_text(self._venue.contract(tape.symbol), tape.last_price)
        return {
            "symbol": symbol_name(tape.symbol),
            "markPrice": price,
            "indexPrice": price,
            "lastFundingRate": f"{tape.funding.last(now):.8f}",
            "nextFundingTime": (now // FUNDING_INTERVAL_MS + 1) * FUNDING_INTERVAL_MS,
        }

    def _ticker(self, tape: Tape) -> Json:
        contract, now = self._venue.contract(tape.symbol), self._venue.clock.now_ms()
        day, (bid, ask) = day_figures(tape), self._venue.quote(tape.symbol)
        change = tape.last_price - day.open
        size = quantity_text(contract, _size(contract))
        return {
            "symbol": symbol_name(tape.symbol),
            "priceChange": format_decimal(change),
            "priceChangePercent": f"{change / day.open * 100:.2f}",
            "lastPrice": price_text(contract, tape.last_price),
            "lastQty": size,
            "highPrice": price_text(contract, day.high),
            "lowPrice": price_text(contract, day.low),
            "volume": format_decimal(day.volume),
            "quoteVolume": f"{day.volume * tape.last_price:.2f}",
            "openPrice": price_text(contract, day.open),
            "openTime": now - DAY_MS,
            "closeTime": now,
            "askPrice": format_decimal(ask),
            "askQty": size,
            "bidPrice": format_decimal(bid),
            "bidQty": size,
        }


def kline(candle: Candle) -> Json:
    """Return a candle as REST answers it."""
    return {
        "open": format_decimal(decimal_from_float(candle.open)),
        "close": format_decimal(decimal_from_float(candle.close)),
        "high": format_decimal(decimal_from_float(candle.high)),
        "low": format_decimal(decimal_from_float(candle.low)),
        "volume": format_decimal(decimal_from_float(candle.volume)),
        "time": candle.time,
    }


def _size(contract: Contract) -> Decimal:
    return contract.rules.max_market_quantity or contract.max_quantity


def _contract(venue: Venue, contract: Contract) -> Json:
    rules, terms = contract.rules, venue.terms
    return {
        "contractId": "100",
        "symbol": symbol_name(contract.symbol),
        "size": format_decimal(rules.quantity_step),
        "quantityPrecision": contract.quantity_digits,
        "pricePrecision": contract.price_digits,
        "feeRate": float(terms.taker_fee),
        "makerFeeRate": float(terms.maker_fee),
        "takerFeeRate": float(terms.taker_fee),
        "tradeMinLimit": 0,
        "tradeMinQuantity": float(rules.min_quantity),
        "tradeMinUSDT": float(rules.min_notional),
        "maxLongLeverage": contract.max_leverage,
        "maxShortLeverage": contract.max_leverage,
        "currency": contract.quote,
        "asset": contract.base,
        "status": 1,
        "apiStateOpen": "true",
        "apiStateClose": "true",
        "ensureTrigger": True,
        "triggerFeeRate": "0.00000000",
        "displayName": symbol_name(contract.symbol),
        "launchTime": 1_586_275_200_000,
        "offTime": 0,
    }
