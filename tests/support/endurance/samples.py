"""What the kernel and the bot itself tell of a bot while it runs."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

_MB = 1 << 20
_LEDGER, _CANDLES = "milobot.db", "binance_data.db"


@dataclass(frozen=True, slots=True)
class Sample:
    """One look; memory in MiB, times in seconds.

    Attributes:
        at_s: Since the soak began.
        bot_mb: Resident memory of the bot's own process.
        workers_mb: That of its script workers, together.
        workers: How many processes it has below it.
        ledger_mb: Files of the ledger, together.
        candles_mb: Files of the candle store.
    """

    at_s: float
    bot_mb: float
    workers_mb: float
    workers: int
    files: int
    threads: int
    ledger_mb: float
    candles_mb: float


def take_sample(pid: int, folder: Path, at_s: float) -> Sample:
    """Return how a bot stands.

    Raises:
        OSError: It is gone.
    """
    below = _below(pid)
    return Sample(
        at_s=round(at_s, 1),
        bot_mb=_resident_mb(pid),
        workers_mb=sum(map(_resident_mb, below)),
        workers=len(below),
        files=len(list(Path(f"/proc/{pid}/fd").iterdir())),
        threads=len(list(Path(f"/proc/{pid}/task").iterdir())),
        ledger_mb=_size_mb(folder.glob(f"{_LEDGER}*")),
        candles_mb=_size_mb(folder.glob(f"{_CANDLES}*")),
    )


def _below(pid: int) -> list[int]:
    """Return the processes that a process has started, and those that they have."""
    found: list[int] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, children.read_text(encoding="ascii").split()):
            found += [child, *_below(child)]
    return found


def _resident_mb(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except OSError:  # a worker that has just ended
        return 0.0
    return pages * 4096 / _MB


def _size_mb(files: Iterable[Path]) -> float:
    return sum(file.stat().st_size for file in files) / _MB


@dataclass(frozen=True, slots=True)
class Counted:
    """What the bot has counted so far, from its ``/metrics``.

    Attributes:
        lags: How many wakes of the event loop were late by at most so many seconds.
    """

    orders: int
    failed: int
    kills: int
    reconnects: int
    lags: dict[float, int]


async def read_metrics(url: str) -> Counted:
    """Return the counters of a bot."""
    async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics") as answer:
        return parse_counters(await answer.text())


def parse_counters(text: str) -> Counted:
    """Return the counters that a page of metrics tells."""
    sums: dict[str, float] = {}
    lags: dict[float, int] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
            if sample.name == "event_loop_lag_seconds_bucket":
                lags[float(sample.labels["le"])] = int(sample.value)
    return Counted(
        orders=int(sums.get("orders_total", 0)),
        failed=int(sums.get("orders_failed_total", 0)),
        kills=int(sums.get("worker_kills_total", 0)),
        reconnects=int(sums.get("stream_events_total", 0)),
        lags=lags,
    )


def lag_within(first: Counted, last: Counted, part: float) -> float:
    """Return the bound that so much of the wakes between two readings kept, in seconds."""
    counts = {le: count - first.lags.get(le, 0) for le, count in last.lags.items()}
    total = max(counts.values(), default=0)
    return next((le for le, count in sorted(counts.items()) if count >= part * total), 0.0)
