"""The limiter on virtual time: never too much, never the wrong one first."""

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.virtual_time import VirtualTime

from milobot.errors import RateLimitedError
from milobot.exchanges.limits import DownloadPace, Limit, PriorityLimiter, Usage
from milobot.exchanges.wire import Call, Priority

FREE = DownloadPace(parallel=1000, apart_s=0.0)
WINDOW_MS = 1000
RESERVED_FOR = {Priority.EXIT, Priority.VITAL}


def call(priority: Priority, cost: int = 1, budget: str = "w") -> Call:
    return Call("GET", "/x", priority=priority, costs=((budget, cost),))


async def leave(
    limiter: PriorityLimiter, time: VirtualTime, one: Call, left: list[tuple[int, Call]]
) -> None:
    try:
        async with limiter.turn(one, patience_s=3600):
            left.append((time.now_ms(), one))
    except RateLimitedError:
        pass


async def play(arrivals: Sequence[tuple[int, Priority, int]], most: int) -> list[tuple[int, Call]]:
    """Let calls arrive, milliseconds apart; return when each left."""
    time = VirtualTime()
    limiter = PriorityLimiter(
        "X", time, (Limit("w", most, WINDOW_MS),), pace=FREE, sleep=time.sleep
    )
    left: list[tuple[int, Call]] = []
    async with asyncio.TaskGroup() as group:
        for wait_ms, priority, cost in arrivals:
            group.create_task(leave(limiter, time, call(priority, cost), left))
            await time.run_for(wait_ms / 1000)
        await time.run_for(600)
    return left


ARRIVALS = st.lists(
    st.tuples(st.integers(0, 400), st.sampled_from(Priority), st.integers(1, 3)), max_size=40
)


@given(arrivals=ARRIVALS, most=st.integers(5, 20))
@settings(max_examples=60)
def test_no_window_ever_holds_more_than_is_allowed(
    arrivals: list[tuple[int, Priority, int]], most: int
) -> None:
    """A window of the exchange may begin anywhere: every sliding one must hold."""
    left = asyncio.run(play(arrivals, most))

    assert len(left) == len(arrivals)
    for start, _ in left:
        inside = [c for at, c in left if start <= at < start + WINDOW_MS]
        assert sum(c.costs[0][1] for c in inside) <= most
        plain = sum(c.costs[0][1] for c in inside if c.priority not in RESERVED_FOR)
        assert plain <= max(int(most * 0.8), 3)


@given(arrivals=ARRIVALS)
@settings(max_examples=40)
def test_an_exit_never_waits_for_anything_else(
    arrivals: list[tuple[int, Priority, int]],
) -> None:
    """A fifth is always kept: while exits alone stay within it, they leave at once."""

    async def scenario() -> None:
        time = VirtualTime()
        limit = Limit("w", 20, WINDOW_MS)
        limiter = PriorityLimiter("X", time, (limit,), pace=FREE, sleep=time.sleep)
        left: list[tuple[int, Call]] = []
        async with asyncio.TaskGroup() as group:
            for wait_ms, priority, cost in arrivals:
                if priority not in RESERVED_FOR:
                    group.create_task(leave(limiter, time, call(priority, cost), left))
                await time.run_for(wait_ms / 1000)
            now_ms = time.now_ms()
            async with limiter.turn(call(Priority.EXIT, 4), patience_s=0):
                assert time.now_ms() == now_ms
            await time.run_for(600)

    asyncio.run(scenario())


async def test_orders_pass_queued_downloads() -> None:
    """Twenty downloads wait; the order leaves before all of them but those under way."""
    time = VirtualTime()
    limiter = PriorityLimiter("X", time, (Limit("w", 10, WINDOW_MS),), pace=FREE, sleep=time.sleep)
    left: list[tuple[int, Call]] = []
    order, query = call(Priority.ORDER), call(Priority.QUERY)
    async with asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(leave(limiter, time, call(Priority.DOWNLOAD), left))
        await time.run_for(0)
        group.create_task(leave(limiter, time, query, left))
        group.create_task(leave(limiter, time, order, left))
        await time.run_for(60)

    places = [one for _, one in left]
    assert left[places.index(order)][0] == left[0][0]
    assert places.index(order) < 8
    assert places.index(query) < 8


async def test_downloads_are_spread() -> None:
    """Five at a time and a fifth of a second apart, as the specification has it."""
    time = VirtualTime()
    limiter = PriorityLimiter("X", time, (), sleep=time.sleep)
    running, most_running, starts = 0, 0, []

    async def download() -> None:
        nonlocal running, most_running
        async with limiter.turn(call(Priority.DOWNLOAD)):
            starts.append(time.now_ms())
            running += 1
            most_running = max(most_running, running)
            await time.sleep(3)
            running -= 1

    async with asyncio.TaskGroup() as group:
        for _ in range(12):
            group.create_task(download())
        await time.run_for(30)

    assert most_running == 5
    assert all(b - a >= 200 for a, b in itertools.pairwise(starts))


async def test_what_the_exchange_counts_is_believed_when_it_is_more() -> None:
    """Another program on the same address eats from the same budget."""
    time = VirtualTime()
    limiter = PriorityLimiter("X", time, (Limit("w", 10, WINDOW_MS),), sleep=time.sleep)
    limiter.learn(Usage("w", 9))
    limiter.learn(Usage("nobody knows", 5))

    with pytest.raises(RateLimitedError, match="share of the rate budget"):
        async with limiter.turn(call(Priority.ORDER), patience_s=0.5):
            pass
    time.step(WINDOW_MS)
    async with limiter.turn(call(Priority.ORDER), patience_s=0):
        pass


