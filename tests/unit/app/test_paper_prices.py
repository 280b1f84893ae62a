"""What is told of a book that changes faster than anybody is told."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from tests.support.paper import BTC

from milobot.app.paper_prices import Swing
from milobot.domain.reports import BookTicker

PRICES = st.lists(st.integers(1, 1_000), min_size=1, max_size=30)


def book(price: int, time_ms: int) -> BookTicker:
    """Return a book around a price."""
    one = Decimal(1)
    return BookTicker(BTC, Decimal(price), one, Decimal(price) + one, one, time_ms)


@given(PRICES)
def test_no_stop_is_jumped_over(prices: list[int]) -> None:
    """Whatever a book touched between two tellings is told, in order, and last where it stands."""
    swing = Swing(book(prices[0], 0))
    for time_ms, price in enumerate(prices[1:], 1):
        swing.take(book(price, time_ms))

    told = swing.books()
    bids = [one.bid_price for one in told]
    assert min(bids) == min(prices)
    assert max(bids) == max(prices)
    assert bids[-1] == prices[-1]
    assert [one.time_ms for one in told] == sorted(one.time_ms for one in told)
    assert len(told) <= 3
