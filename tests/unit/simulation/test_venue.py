"""The venue as an exchange: what it takes, what it refuses, what it answers."""

from dataclasses import replace

import pytest
from tests.support.trading import BRACKETS, SYMBOL, dec, rules

from milobot.domain.intents import Side
from milobot.domain.orders import (
    Order,
    OrderPurpose,
    OrderStatus,
    OrderType,
    OrderUpdate,
    Refusal,
)
from milobot.domain.reports import MarginMode
from milobot.errors import RequestRefusedError
from milobot.simulation.clock import ReplayClock
from milobot.simulation.matching import Bar
from milobot.simulation.venue import SimulatedVenue

ENTRY = Order(
    client_order_id="entry",
    intent_key="k",
    symbol=SYMBOL,
    side=Side.BUY,
    type=OrderType.MARKET,
    purpose=OrderPurpose.ENTRY,
    quantity=dec("2"),
    created_ms=0,
    leverage=10,
)
STOP = replace(
    ENTRY,
    client_order_id="stop",
    side=Side.SELL,
    type=OrderType.STOP_MARKET,
    purpose=OrderPurpose.STOP,
    reduce_only=True,
    trigger_price=dec("95"),
)


def opened(*, fee: str = "0", wallet: str = "1000", slippage: str = "0") -> SimulatedVenue:
    """Return a venue whose candle has just opened at 100."""
    venue = SimulatedVenue(
        wallet=dec(wallet),
        taker_fee=dec(fee),
        slippage=dec(slippage),
        rules=lambda symbol: replace(rules(brackets=BRACKETS), symbol=symbol),
    )
    venue.open_bar(SYMBOL, Bar(7, dec("100"), dec("100"), dec("100"), dec("100")))
    return venue


async def answer(venue: SimulatedVenue, order: Order) -> OrderUpdate:
    """Return the one answer to an order."""
    (update,) = await venue.place_order(order)
    return update


async def test_a_market_order_fills_at_once() -> None:
    """All of it, at the open, with the candle's time."""
    venue = opened(fee="0.0005")

    update = await answer(venue, ENTRY)

    (fill,) = update.fills
    assert update.status is OrderStatus.FILLED
    assert (fill.price, fill.quantity, fill.fee) == (dec("100"), dec("2"), dec("0.1"))
    assert fill.time_ms == update.time_ms == 7


async def test_fill_ids_are_unique() -> None:
    """Fills are told apart by their id alone."""
    venue = opened()
    first = await answer(venue, ENTRY)
    second = await answer(venue, replace(ENTRY, client_order_id="more"))

    assert first.fills[0].fill_id != second.fills[0].fill_id


@pytest.mark.parametrize(
    ("order", "says"),
    [
        (replace(ENTRY, reduce_only=True), "nothing is open to reduce"),
        (replace(ENTRY, type=OrderType.LIMIT), "only market orders"),
        (replace(ENTRY, leverage=126), "126x is above 125x"),
        (replace(ENTRY, quantity=dec("600"), leverage=101), "101x is above 100x"),
        (replace(ENTRY, quantity=dec("30001")), "10x is above 0x"),
        (replace(ENTRY, quantity=dec("100.001")), "are 1000.01 USDT, available are 1000.00"),
    ],
)
async def test_entries_that_are_refused(order: Order, says: str) -> None:
    """Refused with a reason, and nothing changed."""
    venue = opened()

    update = await answer(venue, order)

    assert update.status is OrderStatus.REJECTED
    assert says in update.reason
    assert venue.wallet == 1000
    assert venue.book(SYMBOL).position.is_flat


async def test_margin_and_fee_must_both_be_there() -> None:
    """1,000 of margin leave nothing for the fee."""
    venue = opened(fee="0.0005")

    assert (await answer(venue, replace(ENTRY, quantity=dec("100")))).status is OrderStatus.REJECTED
    assert (await answer(venue, replace(ENTRY, quantity=dec("99.5")))).status is OrderStatus.FILLED


