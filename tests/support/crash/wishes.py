"""What is asked of the bot: a stream of wishes, all of it decided by a seed."""

import random
from dataclasses import dataclass
from decimal import Decimal

from milobot.domain.intents import (
    Close,
    Distance,
    DistanceKind,
    Enter,
    PositionSide,
    Size,
    SizeKind,
    TradeIntent,
)

OWNER = "crash-proof"
PRICES = {
    "BTCUSDT": Decimal(40_000),
    "ETHUSDT": Decimal(2_000),
    "SOLUSDT": Decimal(100),
}
# A quantity of its own for every wish names it at the exchange, whatever its order is called.
_FIRST = {"BTCUSDT": Decimal("0.010"), "ETHUSDT": Decimal("0.200"), "SOLUSDT": Decimal(4)}
_STEPS = {"BTCUSDT": Decimal("0.001"), "ETHUSDT": Decimal("0.001"), "SOLUSDT": Decimal("0.001")}
_STOPS = ("0.004", "0.01", "0.03")
_TARGETS = (None, None, "0.004", "0.012")
_CLOSES, _GAPS_S = 0.2, (0.02, 0.25)


@dataclass(frozen=True, slots=True)
class Wish:
    """One wish and how long after the one before it is asked.

    Attributes:
        quantity: What an entry asks for, unlike any other of the run; None for a close.
    """

    key: str
    symbol: str
    action: Enter | Close
    gap_s: float
    quantity: Decimal | None

    def intent(self, now_ms: int) -> TradeIntent:
        """Return the wish as it is asked now."""
        return TradeIntent(
            key=self.key,
            owner=OWNER,
            symbol=self.symbol,
            time_ms=now_ms,
            action=self.action,
            reference_price=PRICES[self.symbol],
            due_ms=now_ms,
        )


def wishes_of(seed: str, symbol: str, count: int) -> list[Wish]:
    """Return the wishes about one symbol, in order."""
    dice = random.Random(f"{seed}/{symbol}")  # noqa: S311 - repeatable on purpose, guards nothing
    return [_wish(dice, seed, symbol, number) for number in range(count)]


def numbered_wish(seed: str, symbol: str, number: int) -> Wish:
    """Return a wish by its number alone."""
    dice = random.Random(f"{seed}/{symbol}/{number}")  # noqa: S311 - as above
    return _wish(dice, seed, symbol, number)


def drill_wish(seed: str, number: int) -> Wish:
    """Return a wish to go long, in BTCUSDT first and then in ETHUSDT."""
    symbol = "BTCUSDT" if number == 1 else "ETHUSDT"
    quantity = Decimal("0.1") if number == 1 else _FIRST[symbol] + number * _STEPS[symbol]
    action = Enter(
        PositionSide.LONG, Size(SizeKind.BASE, quantity), leverage=5, stop=_percent("0.04")
    )
    return Wish(f"{seed}|{symbol}|{number}", symbol, action, 0.0, quantity)


def _wish(dice: random.Random, seed: str, symbol: str, number: int) -> Wish:
    key, gap_s = f"{seed}|{symbol}|{number}", dice.uniform(*_GAPS_S)
    if dice.random() < _CLOSES:
        return Wish(key, symbol, Close(), gap_s, None)
    quantity = _FIRST[symbol] + number * _STEPS[symbol]
    target = dice.choice(_TARGETS)
    action = Enter(
        side=dice.choice(tuple(PositionSide)),
        size=Size(SizeKind.BASE, quantity),
        leverage=5,
        stop=_percent(dice.choice(_STOPS)),
        target=None if target is None else _percent(target),
    )
    return Wish(key, symbol, action, gap_s, quantity)


def _percent(value: str) -> Distance:
    return Distance(DistanceKind.PERCENT, Decimal(value))
