"""Recognizing stops and targets, which carry no id of ours, by what they do."""

from collections.abc import Iterable
from decimal import Decimal

from milobot.domain.intents import Side
from milobot.domain.orders import Order, OrderType
from milobot.domain.reports import OrderReport
from milobot.exchanges.bingx.ids import OrderIds
from milobot.exchanges.outcomes import Outcome

_MOST_DOUBTS = 1000
_CLOCK_SLACK_MS = 2_000

Place = tuple[str, Side, OrderType | None, Decimal | None]


class Doubts:
    """Exits that may rest already: those sent with unknown outcome."""

    def __init__(self) -> None:
        """Doubt nothing."""
        self._places: dict[Place, None] = {}

    def __contains__(self, order: Order) -> bool:
        """Return whether something like an order may rest already."""
        return order.type.is_conditional and place_of(order) in self._places

    def note(self, order: Order, outcome: Outcome) -> None:
        """Remember what an order that was sent may have left resting."""
        if not order.type.is_conditional or outcome is not Outcome.UNKNOWN:
            return
        self._places[place_of(order)] = None
        if len(self._places) > _MOST_DOUBTS:
            del self._places[next(iter(self._places))]


def earliest_twin(order: Order, listed: Iterable[OrderReport], ids: OrderIds) -> OrderReport | None:
    """Return the first listed order that does what a conditional order of ours does.

    An order that goes by another id of ours is none, nor is one without an id: it could
    be neither followed nor withdrawn.
    """
    found = [one for one in listed if ids.is_free(one.exchange_order_id) and _is_twin(order, one)]
    return min(found, key=lambda one: (one.time_ms, one.exchange_order_id), default=None)


def resized_twin(order: Order, listed: Iterable[OrderReport], ids: OrderIds) -> OrderReport | None:
    """Return the first listed order that does what one of ours does, over another quantity.

    A stop that BingX made of an entry's may be of a wrong size. It is ours all the same, so
    that it is withdrawn when the right one rests. What was there before ours was sent is none.
    """
    found = [
        one
        for one in listed
        if ids.is_free(one.exchange_order_id)
        and place_of(order) == place_of_report(one)
        and not (order.close_position or one.close_position)
        and one.time_ms >= order.created_ms - _CLOCK_SLACK_MS
    ]
    return min(found, key=lambda one: (one.time_ms, one.exchange_order_id), default=None)


def _is_twin(order: Order, report: OrderReport) -> bool:
    is_same_place = place_of(order) == place_of_report(report)
    if order.close_position and report.close_position:
        return is_same_place
    # By quantity it covers the whole position only as long as both are equal.
    return is_same_place and report.quantity == order.quantity and not report.close_position


def place_of(order: Order) -> Place:
    """Return what a conditional order of ours does: where, which way, how, at what price."""
    return order.symbol, order.side, order.type, order.trigger_price


def place_of_report(report: OrderReport) -> Place:
    """Return what an order at the exchange does."""
    return report.symbol, report.side, report.type, report.trigger_price
