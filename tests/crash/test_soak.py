"""The soak's judge; ``make prove-soak`` lets a bot trade for half an hour before it."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.endurance.samples import Sample, lag_within, parse_counters, take_sample
from tests.support.endurance.verdict import growths, memory_trends, trend_of

EVERY_S = 10.0
METRICS = """
# TYPE orders_total counter
orders_total{account="a",purpose="entry"} 3.0
orders_total{account="a",purpose="stop"} 4.0
# TYPE event_loop_lag_seconds histogram
event_loop_lag_seconds_bucket{le="0.01"} 90.0
event_loop_lag_seconds_bucket{le="0.1"} 99.0
event_loop_lag_seconds_bucket{le="+Inf"} 100.0
event_loop_lag_seconds_count 100.0
event_loop_lag_seconds_sum 1.0
"""


def _samples(*, bot_mb_a_step: float = 0.0, files_a_step: int = 0) -> list[Sample]:
    """Return half an hour of a bot that warms up for a third of it."""
    first = Sample(0.0, 100.0, 100.0, 3, 40, 12, 2.0, 1.0)
    return [
        replace(
            first,
            at_s=number * EVERY_S,
            bot_mb=100 + min(number, 60) / 4 + (number % 3) + bot_mb_a_step * number,
            files=40 + files_a_step * number,
        )
        for number in range(181)
    ]


def test_a_start_that_takes_memory_and_noise_are_flat() -> None:
    """Caches fill and garbage comes and goes: only what never ends is a leak."""
    assert growths(_samples()) == []


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (_samples(bot_mb_a_step=0.1), "memory of the bot grows by"),
        (_samples(files_a_step=1), "90 more files are open"),
    ],
)
def test_what_grows_without_end_is_found(samples: list[Sample], words: str) -> None:
    """A tenth of a MiB in ten seconds kills a bot within a week."""
    (found,) = growths(samples)

    assert found.startswith(words)


def test_a_trend_is_told_in_days_of_the_market() -> None:
    """A leak grows with what happens, and a hundred times as much does."""
    trend = trend_of([0.0, 864.0], [100.0, 104.0])

    assert trend.per_market_day == pytest.approx(4.0)
    assert trend.level == 102.0
    assert trend.share == pytest.approx(4 / 102)
    assert set(memory_trends(_samples())) == {"bot", "script workers"}


def test_a_sample_is_what_the_kernel_tells(tmp_path: Path) -> None:
    """Files with what the database keeps beside them count, too."""
    (tmp_path / "milobot.db").write_bytes(b"x" * (1 << 20))
    (tmp_path / "milobot.db-wal").write_bytes(b"x" * (1 << 19))

    sample = take_sample(os.getpid(), tmp_path, 1.0)

    assert sample.ledger_mb == 1.5
    assert sample.bot_mb > 10
    assert sample.threads >= 1
    assert sample.files >= 3


def test_counters_are_summed_and_lags_read_from_their_bounds() -> None:
    """What happened before the first reading is not the soak's."""
    counted = parse_counters(METRICS)
    before = replace(counted, lags={0.01: 50, 0.1: 50, float("inf"): 50})

    assert counted.orders == 7
    assert lag_within(before, counted, 0.5) == 0.01
    assert lag_within(before, counted, 0.98) == 0.1
