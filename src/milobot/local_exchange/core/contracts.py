"""Contracts that trade here: symbol rules and leverage brackets with numbers of our own.

The figures are of the size that the large exchanges publish, so that a client meets
realistic grids and limits; they are nobody's data.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from milobot.domain.market import LeverageBracket, SymbolRules
from milobot.domain.money import ZERO

_QUOTES = ("USDT", "USDC")
_MAJOR_TIERS = (
    ("50000", 125, "0.004"),
    ("600000", 100, "0.005"),
    ("3000000", 75, "0.0065"),
    ("12000000", 50, "0.01"),
    ("70000000", 25, "0.02"),
    ("230000000", 10, "0.05"),
    ("480000000", 5, "0.1"),
    ("800000000", 3, "0.15"),
    ("1800000000", 1, "0.5"),
)
_OTHER_TIERS = (
    ("5000", 75, "0.0065"),
    ("50000", 50, "0.01"),
    ("400000", 25, "0.02"),
    ("1000000", 20, "0.025"),
    ("2000000", 10, "0.05"),
    ("5000000", 5, "0.1"),
    ("10000000", 2, "0.25"),
    ("20000000", 1, "0.5"),
)
_MAJORS = frozenset({"BTCUSDT", "ETHUSDT"})
_STEPS_OF_PRICE = 400_000
_NOTIONAL_OF_STEP = Decimal("0.1")
_MARKET_STEPS = 120_000
_LIMIT_FACTOR = 10


@dataclass(frozen=True, slots=True)
class Contract:
    """One perpetual contract.

    Attributes:
        rules: Grids, minimums and brackets, as the domain knows them.
        base: Asset that is traded.
        quote: Asset that prices and margin are in.
        max_quantity: Largest quantity of a limit order.
    """

    rules: SymbolRules
    base: str
    quote: str
    max_quantity: Decimal

    @property
    def symbol(self) -> str:
        """Return the symbol, such as BTCUSDT."""
        return self.rules.symbol

    @property
    def tick_size(self) -> Decimal:
        """Return the price grid."""
        return self.rules.tick_size or Decimal("0.01")

    @property
    def price_digits(self) -> int:
        """Return how many digits after the point a price on the grid has."""
        return _digits(self.tick_size)

    @property
    def quantity_digits(self) -> int:
        """Return how many digits after the point a quantity on the grid has."""
        return _digits(self.rules.quantity_step)

    @property
    def max_leverage(self) -> int:
        """Return the highest leverage of the lowest bracket."""
        return self.rules.brackets[0].max_leverage


def contract_for(symbol: str, price: Decimal, *, min_notional: Decimal | None = None) -> Contract:
    """Return the contract of a symbol; one that is not built in gets rules that fit its price.

    Args:
        symbol: Such as BTCUSDT.
        price: A price of the market, for the grid of symbols that are not built in.
        min_notional: Replaces the smallest notional of an order, in the quote asset.
    """
    base, quote = _split(symbol)
    tick, step, least_notional, tiers = _grid(symbol, price)
    rules = SymbolRules(
        symbol=symbol,
        tick_size=tick,
        quantity_step=step,
        min_quantity=step,
        max_market_quantity=step * _MARKET_STEPS,
        min_notional=least_notional if min_notional is None else min_notional,
        brackets=_brackets(tiers),
    )
    return Contract(rules, base, quote, step * _MARKET_STEPS * _LIMIT_FACTOR)


def contract_of(rules: SymbolRules) -> Contract:
    """Return a contract with the rules of a real exchange.

    Where the brackets are not public (they belong to accounts), ours of a realistic size stand
    in for them.
    """
    base, quote = _split(rules.symbol)
    if not rules.brackets:
        tiers = _MAJOR_TIERS if rules.symbol in _MAJORS else _OTHER_TIERS
        rules = replace(rules, brackets=_brackets(tiers))
    most = rules.max_market_quantity or rules.quantity_step * _MARKET_STEPS
    return Contract(rules, base, quote, most * _LIMIT_FACTOR)


def _grid(
    symbol: str, price: Decimal
) -> tuple[Decimal, Decimal, Decimal, tuple[tuple[str, int, str], ...]]:
    if symbol == "BTCUSDT":
        return Decimal("0.1"), Decimal("0.001"), Decimal(100), _MAJOR_TIERS
    if symbol == "ETHUSDT":
        return Decimal("0.01"), Decimal("0.001"), Decimal(20), _MAJOR_TIERS
    tick = _power_of_ten(price / _STEPS_OF_PRICE)
    step = min(Decimal(1), _power_of_ten(_NOTIONAL_OF_STEP / price))
    return tick, step, Decimal(5), _OTHER_TIERS


def _brackets(tiers: tuple[tuple[str, int, str], ...]) -> tuple[LeverageBracket, ...]:
    """Return brackets whose maintenance amounts make the margin continuous."""
    brackets: list[LeverageBracket] = []
    floor, amount, last_rate = ZERO, ZERO, ZERO
    for cap, leverage, rate in tiers:
        amount += floor * (Decimal(rate) - last_rate)
        brackets.append(LeverageBracket(floor, Decimal(cap), leverage, Decimal(rate), amount))
        floor, last_rate = Decimal(cap), Decimal(rate)
    return tuple(brackets)


def _split(symbol: str) -> tuple[str, str]:
    for quote in _QUOTES:
        if symbol.endswith(quote) and len(symbol) > len(quote):
            return symbol.removesuffix(quote), quote
    return symbol, "USDT"


def _power_of_ten(value: Decimal) -> Decimal:
    return Decimal(1).scaleb(value.adjusted())


def _digits(step: Decimal) -> int:
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
