"""Recorded market data: everything loads, and resampling gives what the exchange gave."""

import hashlib

import numpy as np
import pytest
from tests.support.shared_data import shared_file

from milobot.domain.market import CandleSeries
from milobot.domain.timeframes import Timeframe
from milobot.marketdata.files import load_candles, load_funding
from milobot.marketdata.gaps import check_sanity
from milobot.marketdata.generated import generate_candles
from milobot.marketdata.resample import resample

RECORDED = {
    "spot_BTCUSDT-1h-2025-01_microseconds_verbatim.csv": (744, "1h", 1735689600000),
    "spot_BTCUSDT_1h_2023-01_05_vision.csv.gz": (3623, "1h", 1672531200000),
    "spot_BTCUSDT_1h_2024-11_2025-05_vision.csv.gz": (5088, "1h", 1730419200000),
    "um_BTCUSDT_1d_2020-2026.csv.gz": (2190, "1d", 1590883200000),
    "um_BTCUSDT_1h_2024.csv.gz": (8784, "1h", 1704067200000),
    "um_BTCUSDT_5m_2025_ft.csv.gz": (10906, "5m", 1741257000000),
    "um_BTCUSDT_mark8h_2025_ft.csv.gz": (266, "8h", 1741276800000),
    "um_FILUSDT_1m_2023-04_06_vision.csv.gz": (131040, "1m", 1680307200000),
}


@pytest.mark.parametrize(("name", "facts"), RECORDED.items(), ids=RECORDED.keys())
def test_recorded_file_loads(name: str, facts: tuple[int, str, int]) -> None:
    """Real archives, with and without header, in both units."""
    loaded = load_candles(shared_file(f"klines/{name}"))

    assert (len(loaded.candles), str(loaded.timeframe), int(loaded.candles.time[0])) == facts


def test_known_gap_of_the_exchange_is_found() -> None:
    """On 2023-03-24 spot trading stood still; the file's author counted one missing hour."""
    loaded = load_candles(shared_file("klines/spot_BTCUSDT_1h_2023-01_05_vision.csv.gz"))
    report = check_sanity(loaded.candles, loaded.timeframe)

    (gap,) = report.gaps
    assert (gap.first_ms, gap.missing) == (1679662800000, 1)
    assert report.zero_volume == (1679659200000,)


def test_microseconds_and_milliseconds_tell_the_same_market() -> None:
    """The same month is recorded verbatim in microseconds and converted in another file."""
    verbatim = load_candles(shared_file("klines/spot_BTCUSDT-1h-2025-01_microseconds_verbatim.csv"))
    converted = load_candles(shared_file("klines/spot_BTCUSDT_1h_2024-11_2025-05_vision.csv.gz"))
    first, last = int(verbatim.candles.time[0]), int(verbatim.candles.time[-1])

    assert verbatim.candles.equals(converted.candles.between(first, last))


@pytest.mark.parametrize(("source", "hours"), [("1m", 719), ("5m", 1054)])
def test_resampled_hours_equal_the_recorded_ones(source: str, hours: int) -> None:
    """The hourly file is independent of the finer ones; every complete hour agrees exactly."""
    fine = load_candles(shared_file(f"klines/um_BTCUSDT_{source}_2023-07_ft.csv.gz"))
    recorded = load_candles(shared_file("klines/um_BTCUSDT_1h_2023-07_ft.csv.gz")).candles

    made = resample(fine.candles, fine.timeframe, Timeframe.H1)

    first = max(int(made.time[0]), int(recorded.time[0]))
    last = min(int(made.time[-1]), int(recorded.time[-1]))
    made, recorded = made.between(first, last), recorded.between(first, last)
    assert len(made) == hours
    assert np.array_equal(made.time, recorded.time)
    for name in ("open", "high", "low", "close"):
        assert np.array_equal(getattr(made, name), getattr(recorded, name)), name
    # The source's own sums of volume, in floats.
    assert np.allclose(made.volume, recorded.volume, rtol=1e-4)


def test_recorded_funding_loads() -> None:
    """Rates of a quarter, three a day."""
    times, rates = load_funding(shared_file("klines/um_BTCUSDT_funding_2025_ft.csv"))

    assert (len(times), int(times[0]), float(rates[0])) == (266, 1741276800000, 6.818e-05)


def test_generated_market_never_changes() -> None:
    """Demos, screenshots and parity tests compare runs on different machines."""
    candles = generate_candles(minutes=5000)

    assert _digest(candles) == "6974f9e6968e595c1be0c0839a2a074b"


def _digest(candles: CandleSeries) -> str:
    columns = ("time", "open", "high", "low", "close", "volume")
    content = b"".join(
        getattr(candles, c).astype(f"<{'i' if c == 'time' else 'f'}8").tobytes() for c in columns
    )
    return hashlib.sha256(content).hexdigest()[:32]
