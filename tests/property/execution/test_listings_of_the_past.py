"""Listings from any moment of the past, or of nothing: what was filled stays ours, and protected."""

import asyncio
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.reconciling import P, S, World
from tests.support.trading import dec

from milobot.domain.reports import PositionReport
from milobot.execution.findings import signed

_PARTS = 4
# What happens next: a part of the target fills, or the process dies; then the
# exchange shows some earlier picture, or none, after so many seconds.
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["", "", "sell", "restart"]),
        st.sampled_from([0, 0, 0, 1, 2, 3]),
        st.sampled_from([0.5, 3.0, 11.0, 29.0]),
    ),
    min_size=2,
    max_size=20,  # of 29 s at most: less than the ten minutes after which listings are believed
)


async def play(steps: list[tuple[str, int, float]]) -> None:
    """Compare our books with old pictures, while all our own fills are told."""
    world = World()
    entry, stop, target = await world.opened(str(_PARTS))
    pictures: list[tuple[PositionReport, ...]] = [(), world.snapshot().positions]
    for event, picture, wait_s in steps:
        if event == "sell" and world.stand() > 1:
            await world.fill(target, "1")
            pictures.append(world.snapshot().positions)
        elif event == "restart":
            await world.restart()
        world.later(wait_s)
        shown = pictures[min(picture, len(pictures) - 1)]
        await world.reconcile(replace(world.snapshot(), positions=shown))
        assert signed(world.slot.position) == world.stand()
        assert world.journal.latest[stop.order.client_order_id].status is S.SUBMITTED
    assert entry.filled == dec(_PARTS)
    assert len(world.slot.live(P.STOP)) == 1


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_no_listing_of_the_past_takes_away_what_was_filled(
    steps: list[tuple[str, int, float]],
) -> None:
    """An exchange that shows an empty account for minutes must not cost anybody a stop."""
    asyncio.run(play(steps))
