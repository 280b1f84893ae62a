"""Closed candles: whatever a stream does, each once, in order, without a gap."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from milobot.domain.market import Candle
from milobot.domain.timeframes import Timeframe
from milobot.exchanges.sequencer import CandleCloser, CandleSequencer, Missing

FIRST_MS = 1_704_067_200_000
TIMEFRAMES = st.sampled_from([Timeframe.M1, Timeframe.H4, Timeframe.W1, Timeframe.MONTH])


def candles(timeframe: Timeframe, count: int) -> list[Candle]:
    times = [timeframe.open_of(FIRST_MS)]
    while len(times) < count:
        times.append(timeframe.next_open(times[-1]))
    return [Candle(at, 1.0, 2.0, 0.5, 1.5, float(n)) for n, at in enumerate(times)]


@given(
    timeframe=TIMEFRAMES,
    count=st.integers(1, 40),
    chance=st.randoms(),
    loss=st.floats(0, 0.9),
)
def test_every_candle_comes_once_and_in_order(
    timeframe: Timeframe, count: int, chance: Random, loss: float
) -> None:
    """Lost, doubled and reordered frames, with a listing after each hole."""
    truth = candles(timeframe, count)
    sequencer = CandleSequencer(timeframe, truth[0].time)
    sent = [c for c in truth for _ in range(chance.choice([1, 1, 2])) if chance.random() >= loss]
    for at in range(len(sent) - 1):
        if chance.random() < 0.3:
            sent[at], sent[at + 1] = sent[at + 1], sent[at]

    heard: list[Candle] = []
    for candle in sent:
        heard += sequencer.offer(candle)
        hole = sequencer.missing()
        if hole is not None and chance.random() < 0.5:
            heard += sequencer.fill(
                [c for c in truth if hole.first_ms <= c.time <= hole.last_ms], hole
            )
    end_ms = timeframe.next_open(truth[-1].time)
    late = sequencer.overdue(end_ms, 0)
    if late is not None:
        heard += sequencer.fill([c for c in truth if c.time >= late.first_ms], late)

    assert heard == truth
    assert sequencer.known_gaps == []
    assert sequencer.overdue(end_ms, 0) is None


@given(count=st.integers(3, 30), chance=st.randoms(), existing=st.floats(0.2, 1.0))
def test_candles_that_do_not_exist_are_skipped_and_noted(
    count: int, chance: Random, existing: float
) -> None:
    """An exchange that stood still has a hole for ever; waiting for it would stop the bot."""
    truth = candles(Timeframe.M1, count)
    there = [c for c in truth[:-1] if chance.random() < existing] + [truth[-1]]
    sequencer = CandleSequencer(Timeframe.M1, truth[0].time)

    heard = list(sequencer.offer(truth[-1]))
    while (hole := sequencer.missing()) is not None:
        heard += sequencer.fill([c for c in there if c.time >= hole.first_ms], hole)

    skipped = sum((gap.last_ms - gap.first_ms) // 60_000 + 1 for gap in sequencer.known_gaps)
    assert heard == there
    assert skipped == len(truth) - len(there)


def test_the_listing_that_ends_early_skips_nothing() -> None:
    """The newest candle may simply not be listed yet."""
    first, second, third = candles(Timeframe.M1, 3)
    sequencer = CandleSequencer(Timeframe.M1, first.time)
    hole = Missing(first.time, third.time)

    assert sequencer.fill([first], hole) == (first,)
    assert sequencer.known_gaps == []
    assert sequencer.offer(second) == (second,)


def test_giving_up_hands_on_what_is_held() -> None:
    """A hole that no listing fills must not hold back what came after it."""
    first, second, third = candles(Timeframe.M1, 3)
    sequencer = CandleSequencer(Timeframe.M1, first.time)
    assert sequencer.offer(third) == ()

    assert sequencer.give_up() == (third,)
    assert sequencer.known_gaps == [Missing(first.time, second.time)]
    assert sequencer.give_up() == ()


def test_without_a_beginning_the_first_candle_begins() -> None:
    """Nothing is missing before a series that nobody had."""
    truth = candles(Timeframe.M1, 3)
    sequencer = CandleSequencer(Timeframe.M1)

    assert sequencer.overdue(FIRST_MS, 0) is None
    assert sequencer.missing() is None
    assert sequencer.offer(truth[1]) == (truth[1],)
    assert sequencer.offer(truth[0]) == ()


def test_a_candle_off_the_grid_is_dropped() -> None:
    """One wrong open time would shift every candle after it."""
    candle = candles(Timeframe.M1, 1)[0]
    sequencer = CandleSequencer(Timeframe.M1, candle.time)

    assert sequencer.offer(candle._replace(time=candle.time + 1)) == ()


def test_what_is_held_back_is_bounded() -> None:
    """A stream that runs ahead for ever must not fill the memory."""
    truth = candles(Timeframe.M1, 1500)
    sequencer = CandleSequencer(Timeframe.M1, truth[0].time)
    for candle in truth[1:]:
        assert sequencer.offer(candle) == ()

    released = sequencer.offer(truth[0])

    assert released == tuple(truth[:1000])


@given(st.lists(st.integers(0, 6), max_size=30))
def test_a_candle_is_final_when_the_next_begins(steps: list[int]) -> None:
    """Where no flag tells, the next candle does; old news changes nothing."""
    truth = candles(Timeframe.M1, 7)
    closer, closed, newest = CandleCloser(), [], -1
    for step in steps:
        done = closer.update(truth[step], FIRST_MS)
        if done is not None:
            closed.append(done.candle)
        if step > newest >= 0:
            assert done == (truth[newest], True)
        newest = max(newest, step)

    assert closed == sorted(set(closed), key=lambda c: c.time)
    closer.forget()
    assert closer.update(truth[6], FIRST_MS) is None


def test_a_candle_that_was_quiet_at_its_end_is_not_called_final() -> None:
    """Its last state may never have come: a lost frame and a market at rest look the same."""
    first, second, third = candles(Timeframe.M1, 3)
    closer = CandleCloser()
    closer.update(first, FIRST_MS)

    assert closer.update(second, FIRST_MS + 10_000) == (first, True)
    assert closer.update(third, FIRST_MS + 20_001) == (second, False)
