"""Levels and sizes: where stop and target lie, how much may be bought, and why not."""

from dataclasses import dataclass
from decimal import Decimal

from milobot.domain.intents import Distance, DistanceKind, Enter, PositionSide, Size, SizeKind
from milobot.domain.market import SymbolRules
from milobot.domain.money import ONE, format_decimal, round_down, round_up
from milobot.errors import OrderDeniedError

# Beyond this a quotient does not fit the 28 digits of decimal arithmetic.
_MOST_STEPS = Decimal("1e20")


@dataclass(frozen=True, slots=True)
class Target:
    """A price at which a share of the position is taken.

    Attributes:
        share: Fraction of the entered quantity; the last target takes the rest, whatever
            its own says.
    """

    price: Decimal
    share: Decimal = ONE


@dataclass(frozen=True, slots=True)
class Levels:
    """Prices known before the order leaves, all measured from the reference price.

    Attributes:
        stop: Trigger of the stop loss; None when the entry is unprotected.
        targets: Where gains are taken, the nearest first; empty without any.
        trail: What the stop keeps from the best close, in price units; None without.
        break_even: Price at which the stop moves to zero net; None without.
    """

    reference: Decimal
    stop: Decimal | None
    targets: tuple[Target, ...] = ()
    trail: Decimal | None = None
    break_even: Decimal | None = None

    @property
    def target(self) -> Decimal | None:
        """Return the nearest target; None without one."""
        return self.targets[0].price if self.targets else None


def levels_of(
    action: Enter,
    *,
    reference: Decimal,
    atr: Decimal | None,
    rules: SymbolRules,
    default_stop: Distance,
) -> Levels:
    """Return the levels of an entry on the price grid.

    Stop and target are rounded towards the reference: the loss is never larger and the
    gain never further away than asked for.

    Raises:
        OrderDeniedError: A level is not on its side of the reference, or ATR is needed
            and not known yet.
    """
    sign = action.side.sign
    stop = None
    if not action.unprotected:
        away = _distance(action.stop or default_stop, reference, atr, -sign)
        stop = _towards(reference - sign * away, rules, from_below=sign > 0)
        _check_side(stop, reference, -sign, "stop", action.side)
    return Levels(
        reference=reference,
        stop=stop,
        targets=_targets(action, reference, stop, atr, rules),
        trail=_distance(action.trail, reference, atr, -sign) if action.trail else None,
        break_even=_break_even(action, reference, stop),
    )


def quantity_of(
    size: Size, *, equity: Decimal, reference: Decimal, stop: Decimal | None, rules: SymbolRules
) -> Decimal:
    """Return the quantity of an entry in the base asset, rounded down to the step.

    For RISK it is the largest quantity whose loss at the stop stays within the fraction of
    equity; fees and slippage are outside it. It is never rounded up: that would exceed the risk.

    Args:
        size: What was asked for.
        equity: Wallet plus unrealized PnL, less risk reserved by pending intents, in USDT.
        reference: Price that the entry is measured from.
        stop: Rounded stop; needed for RISK only.
        rules: Step and minimums of the symbol.

    Raises:
        OrderDeniedError: Nothing is left to risk, or the quantity is below a minimum or
            above the largest market order.
    """
    if equity <= 0:
        raise OrderDeniedError(
            "no_equity", f"equity is {format_decimal(equity)} USDT: nothing is left to trade with"
        )
    value, per_unit = _wanted(size, equity, reference, stop)
    per_step = per_unit * rules.quantity_step
    if value > per_step * _MOST_STEPS:
        raise OrderDeniedError(
            "above_max_quantity",
            f"the size comes to more {rules.symbol} than anybody trades: lower it or move the"
            " stop away from the price",
        )
    # Whole steps by integer division: a quotient rounded to 28 digits could round up.
    quantity = value // per_step * rules.quantity_step
    _check_limits(quantity, reference, rules)
    return quantity


