"""Orders of the Binance dialect: plain ones, and conditional ones through the algo service."""

import itertools
import re
from typing import cast

from milobot.local_exchange import params as read
from milobot.local_exchange import queries
from milobot.local_exchange.binance import shapes
from milobot.local_exchange.binance.errors import error
from milobot.local_exchange.core.contracts import Contract
from milobot.local_exchange.core.orders import (
    Conditional,
    Kind,
    Refusal,
    RefusedError,
    Ticket,
    Trigger,
    TriggerKind,
    VenueOrder,
)
from milobot.local_exchange.core.placing import cancel, place
from milobot.local_exchange.core.venue import Venue
from milobot.local_exchange.wire import Call, Endpoint, Json, Security

_CLIENT_ID = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
_PLAIN = {"MARKET", "LIMIT"}
_CONDITIONAL = {
    "STOP_MARKET": (Kind.MARKET, TriggerKind.STOP),
    "TAKE_PROFIT_MARKET": (Kind.MARKET, TriggerKind.TAKE_PROFIT),
    "STOP": (Kind.LIMIT, TriggerKind.STOP),
    "TAKE_PROFIT": (Kind.LIMIT, TriggerKind.TAKE_PROFIT),
}
_TIMES_IN_FORCE = {"GTC", "IOC", "FOK", "GTX"}
_ALL_DONE = {"code": 200, "msg": "The operation of cancel all open order is done."}


