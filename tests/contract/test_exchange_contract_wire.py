"""The contract of exchanges: what only one over the wire can be asked."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.support.scenes import (
    EIGHT_HOURS,
    FALLS,
    FLAT,
    RISES,
    START_MS,
    close,
    dec,
    entry,
    stop,
    target,
)
from tests.support.trading import decs
from tests.support.venues import (
    BTC,
    WIRE,
    WireStand,
    scene,
    stand_of,
)

from milobot.domain.orders import OrderStatus, Refusal
from milobot.domain.reports import IncomeKind

pytestmark = pytest.mark.parametrize("venue", WIRE)
S = OrderStatus


async def test_orders_are_found_by_our_id(venue: str) -> None:
    """Before and after the fill, plain and conditional; what was never sent is not found."""
    async with stand_of(venue, scene(FLAT, FALLS)) as stand:
        assert isinstance(stand, WireStand)
        await stand.open()
        placed = await stand.enter()
        resting = await stand.place(stop("950"))
        report = await stand.account.fetch_order(placed)
        waiting = await stand.account.fetch_order(resting)
        ghost = await stand.account.fetch_order(entry(name="ghost"))
        await stand.rest()
        await stand.candle()
        hit = await stand.account.fetch_order(resting)

    assert report is not None
    assert waiting is not None
    assert hit is not None
    assert (report.client_order_id, report.status) == ("entry", S.FILLED)
    assert (report.filled_quantity, report.average_price) == decs(1, 1000)
    assert (waiting.client_order_id, waiting.status) == ("stop", S.SUBMITTED)
    assert (waiting.trigger_price, waiting.quantity) == decs(950, 1)
    assert hit.status is S.FILLED
    assert (hit.filled_quantity, hit.average_price) == decs(1, 950)
    assert ghost is None


async def test_news_can_be_had_again_by_asking(venue: str) -> None:
    """An answer that was lost changes nothing: the same fills under the same names."""
    async with stand_of(venue, scene(FLAT)) as stand:
        assert isinstance(stand, WireStand)
        await stand.open()
        await stand.enter()
        told_first = await stand.account.fetch_update(stand.orders["entry"])
        told_again = await stand.account.fetch_update(stand.orders["entry"])
        listed = await stand.account.fetch_fills(BTC)

    assert told_first == told_again
    assert told_first is not None
    assert {f.fill_id for f in told_first.fills} == {f.fill_id for f in listed}
    assert stand.orders["entry"].filled_quantity == 1


async def test_hedged_account_is_refused_and_can_be_mended(venue: str) -> None:
    """In hedge mode our orders would open a second position instead of closing the first."""
    async with stand_of(venue, scene(FLAT)) as stand:
        assert isinstance(stand, WireStand)
        await stand.open()
        for account in stand.local.venues[venue].accounts.values():
            account.is_hedged = True
        is_hedged = await stand.account.fetch_is_hedged()
        (news,) = await stand.exchange.place_order(entry())
        await stand.account.set_one_way()
        await stand.account.set_one_way()
        placed = await stand.enter(name="again")

    assert is_hedged
    assert (news.status, news.refusal) == (S.REJECTED, Refusal.HEDGE_MODE)
    assert placed.status is S.FILLED


async def test_income_explains_the_wallet(venue: str) -> None:
    """Gains, fees and funding add up to what the wallet has changed by."""
    first = START_MS + EIGHT_HOURS - 60_000
    played = scene(FLAT, RISES, funding=dec("0.0001"), first_ms=first)
    async with stand_of(venue, played) as stand:
        assert isinstance(stand, WireStand)
        await stand.open()
        await stand.enter()
        await stand.rest()
        await stand.open()
        await stand.place(close())
        await stand.rest()
        state = await stand.state()
        rows = await stand.account.fetch_income(first_ms=first, last_ms=first + 3_600_000)

    assert sum((row.amount for row in rows), Decimal(10_000)) == state.wallet
    assert {row.kind for row in rows} >= {IncomeKind.FEE, IncomeKind.FUNDING}


async def test_order_signed_too_late_is_withheld(venue: str) -> None:
    """Nothing leaves after its time, so that 'not found' can be final."""
    async with stand_of(venue, scene(FLAT)) as stand:
        assert isinstance(stand, WireStand)
        await stand.open()
        await stand.account.fetch_account()
        (news,) = await stand.account.place_order(replace(entry(), send_before_ms=1))
        state = await stand.state()

    assert (news.status, news.refusal) == (S.NOT_EXECUTED, Refusal.TOO_LATE)
    assert state.fills == ()


async def test_wire_tells_what_the_ledger_knows(venue: str) -> None:
    """The client's picture is the exchange's truth: wallet, positions, fills, orders."""
    async with stand_of(venue, scene(FLAT, RISES, FALLS)) as stand:
        assert isinstance(stand, WireStand)
        await stand.open()
        await stand.enter(quantity="3")
        await stand.place(stop("930", closes=True))
        await stand.place(target("1050"))
        await stand.rest()
        await stand.candles(2)
        state = await stand.state()
        (truth,) = stand.local.ledger()["accounts"]

    assert Decimal(truth["wallet"]) == state.wallet
    assert [(p["symbol"], Decimal(p["quantity"])) for p in truth["positions"]] == [(BTC, dec("2"))]
    assert [Decimal(f["price"]) for f in truth["fills"]] == [f.price for f in state.fills]
    resting = [c for c in truth["conditionals"] if c["status"] == "NEW"]
    assert [Decimal(c["trigger_price"]) for c in resting] == [r.trigger for r in state.resting]
