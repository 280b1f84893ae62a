"""The life of an order under any sequence of news."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from milobot.domain.intents import Side
from milobot.domain.money import ZERO
from milobot.domain.orders import (
    FINAL,
    TRANSITIONS,
    Order,
    OrderPurpose,
    OrderStatus,
    OrderType,
    OrderUpdate,
    apply_order_update,
)
from milobot.errors import OrderTransitionError

NEWS = st.lists(
    st.tuples(st.sampled_from(OrderStatus), st.decimals("0", "2", places=1)), max_size=8
)
FILLING = {OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED}
SETTLED = FINAL - {OrderStatus.NOT_EXECUTED}


def pending() -> Order:
    """Return an order of which nothing is known yet."""
    return Order("milo1", "k", "X", Side.BUY, OrderType.MARKET, OrderPurpose.ENTRY, Decimal(10), 0)


def told(order: Order, status: OrderStatus, filled: Decimal = ZERO) -> Order:
    """Return the order after news, unchanged where the news contradicts it."""
    try:
        return apply_order_update(order, OrderUpdate("milo1", "X", status, 0), filled)
    except OrderTransitionError:
        return order


@given(NEWS)
def test_the_same_news_twice_is_news_once(news: list[tuple[OrderStatus, Decimal]]) -> None:
    """The second time its fills are known, so only its status speaks, and says nothing new."""
    order = pending()
    for status, filled in news:
        once = told(order, status, filled if status in FILLING else ZERO)
        assert told(once, status) == once
        order = once


@given(NEWS)
def test_every_step_is_in_the_table(news: list[tuple[OrderStatus, Decimal]]) -> None:
    """No path leads around it, and what was filled never falls."""
    order = pending()
    for status, filled in news:
        after = told(order, status, filled)
        assert after.status is order.status or after.status in TRANSITIONS[order.status]
        assert after.filled_quantity >= order.filled_quantity
        order = after


@given(NEWS)
def test_a_settled_order_stays_settled_when_its_past_is_replayed(
    news: list[tuple[OrderStatus, Decimal]],
) -> None:
    """A reconnect tells the whole past again, in order: nothing moves, nothing raises."""
    order, past = pending(), []
    for status, filled in news:
        after = told(order, status, filled if status in FILLING else ZERO)
        if after != order:
            past.append(status)
        order = after
    if order.status not in SETTLED:
        return

    for status in past:
        assert apply_order_update(order, OrderUpdate("milo1", "X", status, 9), ZERO) == order


@given(NEWS, st.sampled_from(sorted(SETTLED)))
def test_no_news_without_a_fill_revives_what_ended(
    news: list[tuple[OrderStatus, Decimal]], end: OrderStatus
) -> None:
    """Only FILLED may follow an end, and nothing follows FILLED."""
    order = told(pending(), end)
    for status, filled in news:
        order = told(order, status, filled)
        assert not order.is_live
        assert order.status in {end, OrderStatus.FILLED}
