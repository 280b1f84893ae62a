"""A replay keeps to its speed and loses nothing."""

import pytest

from milobot.domain.market import CandleSeries
from milobot.errors import ConfigurationError
from milobot.marketdata.generated import generate_candles
from milobot.marketdata.replay import ReplayFeed
from milobot.ports import MarketFeed

CANDLES = generate_candles(minutes=250)


class ManualTime:
    """A clock that only sleeping moves, and work that takes a while."""

    def __init__(self, work_s: float = 0.0) -> None:
        """Start at 100 s; each sleep is followed by ``work_s`` of somebody else's work."""
        self.seconds = 100.0
        self.sleeps: list[float] = []
        self._work_s = work_s

    def now(self) -> float:
        """Return seconds."""
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.sleeps.append(seconds)
        self.seconds += seconds + self._work_s


async def _play(time: ManualTime, speed: float, *, chunk: int = 500) -> list[CandleSeries]:
    feed: MarketFeed = ReplayFeed(CANDLES, speed=speed, chunk=chunk, sleep=time.sleep, now=time.now)
    return [part async for part in feed.candles()]


def _joined(parts: list[CandleSeries]) -> CandleSeries:
    whole = CandleSeries.empty()
    for part in parts:
        whole = whole.joined(part)
    return whole


@pytest.mark.parametrize("speed", [0, 0.5, 20, 1000, 1e9])
async def test_every_candle_once_in_order(speed: float) -> None:
    """The engine relies on a feed without gap or repetition."""
    assert _joined(await _play(ManualTime(), speed)).equals(CANDLES)


async def test_slow_replay_gives_single_candles() -> None:
    """At 20 a second each candle is seen for 50 ms."""
    time = ManualTime()
    parts = await _play(time, 20)

    assert {len(part) for part in parts} == {1}
    assert len(time.sleeps) == 249
    assert time.seconds == pytest.approx(100 + 249 / 20)


async def test_fast_replay_gives_several_at_a_time() -> None:
    """A thousand wake-ups a second would leave no time for the work itself."""
    time = ManualTime()
    parts = await _play(time, 1000)

    assert [len(part) for part in parts] == [20] * 12 + [10]
    assert time.seconds == pytest.approx(100.24)


async def test_work_between_does_not_slow_the_replay() -> None:
    """The plan counts from the start, so lateness does not add up."""
    time = ManualTime(work_s=0.03)
    await _play(time, 20)

    assert time.seconds == pytest.approx(100 + 249 / 20 + 0.03)


async def test_as_fast_as_possible_still_lets_others_run() -> None:
    """Speed 0 hands out chunks and sleeps for nothing between them."""
    time = ManualTime()
    parts = await _play(time, 0, chunk=100)

    assert [len(part) for part in parts] == [100, 100, 50]
    assert time.sleeps == [0.0, 0.0]


async def test_empty_series_ends_at_once() -> None:
    """No candle, no turn."""
    feed = ReplayFeed(CandleSeries.empty(), speed=1)

    assert [part async for part in feed.candles()] == []


@pytest.mark.parametrize("speed", [-1.0, float("nan"), float("inf")])
def test_wrong_speed(speed: float) -> None:
    """The flag comes from the user."""
    with pytest.raises(ConfigurationError, match="0 or more candles a second, not"):
        ReplayFeed(CANDLES, speed=speed)
