"""The BingX client trades on the local exchange, which speaks BingX and was written apart from it."""

from decimal import Decimal

import pytest
from tests.support.bingx_wire import (
    STOP_AT,
    client_of,
    listening,
    our_entry,
    our_stop,
    our_target,
    trading,
    until,
)
from tests.support.wire import START_MS, flat_bars

from milobot.domain.intents import PositionSide, Side
from milobot.domain.orders import OrderPurpose, OrderStatus, OrderType, OrderUpdate, Refusal
from milobot.domain.reports import AccountNews, IncomeKind, MarginMode, NewsKind
from milobot.ports import News


def is_reconnected(news: News) -> bool:
    return isinstance(news, AccountNews) and news.kind is NewsKind.RECONNECTED


async def test_a_trade_from_entry_to_stop() -> None:
    """Entry with both exits, found resting; the stop fills, the target goes, the books add up."""
    async with trading() as desk:
        account = desk.client.account
        settings = await account.prepare_symbol(
            "BTCUSDT", leverage=7, margin_mode=MarginMode.ISOLATED
        )

        exits = (our_stop(close_position=False), our_target())
        entered, stopped, aimed = await account.place_order(our_entry(attached=exits))
        (position,) = await account.fetch_positions()
        resting = await account.fetch_open_orders("BTCUSDT")
        await desk.exchange.advance(3)
        done = await account.fetch_update(our_stop())
        gone = await account.fetch_update(our_target())
        fills = await account.fetch_fills("BTCUSDT", first_ms=START_MS - 1000)
        income = await account.fetch_income(first_ms=START_MS - 1, last_ms=START_MS + 10**7)

        assert (settings.leverage, settings.margin_mode) == (7, MarginMode.ISOLATED)
        assert (entered.status, entered.fills[0].price) == (OrderStatus.FILLED, Decimal(40_000))
        assert {stopped.status, aimed.status} == {OrderStatus.SUBMITTED}
        assert (position.side, position.quantity) == (PositionSide.LONG, Decimal("0.010"))
        assert (position.leverage, position.entry_price) == (7, Decimal(40_000))
        assert {one.client_order_id for one in resting} == {"milo2", "milo3"}
        assert done is not None
        assert (done.status, done.fills[0].price) == (OrderStatus.FILLED, STOP_AT)
        assert gone is not None
        assert gone.status.is_final
        assert [fill.client_order_id for fill in fills] == ["milo1", "milo2"]
        assert await account.fetch_positions() == []
        booked = {kind: sum(i.amount for i in income if i.kind is kind) for kind in IncomeKind}
        assert booked[IncomeKind.REALIZED_PNL] == -10
        assert booked[IncomeKind.FEE] == -sum(fill.fee for fill in fills)
        assert len(desk.truth()["conditionals"]) == 2


async def test_events_tell_the_trade_too() -> None:
    """Nothing is asked for by us: events lead to the executions."""
    async with trading() as desk, listening(desk):
        attached = our_stop(close_position=False)
        await desk.client.account.place_order(our_entry(attached=(attached,)))
        await desk.exchange.advance(3)
        await until(lambda: any(u.status is OrderStatus.FILLED for u in desk.updates("milo2")))
        await until(lambda: any(u.status is OrderStatus.FILLED for u in desk.updates("milo1")))

        (fill,) = desk.updates("milo2")[-1].fills
        assert (fill.price, fill.side, fill.quantity) == (STOP_AT, Side.SELL, Decimal("0.010"))
        positions = [
            p.quantity for n in desk.heard if isinstance(n, AccountNews) for p in n.positions
        ]
        assert positions == [Decimal("0.010"), Decimal(0)]


@pytest.mark.parametrize("fault", ["events_twice:times=0", "events_out_of_order:times=3"])
async def test_each_execution_has_one_name_however_often_it_is_told(fault: str) -> None:
    """Doubled and disordered events name the same fills."""
    async with trading() as desk, listening(desk):
        desk.strike(fault)
        await desk.client.account.place_order(our_entry())
        close = our_entry(
            client_order_id="milo9", side=Side.SELL, purpose=OrderPurpose.CLOSE, reduce_only=True
        )
        await desk.client.account.place_order(close)
        await until(lambda: any(u.status is OrderStatus.FILLED for u in desk.updates("milo9")))
        await until(lambda: any(u.status is OrderStatus.FILLED for u in desk.updates("milo1")))

        told = [n.fills for n in desk.heard if isinstance(n, OrderUpdate)]
        names = {fill.fill_id for fills in told for fill in fills}
        assert len(names) == len(desk.truth()["fills"]) == 2


