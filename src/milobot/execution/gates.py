"""Gates: whether an intent may become an order, with what each check saw. Pure."""

from dataclasses import dataclass, field, replace
from decimal import Decimal

from milobot.domain.decisions import Gate
from milobot.domain.intents import Distance, DistanceKind, Enter, TradeIntent
from milobot.domain.margin import initial_margin, liquidation_price, max_leverage
from milobot.domain.market import SymbolRules
from milobot.domain.money import ZERO, format_decimal
from milobot.domain.positions import Position
from milobot.domain.risk import Levels, levels_of, quantity_of
from milobot.domain.slots import Setup, Slot
from milobot.errors import OrderDeniedError
from milobot.ports import Account

# The liquidation price must lie beyond the stop by a tenth of the stop's distance.
_LIQUIDATION_MARGIN = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Limits:
    """What the user allows.

    Attributes:
        default_stop: Stop of an entry that names none.
        allow_unprotected: Whether ``sl=none`` is taken.
    """

    default_stop: Distance = field(
        default_factory=lambda: Distance(DistanceKind.PERCENT, Decimal("0.05"))
    )
    allow_unprotected: bool = False


def check_not_blocked(slot: Slot, gates: list[Gate]) -> None:
    """Refuse an entry where a comparison with the exchange has found what is not ours.

    Raises:
        OrderDeniedError: Somebody else has a position or orders there.
    """
    if slot.blocked:
        gates.append(Gate("foreign", slot.blocked, "nothing that is not ours", is_passed=False))
        raise OrderDeniedError(
            slot.blocked,
            f"{slot.symbol} holds what is not ours ({slot.blocked}): nothing is entered until it"
            " is gone",
        )


@dataclass(frozen=True, slots=True)
class EntryFacts:
    """What the world says at the moment of an entry.

    Attributes:
        equity: Account equity less the risk reserved by intents on their way.
        available: What a new entry may tie up, less what was promised to others.
        last_price: Price of the latest trade: about what the entry will fill at.
    """

    account: Account
    equity: Decimal
    available: Decimal
    rules: SymbolRules
    last_price: Decimal


def plan_entry(
    intent: TradeIntent, action: Enter, facts: EntryFacts, limits: Limits, gates: list[Gate]
) -> Setup:
    """Return the plan of an entry, after every gate.

    Args:
        intent: The wish.
        action: Its entry.
        facts: The world at this moment.
        limits: What the user allows.
        gates: Filled with the checks made, also when one fails.

    Raises:
        OrderDeniedError: A gate failed; its code names which.
    """
    _check_stop_named(action, limits, gates)
    levels = levels_of(
        action,
        reference=intent.reference_price,
        atr=intent.atr,
        rules=facts.rules,
        default_stop=limits.default_stop,
    )
    _check_not_passed(action, levels, facts.last_price, gates)
    quantity = quantity_of(
        action.size,
        equity=facts.equity,
        reference=levels.reference,
        stop=levels.stop,
        rules=facts.rules,
    )
    gates.append(Gate("size", format_decimal(quantity), format_decimal(facts.rules.min_quantity)))
    _check_leverage(action, quantity, facts, gates)
    _check_margin(action, quantity, facts, gates)
    _check_liquidation(action, levels, quantity, facts, gates)
    rules = replace(facts.rules, brackets=())
    return Setup(intent, action, levels, quantity, facts.account.taker_fee, rules)


def plan_addition(
    intent: TradeIntent, slot: Slot, plan: Setup, facts: EntryFacts, gates: list[Gate]
) -> Setup:
    """Return the plan of an entry that enlarges a position, after every gate.

    Its size is its own; leverage, stop and targets are those of the position. What the exchange
    bounds is bounded for both together.

    Args:
        intent: The wish.
        slot: What it adds to.
        plan: The plan of that.
        facts: The world at this moment.
        gates: Filled with the checks made, also when one fails.

    Raises:
        OrderDeniedError: A gate failed; its code names which.
    """
    action = replace(intent.entry, leverage=plan.action.leverage)
    reference, held = intent.reference_price, slot.position
    levels = Levels(reference, slot.stop, plan.levels.targets[-1:])
    # Neither where it is measured from nor where it would fill may be beyond the stop.
    for price in (reference, facts.last_price):
        _check_not_passed(action, levels, price, gates)
    quantity = quantity_of(
        action.size,
        equity=facts.equity,
        reference=reference,
        stop=slot.stop,
        rules=facts.rules,
    )
    gates.append(Gate("size", format_decimal(quantity), format_decimal(facts.rules.min_quantity)))
    _check_leverage(action, held.quantity + quantity, facts, gates)
    _check_margin(action, quantity, facts, gates)
    _check_liquidation(action, levels, quantity, facts, gates, held)
    rules = replace(facts.rules, brackets=())
    return Setup(intent, action, levels, quantity, facts.account.taker_fee, rules)


