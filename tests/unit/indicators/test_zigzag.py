"""Each clause of the ZigZag's definition, on candles small enough to read."""

from collections.abc import Sequence

import numpy as np
import pytest

from milobot.errors import DataError
from milobot.indicators.swings import SwingHistory, zigzag, zigzag_points
from milobot.indicators.zigzag import ZigZag

Rows = Sequence[tuple[float, float, float]]

# With depth 2 the low of candle 0 is confirmed at candle 2: from there on an up leg.
UP_LEG = [(50.0, 50.0, 50.0), (50.0, 50.0, 50.0), (60.0, 55.0, 60.0)]
LOW = (0, "low", 2)


def swings_of(rows: Rows, *, deviation: float = 1.0, depth: int = 2) -> SwingHistory:
    """Build a history from rows of high, low, close, one minute apart."""
    high, low, close = zip(*rows, strict=True)
    times = [1_700_000_000_000 + 60_000 * index for index in range(len(rows))]
    return zigzag(high, low, close, times, deviation, depth)


def known(history: SwingHistory, t: int) -> list[tuple[int, str, int | None]]:
    return [
        (point["index"], point["kind"], point["confirmed_index"])
        for point in zigzag_points(history, t)
    ]


def test_point_is_a_plain_dict() -> None:
    """Scripts and the page read these keys."""
    history = swings_of([(100, 99.9, 100), (100, 99.9, 100), (99.5, 98, 99)])

    points = zigzag_points(history, 2)

    assert points == [
        {
            "index": 0,
            "time": 1_700_000_000_000,
            "price": 100.0,
            "kind": "high",
            "confirmed_index": 2,
        },
        {
            "index": 2,
            "time": 1_700_000_120_000,
            "price": 98.0,
            "kind": "low",
            "confirmed_index": None,
        },
    ]
    assert [type(value) for value in points[0].values()] == [int, int, float, str, int]


def test_close_exactly_at_the_deviation_confirms() -> None:
    """The condition is "at or below"."""
    just_above = float(np.nextafter(99.0, 100.0))
    rows = [*UP_LEG, (100, 99.9, 100), (100, 99.9, 100), (100, 99.0, just_above), (99, 99, 99)]

    history = swings_of(rows)

    assert known(history, 5) == [LOW, (3, "high", None)]
    assert known(history, 6) == [LOW, (3, "high", 6), (5, "low", None)]


def test_wick_alone_does_not_confirm() -> None:
    """The close decides; a low that far down is taken back within the candle."""
    history = swings_of([(100, 99.5, 100), (100, 99.5, 100), (100, 90, 99.6), (100, 99.5, 99.6)])

    assert known(history, 3) == [(2, "low", None)]


def test_depth_must_have_passed() -> None:
    """One candle fewer is too early, however deep the fall."""
    rows = [(100, 99, 100), (99, 80, 80), (81, 80, 80), (81, 80, 80)]

    assert known(swings_of(rows, depth=3), 2)[-1][2] is None
    assert known(swings_of(rows, depth=3), 3)[0] == (0, "high", 3)


def test_higher_high_moves_the_candidate_and_an_equal_one_does_not() -> None:
    """The earlier of two equal highs stays: it was first."""
    rows = [*UP_LEG, (100, 99, 100), (101, 99, 101), (101, 99, 101), (101, 99, 99.6)]

    history = swings_of(rows)

    assert known(history, 3) == [LOW, (3, "high", None)]
    assert known(history, 4) == [LOW, (4, "high", None)]
    assert known(history, 5) == [LOW, (4, "high", None)]
    assert known(history, 6) == [LOW, (4, "high", 6), (6, "low", None)]


def test_candle_with_a_higher_high_confirms_nothing() -> None:
    """It moves the candidate, even when it closes far below."""
    rows = [*UP_LEG, (100, 99.5, 100), (100, 99.5, 100), (100, 99.5, 100), (101, 90, 90)]

    assert known(swings_of(rows), 6) == [LOW, (6, "high", None)]


def test_new_candidate_is_the_earliest_lowest_low_from_depth_on() -> None:
    """Lower lows before candidate + depth do not count, equal later ones neither."""
    rows = [
        *UP_LEG,
        (100, 99.5, 100),
        (100, 95.0, 99.5),  # lowest of all, but only one candle after the high
        (100, 98.0, 99.5),
        (100, 97.0, 99.5),
        (100, 97.0, 99.5),
        (100, 98.0, 98.5),
    ]

    assert known(swings_of(rows), 8) == [LOW, (3, "high", 8), (6, "low", None)]


def test_down_leg_mirrors_the_up_leg() -> None:
    """Lower lows move the candidate, a close at or above low * (1 + deviation) confirms it."""
    rows = [
        (100, 100, 100),
        (100, 99.5, 99.5),
        (100, 98, 98),  # confirms the high of candle 0
        (99, 97, 97.5),  # lower low
        (99, 97, 97.5),  # an equal low does not move it
        (98, 97.2, 97.96),  # just short of 97.97
        (99, 97.2, 97.97),
    ]

    history = swings_of(rows)

    assert known(history, 4) == [(0, "high", 2), (3, "low", None)]
    assert known(history, 5) == [(0, "high", 2), (3, "low", None)]
    assert known(history, 6) == [(0, "high", 2), (3, "low", 6), (6, "high", None)]


def test_one_candle_confirms_one_point() -> None:
    """A new candidate that is old enough already waits for the next candle."""
    rows = [*UP_LEG, (100, 99.6, 100), *[(100, 90, 99.5)] * 8, (100, 99, 99), (100, 99, 99)]

    history = swings_of(rows)

    assert known(history, 12) == [LOW, (3, "high", 12), (5, "low", None)]
    assert known(history, 13) == [LOW, (3, "high", 12), (5, "low", 13), (7, "high", None)]


