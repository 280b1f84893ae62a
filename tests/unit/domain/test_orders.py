"""The life of an order."""

from dataclasses import replace
from decimal import Decimal

import pytest

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

S = OrderStatus
ORDER = Order(
    client_order_id="milo1",
    intent_key="k1",
    symbol="BTCUSDT",
    side=Side.BUY,
    type=OrderType.MARKET,
    purpose=OrderPurpose.ENTRY,
    quantity=Decimal(2),
    created_ms=0,
)


def news(status: OrderStatus, reason: str = "") -> OrderUpdate:
    """Return an update that says only a status."""
    return OrderUpdate("milo1", "BTCUSDT", status, 1, reason=reason)


def told(order: Order, *statuses: OrderStatus) -> Order:
    """Return the order after a sequence of news without fills."""
    for status in statuses:
        order = apply_order_update(order, news(status), ZERO)
    return order


def test_every_status_has_its_row() -> None:
    """A status missing in the table would fail on the first news about it."""
    assert set(TRANSITIONS) == set(OrderStatus)


@pytest.mark.parametrize("status", list(OrderStatus))
def test_nothing_follows_itself(status: OrderStatus) -> None:
    """The same news twice is no transition."""
    assert status not in TRANSITIONS[status]


def test_final_means_only_a_fill_may_come_late() -> None:
    """What ended stays ended, except that a fill is always real; an inference may be wrong."""
    for status in FINAL - {S.NOT_EXECUTED}:
        assert TRANSITIONS[status] <= {S.FILLED}
        assert status.is_final
    assert TRANSITIONS[S.FILLED] == frozenset()


@pytest.mark.parametrize(
    "path",
    [
        (S.SUBMITTED, S.PARTIALLY_FILLED, S.FILLED),
        (S.SUBMITTED, S.CANCEL_PENDING, S.CANCELLED),
        (S.SUBMITTED, S.CANCEL_PENDING, S.FILLED),
        (S.SUBMITTED, S.CANCEL_PENDING, S.REJECTED),
        (S.SUBMITTED, S.TRIGGERED, S.FILLED),
        (S.SUBMITTED, S.TRIGGERED, S.REJECTED),
        (S.UNKNOWN, S.NOT_EXECUTED),
        (S.UNKNOWN, S.NOT_EXECUTED, S.FILLED),
        (S.UNKNOWN, S.SUBMITTED),
        (S.SUBMITTED, S.CANCELLED, S.FILLED),
        (S.SUBMITTED, S.EXPIRED, S.FILLED),
        (S.REJECTED,),
        (S.REJECTED, S.FILLED),
    ],
)
def test_the_lives_that_exchanges_tell(path: tuple[OrderStatus, ...]) -> None:
    """Each of these was or can be seen at an exchange."""
    assert told(ORDER, *path).status is path[-1]


@pytest.mark.parametrize("end", [S.CANCELLED, S.EXPIRED, S.REJECTED])
def test_a_part_told_after_the_end_is_booked_and_changes_no_status(end: OrderStatus) -> None:
    """Streams overtake each other: the order must not come back to life and rest for ever."""
    ended = replace(ORDER, status=end)

    after = apply_order_update(ended, news(S.PARTIALLY_FILLED), Decimal(1))

    assert after.status is end
    assert after.filled_quantity == 1
    assert not after.is_live


def test_an_end_told_again_after_a_late_fill_is_old_news() -> None:
    """A reconnect replays the cancel that the fill overtook."""
    filled = told(ORDER, S.SUBMITTED, S.CANCELLED, S.FILLED)

    assert told(filled, S.CANCELLED) == filled


@pytest.mark.parametrize(
    ("known", "claimed"),
    [
        (S.REJECTED, S.CANCELLED),
        (S.CANCELLED, S.REJECTED),
        (S.CANCELLED, S.EXPIRED),
        (S.PARTIALLY_FILLED, S.REJECTED),
    ],
)
def test_contradictions_raise(known: OrderStatus, claimed: OrderStatus) -> None:
    """Where two sources cannot both be right, guessing loses money: reconcile."""
    order = replace(ORDER, status=known)

    with pytest.raises(OrderTransitionError, match=f"milo1 is {known} here and {claimed}"):
        told(order, claimed)


def test_old_news_changes_nothing_not_even_the_reason() -> None:
    """A late SUBMITTED with its own text must not overwrite why the order ended."""
    ended = apply_order_update(ORDER, news(S.CANCELLED, "replaced"), ZERO)

    assert apply_order_update(ended, news(S.SUBMITTED, "accepted"), ZERO) == ended


def test_news_carries_its_reason() -> None:
    """The user reads why the exchange refused; without one the order keeps its own."""
    asked = replace(ORDER, reason="reversal")

    assert apply_order_update(asked, news(S.REJECTED, "no margin"), ZERO).reason == "no margin"
    assert apply_order_update(asked, news(S.SUBMITTED), ZERO).reason == "reversal"


def test_fills_add_up() -> None:
    """Cumulative quantity never falls and counts each new fill."""
    order = apply_order_update(ORDER, news(S.PARTIALLY_FILLED), Decimal("0.5"))
    order = apply_order_update(order, news(S.PARTIALLY_FILLED), Decimal("0.25"))

    assert order.filled_quantity == Decimal("0.75")


def test_only_conditional_orders_wait_for_a_trigger() -> None:
    """What rests at the exchange as an exit."""
    assert {t for t in OrderType if t.is_conditional} == {
        OrderType.STOP_MARKET,
        OrderType.TAKE_PROFIT_MARKET,
    }
