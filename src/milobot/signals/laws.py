"""What holds for every reading: sides, orders, bounds. Whatever breaks a law is refused."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

from milobot.domain.intents import PositionSide
from milobot.domain.money import format_decimal
from milobot.signals.reading import Entry, Stop, Target
from milobot.signals.refusals import Reason, refuse

MOST_TARGETS = 10
MOST_ENTRIES = 10
FARTHEST = 10
"""How many times the nearest price of a set-up its farthest may be."""
WIDEST_ENTRY = 3
HIGHEST_PRICE = Decimal(10) ** 9
HIGHEST_LEVERAGE = 150
_FEWEST_ROWS = 2


def check_setup(
    side: PositionSide, entry: Entry, stop: Stop | None, targets: Sequence[Target]
) -> None:
    """Refuse a set-up that contradicts itself.

    Raises:
        SignalFormatError: A price is not positive or far from the others, the stop or
            a target is on the wrong side, or the targets do not lead away from the entry.
    """
    prices = [target.price for target in targets]
    stop_price = stop.price if stop is not None else None
    check_prices([*entry.prices, *prices, *([] if stop_price is None else [stop_price])])
    if len(entry.prices) > MOST_ENTRIES:
        refuse(Reason.TOO_MANY_ENTRIES, f"It names more than {MOST_ENTRIES} entries.")
    if entry.prices and max(entry.prices) > min(entry.prices) * WIDEST_ENTRY:
        refuse(Reason.PRICES_FAR_APART, "Its entry prices are too far apart to be one entry.")
    if stop is not None:
        _check_stop(side, entry, stop, prices)
    _check_target_side(side, entry, prices)
    check_order(prices, side)


def check_prices(prices: Sequence[Decimal]) -> None:
    """Refuse prices that are not positive, too high, or too far from each other."""
    if any(not price.is_finite() or not 0 < price <= HIGHEST_PRICE for price in prices):
        refuse(Reason.AMBIGUOUS_NUMBER, "One of its prices is zero or no price at all.")
    if prices and max(prices) > min(prices) * FARTHEST:
        refuse(
            Reason.PRICES_FAR_APART,
            f"Its prices {format_decimal(min(prices))} and {format_decimal(max(prices))} are too far "
            "apart to belong to one set-up.",
        )


def check_order(prices: Sequence[Decimal], side: PositionSide | None) -> None:
    """Refuse targets that are too many, or do not lead away from the entry one by one."""
    if len(prices) > MOST_TARGETS:
        refuse(Reason.TOO_MANY_TARGETS, f"It names more than {MOST_TARGETS} targets.")
    rises = all(first < second for first, second in pairwise(prices))
    falls = all(first > second for first, second in pairwise(prices))
    is_ordered = {PositionSide.LONG: rises, PositionSide.SHORT: falls, None: rises or falls}[side]
    if not is_ordered:
        refuse(
            Reason.TARGETS_OUT_OF_ORDER, "Its targets do not lead away from the entry one by one."
        )


def _check_stop(side: PositionSide, entry: Entry, stop: Stop, targets: Sequence[Decimal]) -> None:
    if stop.fraction is not None and not 0 < stop.fraction < 1:
        refuse(Reason.BAD_PERCENT, "Its stop in per cent must lie between 0 and 100.")
    if stop.price is None:
        return
    # Without an entry price the targets bound the entry.
    beyond = entry.prices or tuple(targets)
    if any(side.sign * (price - stop.price) <= 0 for price in beyond):
        refuse(
            Reason.STOP_WRONG_SIDE,
            f"Its stop {format_decimal(stop.price)} is on the wrong side for a {side.value.lower()}.",
        )


def _check_target_side(side: PositionSide, entry: Entry, targets: Sequence[Decimal]) -> None:
    for target in targets:
        if any(side.sign * (target - price) <= 0 for price in entry.prices):
            refuse(
                Reason.TARGETS_WRONG_SIDE,
                f"Its target {format_decimal(target)} does not lie beyond the entry of a "
                f"{side.value.lower()}.",
            )


def implied_side(
    entries: Sequence[Decimal], stop: Decimal | None, targets: Sequence[Decimal]
) -> PositionSide | None:
    """Return the only direction that the levels allow; None when they do not tell.

    All entries must lie between stop and targets; without a stop, or without an entry
    price, the two that are named must tell the same by themselves.

    >>> implied_side([Decimal(10)], Decimal(9), [Decimal(11), Decimal(12)]).value
    'LONG'
    """
    below = [] if stop is None else [stop]
    rows = [list(row) for row in (below, entries, targets) if row]
    if not targets or len(rows) < _FEWEST_ROWS:
        return None
    if all(max(low) < min(high) for low, high in pairwise(rows)):
        return PositionSide.LONG
    return PositionSide.SHORT if all(min(h) > max(lo) for h, lo in pairwise(rows)) else None
