"""The liquidation price, held against what it means: margin and loss equal the maintenance."""

import itertools
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from tests.support.shared_data import shared_file
from tests.support.trading import load_brackets

from milobot.domain.intents import PositionSide
from milobot.domain.margin import (
    bankruptcy_price,
    brackets_are_continuous,
    initial_margin,
    liquidation_price,
    maintenance_margin,
)
from milobot.domain.market import LeverageBracket

RECORDED = "raw_json/leverageBracket_um_2024-10-24.json.gz"
TINY = Decimal("1E-18")
SIDES = st.sampled_from(PositionSide)
QUANTITIES = st.decimals("0.001", "100000", places=3)
PRICES = st.decimals("0.01", "100000", places=2)
LEVERAGES = st.integers(1, 125)

Table = tuple[LeverageBracket, ...]


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Draw a leverage table whose maintenance margin is continuous, as all recorded ones are."""
    caps = sorted(draw(st.sets(st.integers(1, 10**8), min_size=1, max_size=6)))
    rates = sorted(draw(st.sets(st.integers(1, 900), min_size=len(caps), max_size=len(caps))))
    rows: list[LeverageBracket] = []
    floor, rate_before, amount = Decimal(0), Decimal(0), Decimal(0)
    for cap, per_mille in zip(caps, rates, strict=True):
        rate = Decimal(per_mille) / 1000
        amount += floor * (rate - rate_before) if rows else 0
        rows.append(LeverageBracket(floor, Decimal(cap), 125, rate, amount))
        floor, rate_before = Decimal(cap), rate
    assert brackets_are_continuous(tuple(rows))
    return tuple(rows)


def balance(
    side: PositionSide,
    quantity: Decimal,
    entry: Decimal,
    margin: Decimal,
    price: Decimal,
    table: Table,
) -> Decimal:
    """Return margin plus open gain less maintenance margin at a price."""
    gain = side.sign * quantity * (price - entry)
    return margin + gain - maintenance_margin(quantity * price, table)


def assert_it_is_the_liquidation_price(
    side: PositionSide, quantity: Decimal, entry: Decimal, leverage: int, table: Table
) -> None:
    """Check the law at the price, on both sides of it, and against bankruptcy."""
    cost = quantity * entry
    margin = initial_margin(cost, leverage)
    price = liquidation_price(
        side=side, quantity=quantity, cost=cost, margin=margin, brackets=table
    )
    if price is None:
        # Not even at a price of nothing is the margin used up.
        assert balance(side, quantity, entry, margin, Decimal(0), table) >= -TINY * cost
        return
    assert abs(balance(side, quantity, entry, margin, price, table)) <= TINY * (cost + margin)
    better, worse = (price * (1 + side.sign * sign / Decimal(1000)) for sign in (1, -1))
    assert balance(side, quantity, entry, margin, better, table) > 0
    assert balance(side, quantity, entry, margin, worse, table) < 0
    broke = bankruptcy_price(side=side, quantity=quantity, cost=cost, margin=margin)
    assert (price - broke) * side.sign >= -TINY * price


@given(side=SIDES, quantity=QUANTITIES, entry=PRICES, leverage=LEVERAGES, table=tables())
def test_margin_and_loss_equal_the_maintenance_margin(
    side: PositionSide, quantity: Decimal, entry: Decimal, leverage: int, table: Table
) -> None:
    """In whatever bracket it lies, past the last one too; solvent before it, not after."""
    assert_it_is_the_liquidation_price(side, quantity, entry, leverage, table)


@given(side=SIDES, quantity=QUANTITIES, entry=PRICES, leverage=LEVERAGES)
def test_without_a_table_the_law_holds_as_well(
    side: PositionSide, quantity: Decimal, entry: Decimal, leverage: int
) -> None:
    """The stand-in of two fifths of a percent has no last cap."""
    assert_it_is_the_liquidation_price(side, quantity, entry, leverage, ())


@given(data=st.data(), side=SIDES, entry=PRICES)
def test_recorded_tables_obey_it(data: st.DataObject, side: PositionSide, entry: Decimal) -> None:
    """Real tables, sizes around each of their caps, the leverage that they allow."""
    recorded = load_brackets(shared_file(RECORDED))
    table = recorded[data.draw(st.sampled_from(sorted(recorded)))]
    row = data.draw(st.sampled_from(table))
    around = data.draw(st.decimals("0.5", "1.5", places=4))
    quantity = max(Decimal("0.001"), (row.notional_cap * around / entry).quantize(Decimal("0.001")))
    leverage = data.draw(st.integers(1, row.max_leverage))

    assert_it_is_the_liquidation_price(side, quantity, entry, leverage, table)


@given(side=SIDES, quantity=QUANTITIES, entry=PRICES, table=tables())
def test_more_leverage_means_nearer_liquidation(
    side: PositionSide, quantity: Decimal, entry: Decimal, table: Table
) -> None:
    """The gate that compares stop and liquidation rests on this."""
    cost = quantity * entry
    found = [
        liquidation_price(
            side=side,
            quantity=quantity,
            cost=cost,
            margin=initial_margin(cost, leverage),
            brackets=table,
        )
        for leverage in (1, 2, 5, 20, 125)
    ]

    prices = [p for p in found if p is not None]
    assert all(side.sign * (b - a) >= 0 for a, b in itertools.pairwise(prices))
    assert found[len(found) - len(prices) :] == prices, "once there is one, there always is"
