"""Listings of BingX: bookings, candles, funding, prices."""

from decimal import Decimal
from typing import Any

from tests.support.bingx import TIME_MS, bench, ok

from milobot.domain.timeframes import Timeframe

INCOME = "GET /openApi/swap/v2/user/income"
CANDLES = "GET /openApi/swap/v3/quote/klines"
FUNDING = "GET /openApi/swap/v2/quote/fundingRate"


async def test_bookings_are_listed_completely_in_whatever_order_they_come() -> None:
    """A full page is asked for again in halves."""
    desk = bench()

    def row(number: int) -> dict[str, Any]:
        return {
            "symbol": "BTC-USDT",
            "incomeType": "TRADING_FEE",
            "income": "-0.1",
            "asset": "USDT",
            "time": TIME_MS + number,
            "tranId": str(number),
        }

    page = [row(number) for number in range(1000, 0, -1)]
    late, early = [row(1500)], [row(3), row(2)]
    desk.transport.on(INCOME, ok(page), ok(late), ok(early))

    found = await desk.account.fetch_income(first_ms=TIME_MS, last_ms=TIME_MS + 2001)

    spans = [(one.params["startTime"], one.params["endTime"]) for one in desk.transport.sent]
    assert [int(i.income_id) for i in found] == [2, 3, 1500]
    assert spans[1:] == [
        (str(TIME_MS + 1001), str(TIME_MS + 2001)),
        (str(TIME_MS), str(TIME_MS + 1000)),
    ]


async def test_an_empty_list_is_null_at_bingx() -> None:
    """Nothing is not the same as not understood."""
    desk = bench()
    desk.transport.on(INCOME, ok(None))

    assert await desk.account.fetch_income(first_ms=1, last_ms=2) == []


async def test_candles_come_newest_first_and_leave_closed_and_in_order() -> None:
    """The one that forms is listed too."""
    desk = bench()
    now_ms = Timeframe.M1.open_of(desk.time.now_ms())

    def row(time_ms: int) -> dict[str, Any]:
        return {
            "open": "1",
            "high": "3",
            "low": "0.5",
            "close": "2",
            "volume": "7",
            "time": time_ms,
        }

    times = [now_ms - n * 60_000 for n in range(4)]
    desk.transport.on(CANDLES, ok([row(time_ms) for time_ms in times]))

    found = await desk.market.fetch_candles(
        "BTCUSDT", Timeframe.M1, first_ms=now_ms - 120_000, limit=3
    )

    assert [candle.time for candle in found] == [now_ms - 120_000, now_ms - 60_000]


async def test_funding_is_listed_in_spans_that_one_page_holds() -> None:
    """Newest first and at most a thousand: a longer span would lose its begin."""
    desk = bench()
    hour = 3_600_000
    rate = {"symbol": "BTC-USDT", "fundingRate": "0.0001"}
    desk.transport.on(
        FUNDING,
        ok([{**rate, "fundingTime": TIME_MS + 5 * hour}, {**rate, "fundingTime": TIME_MS}]),
        ok([{**rate, "fundingTime": TIME_MS + 1200 * hour}]),
    )

    found = await desk.market.fetch_funding_rates(
        "BTCUSDT", first_ms=TIME_MS, last_ms=TIME_MS + 1300 * hour
    )

    assert [(one.time_ms - TIME_MS) // hour for one in found] == [0, 5, 1200]


async def test_a_price_without_a_time_has_that_of_its_answer() -> None:
    """Zero would look like a price of 1970, and stop trading as stale."""
    desk = bench()
    ticker = {"symbol": "BTC-USDT", "bid_price": 1, "bid_qty": 2, "ask_price": 3, "ask_qty": 4}
    desk.transport.on("GET /openApi/swap/v2/quote/bookTicker", ok({"book_ticker": ticker}))
    mark = {"symbol": "BTC-USDT", "markPrice": "2", "indexPrice": "2"}
    desk.transport.on("GET /openApi/swap/v2/quote/premiumIndex", ok(mark))

    book = await desk.market.fetch_book_ticker("BTCUSDT")
    price = await desk.market.fetch_mark_price("BTCUSDT")

    assert (book.bid_price, book.ask_quantity) == (Decimal(1), Decimal(4))
    assert book.time_ms == desk.time.now_ms()
    assert price.time_ms == desk.time.now_ms()
