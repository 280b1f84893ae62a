"""Hand-made candles with the exact fills they must lead to, long and mirrored short."""

from decimal import Decimal

import pytest
from tests.support.trading import (
    BRACKETS,
    LONG,
    SHORT,
    Stage,
    at_price,
    base,
    candle,
    dec,
    decs,
    enter_long,
    enter_short,
    intent,
    rules,
)

from milobot.domain.intents import Close, Enter
from milobot.domain.market import Candle
from milobot.execution.gates import Limits

QUIET = candle(100, 101, 99, 100)
PLAN_LONG = enter_long(base("1"), stop=at_price("95"), target=at_price("110"))
PLAN_SHORT = enter_short(base("1"), stop=at_price("105"), target=at_price("90"))
NAKED = Limits(allow_unprotected=True)

Fills = list[tuple[str, Decimal]]


def mirrored(one: Candle) -> Candle:
    """Return the candle reflected at 100: what a short sees as the long saw the original."""
    return candle(200 - one.open, 200 - one.low, 200 - one.high, 200 - one.close)


def fills_of(stage: Stage) -> Fills:
    """Return purpose and price of every fill inside candles, in order."""
    return [(str(update.purpose), fill.price) for update in stage.updates for fill in update.fills]


async def played(action: Enter, *candles: Candle, **options: str) -> Stage:
    """Return the stage after entering at the open of the first candle."""
    stage = Stage(**options)  # type: ignore[arg-type]  # only texts are passed in here
    await stage.play(candles[0], intent(action))
    await stage.play_all(candles[1:])
    assert stage.books_balance()
    return stage


TABLE = [
    pytest.param(candle(94, 96, 90, 95), "stop", 94, id="gap through the stop fills at the open"),
    pytest.param(candle(95, 97, 95, 96), "stop", 95, id="an open at the stop is a hit"),
    pytest.param(candle(99, 101, 95, 100), "stop", 95, id="a touch of the stop is a hit"),
    pytest.param(candle(99, 101, 90, 100), "stop", 95, id="a dive through the stop fills at it"),
    pytest.param(candle(111, 112, 94, 100), "target", 111, id="gap through the target fills there"),
    pytest.param(candle(110, 110, 94, 100), "target", 110, id="an open at the target is a hit"),
    pytest.param(candle(100, 110, 99, 105), "target", 110, id="a touch of the target is a hit"),
    pytest.param(candle(100, 120, 99, 105), "target", 110, id="a rise through the target"),
    pytest.param(candle(100, 110, 95, 105), "stop", 95, id="stop and target in one candle: stop"),
    pytest.param(candle(109, 200, 1, 100), "stop", 95, id="the same when the target is nearer"),
]


@pytest.mark.parametrize(("second", "purpose", "price"), TABLE)
async def test_a_candle_fills_a_long_at(second: Candle, purpose: str, price: int) -> None:
    """The open first, then the stop, then the target; exactly at these prices."""
    stage = await played(PLAN_LONG, QUIET, second)

    assert fills_of(stage) == [(purpose, dec(price))]
    assert stage.journal.round_trips[0].exit_reason == purpose
    assert stage.venue.wallet == 10_000 + price - 100


@pytest.mark.parametrize(("second", "purpose", "price"), TABLE)
async def test_the_mirrored_candle_fills_a_short_at(
    second: Candle, purpose: str, price: int
) -> None:
    """The short side is the long side in a mirror, with the same result to the last digit."""
    stage = await played(PLAN_SHORT, mirrored(QUIET), mirrored(second))

    assert fills_of(stage) == [(purpose, dec(200 - price))]
    assert stage.venue.wallet == 10_000 + price - 100


@pytest.mark.parametrize(
    "second",
    [candle(100, 109.9, 95.1, 100), candle(100, 100, 100, 100), candle(95.1, 95.1, 95.1, 95.1)],
)
async def test_levels_that_are_missed_stay(second: Candle) -> None:
    """One tick short of either level nothing happens."""
    stage = await played(PLAN_LONG, QUIET, second)

    assert fills_of(stage) == []
    assert stage.resting == [("stop", dec("95")), ("target", dec("110"))]