async def test_margin_counts_the_price_with_slippage() -> None:
    """What the fill will cost, not what the candle says."""
    venue = opened(slippage="0.001")

    assert (await answer(venue, replace(ENTRY, quantity=dec("100")))).status is OrderStatus.REJECTED


@pytest.mark.parametrize(
    ("order", "says"),
    [
        (replace(STOP, trigger_price=dec("100")), "beyond the trigger already"),
        (replace(STOP, trigger_price=dec("101")), "beyond the trigger already"),
        (
            replace(STOP, type=OrderType.TAKE_PROFIT_MARKET, trigger_price=dec("100")),
            "beyond the trigger already",
        ),
        (replace(STOP, trigger_price=None), "only exits with a trigger price"),
        (replace(STOP, reduce_only=False), "only exits with a trigger price"),
        (replace(STOP, side=Side.BUY), "nothing is open to reduce"),
    ],
)
async def test_exits_that_are_refused(order: Order, says: str) -> None:
    """A stop beyond the price would trigger at once: exchanges say no, and so does this one."""
    venue = opened()
    await venue.place_order(ENTRY)

    update = await answer(venue, order)

    assert update.status is OrderStatus.REJECTED
    assert says in update.reason
    assert venue.book(SYMBOL).orders == {}


@pytest.mark.parametrize(
    ("kind", "fine", "beyond"),
    [
        (OrderType.STOP_MARKET, "100.1", "100"),
        (OrderType.TAKE_PROFIT_MARKET, "99.9", "100"),
    ],
)
async def test_exits_of_a_short_lie_on_the_other_side(
    kind: OrderType, fine: str, beyond: str
) -> None:
    """A short's stop rests above the price, its target below."""
    venue = opened()
    await venue.place_order(replace(ENTRY, side=Side.SELL))
    order = replace(STOP, side=Side.BUY, type=kind)

    refused = await answer(venue, replace(order, trigger_price=dec(beyond)))
    taken = await answer(venue, replace(order, trigger_price=dec(fine)))

    assert (refused.status, taken.status) == (OrderStatus.REJECTED, OrderStatus.SUBMITTED)


async def test_a_reduce_only_order_takes_no_more_than_is_held() -> None:
    """It can only shrink a position, never turn it."""
    venue = opened()
    await venue.place_order(ENTRY)

    update = await answer(
        venue, replace(ENTRY, side=Side.SELL, quantity=dec("5"), reduce_only=True)
    )

    assert update.fills[0].quantity == 2
    assert venue.book(SYMBOL).position.is_flat


async def test_a_target_by_quantity_leaves_the_rest() -> None:
    """One of two: a partial take profit, and the other stays protected."""
    venue = opened()
    await venue.place_order(ENTRY)
    await venue.place_order(STOP)
    part = replace(
        STOP,
        client_order_id="target",
        type=OrderType.TAKE_PROFIT_MARKET,
        quantity=dec("1"),
        trigger_price=dec("110"),
    )
    await venue.place_order(part)
    venue.open_bar(SYMBOL, Bar(8, dec("100"), dec("110"), dec("99"), dec("100")))

    update = venue.next_update(SYMBOL)

    assert update is not None
    assert update.fills[0].quantity == 1
    assert venue.book(SYMBOL).position.quantity == 1
    assert list(venue.book(SYMBOL).orders) == ["stop"]
    assert venue.next_update(SYMBOL) is None


async def test_a_closing_stop_takes_all_that_is_held() -> None:
    """close_position ignores the quantity it was made with."""
    venue = opened()
    await venue.place_order(ENTRY)
    await venue.place_order(replace(STOP, quantity=dec("0.5"), close_position=True))
    venue.open_bar(SYMBOL, Bar(8, dec("94"), dec("94"), dec("94"), dec("94")))

    update = venue.next_update(SYMBOL)

    assert update is not None
    assert update.fills[0].quantity == 2


async def test_cancelling_answers_once() -> None:
    """What rests no longer cannot be withdrawn."""
    venue = opened()
    await venue.place_order(ENTRY)
    await venue.place_order(STOP)

    (update,) = await venue.cancel_order(STOP)

    assert update.status is OrderStatus.CANCELLED
    assert await venue.cancel_order(STOP) == ()


