"""When "not found" counts, and what asking for an order in doubt comes to."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.support.records import ORDER
from tests.support.trading import dec

from milobot.domain.intents import Side
from milobot.domain.orders import (
    Fill,
    Order,
    OrderPurpose,
    OrderStatus,
    OrderType,
    OrderUpdate,
    Refusal,
)
from milobot.domain.reports import OrderReport
from milobot.execution.doubt import (
    Doubt,
    Sighting,
    Terms,
    due_ms,
    fence_ms,
    is_in_doubt,
    judge,
    needs_whole_round,
)

P, S, T = OrderPurpose, OrderStatus, OrderType
TERMS = Terms()
ENTRY = replace(
    ORDER, quantity=dec("1"), status=S.UNKNOWN, created_ms=100_000, send_before_ms=101_000
)
STOP = replace(
    ENTRY,
    client_order_id="stop",
    side=Side.SELL,
    type=T.STOP_MARKET,
    purpose=P.STOP,
    reduce_only=True,
    trigger_price=dec("95"),
)
FENCE = 101_000 + 2_000 + 10_000


def news(order: Order, status: OrderStatus, *fills: Fill) -> OrderUpdate:
    """Return what the exchange answers about an order."""
    return OrderUpdate(order.client_order_id, order.symbol, status, 102_000, fills)


def executed(quantity: str = "1", *, order: str = "x1", time_ms: int = 101_500) -> Fill:
    """Return an execution as a listing tells it: by the exchange's name of the order."""
    fill_id = f"{order}-{quantity}-{time_ms}"
    price, fee = dec("100"), dec("0")
    return Fill(fill_id, order, ENTRY.symbol, Side.BUY, dec(quantity), price, fee, time_ms)


def nothing(asked_ms: int) -> Sighting:
    """Return a whole round that found nothing."""
    return Sighting(asked_ms, is_whole=True)


def rounds(order: Order, *sightings: Sighting) -> OrderUpdate | None:
    """Return what the last of some rounds came to; the others must come to nothing."""
    doubt = Doubt()
    update = None
    for number, sighting in enumerate(sightings):
        doubt, update = judge(order, sighting, doubt, TERMS)
        assert update is None or number == len(sightings) - 1
    return update


@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [
        (T.MARKET, S.PENDING, True),
        (T.MARKET, S.UNKNOWN, True),
        (T.MARKET, S.SUBMITTED, True),
        (T.MARKET, S.PARTIALLY_FILLED, True),
        (T.MARKET, S.FILLED, False),
        (T.LIMIT, S.SUBMITTED, False),
        (T.LIMIT, S.PARTIALLY_FILLED, False),
        (T.LIMIT, S.CANCEL_PENDING, True),
        (T.STOP_MARKET, S.SUBMITTED, False),
        (T.STOP_MARKET, S.TRIGGERED, True),
        (T.STOP_MARKET, S.PARTIALLY_FILLED, True),
        (T.STOP_MARKET, S.CANCELLED, False),
    ],
)
def test_what_rests_is_not_in_doubt_and_what_should_move_is(
    kind: OrderType, status: OrderStatus, *, expected: bool
) -> None:
    """A market order that was taken has filled by now, or its news was lost."""
    assert is_in_doubt(replace(ENTRY, type=kind, status=status)) is expected


def test_an_entry_not_found_twice_after_the_fence_was_not_executed() -> None:
    """The rule that makes an entry happen at most once."""
    update = rounds(ENTRY, nothing(FENCE + 1), nothing(FENCE + 2_001))

    assert update is not None
    assert (update.status, update.refusal) == (S.NOT_EXECUTED, None)
    assert "14 s after its last moment to be sent" in update.reason


@pytest.mark.parametrize(
    "sightings",
    [
        (nothing(FENCE), nothing(FENCE + 2_000)),
        (nothing(FENCE - 1), nothing(FENCE + 5_000)),
        (nothing(FENCE + 1), nothing(FENCE + 2_000)),
        (Sighting(FENCE + 1), nothing(FENCE + 5_000)),
        (nothing(FENCE + 1), Sighting(FENCE + 5_000)),
    ],
    ids=["on the fence", "before it", "too close", "first not whole", "second not whole"],
)
def test_anything_less_than_two_whole_rounds_after_the_fence_proves_nothing(
    sightings: tuple[Sighting, ...],
) -> None:
    """One millisecond less, one question less: the entry may still come."""
    assert rounds(ENTRY, *sightings) is None


def test_a_round_that_was_not_whole_starts_the_count_anew() -> None:
    """Both rounds have to stand on all four questions."""
    found = rounds(ENTRY, nothing(FENCE + 1), Sighting(FENCE + 1_000), nothing(FENCE + 2_500))

    assert found is None


def test_an_order_without_a_bound_counts_from_its_making() -> None:
    """Old records have none."""
    old = replace(ENTRY, send_before_ms=0)

    assert fence_ms(old, TERMS) == 100_000 + 12_000
    assert rounds(old, nothing(112_001), nothing(114_001)) is not None


