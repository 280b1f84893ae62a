"""Recognizing stops and targets, which carry no id of ours, by what they do."""

from collections.abc import Iterable
from decimal import Decimal

from milobot.domain.intents import Side
from milobot.domain.orders import Order, OrderType
from milobot.domain.reports import OrderReport
from milobot.exchanges.bingx.ids import OrderIds
from milobot.exchanges.bingx.requests import AttachedExits
from milobot.exchanges.outcomes import Outcome

_MOST_DOUBTS = 1000
_SURE = {Outcome.REJECTED, Outcome.NOT_EXECUTED}

_Place = tuple[str, Side, OrderType, Decimal | None]


class Doubts:
    """Exits that may rest already: attached to an entry, or sent with unknown outcome."""

    def __init__(self) -> None:
        """Doubt nothing."""
        self._places: dict[_Place, None] = {}

    def __contains__(self, order: Order) -> bool:
        """Return whether something like an order may rest already."""
        return order.type.is_conditional and _place_of(order) in self._places

    def note(self, order: Order, attached: AttachedExits, outcome: Outcome) -> None:
        """Remember what an order that was sent may have left resting."""
        if outcome in _SURE:
            return
        if order.type.is_conditional and outcome is Outcome.UNKNOWN:
            self._add(_place_of(order))
        exit_side = Side.SELL if order.side is Side.BUY else Side.BUY
        for kind, trigger_price in (
            (OrderType.STOP_MARKET, attached.stop),
            (OrderType.TAKE_PROFIT_MARKET, attached.target),
        ):
            if trigger_price is not None:
                self._add((order.symbol, exit_side, kind, trigger_price))

    def _add(self, place: _Place) -> None:
        self._places[place] = None
        if len(self._places) > _MOST_DOUBTS:
            del self._places[next(iter(self._places))]


def earliest_twin(order: Order, listed: Iterable[OrderReport], ids: OrderIds) -> OrderReport | None:
    """Return the first listed order that does what a conditional order of ours does.

    An order that goes by another id of ours is none, nor is one without an id: it could
    be neither followed nor withdrawn.
    """
    found = [one for one in listed if ids.is_free(one.exchange_order_id) and _is_twin(order, one)]
    return min(found, key=lambda one: (one.time_ms, one.exchange_order_id), default=None)


def _is_twin(order: Order, report: OrderReport) -> bool:
    is_same_place = _place_of(order) == (
        report.symbol,
        report.side,
        report.type,
        report.trigger_price,
    )
    if order.close_position and report.close_position:
        return is_same_place
    # By quantity it covers the whole position only as long as both are equal.
    return is_same_place and report.quantity == order.quantity and not report.close_position


def _place_of(order: Order) -> _Place:
    return order.symbol, order.side, order.type, order.trigger_price
