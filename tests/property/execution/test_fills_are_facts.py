"""What was executed counts, once, whatever is said of the order in the same breath."""

import asyncio
import contextlib
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.exchanges import status_news
from tests.support.reconciling import P, World

from milobot.domain.orders import Fill, OrderStatus, OrderUpdate
from milobot.errors import OrderTransitionError

PARTS = 4
NEWS = st.lists(
    st.tuples(st.sampled_from(OrderStatus), st.sets(st.integers(0, PARTS - 1), max_size=PARTS)),
    max_size=8,
)


async def told(news: list[tuple[OrderStatus, set[int]]]) -> World:
    """Return the books after an entry of four parts was told of, in whatever words."""
    world = World()
    entry = await world.record(world.order(P.ENTRY, str(PARTS)))
    name, now_ms = entry.client_order_id, world.clock.time_ms
    fills = [
        Fill(f"f{n}", name, entry.symbol, entry.side, Decimal(1), Decimal(100), Decimal(0), now_ms)
        for n in range(PARTS)
    ]
    for status, parts in news:
        with contextlib.suppress(OrderTransitionError):
            some = tuple(fills[n] for n in sorted(parts))
            await world.book(OrderUpdate(name, entry.symbol, status, now_ms, some))
    with contextlib.suppress(OrderTransitionError):
        await world.book(status_news(entry, OrderStatus.EXPIRED))
    return world


@settings(max_examples=60, deadline=None)
@given(news=NEWS)
def test_every_execution_is_booked_once_and_the_order_ends(
    news: list[tuple[OrderStatus, set[int]]],
) -> None:
    """A fill that is left out lies there without a stop; an order without end holds its slot."""
    world = asyncio.run(told(news))

    (order,) = world.journal.latest.values()
    parts = {part for _, some in news for part in some}
    assert world.slot.position.quantity == len(parts)
    assert order.booked == {f"f{part}" for part in parts}
    assert order.status.is_final