@pytest.mark.parametrize("status", [S.FILLED, S.SUBMITTED, S.CANCELLED, S.UNKNOWN])
def test_what_the_exchange_shows_is_told_and_ends_the_count(status: OrderStatus) -> None:
    """Its word about an order counts at any time."""
    doubt, _ = judge(ENTRY, nothing(FENCE + 1), Doubt(), TERMS)
    shown = news(ENTRY, status)

    doubt, update = judge(ENTRY, Sighting(FENCE + 500, shown), doubt, TERMS)

    assert update is shown
    assert doubt.missed_ms == 0


@pytest.mark.parametrize("name", ["client_order_id", "exchange_order_id"])
def test_an_order_that_is_listed_is_there_although_asking_finds_none(name: str) -> None:
    """Two endpoints, one stale: the better news counts."""
    order = replace(ENTRY, exchange_order_id="x9")
    report = OrderReport(
        order.client_order_id if name == "client_order_id" else "",
        "x9" if name == "exchange_order_id" else "x1",
        order.symbol,
        Side.BUY,
        T.MARKET,
        S.SUBMITTED,
        dec("1"),
        0,
    )
    listed = [replace(nothing(at_ms), listed=[report]) for at_ms in (FENCE + 1, FENCE + 9_000)]

    assert rounds(order, *listed) is None


def test_an_execution_that_fits_in_every_way_is_the_entry() -> None:
    """The exchange dropped our id, or forgets orders that ended: the position is ours."""
    sighting = replace(nothing(105_000), fills=[executed()], held=dec("1"))

    update = rounds(ENTRY, sighting)

    assert update is not None
    assert (update.status, update.exchange_order_id) == (S.FILLED, "x1")
    assert [f.client_order_id for f in update.fills] == [ENTRY.client_order_id]


def test_executions_of_one_order_add_up() -> None:
    """Filled in two parts, the first of which was told."""
    partly = replace(ENTRY, filled_quantity=dec("0.4"), status=S.PARTIALLY_FILLED)
    parts = [executed("0.4", time_ms=101_100), executed("0.6")]
    sighting = replace(
        nothing(105_000),
        fills=parts,
        booked=frozenset({parts[0].fill_id}),
        held=dec("1"),
        ours=dec("0.4"),
    )

    update = rounds(partly, sighting)

    assert update is not None
    assert update.fills == (replace(parts[1], client_order_id=partly.client_order_id),)


@pytest.mark.parametrize(
    ("fills", "held"),
    [
        ([executed("0.9")], "1"),
        ([executed("0.5"), executed("0.5", order="x2")], "1"),
        ([executed()], "2"),
        ([executed(time_ms=99_999)], "1"),
        ([executed(time_ms=FENCE + 1)], "1"),
        ([replace(executed(), side=Side.SELL)], "1"),
        ([], "1"),
    ],
    ids=["less", "two orders", "position", "before", "after", "side", "none"],
)
def test_an_execution_that_fits_nearly_is_not_the_entry(fills: list[Fill], held: str) -> None:
    """Then it is in doubt for as long as more is held than our books explain, and then not."""
    sighting = replace(nothing(FENCE + 1), fills=fills, held=Decimal(held))
    late_ms = FENCE + TERMS.give_up_ms + 1

    assert rounds(ENTRY, sighting, replace(sighting, asked_ms=FENCE + 5_000)) is None
    update = rounds(
        ENTRY,
        replace(sighting, asked_ms=late_ms),
        replace(sighting, asked_ms=late_ms + 2_000),
    )
    assert update is not None
    assert update.status is S.NOT_EXECUTED


def test_a_short_entry_is_looked_for_on_its_own_side() -> None:
    """Sold, so less is held."""
    short = replace(ENTRY, side=Side.SELL)
    sold = replace(executed(), side=Side.SELL)
    sighting = replace(nothing(105_000), fills=[sold], held=dec("-1"))

    update = rounds(short, sighting)

    assert update is not None
    assert update.status is S.FILLED


def test_an_execution_named_by_our_own_id_keeps_their_name_unknown() -> None:
    """Some listings name executions by our id."""
    named = executed(order=ENTRY.client_order_id)
    update = rounds(ENTRY, replace(nothing(105_000), fills=[named], held=dec("1")))

    assert update is not None
    assert update.exchange_order_id == ""


def test_an_exit_not_found_once_is_sent_anew() -> None:
    """It can only reduce: two of them harm less than none."""
    update = rounds(STOP, Sighting(101_500))

    assert update is not None
    assert (update.status, update.refusal) == (S.NOT_EXECUTED, Refusal.UNAVAILABLE)


@pytest.mark.parametrize(
    ("status", "end"),
    [
        (S.PENDING, S.NOT_EXECUTED),
        (S.CANCEL_PENDING, S.CANCELLED),
    ],
)
def test_an_exit_ends_as_its_state_allows(status: OrderStatus, end: OrderStatus) -> None:
    """What was there cannot never have been executed."""
    update = rounds(replace(STOP, status=status), Sighting(101_500))

    assert update is not None
    assert update.status is end


