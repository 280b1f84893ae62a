"""Orders of the BingX client on a local exchange that fails: what is said agrees with the truth."""

import pytest
from tests.support.bingx_wire import (
    our_entry,
    our_stop,
    trading,
)
from tests.support.wire import flat_bars

from milobot.domain.orders import OrderStatus

FAULTS = (
    "timeout_after_accept:seconds=0.6",
    "timeout_before_accept:seconds=0.6",
    "drop_before",
    "drop_after",
    "cut_body",
    "endless_body:on=place,seconds=0.6",
    "empty_body",
    "empty_json",
    "truncated_json",
    "html:on=place",
    "http_error:status=504",
    "http_error:status=502,executed=0",
    "unknown_503",
    "unknown_503:executed=0",
    "unavailable_503",
    "overload_503",
    "internal_503",
    "unknown_1006",
    "unknown_1006:executed=0",
    "timeout_1007",
    "rate_limited:on=place",
    "maintenance:on=place",
    "reject:code=101204",
    "reject:code=101204,executed=0",
    "reject:code=80012,executed=1",
    "reject:code=101481,executed=1",
    "reject:code=100421",
)


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_is_said_of_an_order_agrees_with_the_truth(fault: str) -> None:
    """Certain only where it is certain; and after asking, what really happened."""
    async with trading(flat_bars(4)) as desk:
        desk.strike(fault)

        (update,) = await desk.client.account.place_order(our_entry())
        was_executed = bool(desk.truth()["orders"])
        found = await desk.client.account.fetch_update(our_entry())

        if update.status in {OrderStatus.REJECTED, OrderStatus.NOT_EXECUTED}:
            assert not was_executed
        if update.status in {OrderStatus.SUBMITTED, OrderStatus.FILLED}:
            assert was_executed
        assert (found is not None) == was_executed
        assert len(desk.truth()["orders"]) <= 1


@pytest.mark.parametrize("fault", FAULTS[:-8])
async def test_a_stop_is_never_placed_twice(fault: str) -> None:
    """It has no id that would keep a second one out: it is listed before it is repeated."""
    async with trading(flat_bars(4)) as desk:
        await desk.client.account.place_order(our_entry())
        desk.strike(fault.replace("on=place", "on=place*"))
        statuses: list[OrderStatus] = []

        while len(statuses) < 3 and OrderStatus.SUBMITTED not in statuses:
            again = our_stop(client_order_id=f"milo{10 + len(statuses)}")
            statuses += [u.status for u in await desk.client.account.place_order(again)]

        assert statuses[-1] is OrderStatus.SUBMITTED
        assert desk.resting_stops() == 1


async def test_a_repeated_entry_is_the_one_before() -> None:
    """The duplicate is refused, and what rests is told."""
    async with trading(flat_bars(4)) as desk:
        (first,) = await desk.client.account.place_order(our_entry())
        (again,) = await desk.client.account.place_order(our_entry())

        assert (first.status, again.status) == (OrderStatus.FILLED, OrderStatus.FILLED)
        assert [f.fill_id for f in first.fills] == [f.fill_id for f in again.fills]
        assert len(desk.truth()["orders"]) == 1
