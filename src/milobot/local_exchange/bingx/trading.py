"""Orders of the BingX dialect: plain and conditional ones through the same endpoint."""

from dataclasses import replace
from decimal import Decimal

import orjson

from milobot.domain.intents import Side
from milobot.local_exchange import params as read
from milobot.local_exchange import queries
from milobot.local_exchange.bingx import shapes
from milobot.local_exchange.bingx.errors import error
from milobot.local_exchange.bingx.shapes import symbol_of
from milobot.local_exchange.core.accounts import Account
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

_MOST_CLIENT_ID = 40
_CONDITIONAL = {
    "STOP_MARKET": (Kind.MARKET, TriggerKind.STOP),
    "STOP": (Kind.LIMIT, TriggerKind.STOP),
    "TAKE_PROFIT_MARKET": (Kind.MARKET, TriggerKind.TAKE_PROFIT),
    "TAKE_PROFIT": (Kind.LIMIT, TriggerKind.TAKE_PROFIT),
    "TRIGGER_MARKET": (Kind.MARKET, None),
    "TRIGGER_LIMIT": (Kind.LIMIT, None),
}
_TIMES_IN_FORCE = {"GTC": "GTC", "IOC": "IOC", "FOK": "FOK", "POSTONLY": "GTX"}
_WORKING_TYPES = {"MARK_PRICE", "CONTRACT_PRICE", "INDEX_PRICE"}
Item = VenueOrder | Conditional