async def test_what_others_spent_is_over_with_the_window_that_it_was_counted_in() -> None:
    """A bot that takes over late in a minute must not be held up through all of the next."""
    time = VirtualTime()
    limiter = PriorityLimiter("X", time, (Limit("w", 100, 60_000),), sleep=time.sleep)
    await limiter.wait(call(Priority.ORDER, 5), patience_s=0)
    time.step(1_000)
    limiter.learn(Usage("w", 85))
    time.step(9_000)
    with pytest.raises(RateLimitedError):
        await limiter.wait(call(Priority.ORDER), patience_s=0)

    await limiter.wait(call(Priority.VITAL, 2), patience_s=0)
    limiter.learn(Usage("w", 2))

    assert limiter.standing() == {"w": (7, 100)}
    limiter.learn(Usage("w", 12))
    assert limiter.standing() == {"w": (17, 100)}
    time.step(51_000)
    assert limiter.standing() == {"w": (12, 100)}


@given(
    spent=st.lists(st.tuples(st.integers(0, 30_000), st.integers(0, 60)), min_size=5, max_size=60),
    phase_ms=st.integers(0, 59_999),
)
@settings(max_examples=60)
def test_no_window_of_the_exchange_is_overdrawn_by_us(
    spent: list[tuple[int, int]], phase_ms: int
) -> None:
    """Others come and go; what the exchange has counted just now is known before each of ours."""
    time = VirtualTime(60_000_000 + phase_ms)
    limiter = PriorityLimiter("X", time, (Limit("w", 100, 60_000),), sleep=time.sleep)
    counted: Counter[int] = Counter()

    async def scenario() -> None:
        for wait_ms, foreign in spent:
            time.step(wait_ms)
            window = time.now_ms() // 60_000
            counted[window] += foreign
            limiter.learn(Usage("w", counted[window]))
            with contextlib.suppress(RateLimitedError):
                await limiter.wait(call(Priority.VITAL, 20), patience_s=0)
                counted[window] += 20
                assert counted[window] <= 100
                limiter.learn(Usage("w", counted[window]))

    asyncio.run(scenario())


async def test_exits_use_up_no_share_of_entries() -> None:
    """Stops and targets make two thirds of what a bot sends: entries wait for the whole only."""
    time = VirtualTime()
    limiter = PriorityLimiter("X", time, (Limit("w", 10, WINDOW_MS),), sleep=time.sleep)
    for priority in [Priority.EXIT] * 7 + [Priority.ORDER] * 3:
        async with limiter.turn(call(priority), patience_s=0):
            pass

    with pytest.raises(RateLimitedError):
        async with limiter.turn(call(Priority.ORDER), patience_s=0):
            pass


async def test_what_was_on_the_way_is_not_taken_for_somebody_else() -> None:
    """A window of the exchange holds nine of ours that left in just over one: that is no tenth."""
    time = VirtualTime()
    limiter = PriorityLimiter("X", time, (Limit("w", 10, WINDOW_MS),), sleep=time.sleep)
    for _ in range(9):
        async with limiter.turn(call(Priority.EXIT), patience_s=0):
            time.step(124)
    limiter.learn(Usage("w", 9))

    assert limiter.standing() == {"w": (8, 10)}
    limiter.learn(Usage("w", 10))
    assert limiter.standing() == {"w": (9, 10)}


async def test_a_pause_stops_everything_and_says_until_when() -> None:
    """After 418 every further request makes the ban longer, exits too."""
    time = VirtualTime()
    limiter = PriorityLimiter("X", time, (), sleep=time.sleep)
    limiter.pause(120, "banned")
    limiter.pause(5, "shorter")

    for priority in Priority:
        with pytest.raises(RateLimitedError, match="banned") as refused:
            async with limiter.turn(call(priority), patience_s=1):
                pass
        assert refused.value.retry_after_s == pytest.approx(120, abs=2)
    time.step(121_000)
    async with limiter.turn(call(Priority.QUERY), patience_s=0):
        pass


async def test_an_order_does_not_wait_long() -> None:
    """An order that leaves minutes after it was decided is another order."""
    time = VirtualTime()
    limiter = PriorityLimiter("X", time, (Limit("w", 10, 60_000),), sleep=time.sleep)
    limiter.learn(Usage("w", 8))

    with pytest.raises(RateLimitedError):
        async with limiter.turn(call(Priority.ORDER)):
            pass


async def test_a_new_limit_holds_at_once() -> None:
    """What exchangeInfo says counts more than what we assumed."""
    time = VirtualTime()
    limiter = PriorityLimiter("X", time, (Limit("w", 10, WINDOW_MS),), sleep=time.sleep)
    limiter.set_limit(Limit("w", 2, WINDOW_MS))
    limiter.set_limit(Limit("new", 5, WINDOW_MS))

    async with limiter.turn(call(Priority.EXIT, 2)):
        pass
    with pytest.raises(RateLimitedError):
        async with limiter.turn(call(Priority.EXIT), patience_s=0):
            pass


async def test_ten_orders_a_second_never_wait() -> None:
    """Binance allows 300 in ten seconds and 1,200 a minute: our share must hold a minute of ten."""
    time = VirtualTime()
    limits = (Limit("10s", 300, 10_000), Limit("1m", 1200, 60_000))
    limiter = PriorityLimiter("X", time, limits, sleep=time.sleep)
    one = Call("POST", "/o", priority=Priority.ORDER, costs=(("10s", 1), ("1m", 1)))

    for _ in range(600):
        async with limiter.turn(one, patience_s=0):
            pass
        time.step(100)
