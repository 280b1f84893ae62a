"""The laws that hold after every step of every run."""

from decimal import Decimal

from tests.support.trading import SYMBOL, Stage

from milobot.domain.intents import Side
from milobot.domain.money import ZERO
from milobot.domain.orders import Fill
from milobot.domain.round_trips import RoundTrip
from milobot.domain.slots import PositionState, position_state
from milobot.simulation.matching import Bar

BOOKING = Decimal("1E-8")
MARKET_REASONS = {"close", "reversal", "end_of_data"}
LEVEL_REASONS = {"stop", "target", "trailing_stop", "break_even", "liquidation"}


async def check_books(stage: Stage) -> None:
    """Wallet, open gains, round trips and both views of the position agree, exactly."""
    account = await stage.venue.fetch_account()
    trips = sum((t.pnl for t in stage.journal.round_trips), ZERO)
    slot = stage.slot
    start = slot.tally.start.net_pnl if slot.tally else slot.position.net_pnl
    open_net = slot.position.net_pnl - start
    mark = stage.venue.book(SYMBOL).mark_price
    unrealized = slot.position.unrealized_pnl(mark) if not slot.position.is_flat else ZERO

    assert slot.position == stage.venue.book(SYMBOL).position
    assert account.wallet - stage.start == trips + open_net
    assert account.equity - stage.start == trips + open_net + unrealized
    assert account.available == account.wallet - stage.venue.book(SYMBOL).margin


def check_protection(stage: Stage) -> None:
    """Flat with nothing resting, or exactly the exits that the slot says."""
    slot, resting = stage.slot, stage.venue.book(SYMBOL).orders
    if slot.position.is_flat:
        assert (slot.owner, slot.orders, slot.closing, slot.queued) == ("", (), "", None)
        assert resting == {}
        return
    assert slot.setup is not None
    assert slot.closing == ""
    assert slot.position.quantity <= slot.setup.quantity
    assert {o.client_order_id for o in slot.orders} == set(resting)
    stops = [o.trigger_price for o in resting.values() if o.purpose == "stop"]
    targets = [o.trigger_price for o in resting.values() if o.purpose == "target"]
    # The first stop stays for the position's life, a moved one rests beside it.
    assert set(stops[1:]) <= {slot.stop}
    assert stops[-1:] == ([] if slot.stop is None else [slot.stop])
    assert targets == ([] if slot.setup.levels.target is None else [slot.setup.levels.target])
    assert all(o.reduce_only and o.side is slot.position.side.exit for o in resting.values())
    if slot.stop is None:
        assert slot.setup.action.unprotected
        assert position_state(slot) is PositionState.UNPROTECTED
        return
    assert position_state(slot) is PositionState.PROTECTED
    first, sign = slot.setup.levels.stop, slot.position.side.sign
    assert first is None or (slot.stop - first) * sign >= 0, "a stop moves in favour only"


def check_trip(trip: RoundTrip, planned: Decimal) -> None:
    """A round trip's result is its prices, fees and funding, up to the rounding of bookings."""
    gain = trip.side.sign * (trip.exit_price - trip.entry_price) * trip.quantity
    assert abs(trip.pnl - (gain - trip.fees - trip.funding)) <= BOOKING
    assert trip.quantity <= planned
    assert trip.fees >= 0
    assert trip.signal_time_ms <= trip.entry_time_ms <= trip.exit_time_ms
    assert trip.exit_reason in MARKET_REASONS | LEVEL_REASONS


def check_fill_price(fill: Fill, bar: Bar) -> None:
    """No fill is better than the best price of its candle."""
    assert fill.price >= bar.low if fill.side is Side.BUY else fill.price <= bar.high


def least_gain(trip: RoundTrip, leverage: int, slippage: Decimal, tick: Decimal) -> Decimal:
    """Return the lowest price gain that a trip may end with, however far a candle gaps.

    That is the isolated margin, since liquidation comes before it is used up and before any
    order of ours can arrive, and what slippage and the grid take.
    """
    sign = trip.side.sign
    worst = sign * trip.entry_price * (1 - sign * Decimal(1) / leverage)
    slipped = max(abs(worst), trip.exit_price) * slippage * 2 + tick
    return (worst - sign * trip.entry_price - slipped) * trip.quantity - BOOKING