async def test_the_account_shows_margin_and_open_gains() -> None:
    """Wallet, what is tied up, and what closing at the mark would add; over all symbols."""
    venue = opened()
    other = "ETHUSDT"
    venue.open_bar(other, Bar(7, dec("50"), dec("50"), dec("50"), dec("50")))
    await venue.place_order(ENTRY)
    await venue.place_order(replace(ENTRY, symbol=other, side=Side.SELL))
    venue.skip_bar(SYMBOL, Bar(8, dec("100"), dec("103"), dec("100"), dec("103")))
    venue.skip_bar(other, Bar(8, dec("50"), dec("50"), dec("49"), dec("49")))

    account = await venue.fetch_account()

    assert account.wallet == 1000
    assert account.available == 1000 - 20 - 10
    assert account.unrealized_pnl == 6 + 2
    assert account.equity == 1008


async def test_prices_and_rules_are_those_of_the_symbol() -> None:
    """The last price is the open while a candle opens, the close when it is over."""
    venue = opened()

    assert await venue.fetch_last_price(SYMBOL) == 100
    assert (await venue.fetch_rules("XRPUSDT")).symbol == "XRPUSDT"
    venue.open_bar(SYMBOL, Bar(8, dec("100"), dec("110"), dec("90"), dec("105")))
    venue.close_bar(SYMBOL)
    assert await venue.fetch_last_price(SYMBOL) == 105
    assert venue.book(SYMBOL).mark_price == 105


async def test_a_skipped_candle_leaves_its_close_and_its_time() -> None:
    """What is closed after it fills at its close, and says so."""
    venue = opened()
    await venue.place_order(ENTRY)
    venue.skip_bar(SYMBOL, Bar(9, dec("100"), dec("110"), dec("99"), dec("104")))

    update = await answer(venue, replace(ENTRY, side=Side.SELL, reduce_only=True))

    assert venue.next_update(SYMBOL) is None
    assert (update.fills[0].price, update.time_ms) == (dec("104"), 9)


async def test_without_rules_steps_are_a_hundred_millionth() -> None:
    """The default of a bare file."""
    venue = SimulatedVenue(wallet=dec("1"), taker_fee=dec("0"))

    known = await venue.fetch_rules("ANY")

    assert (known.tick_size, known.quantity_step) == (None, dec("0.00000001"))


def test_a_flat_book_has_no_liquidation_and_no_gain() -> None:
    """Nothing held, nothing at risk."""
    book = opened().book(SYMBOL)

    assert book.liquidation is None
    assert book.unrealized_pnl == 0
    assert book.margin == 0


async def test_a_position_keeps_the_leverage_it_was_opened_with() -> None:
    """Leverage is set only when flat."""
    venue = opened()
    await venue.place_order(ENTRY)
    await venue.place_order(replace(ENTRY, client_order_id="more", leverage=1))

    assert venue.book(SYMBOL).leverage == 10


def test_the_replay_clock_stands_until_it_is_moved() -> None:
    """Back-tests know no other time than that of their candle."""
    clock = ReplayClock(5)

    assert clock.now_ms() == 5
    clock.time_ms = 9
    assert clock.now_ms() == 9


@pytest.mark.parametrize("quantity", ["0.0005", "0.0015", "0.001"])
async def test_entry_that_an_exchange_would_not_take_is_refused(quantity: str) -> None:
    """Below the minimum, off the grid, below the notional: a back-test must not fill it either."""
    venue = opened()

    news = await answer(venue, replace(ENTRY, quantity=dec(quantity)))

    assert (news.status, news.refusal) == (OrderStatus.REJECTED, Refusal.SIZE_OR_PRICE)
    assert venue.wallet == 1000


async def test_leverage_beyond_every_bracket_is_refused() -> None:
    """Read back must be what was asked for, or an error: never something else."""
    with pytest.raises(RequestRefusedError, match="1x to 125x"):
        await opened().prepare_symbol(SYMBOL, leverage=126, margin_mode=MarginMode.ISOLATED)
