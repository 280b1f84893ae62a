"""What an exchange that follows a market keeps over a restart, as a value and back."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, TypeVar

import orjson

from milobot.domain.market import SymbolRules
from milobot.domain.positions import Position
from milobot.errors import ConfigurationError, DataError
from milobot.local_exchange.core.accounts import Account, Income
from milobot.local_exchange.core.following import Following
from milobot.local_exchange.core.numbers import Numbers
from milobot.local_exchange.core.orders import Conditional, Execution, VenueOrder
from milobot.local_exchange.core.venue import Venue
from milobot.local_exchange.plain import from_plain, to_plain

_FORM = "milobot paper exchange"
_VERSION = 1
_ENDED_KEPT = 100
_BOOKED_KEPT = 500
# A crash loses what happened since the last save: its ids must not be given out again.
_NUMBERS_SKIPPED = 1_000
_Order = TypeVar("_Order", VenueOrder, Conditional)


@dataclass(slots=True)
class Held:
    """One symbol's position, with the rules it was opened by."""

    rules: SymbolRules
    position: Position
    leverage: int
    last_price: Decimal
    told_ms: int
    funded_ms: int = 0


def write_state(dialect: str, venue: Venue, following: Following) -> bytes:
    """Return the venue's only account and all that belongs to it."""
    account = next(iter(venue.accounts.values()))
    told = {one.symbol: one for one in following.followed()}
    orders = _kept(account.orders.values(), [])
    executions = account.executions[-_BOOKED_KEPT:]
    content = {
        "form": _FORM,
        "version": _VERSION,
        "dialect": dialect,
        "wallet": str(account.wallet),
        "opened_ms": account.opened_ms,
        "numbers": asdict(venue.numbers),
        "is_hedged": account.is_hedged,
        "leverages": account.leverages,
        "margin_modes": account.margin_modes,
        "held": [
            to_plain(
                Held(
                    rules=book.rules,
                    position=book.position,
                    leverage=book.leverage,
                    last_price=venue.tape(symbol).last_price,
                    told_ms=told[symbol].told_ms,
                    funded_ms=told[symbol].funded_ms,
                )
            )
            for symbol, book in account.books.items()
        ],
        "orders": [_plain_order(order, "executions") for order in orders],
        "conditionals": [
            {**_plain_order(c, "child"), "child_id": c.child.id if c.child else 0}
            for c in _kept(account.conditionals.values(), list(account.live_conditionals))
        ],
        "executions": executions,
        "incomes": account.incomes[-_BOOKED_KEPT:],
    }
    return orjson.dumps(content, default=str)  # which writes decimals exactly


def read_state(content: bytes, name: str, dialect: str, venue: Venue, following: Following) -> None:
    """Put a new venue's only account where it was.

    Raises:
        ConfigurationError: The content is not what ``write_state`` wrote, or of the other dialect;
            the venue is of no use then.
    """
    damaged = (
        f"{name} cannot be read as a paper account ({{}}): move it away to begin with a new one,"
        " nothing in it was changed"
    )
    try:
        plain = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise ConfigurationError(damaged.format("it is no JSON")) from error
    if not isinstance(plain, dict) or plain.get("form") != _FORM:
        raise ConfigurationError(damaged.format("another program wrote it"))
    if plain.get("version") != _VERSION:
        raise ConfigurationError(damaged.format(f"version {plain.get('version')!r} is unknown"))
    if plain.get("dialect") != dialect:
        raise ConfigurationError(
            f"{name} holds a paper account of {str(plain.get('dialect'))[:20]}, not of {dialect}:"
            " name another file"
        )
    try:
        _restore(plain, venue, following)
    except (
        DataError,
        ConfigurationError,
        ArithmeticError,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
    ) as error:
        raise ConfigurationError(damaged.format(str(error)[:120])) from error


def _restore(plain: dict[str, Any], venue: Venue, following: Following) -> None:
    account = next(iter(venue.accounts.values()))
    account.wallet = Decimal(plain["wallet"])
    account.opened_ms = int(plain["opened_ms"])
    account.is_hedged = bool(plain["is_hedged"])
    account.leverages = {str(s): int(v) for s, v in plain["leverages"].items()}
    account.margin_modes = {str(s): str(v) for s, v in plain["margin_modes"].items()}
    numbers = from_plain(Numbers, plain["numbers"])
    numbers.order += _NUMBERS_SKIPPED
    numbers.execution += _NUMBERS_SKIPPED
    numbers.income += _NUMBERS_SKIPPED
    venue.numbers = numbers
    account.executions = [from_plain(Execution, one) for one in plain["executions"]]
    account.incomes = [from_plain(Income, one) for one in plain["incomes"]]
    for one in plain["orders"]:
        order = from_plain(VenueOrder, one)
        order.executions = [e for e in account.executions if e.order_id == order.id]
        account.add(order)
    for one in plain["conditionals"]:
        fields = dict(one)
        child_id = fields.pop("child_id")
        conditional = from_plain(Conditional, fields)
        conditional.child = account.orders.get(child_id)
        account.add(conditional)
    for one in plain["held"]:
        _hold(from_plain(Held, one), account, venue, following)


def _hold(held: Held, account: Account, venue: Venue, following: Following) -> None:
    symbol = held.rules.symbol
    following.learn([held.rules])
    following.resume(symbol, held.last_price, told_ms=held.told_ms, funded_ms=held.funded_ms)
    venue.book(account, symbol).resume(held.position, held.leverage)
    if held.told_ms:
        account.updated_ms[symbol] = held.told_ms


def _kept(orders: Iterable[_Order], live: list[int]) -> list[_Order]:
    """Return the orders that may still do something, and the last of those that have ended."""
    listed = list(orders)
    recent = {order.id for order in listed[-_ENDED_KEPT:]}
    return [o for o in listed if o.is_open or o.id in recent or o.id in live]


def _plain_order(order: VenueOrder | Conditional, left_out: str) -> dict[str, Any]:
    plain: dict[str, Any] = to_plain(order, without=(left_out,))
    # What was attached to an entry has become conditional orders of its own.
    plain["ticket"]["attached"] = []
    return plain