class Trading:
    """Places, cancels and finds orders."""

    def __init__(self, venue: Venue) -> None:
        """Keep the venue."""
        self._venue = venue

    def endpoints(self) -> list[Endpoint]:
        """Return the order endpoints."""

        def at(method: str, path: str, call: str, handler: str) -> Endpoint:
            return Endpoint(
                method, f"/openApi/swap/{path}", call, getattr(self, handler), Security.SIGNED
            )

        return [
            at("POST", "v2/trade/order", "place", "place"),
            at("POST", "v2/trade/order/test", "test", "test_order"),
            at("GET", "v2/trade/order", "query", "query"),
            at("GET", "v2/trade/openOrder", "query", "query"),
            at("DELETE", "v2/trade/order", "cancel", "cancel"),
            at("DELETE", "v2/trade/allOpenOrders", "cancel_all", "cancel_all"),
            at("GET", "v2/trade/openOrders", "query_open", "open_orders"),
            at("GET", "v2/trade/allOrders", "query_all", "ended_orders"),
            at("GET", "v1/trade/fullOrder", "query_all", "all_orders"),
            at("GET", "v2/trade/allFillOrders", "query_fills", "fills"),
            at("GET", "v2/trade/fillHistory", "query_fills", "fill_history"),
        ]

    def place(self, call: Call) -> Json:
        """Place an order of any type, with the exits attached to it."""
        ticket = self._ticket(call)
        call.client_id = ticket.client_id
        item = place(self._venue, call.owner, ticket, call.fault)
        call.order_id = item.id
        return {"order": shapes.placed(self._contract(item), item)}

    def test_order(self, call: Call) -> Json:
        """Check the parameters of an order and place nothing."""
        ticket = self._ticket(call)
        return {
            "order": {
                "symbol": shapes.symbol_name(ticket.symbol),
                "orderId": 0,
                "side": ticket.side,
                "positionSide": ticket.position_side,
                "type": ticket.type_name,
                "clientOrderID": ticket.client_id,
                "workingType": "MARK_PRICE",
            }
        }

    def query(self, call: Call) -> Json:
        """Answer one order."""
        return {"order": self._shape(call.seen, self._found(call, call.seen))}

    def cancel(self, call: Call) -> Json:
        """Withdraw an order."""
        item = self._found(call, call.owner)
        if isinstance(item, Conditional) and item.child is not None:
            item = item.child
        cancel(self._venue, call.owner, item)
        return {"order": self._shape(call.owner, item)}

    def cancel_all(self, call: Call) -> Json:
        """Withdraw every order of a symbol, or of all."""
        symbol = self._wanted(call)
        done = [i for i in self._open(call.owner) if symbol in {None, i.ticket.symbol}]
        for item in done:
            cancel(self._venue, call.owner, item)
        return {"success": [self._shape(call.owner, i) for i in done], "failed": None}

    def open_orders(self, call: Call) -> Json:
        """Answer the orders that are open, conditional ones among them."""
        symbol = self._wanted(call)
        found = [i for i in self._open(call.seen) if symbol in {None, i.ticket.symbol}]
        return {"orders": [self._shape(call.seen, item) for item in found]}

    def ended_orders(self, call: Call) -> Json:
        """Answer orders that have ended, newest first."""
        found = [i for i in self._history(call) if not _is_open(i)]
        return {"orders": self._rows(call, found)}

    def all_orders(self, call: Call) -> Json:
        """Answer all orders, newest first."""
        return {"orders": self._rows(call, self._history(call))}

    def fills(self, call: Call) -> Json:
        """Answer fills, newest first."""
        return {"fill_orders": self._fills(call)}

    def fill_history(self, call: Call) -> Json:
        """Answer fills, newest first, in the form with a total."""
        rows = self._fills(call)
        return {"fill_history_orders": rows, "total": len(rows)}

    # Reading requests.

    def _ticket(self, call: Call) -> Ticket:
        params = call.params
        symbol = self._venue.tape(symbol_of(read.required(params, "symbol"))).symbol
        name, side = read.required(params, "type").upper(), read.side(params)
        if name not in {"MARKET", "LIMIT", *_CONDITIONAL}:
            raise error(109400, f"Invalid parameters, err:type: {name[:30]} is not supported")
        kind = _CONDITIONAL[name][0] if name in _CONDITIONAL else Kind(name)
        closes = read.flag(params, "closePosition")
        quantity = read.number(params, "quantity")
        if quantity is None and not closes:
            raise read.malformed("quantity")
        ticket = Ticket(
            symbol=symbol,
            side=side,
            kind=kind,
            quantity=None if closes else quantity,
            client_id=self._client_id(call, name),
            type_name=name,
            price=self._price(call, kind),
            time_in_force=self._time_in_force(call),
            reduce_only=read.flag(params, "reduceOnly"),
            close_position=closes,
            position_side=self._position_side(call),
            trigger=self._trigger(call, name, symbol, side),
            may_repeat_id=call.may_repeat_id,
        )
        return replace(ticket, attached=tuple(self._attached(call, ticket)))

    @staticmethod
    def _price(call: Call, kind: Kind) -> Decimal | None:
        if kind is Kind.MARKET:
            return None
        price = read.number(call.params, "price")
        if price is None:
            raise read.malformed("price")
        return price

    def _trigger(self, call: Call, name: str, symbol: str, side: Side) -> Trigger | None:
        if name not in _CONDITIONAL:
            return None
        price = read.number(call.params, "stopPrice")
        if price is None:
            raise read.malformed("stopPrice")
        kind = _CONDITIONAL[name][1] or self._direction(symbol, side, price)
        return Trigger(price, kind, _working_type(call.params.get("workingType", "MARK_PRICE")))

    def _direction(self, symbol: str, side: Side, price: Decimal) -> TriggerKind:
        """Return which way the price must go for a TRIGGER order, which names none."""
        rises = price > self._venue.tape(symbol).last_price
        return TriggerKind.STOP if rises == (side is Side.BUY) else TriggerKind.TAKE_PROFIT

    @staticmethod
    def _client_id(call: Call, name: str) -> str:
        # The documented name is the first; the second was echoed in 2024 and ccxt sends it.
        given = call.params.get("clientOrderId") or call.params.get("clientOrderID") or ""
        if len(given) > _MOST_CLIENT_ID:
            raise error(109400, "Invalid parameters, err:clientOrderId: more than 40 characters")
        # Only these types take one; for others it is dropped without a word.
        return given.lower() if name in {"MARKET", "LIMIT"} and not call.drops_client_id else ""

    @staticmethod
    def _time_in_force(call: Call) -> str:
        name = call.params.get("timeInForce", "GTC").upper() or "GTC"
        if name not in _TIMES_IN_FORCE:
            raise error(109400, "Invalid parameters, err:timeInForce")
        return _TIMES_IN_FORCE[name]

    @staticmethod
    def _position_side(call: Call) -> str:
        asked = call.params.get("positionSide", "BOTH").upper() or "BOTH"
        if call.owner.is_hedged:
            raise error(
                109400,
                "In the Hedge mode, the 'PositionSide' field can only be set to LONG or SHORT."
                if asked == "BOTH"
                else "This exchange trades one-way only.",
            )
        if asked != "BOTH":
            raise RefusedError(Refusal.POSITION_SIDE, "the account is in one-way mode")
        return asked

    def _attached(self, call: Call, entry: Ticket) -> list[Ticket]:
        found = []
        for name, usual in (("stopLoss", "STOP_MARKET"), ("takeProfit", "TAKE_PROFIT_MARKET")):
            text = call.params.get(name, "")
            if text:
                found.append(self._exit(name, text, usual, entry))
        return found

    def _exit(self, name: str, text: str, usual: str, entry: Ticket) -> Ticket:
        try:
            fields = orjson.loads(text)
            type_name = str(fields.get("type") or usual).upper()
            price = Decimal(str(fields["stopPrice"]))
            quantity = Decimal(str(fields["quantity"])) if fields.get("quantity") else None
            by = _working_type(str(fields.get("workingType") or "MARK_PRICE"))
        except (orjson.JSONDecodeError, ArithmeticError, KeyError, AttributeError):
            raise error(109400, f"Invalid parameters, err:{name}: not understood") from None
        if type_name not in {"STOP_MARKET", "TAKE_PROFIT_MARKET"}:
            raise error(109400, f"Invalid parameters, err:{name}: type {type_name[:30]}")
        side = Side.SELL if entry.side is Side.BUY else Side.BUY
        trigger = Trigger(price, _CONDITIONAL[type_name][1] or TriggerKind.STOP, by)
        self._check_exit(name, entry, side, trigger)
        return Ticket(
            symbol=entry.symbol,
            side=side,
            kind=Kind.MARKET,
            quantity=quantity or entry.quantity,
            client_id="",
            type_name=type_name,
            reduce_only=True,
            trigger=trigger,
        )

    def _check_exit(self, name: str, entry: Ticket, side: Side, trigger: Trigger) -> None:
        if trigger.price <= 0 or trigger.price % self._venue.contract(entry.symbol).tick_size:
            raise error(109400, f"Invalid parameters, err:{name}: stopPrice precision")
        price = entry.price or self._venue.tape(entry.symbol).last_price
        is_beyond = price <= trigger.price if trigger.is_falling(side) else price >= trigger.price
        if is_beyond:
            raise RefusedError(Refusal.WOULD_TRIGGER, "the exit would trigger at once")

    # Finding and writing.

    def _wanted(self, call: Call) -> str | None:
        name = call.params.get("symbol")
        return self._venue.tape(symbol_of(name)).symbol if name else None

    def _found(self, call: Call, account: Account) -> Item:
        number = read.integer(call.params, "orderId")
        name = call.params.get("clientOrderId") or call.params.get("clientOrderID")
        if number is None and not name:
            raise read.malformed("orderId")
        hides = call.hides_ended
        if number is not None and number in account.conditionals:
            return queries.find_conditional(account, number, None, hides_ended=hides)
        lower = name.lower() if name else None
        return queries.find_order(account, number, lower, hides_ended=hides)

    @staticmethod
    def _open(account: Account) -> list[Item]:
        own: list[Item] = [o for o in account.open_orders if not o.parent_id]
        resting = [
            c
            for c in account.conditionals.values()
            if c.is_open or (c.child is not None and c.child.is_open)
        ]
        return sorted([*own, *resting], key=lambda item: item.id)

    def _history(self, call: Call) -> list[Item]:
        wanted = queries.Wanted(
            symbol=self._wanted(call),
            first_ms=read.integer(call.params, "startTime"),
            last_ms=read.integer(call.params, "endTime"),
            from_id=read.integer(call.params, "orderId"),
            hides_ended=call.hides_ended,
        )
        orders = queries.select(call.seen.orders.values(), wanted)
        conditionals = queries.select(call.seen.conditionals.values(), wanted)
        own: list[Item] = [o for o in orders if not o.parent_id]
        return sorted([*own, *(c for c in conditionals if c.is_armed)], key=lambda i: -i.id)

    def _rows(self, call: Call, items: list[Item]) -> list[Json]:
        count = read.limit(call.params, 500, 1000)
        return [self._shape(call.seen, item) for item in items[:count]]

    def _fills(self, call: Call) -> list[Json]:
        account = call.seen
        first = read.integer(call.params, "startTs") or read.integer(call.params, "startTime")
        last = read.integer(call.params, "endTs") or read.integer(call.params, "endTime")
        wanted = read.integer(call.params, "orderId")
        found = queries.fills_in_window(
            account, symbol=self._wanted(call), first_ms=first, last_ms=last
        )
        rows = []
        for execution in reversed(found):
            made = account.orders[execution.order_id]
            number = made.parent_id or made.id
            if wanted in {None, number}:
                contract = self._venue.contract(execution.symbol)
                rows.append(shapes.fill(contract, execution, number))
        return rows

    def _contract(self, item: Item) -> Contract:
        return self._venue.contract(item.ticket.symbol)

    def _shape(self, account: Account, item: Item) -> Json:
        if isinstance(item, Conditional):
            return shapes.conditional(self._contract(item), item, account)
        parent = account.conditionals.get(item.parent_id)
        return shapes.order(self._contract(item), item, account, parent)


def _is_open(item: Item) -> bool:
    if isinstance(item, Conditional) and item.child is not None:
        return item.child.is_open
    return item.is_open


def _working_type(name: str) -> str:
    if name.upper() not in _WORKING_TYPES:
        raise error(109400, "Invalid parameters, err:workingType")
    return name.upper()
