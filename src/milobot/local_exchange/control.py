"""The control endpoints: time, faults, truth, and what happens to an account from outside."""

from collections.abc import Awaitable, Callable
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

import orjson
from aiohttp import web

from milobot.errors import ConfigurationError, MilobotError
from milobot.local_exchange.core.timing import ServerTime
from milobot.local_exchange.faults import FaultPlan, parse_plan, parse_rule

Fields = dict[str, Any]


class Controlled(Protocol):
    """What the control endpoints steer."""

    plan: FaultPlan
    clock: ServerTime

    async def advance(self, steps: int = 1) -> dict[str, Any]:
        """Play the next steps of the market."""
        ...

    async def move_price(self, symbol: str, price: Decimal) -> None:
        """Let the market trade at a price."""
        ...

    async def elapse(self, ms: int) -> None:
        """Let time pass without waiting."""
        ...

    def ledger(self) -> dict[str, Any]:
        """Return the truth."""
        ...

    def status(self) -> dict[str, Any]:
        """Return where the market is."""
        ...

    def pace(self, speed: float) -> None:
        """Set the candles a second; 0 pauses."""
        ...

    async def close_position(self, symbol: str, key: str | None, quantity: Decimal | None) -> int:
        """Close positions as their owners would elsewhere; return how many."""
        ...

    async def deleverage(self, symbol: str, key: str | None, quantity: Decimal | None) -> int:
        """Close positions as auto-deleveraging would; return how many."""
        ...

    async def expire_listen_keys(self) -> None:
        """Let every listen key expire."""
        ...

    async def drop_streams(self, *, users: bool, markets: bool) -> int:
        """Close sockets; return how many."""
        ...


class Control:
    """Serves ``/control``."""

    def __init__(self, exchange: Controlled) -> None:
        """Keep what is steered."""
        self._exchange = exchange

    def routes(self) -> list[web.RouteDef]:
        """Return the control endpoints."""
        posts = {
            "advance": self._advance,
            "price": self._price,
            "elapse": self._elapse,
            "pace": self._pace,
            "skew": self._skew,
            "faults": self._add_faults,
            "close_position": self._close_position,
            "adl": self._deleverage,
            "expire_listen_keys": self._expire,
            "drop_streams": self._drop,
        }
        gets = {"ledger": self._ledger, "status": self._status, "faults": self._faults}
        return [
            *(web.post(f"/control/{name}", answering(do)) for name, do in posts.items()),
            *(web.get(f"/control/{name}", answering(do)) for name, do in gets.items()),
            web.delete("/control/faults", answering(self._clear_faults)),
        ]

    async def _advance(self, fields: Fields) -> Fields:
        return await self._exchange.advance(whole_of(fields, "steps", 1))

    async def _price(self, fields: Fields) -> Fields:
        await self._exchange.move_price(str(fields.get("symbol")), decimal_of(fields, "price"))
        return self._exchange.status()

    async def _elapse(self, fields: Fields) -> Fields:
        await self._exchange.elapse(whole_of(fields, "ms", 0))
        return self._exchange.status()

    async def _pace(self, fields: Fields) -> Fields:
        self._exchange.pace(float(decimal_of(fields, "speed")))
        return self._exchange.status()

    async def _skew(self, fields: Fields) -> Fields:
        self._exchange.clock.skew_ms = whole_of(fields, "ms", 0)
        return self._exchange.status()

    async def _add_faults(self, fields: Fields) -> Fields:
        plan = self._exchange.plan
        if "rules" in fields:
            plan.clear()
            new = parse_plan(fields)
            plan.seed = new.seed
            plan.extend(new.rules)
        else:
            plan.extend([parse_rule(fields)])
        return plan.to_dict()

    async def _clear_faults(self, fields: Fields) -> Fields:
        self._exchange.plan.clear()
        return self._exchange.plan.to_dict()

    async def _faults(self, fields: Fields) -> Fields:
        return self._exchange.plan.to_dict()

    async def _close_position(self, fields: Fields) -> Fields:
        return {"closed": await self._exchange.close_position(*_position(fields))}

    async def _deleverage(self, fields: Fields) -> Fields:
        return {"closed": await self._exchange.deleverage(*_position(fields))}

    async def _expire(self, fields: Fields) -> Fields:
        await self._exchange.expire_listen_keys()
        return {}

    async def _drop(self, fields: Fields) -> Fields:
        kind = fields.get("kind", "all")
        count = await self._exchange.drop_streams(
            users=kind in {"all", "user"}, markets=kind in {"all", "market"}
        )
        return {"dropped": count}

    async def _ledger(self, fields: Fields) -> Fields:
        return self._exchange.ledger()

    async def _status(self, fields: Fields) -> Fields:
        return self._exchange.status()


def answering(
    do: Callable[[Fields], Awaitable[Fields]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return a handler of JSON requests; what fails is told in a sentence, with status 400."""

    async def answer(request: web.Request) -> web.Response:
        try:
            payload, status = await do(await _fields(request)), 200
        except MilobotError as error:
            payload, status = {"error": str(error)}, 400
        return web.Response(
            body=orjson.dumps(payload), status=status, content_type="application/json"
        )

    return answer


async def _fields(request: web.Request) -> Fields:
    text = await request.read()
    if not text:
        return dict(request.query)
    try:
        fields = orjson.loads(text)
    except orjson.JSONDecodeError:
        fields = None
    if not isinstance(fields, dict):
        raise ConfigurationError("a control request is a JSON object")
    return fields


def _position(fields: Fields) -> tuple[str, str | None, Decimal | None]:
    quantity = decimal_of(fields, "quantity") if fields.get("quantity") is not None else None
    return str(fields.get("symbol")), fields.get("key"), quantity


def decimal_of(fields: Fields, name: str) -> Decimal:
    """Return a field as a number; ``ConfigurationError`` when it is none."""
    try:
        value = Decimal(str(fields.get(name)))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise ConfigurationError(f"{name} is a number, not {str(fields.get(name))[:40]!r}")
    return value


def whole_of(fields: Fields, name: str, default: int) -> int:
    """Return a field as a whole number; ``ConfigurationError`` when it is none."""
    value = decimal_of(fields, name) if name in fields else Decimal(default)
    if value != int(value):
        raise ConfigurationError(f"{name} is a whole number, not {value}")
    return int(value)