def _wanted(
    size: Size, equity: Decimal, reference: Decimal, stop: Decimal | None
) -> tuple[Decimal, Decimal]:
    """Return an amount and what one unit of the base asset takes of it."""
    match size.kind:
        case SizeKind.RISK:
            if stop is None:
                raise OrderDeniedError("no_stop", "a size in %risk needs a stop: add sl=2%")
            return equity * size.value, abs(reference - stop)
        case SizeKind.EQUITY:
            return equity * size.value, reference
        case SizeKind.QUOTE:
            return size.value, reference
        case SizeKind.BASE:  # pragma: no branch - mypy proves that no kind is left
            return size.value, ONE


def _check_limits(quantity: Decimal, reference: Decimal, rules: SymbolRules) -> None:
    shown = f"{format_decimal(quantity)} {rules.symbol}"
    if quantity <= 0 or quantity < rules.min_quantity:
        least = format_decimal(max(rules.min_quantity, rules.quantity_step))
        raise OrderDeniedError(
            "below_min_quantity",
            f"{shown} is below the smallest quantity, {least}: raise the size or the equity",
        )
    if quantity * reference < rules.min_notional:
        raise OrderDeniedError(
            "below_min_notional",
            f"{shown} is worth {format_decimal(round(quantity * reference, 2))} USDT, below the"
            f" smallest notional, {format_decimal(rules.min_notional)}: raise the size",
        )
    if rules.max_market_quantity is not None and quantity > rules.max_market_quantity:
        raise OrderDeniedError(
            "above_max_quantity",
            f"{shown} is above the largest market order,"
            f" {format_decimal(rules.max_market_quantity)}: lower the size",
        )


def _targets(
    action: Enter,
    reference: Decimal,
    stop: Decimal | None,
    atr: Decimal | None,
    rules: SymbolRules,
) -> tuple[Target, ...]:
    sign = action.side.sign
    if action.reward_ratio is not None and stop is not None:
        wanted = [(action.reward_ratio * abs(reference - stop), ONE)]
    elif action.target is not None:
        wanted = [(_distance(action.target, reference, atr, sign), ONE)]
    else:
        wanted = [(_distance(a.distance, reference, atr, sign), a.share) for a in action.aims]
    found = []
    for away, share in sorted(wanted):
        price = _towards(reference + sign * away, rules, from_below=sign < 0)
        _check_side(price, reference, sign, "target", action.side)
        found.append(Target(price, share))
    return tuple(found)


def _break_even(action: Enter, reference: Decimal, stop: Decimal | None) -> Decimal | None:
    if action.break_even is None or stop is None:
        return None
    return reference + action.side.sign * action.break_even * abs(reference - stop)


def _distance(distance: Distance, reference: Decimal, atr: Decimal | None, towards: int) -> Decimal:
    """Return a distance in price units; ``towards`` is +1 for levels above the reference."""
    match distance.kind:
        case DistanceKind.PERCENT:
            return reference * distance.value
        case DistanceKind.PRICE:
            return (distance.value - reference) * towards
        case DistanceKind.ATR:  # pragma: no branch - mypy proves that no kind is left
            if atr is None:
                raise OrderDeniedError(
                    "no_atr", "ATR(14) is not known yet at this candle: it needs 15 candles"
                )
            return atr * distance.value


def _towards(level: Decimal, rules: SymbolRules, *, from_below: bool) -> Decimal:
    rounding = round_up if from_below else round_down
    return rounding(level, rules.tick_size)


def _check_side(
    level: Decimal, reference: Decimal, direction: int, name: str, side: PositionSide
) -> None:
    if level > 0 and (level - reference) * direction > 0:
        return
    where = "above" if direction > 0 else "below"
    raise OrderDeniedError(
        "bad_level",
        f"the {name} of a {side.lower()} must lie {where} {format_decimal(reference)} and above 0,"
        f" not at {format_decimal(level)}: change its distance",
    )