def _check_stop_named(action: Enter, limits: Limits, gates: list[Gate]) -> None:
    passed = limits.allow_unprotected or not action.unprotected
    value = "sl=none" if action.unprotected else "a stop"
    gates.append(Gate("stop", value, "a stop, unless ALLOW_UNPROTECTED is set", passed))
    if not passed:
        raise OrderDeniedError(
            "unprotected_not_allowed",
            "sl=none leaves the position without a stop: set ALLOW_UNPROTECTED=true to allow it",
        )


def _check_not_passed(
    action: Enter, levels: Levels, last_price: Decimal, gates: list[Gate]
) -> None:
    sign = action.side.sign
    for name, level, direction in (("stop", levels.stop, -sign), ("target", levels.target, sign)):
        if level is None:
            continue
        passed = (level - last_price) * direction > 0
        gates.append(
            Gate(f"{name}_ahead", format_decimal(last_price), format_decimal(level), passed)
        )
        if not passed:
            raise OrderDeniedError(
                "level_passed",
                f"the price {format_decimal(last_price)} is beyond the {name}"
                f" {format_decimal(level)} already",
            )


def _check_leverage(action: Enter, quantity: Decimal, facts: EntryFacts, gates: list[Gate]) -> None:
    notional = quantity * facts.last_price
    allowed = max_leverage(notional, facts.rules.brackets)
    passed = action.leverage <= allowed
    gates.append(Gate("leverage", str(action.leverage), str(allowed), passed))
    if not passed:
        raise OrderDeniedError(
            "leverage_above_bracket",
            f"{action.leverage}x is above {allowed}x, the most for {notional:.2f} USDT of"
            f" {facts.rules.symbol}: lower the leverage or the size",
        )


def _check_margin(action: Enter, quantity: Decimal, facts: EntryFacts, gates: list[Gate]) -> None:
    notional = quantity * facts.last_price
    needed = initial_margin(notional, action.leverage) + notional * facts.account.taker_fee
    available = facts.available
    passed = needed <= available
    gates.append(Gate("margin", f"{needed:.2f}", f"{available:.2f}", passed))
    if not passed:
        raise OrderDeniedError(
            "insufficient_margin",
            f"margin and fee are {needed:.2f} USDT at {action.leverage}x, available are"
            f" {available:.2f}: raise the leverage or lower the size",
        )


def _check_liquidation(
    action: Enter,
    levels: Levels,
    quantity: Decimal,
    facts: EntryFacts,
    gates: list[Gate],
    held: Position | None = None,
) -> None:
    if levels.stop is None:
        return
    cost = quantity * facts.last_price + (held.cost if held else ZERO)
    price = liquidation_price(
        side=action.side,
        quantity=quantity + (held.quantity if held else ZERO),
        cost=cost,
        margin=initial_margin(cost, action.leverage),
        brackets=facts.rules.brackets,
    )
    if price is None:
        return
    room = _LIQUIDATION_MARGIN * abs(levels.reference - levels.stop)
    bound = levels.stop - action.side.sign * room
    passed = (bound - price) * action.side.sign >= 0
    gates.append(Gate("liquidation", _eight_digits(price), _eight_digits(bound), passed))
    if not passed:
        raise OrderDeniedError(
            "liquidation_before_stop",
            f"at {action.leverage}x liquidation at {_eight_digits(price)} would come before the stop at"
            f" {format_decimal(levels.stop)}: lower the leverage or move the stop closer",
        )


def _eight_digits(price: Decimal) -> str:
    return format_decimal(Decimal(f"{price:.8g}"))