async def test_the_entry_candle_can_hit_the_stop() -> None:
    """Levels rest as soon as the entry filled, so its own candle is tested."""
    stage = await played(PLAN_LONG, candle(100, 111, 95, 100))

    assert fills_of(stage) == [("stop", dec("95"))]
    trip = stage.journal.round_trips[0]
    assert trip.entry_time_ms == trip.exit_time_ms == 0


async def test_the_entry_candle_can_hit_the_target() -> None:
    """The favourable side of the same law."""
    stage = await played(PLAN_LONG, candle(100, 110, 95.1, 100))

    assert fills_of(stage) == [("target", dec("110"))]


async def test_liquidation_takes_the_whole_margin_and_no_more() -> None:
    """10x at 100: liquidated at 90.36, taken over at 90; ten of margin are gone."""
    action = enter_long(base("1"), leverage=10, unprotected=True)
    stage = Stage(limits=NAKED)

    await stage.play(QUIET, intent(action))
    await stage.play(candle(99, 100, 90.37, 95))
    assert fills_of(stage) == []

    await stage.play(candle(95, 96, 90.36, 95))
    assert fills_of(stage) == [("liquidation", dec("90"))]
    assert stage.venue.wallet == 9_990
    assert stage.books_balance()


async def test_liquidation_costs_no_fee_beyond_the_margin() -> None:
    """The margin pays for all of it: only the entry's fee comes on top."""
    action = enter_long(base("1"), leverage=10, stop=at_price("91.5"))
    stage = await played(action, QUIET, candle(85, 86, 84, 85), fee="0.0005")

    (trip,) = stage.journal.round_trips
    assert (trip.pnl, trip.fees) == decs("-10.05", "0.05")


async def test_a_close_cannot_outrun_liquidation_at_the_open() -> None:
    """The exchange has taken the position over when our close arrives: the margin is all."""
    action = enter_long(base("1"), leverage=10, unprotected=True)
    stage = Stage(limits=NAKED)
    await stage.play(QUIET, intent(action))

    await stage.play(candle(50, 51, 49, 50), intent(Close(), key="close"))

    assert fills_of(stage) == [("liquidation", dec("90"))]
    assert [d.code for d in stage.journal.decisions] == ["accepted", "already_flat"]
    assert stage.venue.wallet == 9_990


@pytest.mark.parametrize("opens", [90.3, 80.0, 1.0])
async def test_a_gap_beyond_liquidation_costs_the_margin(opens: float) -> None:
    """The exchange takes the position over at bankruptcy, however far the gap goes."""
    action = enter_long(base("1"), leverage=10, stop=at_price("91.5"))
    stage = await played(action, QUIET, candle(opens, opens, opens, opens))

    assert fills_of(stage) == [("liquidation", dec("90"))]
    assert stage.venue.wallet == 9_990
    assert stage.resting == []


async def test_a_short_is_liquidated_above() -> None:
    """110 / 1.004 = 109.5618: at 109.6 the margin is gone, at 109.5 it is not."""
    action = enter_short(base("1"), leverage=10, unprotected=True)
    stage = Stage(limits=NAKED)

    await stage.play(QUIET, intent(action))
    await stage.play(candle(100, 109.5, 99, 100))
    assert fills_of(stage) == []

    await stage.play(candle(100, 109.6, 99, 100))
    assert fills_of(stage) == [("liquidation", dec("110"))]


async def test_liquidation_follows_the_brackets() -> None:
    """600 at 100 lie in the second row: (6000 + 50 - 60000) / (600 * -0.995) = 90.37."""
    action = enter_long(base("600"), leverage=10, unprotected=True)
    stage = Stage(limits=NAKED, symbol_rules=rules(brackets=BRACKETS))

    await stage.play(QUIET, intent(action))
    at = stage.venue.book("BTCUSDT").liquidation

    assert at is not None
    assert round(at, 4) == dec("90.3685")