@pytest.mark.parametrize(
    ("status", "end"),
    [(S.TRIGGERED, S.EXPIRED), (S.SUBMITTED, S.CANCELLED), (S.PARTIALLY_FILLED, S.CANCELLED)],
)
def test_an_exit_that_was_there_is_missed_for_a_while(
    status: OrderStatus, end: OrderStatus
) -> None:
    """A listing of some moments ago must not send a second close at once."""
    order = replace(STOP, status=status, type=T.MARKET if status is not S.TRIGGERED else STOP.type)

    update = rounds(order, Sighting(105_000), Sighting(106_499), Sighting(106_500))

    assert update is not None
    assert update.status is end


def test_an_entry_that_was_taken_and_is_gone_ends_as_cancelled() -> None:
    """What it filled stays booked."""
    partly = replace(ENTRY, status=S.PARTIALLY_FILLED, filled_quantity=dec("0.4"))

    update = rounds(partly, nothing(FENCE + 1), nothing(FENCE + 2_001))

    assert update is not None
    assert update.status is S.CANCELLED


def test_a_trigger_that_leads_to_nothing_has_failed() -> None:
    """Its order was refused and nobody said so: the position has no stop any more."""
    order = replace(STOP, status=S.TRIGGERED)
    shown = news(order, S.TRIGGERED)
    doubt, first = judge(order, Sighting(110_000, shown), Doubt(), TERMS)
    doubt, second = judge(order, Sighting(111_499, shown), doubt, TERMS)

    _, third = judge(order, Sighting(111_500, shown), doubt, TERMS)

    assert (first, second) == (shown, shown)
    assert third is not None
    assert third.status is S.EXPIRED
    assert "1.5 s" in third.reason


def test_a_trigger_that_fills_has_not_failed() -> None:
    """Parts of it are coming."""
    order = replace(STOP, status=S.TRIGGERED)
    doubt, _ = judge(order, Sighting(110_000, news(order, S.TRIGGERED)), Doubt(), TERMS)
    partly = news(order, S.TRIGGERED, replace(executed("0.4"), side=Side.SELL))

    doubt, update = judge(order, Sighting(119_000, partly), doubt, TERMS)

    assert update is partly
    assert doubt.triggered_ms == 0


def test_an_order_is_asked_for_often_enough_and_no_more() -> None:
    """At once, then every half second; between two rounds that count, not before they can."""
    assert due_ms(ENTRY, Doubt(), TERMS) == 0
    assert due_ms(ENTRY, Doubt(asked_ms=5_000), TERMS) == 5_500
    assert due_ms(ENTRY, Doubt(asked_ms=5_000, missed_ms=5_000), TERMS) == 7_000
    assert due_ms(STOP, Doubt(asked_ms=5_000, missed_ms=5_000), TERMS) == 5_500
    partly = replace(ENTRY, status=S.PARTIALLY_FILLED, filled_quantity=dec("0.4"))
    assert due_ms(partly, Doubt(asked_ms=5_000), TERMS) == 7_000
    closing = replace(partly, purpose=P.CLOSE)  # its end may free what nobody else closes
    assert due_ms(closing, Doubt(asked_ms=5_000), TERMS) == 5_500


def test_a_whole_round_is_asked_for_entries_after_the_fence_only() -> None:
    """Before it the answer could not count."""
    assert not needs_whole_round(ENTRY, FENCE, TERMS)
    assert needs_whole_round(ENTRY, FENCE + 1, TERMS)
    assert not needs_whole_round(STOP, FENCE + 1, TERMS)


REDUCTION = replace(ENTRY, side=Side.SELL, purpose=P.REDUCE, reduce_only=True)


def test_a_reduction_that_is_not_found_is_given_up_like_an_entry() -> None:
    """Sent once more, as other exits are, it would take off twice what was asked for."""
    early, first, second = Sighting(FENCE - 1), nothing(FENCE + 1), nothing(FENCE + 2_001)

    update = rounds(REDUCTION, early, first, second)

    assert update is not None
    assert (update.status, update.refusal) == (S.NOT_EXECUTED, None)
    assert needs_whole_round(REDUCTION, FENCE + 1, TERMS)


def test_a_reduction_is_known_by_what_it_took_off() -> None:
    """Less is held than our books say, by just its quantity."""
    sold = replace(executed("1"), side=Side.SELL)
    seen = Sighting(FENCE + 1, is_whole=True, fills=(sold,), held=dec("1"), ours=dec("2"))

    update = rounds(REDUCTION, seen)

    assert update is not None
    assert (update.status, [f.quantity for f in update.fills]) == (S.FILLED, [dec("1")])


def test_a_reduction_is_not_given_up_while_less_is_held_than_is_booked() -> None:
    """It may be what took it off; the comparison waits for its end as well."""
    less = Sighting(FENCE + 1, is_whole=True, held=dec("1"), ours=dec("2"))

    assert rounds(REDUCTION, less, replace(less, asked_ms=FENCE + 3_000)) is None