async def test_an_expired_key_and_a_dropped_socket_are_survived() -> None:
    """What was missed is told by RECONNECTED; later events come again."""
    async with trading() as desk, listening(desk):
        await desk.exchange.expire_listen_keys()
        await until(lambda: any(is_reconnected(n) for n in desk.heard))
        await desk.exchange.drop_streams()
        await until(lambda: sum(is_reconnected(n) for n in desk.heard) == 2)
        await desk.client.account.place_order(our_entry())
        await until(lambda: bool(desk.updates("milo1")))


async def test_after_a_restart_stops_are_found_and_withdrawn() -> None:
    """The new process knows what it wanted to rest, and nothing of BingX's ids."""
    async with trading() as desk:
        account = desk.client.account
        await account.place_order(our_entry())
        (placed,) = await account.place_order(our_stop())
        other = our_stop(Decimal(38_000), client_order_id="milo4", close_position=False)
        await account.place_order(other)

        async with client_of(desk.exchange) as again:
            report = await again.account.fetch_order(our_stop())
            (gone,) = await again.account.cancel_order(our_stop())

        assert report is not None
        assert report.exchange_order_id == placed.exchange_order_id
        assert gone.status is OrderStatus.CANCELLED
        assert desk.resting_stops() == 1


@pytest.mark.parametrize("fault", ["attached_stop_dropped", "attached_stop_nameless"])
async def test_an_attached_stop_that_is_not_there_does_not_count(fault: str) -> None:
    """Dropped, or listed without an id that it could be withdrawn by."""
    async with trading() as desk:
        desk.strike(fault)

        attached = our_stop(close_position=False)
        entered, stopped = await desk.client.account.place_order(our_entry(attached=(attached,)))

        assert (entered.status, stopped.status) == (OrderStatus.FILLED, OrderStatus.NOT_EXECUTED)


async def test_an_attached_stop_of_a_wrong_size_is_told_as_what_it_is() -> None:
    """Ours, and not right: so that it leaves when the right one rests."""
    async with trading() as desk:
        desk.strike("attached_stop_resized")

        attached = our_stop(close_position=False)
        _, stopped = await desk.client.account.place_order(our_entry(attached=(attached,)))
        (gone,) = await desk.client.account.cancel_order(attached)

        assert (stopped.status, stopped.quantity) == (OrderStatus.SUBMITTED, Decimal("0.005"))
        assert gone.status is OrderStatus.CANCELLED
        assert desk.resting_stops() == 0


async def test_refusals_are_in_our_words() -> None:
    """Too large, beyond the trigger, nothing to close."""
    async with trading(flat_bars(4)) as desk:
        account = desk.client.account
        asked = [
            our_entry(quantity="90", client_order_id="a1"),
            our_entry(
                client_order_id="a2",
                side=Side.SELL,
                purpose=OrderPurpose.CLOSE,
                reduce_only=True,
            ),
        ]
        refusals = [(await account.place_order(order))[0].refusal for order in asked]
        await account.place_order(our_entry())
        (beyond,) = await account.place_order(our_stop(Decimal(41_000)))

        assert refusals == [Refusal.INSUFFICIENT_MARGIN, Refusal.NOTHING_TO_REDUCE]
        assert (beyond.status, beyond.refusal) == (OrderStatus.REJECTED, Refusal.WOULD_TRIGGER)


async def test_a_resting_entry_is_withdrawn() -> None:
    """And a second try says what became of it."""
    async with trading(flat_bars(4)) as desk:
        resting = our_entry(type=OrderType.LIMIT, price=Decimal(30_000))
        await desk.client.account.place_order(resting)

        (first,) = await desk.client.account.cancel_order(resting)
        (again,) = await desk.client.account.cancel_order(resting)

        assert (first.status, again.status) == (OrderStatus.CANCELLED, OrderStatus.CANCELLED)