def test_before_the_first_confirmation_the_later_extreme_is_the_open_point() -> None:
    """Two candidates are open; the list shows one, never a confirmed one."""
    history = swings_of([(100, 99, 99.5), (99.9, 98.9, 99.4), (100.1, 99, 99.6)], depth=10)

    assert known(history, 0) == [(0, "high", None)]
    assert known(history, 1) == [(1, "low", None)]
    assert known(history, 2) == [(2, "high", None)]


def test_first_leg_can_go_either_way() -> None:
    """A history that begins with a rise has a low as its first point."""
    history = swings_of([(100, 99, 99.5), (101, 99.5, 100.5), (102, 100, 101)])

    assert known(history, 2) == [(0, "low", 2), (2, "high", None)]


def test_close_exactly_at_the_deviation_confirms_a_starting_extreme() -> None:
    """The start follows the same "at or below", "at or above" as every leg."""
    falling = [(100, 99.5, 99.6), (99.6, 99.5, 99.6), (99.5, 99.0, 99.0)]
    rising = [(100.5, 100, 100.2), (100.5, 100.1, 100.2), (100.5, 100.1, 101.0)]

    assert known(swings_of(falling), 2) == [(0, "high", 2), (2, "low", None)]
    assert known(swings_of(rising), 2) == [(0, "low", 2), (2, "high", None)]


def test_when_both_starting_extremes_are_confirmed_at_once_the_later_wins() -> None:
    """One close turned from both: the earlier one is not part of any leg."""
    rows = [(100, 99, 99.5), (99.5, 90, 99.5), (99.5, 91, 99.5), (99.5, 91, 98)]

    assert known(swings_of(rows), 2) == [(1, "low", None)]
    assert known(swings_of(rows), 3) == [(1, "low", 3), (3, "high", None)]
    mirrored = [(90.0, 89, 89.5), (100, 89.5, 89.6), (95, 89.5, 89.6), (95, 89.5, 92)]
    assert known(swings_of(mirrored), 3) == [(1, "high", 3), (3, "low", None)]


def test_when_one_candle_holds_both_starting_extremes_the_high_counts_as_later() -> None:
    """Within a candle the order is unknown; a rule is needed, and it is this one."""
    rows = [(110, 90, 100), (101, 99, 100), (101, 99, 100)]

    assert known(swings_of(rows), 1) == [(0, "high", None)]
    assert known(swings_of(rows), 2) == [(0, "high", 2), (2, "low", None)]


def test_single_candles_and_bundles_give_the_same_points() -> None:
    """The state machine alone, as the live loop feeds it."""
    rows = [(100 + index % 7, 98 + index % 5, 99 + index % 6) for index in range(60)]
    machine = ZigZag(deviation=1.0, depth=2)

    for high, low, close in rows:
        machine.append(high, low, close)

    whole = swings_of(rows)
    assert machine.length == 60
    assert len(machine.pivots.index) > 5
    assert machine.pivots.index == whole.pivots.index
    assert machine.pivots.since == whole.pivots.since
    assert machine.candidates.index == whole.candidates.index


@pytest.mark.parametrize("pause_drift", [0.3, -0.1])
def test_memory_does_not_grow_with_the_leg(pause_drift: float) -> None:
    """A bot runs for months: a new extreme makes what came before it irrelevant.

    Pauses ever higher leave lows behind, pauses ever lower leave highs.
    """
    machine = ZigZag(deviation=50.0, depth=1)
    machine.extend([400.0, 600.0], [400.0, 600.0], [400.0, 600.0])

    for step in range(1_500):
        high = 1_000.0 + step * 0.3 if step % 2 == 0 else 990.0 + step * pause_drift
        machine.append(high, high - 0.5, high)

    assert machine.pivots.index == [0]
    assert machine.candidates.index[-1] == 1_500
    assert len(machine._lows) + len(machine._highs) < 10


def test_settings_are_kept_and_checked() -> None:
    """A sweep names what it ran."""
    history = SwingHistory(2, 5)

    assert (history.deviation, history.depth, len(history)) == (2.0, 5, 0)
    with pytest.raises(ValueError, match="calculate_zigzag: depth must be a whole number from 1"):
        SwingHistory(1.0, 0)
    with pytest.raises(ValueError, match="calculate_zigzag: deviation must be"):
        SwingHistory(-1.0, 10)


@pytest.mark.parametrize("t", [-1, 3])
def test_view_as_of_a_candle_that_is_not_there_is_refused(t: int) -> None:
    """A negative index would silently mean something else."""
    with pytest.raises(IndexError, match=f"no candle {t} in a history of 3"):
        zigzag_points(swings_of([(100, 99, 99.5)] * 3), t)


def test_broken_price_is_named_and_nothing_is_taken_in() -> None:
    """The place counts from the history's beginning; the history stays as it was."""
    history = swings_of([(100, 99, 99.5)] * 3)

    with pytest.raises(DataError, match="calculate_zigzag: the low of candle 4 is nan"):
        history.extend([100, 100], [99, float("nan")], [99.5, 99.5], [1, 2])

    assert len(history) == 3
    assert len(zigzag_points(history, 2)) == 1


def test_columns_of_different_length_are_refused() -> None:
    """A time too few would shift every later point."""
    with pytest.raises(DataError, match="must be of the same length"):
        zigzag([100, 100], [99, 99], [99.5, 99.5], [1])
