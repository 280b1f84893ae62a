"""Sizes and levels: never more risk than asked for, and no less than the grid forces."""

from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st
from tests.support.trading import base, percent

from milobot.domain.intents import Distance, DistanceKind, Enter, PositionSide, Size, SizeKind
from milobot.domain.market import SymbolRules
from milobot.domain.risk import levels_of, quantity_of
from milobot.errors import OrderDeniedError

TICKS = st.sampled_from([None, *(Decimal(t) for t in ("0.00001", "0.01", "0.05", "0.1", "1"))])
QUANTITY_STEPS = st.sampled_from([Decimal(s) for s in ("1E-8", "0.001", "0.1", "1", "10")])
PRICES = st.decimals("0.01", "100000", places=5)
EQUITIES = st.decimals("0.01", "10000000", places=8)
SIDES = st.sampled_from(PositionSide)


@given(
    equity=EQUITIES,
    share=st.decimals("0.0001", "1", places=6),
    reference=PRICES,
    away=st.decimals("0.0005", "0.9", places=4),
    side=SIDES,
    step=QUANTITY_STEPS,
)
def test_the_risk_holds_and_one_more_step_would_break_it(
    equity: Decimal,
    share: Decimal,
    reference: Decimal,
    away: Decimal,
    side: PositionSide,
    step: Decimal,
) -> None:
    """Quantity * |reference - stop| <= equity * risk, and it is the largest such step."""
    stop = reference * (1 - side.sign * away)
    rules = SymbolRules("X", quantity_step=step)
    try:
        quantity = quantity_of(
            Size(SizeKind.RISK, share), equity=equity, reference=reference, stop=stop, rules=rules
        )
    except OrderDeniedError:
        quantity = Decimal(0)

    loss = abs(reference - stop)
    assert quantity % step == 0
    assert quantity * loss <= equity * share
    assert (quantity + step) * loss > equity * share


@given(
    kind=st.sampled_from([SizeKind.EQUITY, SizeKind.QUOTE, SizeKind.BASE]),
    value=st.decimals("0.001", "5", places=6),
    equity=EQUITIES,
    reference=PRICES,
    step=QUANTITY_STEPS,
)
def test_no_stated_size_is_rounded_up(
    kind: SizeKind, value: Decimal, equity: Decimal, reference: Decimal, step: Decimal
) -> None:
    """Notional and base sizes: down to the step, less than one step away."""
    rules = SymbolRules("X", quantity_step=step)
    wanted = {
        SizeKind.EQUITY: equity * value / reference,
        SizeKind.QUOTE: value / reference,
        SizeKind.BASE: value,
    }[kind]
    try:
        quantity = quantity_of(
            Size(kind, value), equity=equity, reference=reference, stop=None, rules=rules
        )
    except OrderDeniedError:
        assert wanted < step * (1 + Decimal("1E-20"))
        return

    rest = wanted - quantity
    assert quantity % step == 0
    assert -wanted * Decimal("1E-25") <= rest < step * (1 + Decimal("1E-20"))


@given(
    side=SIDES,
    reference=PRICES,
    stop=st.decimals("0.0001", "0.5", places=5),
    ratio=st.decimals("0.1", "5", places=2),
    tick=TICKS,
)
def test_levels_lie_on_their_side_and_no_further_than_asked(
    side: PositionSide, reference: Decimal, stop: Decimal, ratio: Decimal, tick: Decimal | None
) -> None:
    """On the grid, beyond the reference on the right side, rounded towards it."""
    action = Enter(side, base("1"), stop=Distance(DistanceKind.PERCENT, stop), reward_ratio=ratio)
    rules = SymbolRules("X", tick_size=tick)
    try:
        levels = levels_of(
            action, reference=reference, atr=None, rules=rules, default_stop=percent("5")
        )
    except OrderDeniedError as denied:
        assume(denied.code != "bad_level")
        raise

    assert levels.stop is not None
    assert levels.target is not None
    stop_away = (reference - levels.stop) * side.sign
    target_away = (levels.target - reference) * side.sign
    assert 0 < stop_away <= reference * stop
    assert 0 < target_away <= ratio * stop_away
    if tick is not None:
        assert levels.stop % tick == levels.target % tick == 0
        assert reference * stop - stop_away < tick
        assert ratio * stop_away - target_away < tick