class Trading:
    """Places, cancels and finds orders."""

    def __init__(self, venue: Venue) -> None:
        """Keep the venue."""
        self._venue = venue
        self._names = itertools.count(1)

    def endpoints(self) -> list[Endpoint]:
        """Return the order endpoints."""

        def at(method: str, path: str, call: str, handler: str, weight: int = 1) -> Endpoint:
            return Endpoint(
                method, f"/fapi/v1/{path}", call, getattr(self, handler), Security.SIGNED, weight
            )

        return [
            at("POST", "order", "place", "place", 0),
            at("POST", "order/test", "test", "test_order"),
            at("GET", "order", "query", "query"),
            at("DELETE", "order", "cancel", "cancel"),
            at("DELETE", "allOpenOrders", "cancel_all", "cancel_all"),
            at("GET", "openOrder", "query", "open_order"),
            at("GET", "openOrders", "query_open", "open_orders"),
            at("GET", "allOrders", "query_all", "all_orders", 5),
            at("GET", "userTrades", "query_fills", "user_trades", 5),
            at("POST", "algoOrder", "place_conditional", "place_algo", 0),
            at("GET", "algoOrder", "query_conditional", "query_algo"),
            at("DELETE", "algoOrder", "cancel_conditional", "cancel_algo"),
            at("DELETE", "algoOpenOrders", "cancel_all_conditional", "cancel_all_algos"),
            at("GET", "openAlgoOrders", "query_open_conditional", "open_algos"),
            at("GET", "allAlgoOrders", "query_all_conditional", "all_algos", 5),
        ]

    def place(self, call: Call) -> Json:
        """Place a MARKET or LIMIT order; the acknowledgement shows it before it filled."""
        ticket = self._plain_ticket(call)
        call.client_id = ticket.client_id
        order = cast("VenueOrder", place(self._venue, call.owner, ticket, call.fault))
        call.order_id = order.id
        as_new = call.params.get("newOrderRespType", "ACK").upper() != "RESULT"
        return shapes.order(self._contract(order), order, as_new=as_new)

    def test_order(self, call: Call) -> Json:
        """Check the parameters of an order and place nothing."""
        self._plain_ticket(call)
        return {}

    def query(self, call: Call) -> Json:
        """Answer one order."""
        return self._shape(self._found(call))

    def open_order(self, call: Call) -> Json:
        """Answer one order that is open."""
        order = self._found(call)
        if not order.is_open:
            raise RefusedError(Refusal.NOT_FOUND, "the order is not open")
        return self._shape(order)

    def cancel(self, call: Call) -> Json:
        """Withdraw an order."""
        call.view = call.owner
        order = self._found(call)
        cancel(self._venue, call.owner, order)
        return self._shape(order)

    def cancel_all(self, call: Call) -> Json:
        """Withdraw every plain order of a symbol."""
        symbol = self._symbol(call)
        for order in [o for o in call.owner.open_orders if o.ticket.symbol == symbol]:
            cancel(self._venue, call.owner, order)
        return _ALL_DONE

    def open_orders(self, call: Call) -> Json:
        """Answer the plain orders that are open, of one symbol or of all."""
        symbol = call.params.get("symbol")
        return [
            self._shape(order)
            for order in call.seen.open_orders
            if not symbol or order.ticket.symbol == symbol
        ]

    def all_orders(self, call: Call) -> Json:
        """Answer plain orders, oldest first."""
        found = queries.select(call.seen.orders.values(), self._wanted(call, "orderId"))
        return [self._shape(order) for order in found[-read.limit(call.params, 500, 1000) :]]

    def user_trades(self, call: Call) -> Json:
        """Answer fills, oldest first."""
        symbol = self._symbol(call)
        from_id = read.integer(call.params, "fromId")
        found = queries.fills_in_window(
            call.seen,
            symbol=symbol,
            first_ms=read.integer(call.params, "startTime"),
            last_ms=read.integer(call.params, "endTime"),
            order_id=read.integer(call.params, "orderId"),
        )
        count = read.limit(call.params, 500, 1000)
        if from_id is not None:
            found = [execution for execution in found if execution.id >= from_id][:count]
        contract = self._venue.contract(symbol)
        return [shapes.trade(contract, execution) for execution in found[-count:]]

    def place_algo(self, call: Call) -> Json:
        """Place a conditional order."""
        ticket = self._algo_ticket(call)
        call.client_id = ticket.client_id
        conditional = cast("Conditional", place(self._venue, call.owner, ticket, call.fault))
        call.order_id = conditional.id
        return shapes.algo_order(self._contract(conditional), conditional)

    def query_algo(self, call: Call) -> Json:
        """Answer one conditional order."""
        return self._algo_shape(self._found_algo(call))

    def cancel_algo(self, call: Call) -> Json:
        """Withdraw a conditional order."""
        call.view = call.owner
        conditional = self._found_algo(call)
        cancel(self._venue, call.owner, conditional)
        return {
            **self._algo_shape(conditional),
            "code": "200",
            "msg": "success",
        }

    def cancel_all_algos(self, call: Call) -> Json:
        """Withdraw every conditional order of a symbol."""
        symbol = self._symbol(call)
        for item in [c for c in call.owner.open_conditionals if c.ticket.symbol == symbol]:
            cancel(self._venue, call.owner, item)
        return _ALL_DONE

    def open_algos(self, call: Call) -> Json:
        """Answer the conditional orders that wait, of one symbol or of all."""
        symbol = call.params.get("symbol")
        return [
            self._algo_shape(item)
            for item in call.seen.open_conditionals
            if not symbol or item.ticket.symbol == symbol
        ]

    def all_algos(self, call: Call) -> Json:
        """Answer conditional orders, oldest first."""
        found = queries.select(call.seen.conditionals.values(), self._wanted(call, "algoId"))
        return [self._algo_shape(item) for item in found[-read.limit(call.params, 500, 1000) :]]

    # Reading requests.

    def _plain_ticket(self, call: Call) -> Ticket:
        params = call.params
        symbol = self._symbol(call)
        side, name = read.side(params), read.required(params, "type").upper()
        if name not in _PLAIN:
            raise error(-4120 if name in _CONDITIONAL or name == "TRAILING_STOP_MARKET" else -1116)
        kind = Kind(name)
        if kind is Kind.LIMIT:
            read.required(params, "timeInForce")
            read.required(params, "price")
        self._check_position_side(call)
        read.required(params, "quantity")
        return Ticket(
            symbol=symbol,
            side=side,
            kind=kind,
            quantity=read.number(params, "quantity"),
            client_id=self._client_id(call, "newClientOrderId"),
            type_name=name,
            price=read.number(params, "price") if kind is Kind.LIMIT else None,
            time_in_force=self._time_in_force(call),
            reduce_only=read.flag(params, "reduceOnly"),
        )

    def _algo_ticket(self, call: Call) -> Ticket:
        params = call.params
        symbol = self._symbol(call)
        if read.required(params, "algoType").upper() != "CONDITIONAL":
            raise read.malformed("algoType")
        name = read.required(params, "type").upper()
        if name not in _CONDITIONAL:
            raise error(-1116, "Invalid orderType.")
        kind, trigger_kind = _CONDITIONAL[name]
        read.required(params, "triggerPrice")
        closes = read.flag(params, "closePosition")
        if closes and (params.get("quantity") or params.get("reduceOnly")):
            wrong = "quantity" if params.get("quantity") else "reduceonly"
            raise error(-1106, f"Parameter '{wrong}' sent when not required.")
        if not closes:
            read.required(params, "quantity")
        if kind is Kind.LIMIT:
            read.required(params, "price")
        self._check_position_side(call)
        price = read.number(params, "triggerPrice")
        if price is None:
            raise read.malformed("triggerPrice")
        return Ticket(
            symbol=symbol,
            side=read.side(params),
            kind=kind,
            quantity=read.number(params, "quantity"),
            client_id=self._client_id(call, "clientAlgoId"),
            type_name=name,
            price=read.number(params, "price") if kind is Kind.LIMIT else None,
            time_in_force=self._time_in_force(call),
            reduce_only=read.flag(params, "reduceOnly"),
            close_position=closes,
            trigger=Trigger(price, trigger_kind, self._working_type(call)),
        )

    def _symbol(self, call: Call) -> str:
        return self._venue.tape(read.required(call.params, "symbol")).symbol

    def _client_id(self, call: Call, name: str) -> str:
        client_id = call.params.get(name) or f"local_{next(self._names)}"
        if not _CLIENT_ID.fullmatch(client_id):
            raise error(-4015)
        return client_id

    @staticmethod
    def _time_in_force(call: Call) -> str:
        name = call.params.get("timeInForce", "GTC").upper()
        if name not in _TIMES_IN_FORCE | {"GTE_GTC", "GTD"}:
            raise error(-1115, "Invalid timeInForce.")
        return name if name in _TIMES_IN_FORCE else "GTC"

    @staticmethod
    def _working_type(call: Call) -> str:
        name = call.params.get("workingType", "CONTRACT_PRICE").upper()
        if name not in {"CONTRACT_PRICE", "MARK_PRICE"}:
            raise read.malformed("workingType")
        return name

    @staticmethod
    def _check_position_side(call: Call) -> None:
        asked = call.params.get("positionSide", "BOTH").upper()
        if (asked != "BOTH") != call.owner.is_hedged:
            raise RefusedError(Refusal.POSITION_SIDE, "the account is in the other position mode")
        if call.owner.is_hedged:
            raise error(-4061)

    # Finding and writing.

    def _wanted(self, call: Call, id_name: str) -> queries.Wanted:
        return queries.Wanted(
            symbol=self._symbol(call),
            first_ms=read.integer(call.params, "startTime"),
            last_ms=read.integer(call.params, "endTime"),
            from_id=read.integer(call.params, id_name),
            hides_ended=call.hides_ended,
        )

    def _found(self, call: Call) -> VenueOrder:
        self._symbol(call)
        number, name = self._identity(call, "orderId", "origClientOrderId")
        return queries.find_order(call.seen, number, name, hides_ended=call.hides_ended)

    def _found_algo(self, call: Call) -> Conditional:
        number, name = self._identity(call, "algoId", "clientAlgoId")
        return queries.find_conditional(call.seen, number, name, hides_ended=call.hides_ended)

    @staticmethod
    def _identity(call: Call, number: str, name: str) -> tuple[int | None, str | None]:
        found = read.integer(call.params, number), call.params.get(name)
        if found == (None, None):
            raise error(-1102, f"Param '{name}' or '{number}' must be sent, but both were empty.")
        return found

    def _contract(self, item: VenueOrder | Conditional) -> Contract:
        return self._venue.contract(item.ticket.symbol)

    def _shape(self, order: VenueOrder) -> Json:
        return shapes.order(self._contract(order), order)

    def _algo_shape(self, item: Conditional) -> Json:
        return shapes.algo_order(self._contract(item), item)