@pytest.mark.parametrize(
    ("action", "second", "entry", "leaves"),
    [
        (PLAN_LONG, candle(100, 101, 95, 100), "100.1", "94.9"),  # 94.905 down
        (PLAN_LONG, candle(100, 110, 99, 100), "100.1", "109.8"),  # 109.89 down
        (PLAN_LONG, candle(94, 94, 94, 94), "100.1", "93.9"),  # 93.906 down
        (PLAN_SHORT, candle(100, 105, 99, 100), "99.9", "105.2"),  # 105.105 up
        (PLAN_SHORT, candle(100, 101, 90, 100), "99.9", "90.1"),  # 90.09 up
    ],
)
async def test_slippage_is_against_us_on_every_fill(
    action: Enter, second: Candle, entry: str, leaves: str
) -> None:
    """Entry, stop and target: a tenth of a percent worse, then worse again onto the grid."""
    stage = await played(action, QUIET, second, slippage="0.001")

    trip = stage.journal.round_trips[0]
    assert (trip.entry_price, trip.exit_price) == decs(entry, leaves)


@pytest.mark.parametrize(("action", "price"), [(PLAN_LONG, "100.1"), (PLAN_SHORT, "100")])
async def test_prices_off_the_grid_round_against_us(action: Enter, price: str) -> None:
    """Rules of today on data of another grid: never a better price than the candle's."""
    stage = await played(action, candle(100.07, 101, 99, 100))

    assert stage.slot.position.entry_price == dec(price)


async def test_without_a_grid_prices_are_the_candles_own() -> None:
    """A bare file has no tick: nothing is rounded."""
    stage = Stage(symbol_rules=rules(tick=None))

    await stage.play(candle(100.0712345, 101, 99, 100), intent(PLAN_LONG))

    assert stage.slot.position.entry_price == dec("100.0712345")


async def test_every_fill_costs_the_fee() -> None:
    """0.05 % of 100 and of 110, rounded to 1e-8."""
    stage = await played(PLAN_LONG, QUIET, candle(100, 110, 99, 105), fee="0.0005")

    trip = stage.journal.round_trips[0]
    assert trip.fees == dec("0.105")
    assert trip.pnl == dec("9.895")
    assert stage.venue.wallet == dec("10009.895")


@pytest.mark.parametrize(
    ("action", "rate", "paid"),
    [
        (PLAN_LONG, "0.0001", "0.01"),
        (PLAN_LONG, "-0.0001", "-0.01"),
        (PLAN_SHORT, "0.0001", "-0.01"),
        (PLAN_SHORT, "-0.0001", "0.01"),
    ],
)
async def test_funding_has_a_sign(action: Enter, rate: str, paid: str) -> None:
    """Longs pay a positive rate, shorts receive it; on the notional at mark price."""
    stage = await played(action, QUIET)

    update = await stage.fund(rate)

    assert update is not None
    assert update.amount == dec(paid)
    assert stage.venue.wallet == 10_000 - dec(paid)
    assert stage.slot.position.funding == dec(paid)
    assert stage.books_balance()


async def test_nobody_pays_funding_on_nothing() -> None:
    """Flat at the funding time: no payment, no record."""
    stage = Stage()
    await stage.play(QUIET)

    assert await stage.fund("0.0001") is None
    assert stage.journal.funding == []


async def test_funding_belongs_to_its_round_trip() -> None:
    """The second trip does not carry what the first one paid."""
    stage = await played(PLAN_LONG, QUIET)
    await stage.fund("0.001")
    await stage.play(candle(100, 110, 99, 100))
    await stage.play(QUIET, intent(PLAN_LONG, key="k2"))
    await stage.play(candle(100, 110, 99, 100))

    first, second = stage.journal.round_trips
    assert (first.funding, second.funding) == decs("0.1", "0")
    assert (first.pnl, second.pnl) == decs("9.9", "10")
    assert {first.side, second.side} == {LONG}
    assert SHORT not in {t.side for t in stage.journal.round_trips}
