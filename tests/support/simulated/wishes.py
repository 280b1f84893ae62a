"""What traders want: intents of every kind, drawn from the seed."""

from collections.abc import Callable
from decimal import Decimal

from tests.support.simulated.loop import SimulatedLoop
from tests.support.simulated.venue import Venue
from tests.support.simulated.weather import Chance

from milobot.domain.intents import (
    Aim,
    Change,
    ChangeTargets,
    Close,
    Distance,
    DistanceKind,
    Enter,
    MoveStop,
    PositionSide,
    Reduce,
    Size,
    SizeKind,
    TradeIntent,
)
from milobot.domain.slots import Setup

_OWNERS = ("script:a", "script:a", "script:a", "channel:b")


class Wishes:
    """Draws one intent after the other, and brings some of them twice.

    Attributes:
        plan: What the process at work holds in a symbol: most changes are about that.
    """

    def __init__(self, loop: SimulatedLoop, chance: Chance, venue: Venue) -> None:
        """Start with nothing wished for."""
        self._loop = loop
        self._dice = chance.dice
        self._venue = venue
        self.plan: Callable[[str], Setup | None] = lambda _symbol: None
        self.made: list[TradeIntent] = []

    def next(self) -> TradeIntent:
        """Return a wish: a new one, or sometimes one that was brought before."""
        dice = self._dice
        if self.made and dice.random() < 0.06:
            return dice.choice(self.made[-5:])
        symbol = dice.choice(self._venue.symbols)
        price = self._venue.price(symbol)
        now_ms, plan = self._loop.now_ms(), self.plan(symbol)
        owner, kind = dice.choice(_OWNERS), dice.random()
        action: Close | Enter | Change = Close() if kind < 0.12 else self._entry()
        if kind > 0.65 and plan is not None:
            action, owner = self._change(plan, price), plan.intent.owner
        intent = TradeIntent(
            key=f"{symbol}|{len(self.made)}",
            owner=owner,
            symbol=symbol,
            time_ms=now_ms,
            action=action,
            reference_price=price,
        )
        self.made.append(intent)
        return intent

    def _change(self, plan: Setup, price: Decimal) -> Enter | Change:
        """Return a wish about what is held: to enlarge it, to take from it, to move its levels."""
        dice, side = self._dice, plan.action.side
        kind, size = dice.random(), Size(SizeKind.BASE, Decimal(dice.randint(2, 50)) / 1000)
        if kind < 0.25:
            return Enter(side, size, adds_to=plan.intent.key)
        if kind < 0.35:
            return Enter(side.opposite, size, stop=_percent("2"), is_net=True)
        if kind < 0.65:
            some = Decimal(dice.randint(1, 12)) / 1000
            share = dice.choice((None, Decimal("0.3"), Decimal("0.5")))
            return Reduce(share, some if share is None else None)
        away = Decimal(dice.randint(1, 20)) / 1000 * side.sign * price
        if kind < 0.85:
            return MoveStop(dice.choice((None, price - away)))
        aims = tuple(
            Aim(Distance(DistanceKind.PRICE, price + away * times), Decimal("0.5"))
            for times in (1, 2)
        )
        return ChangeTargets(aims, dice.choice((None, price - away)))

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
