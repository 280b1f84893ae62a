"""What traders want: intents of every kind, drawn from the seed."""

from decimal import Decimal

from tests.support.simulated.loop import SimulatedLoop
from tests.support.simulated.venue import Venue
from tests.support.simulated.weather import Chance

from milobot.domain.intents import (
    Aim,
    Close,
    Distance,
    DistanceKind,
    Enter,
    PositionSide,
    Size,
    SizeKind,
    TradeIntent,
)

_OWNERS = ("script:a", "script:a", "script:a", "channel:b")


class Wishes:
    """Draws one intent after the other, and brings some of them twice."""

    def __init__(self, loop: SimulatedLoop, chance: Chance, venue: Venue) -> None:
        """Start with nothing wished for."""
        self._loop = loop
        self._dice = chance.dice
        self._venue = venue
        self.made: list[TradeIntent] = []

    def next(self) -> TradeIntent:
        """Return a wish: a new one, or sometimes one that was brought before."""
        dice = self._dice
        if self.made and dice.random() < 0.06:
            return dice.choice(self.made[-5:])
        symbol = dice.choice(self._venue.symbols)
        price = self._venue.price(symbol)
        now_ms = self._loop.now_ms()
        action: Close | Enter = Close() if dice.random() < 0.15 else self._entry()
        intent = TradeIntent(
            key=f"{symbol}|{len(self.made)}",
            owner=dice.choice(_OWNERS),
            symbol=symbol,
            time_ms=now_ms,
            action=action,
            reference_price=price,
        )
        self.made.append(intent)
        return intent

    def _entry(self) -> Enter:
        dice = self._dice
        stop = _percent(dice.choice(("0.4", "1", "2", "5")))
        kind = dice.random()
        side = dice.choice((PositionSide.LONG, PositionSide.SHORT))
        size = Size(SizeKind.BASE, Decimal(dice.randint(2, 50)) / 1000)
        if kind < 0.3:
            return Enter(side, size, stop=stop)
        if kind < 0.5:
            return Enter(side, size, stop=stop, reward_ratio=Decimal(dice.choice(("0.5", "2"))))
        if kind < 0.7:
            aims = (Aim(_percent("0.5"), Decimal("0.5")), Aim(_percent("1.5"), Decimal("0.5")))
            return Enter(side, size, stop=stop, aims=aims)
        if kind < 0.9:
            return Enter(side, size, stop=stop, trail=_percent(dice.choice(("0.3", "0.8"))))
        return Enter(side, size, stop=stop, break_even=Decimal("0.5"))


def _percent(value: str) -> Distance:
    return Distance(DistanceKind.PERCENT, Decimal(value) / 100)
