"""Random markets, random wishes: books balance, positions are protected, nothing is made up."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from tests.property.execution.laws import (
    check_books,
    check_fill_price,
    check_protection,
    check_trip,
    least_gain,
)
from tests.property.execution.markets import ACCOUNTS, Account, Step, reference_of, steps
from tests.support.trading import SYMBOL, Stage, intent

from milobot.domain.decisions import Outcome
from milobot.domain.intents import Enter, SizeKind, TradeIntent
from milobot.domain.money import ZERO
from milobot.domain.orders import OrderPurpose, OrderStatus

RUNS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def wishes_of(number: int, step: Step, reference: str) -> Iterator[TradeIntent]:
    """Yield the intents that arrive at the open of a step."""
    for part, action in enumerate(step.wishes):
        yield intent(action, reference=reference, key=f"k{number}.{part}", atr="1.3")


async def check_step(stage: Stage) -> None:
    """Check what holds at every moment."""
    await check_books(stage)
    check_protection(stage)


async def play(stage: Stage, account: Account, market: list[Step]) -> None:
    """Play a market, checking after every decision, every fill and every candle."""
    reference = "100"
    for number, step in enumerate(market):
        stage.open(step.candle)
        await stage.ruin()
        await check_step(stage)
        for wish in wishes_of(number, step, reference):
            equity = (await stage.venue.fetch_account()).equity
            was_flat = stage.slot.position.is_flat
            decision = await stage.engine.accept(wish)
            await check_step(stage)
            if decision.outcome is Outcome.ACCEPTED and isinstance(wish.action, Enter):
                check_size(stage, wish.action, equity if was_flat else None)
        while (update := stage.venue.next_update(SYMBOL)) is not None:
            stage.updates.append(update)
            await stage.engine.apply(update)
            await check_step(stage)
        await stage.close()
        await check_step(stage)
        if step.funding is not None and account.funds:
            await stage.fund(step.funding)
            await check_step(stage)
        reference = reference_of(step)
    await stage.engine.close_position(SYMBOL, "end_of_data")
    await check_step(stage)
    assert stage.slot.position.is_flat


def check_size(stage: Stage, action: Enter, equity: Decimal | None) -> None:
    """The loss at the stop, at the reference price, is within the risk that was asked for."""
    setup = stage.slot.setup
    if setup is None or equity is None:
        return
    assert stage.slot.position.quantity <= setup.quantity
    if action.size.kind is SizeKind.RISK:
        assert setup.risk <= equity * action.size.value


@RUNS
@given(account=ACCOUNTS, market=steps())
def test_books_balance_and_positions_are_protected(account: Account, market: list[Step]) -> None:
    """After every decision, fill, candle and payment, to the last digit."""
    stage = account.stage()

    asyncio.run(play(stage, account, market))

    sent = {o.client_order_id: o for o in stage.journal.orders if o.status is OrderStatus.PENDING}
    pending = [o for o in stage.journal.orders if o.status is OrderStatus.PENDING]
    assert len(sent) == len(pending), "an order id was used twice"
    wanted = [o.quantity for o in pending if o.purpose is OrderPurpose.ENTRY]
    for trip in stage.journal.round_trips:
        check_trip(trip, max(wanted))


@RUNS
@given(account=ACCOUNTS, market=steps())
def test_no_fill_beats_its_candle_and_no_loss_its_margin(
    account: Account, market: list[Step]
) -> None:
    """Where a back-test could lie: a price never traded, a loss cut short, a debt forgiven."""
    stage = account.stage()
    asyncio.run(play(stage, account, market))

    bars = stage.bars
    slippage, tick = Decimal(account.slippage), Decimal("0.1" if account.has_grid else 0)
    fills = [(u, f) for u in stage.journal.updates for f in u.fills]
    for update, fill in fills:
        if update.purpose is not OrderPurpose.LIQUIDATION:
            check_fill_price(fill, bars[fill.time_ms])
    leverage = {
        o.intent_key: o.leverage for o in stage.journal.orders if o.purpose is OrderPurpose.ENTRY
    }
    starts = [
        leverage[o.intent_key]
        for o in stage.journal.orders
        if o.purpose is OrderPurpose.ENTRY and filled(stage, o.client_order_id)
    ]
    for trip, used in zip(stage.journal.round_trips, starts, strict=True):
        gain = trip.pnl + trip.fees + trip.funding
        assert gain >= least_gain(trip, used, slippage, tick)


def filled(stage: Stage, client_order_id: str) -> bool:
    """Return whether an order was filled."""
    return any(u.client_order_id == client_order_id and u.fills for u in stage.journal.updates)


@RUNS
@given(account=ACCOUNTS, market=steps(most=8))
def test_news_told_again_and_again_changes_nothing(account: Account, market: list[Step]) -> None:
    """One run hears everything once, the other hears old news after every step."""
    once, often = account.stage(), account.stage()

    asyncio.run(play_quietly(once, account, market, replays=False))
    asyncio.run(play_quietly(often, account, market, replays=True))

    assert often.journal.round_trips == once.journal.round_trips
    assert often.journal.decisions == once.journal.decisions
    assert often.journal.orders == once.journal.orders
    assert often.venue.wallet == once.venue.wallet
    assert often.slot == once.slot


async def play_quietly(
    stage: Stage, account: Account, market: list[Step], *, replays: bool
) -> None:
    """Play a market; with replays the engine hears its whole past after every candle."""
    reference = "100"
    for number, step in enumerate(market):
        await stage.play(step.candle, *wishes_of(number, step, reference))
        if step.funding is not None and account.funds:
            await stage.fund(step.funding)
        if replays:
            for old in list(stage.journal.updates):
                await stage.engine.apply(old)
            for paid in list(stage.journal.funding):
                await stage.engine.apply(paid)
        reference = reference_of(step)


@RUNS
@given(account=ACCOUNTS, market=steps(most=8))
def test_every_wish_ends_in_a_decision(account: Account, market: list[Step]) -> None:
    """Accepted, ignored or denied, with a code and a sentence: nothing is lost silently."""
    stage = account.stage()
    asyncio.run(play_quietly(stage, account, market, replays=False))

    wished = {w.key for n, s in enumerate(market) for w in wishes_of(n, s, "100")}
    last = {d.intent_key: d for d in stage.journal.decisions}
    assert set(last) == wished
    assert all(d.code and d.reason for d in last.values())
    for decision in last.values():
        if decision.outcome is Outcome.DENIED and decision.gates:
            assert [g.is_passed for g in decision.gates].count(False) <= 1
    assert sum((t.funding for t in stage.journal.round_trips), ZERO) + (
        stage.slot.position.funding - stage.slot.tally.start.funding if stage.slot.tally else ZERO
    ) == sum((f.amount for f in stage.journal.funding), ZERO)
