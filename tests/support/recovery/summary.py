"""What a campaign says at its end: how long recoveries take, and what that is over a year."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from rich.table import Table
from tests.support.recovery.faults import KINDS

P95_MS, MOST_MS = 5_000, 10_000
PROMISED = 0.999
_DAY_S, _YEAR_H = 86_400.0, 8_760.0
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured of a kind of fault; times in milliseconds.

    Attributes:
        count: How often it struck.
        lasted: Its own length, on average.
        took: Lengths of the recoveries, shortest first.
        never: How many did not end.
        ready: Lengths until ``/ready`` said so, shortest first.
        with_time: Recoveries without the time in which the machine had no processor for them.
    """

    kind: str
    count: int
    lasted: float
    took: tuple[int, ...]
    never: int
    ready: tuple[int, ...]
    with_time: tuple[int, ...]

    @property
    def mean(self) -> float:
        """Return the mean recovery."""
        return sum(self.took) / max(1, len(self.took))

    @property
    def whole(self) -> float:
        """Return the mean from the beginning of the fault to the first order after it."""
        return self.lasted + self.mean

    @property
    def misses(self) -> list[str]:
        """Return a sentence for each limit that is missed."""
        found = []
        if self.never:
            found.append(f"{self.kind}: {self.never} of {self.count} were not got over")
        if self.took and share(self.took, 0.95) > P95_MS:
            found.append(f"{self.kind}: p95 {share(self.took, 0.95)} ms, limit {P95_MS} ms")
        if self.took and self.took[-1] > MOST_MS:
            found.append(f"{self.kind}: longest {self.took[-1]} ms, limit {MOST_MS} ms")
        return found


def share(values: Sequence[int], part: float) -> int:
    """Return the least of sorted values that so much of them do not exceed; 0 for none."""
    return values[max(0, ceil(part * len(values)) - 1)] if values else 0


def figures_of(rows: Iterable[Row]) -> list[Figures]:
    """Return the figures of each kind that struck, and of all together at the end."""
    found = [recovery for row in rows for recovery in row["recoveries"]]
    groups = {kind: [r for r in found if r["kind"] == kind] for kind in KINDS}
    return [_figures(kind, group) for kind, group in {**groups, "all": found}.items() if group]


def _figures(kind: str, group: Sequence[Row]) -> Figures:
    return Figures(
        kind=kind,
        count=len(group),
        lasted=sum(r["lasted_ms"] for r in group) / len(group),
        took=tuple(sorted(r["took_ms"] for r in group if r["took_ms"] >= 0)),
        never=sum(r["took_ms"] < 0 for r in group),
        ready=tuple(sorted(r["ready_ms"] for r in group if r["ready_ms"] >= 0)),
        with_time=tuple(
            sorted(r["took_ms"] - r.get("starved_ms", 0) for r in group if r["took_ms"] >= 0)
        ),
    )


def away_s(figures: Iterable[Figures], *, whole: bool) -> float:
    """Return the seconds without an order on a day with one fault of each kind.

    Args:
        figures: Of each kind.
        whole: Whether the faults' own lengths count, which nobody but their cause can shorten.
    """
    kinds = [f for f in figures if f.kind in KINDS]
    return sum(f.whole if whole else f.mean for f in kinds) / 1000


def availability(seconds_a_day: float) -> float:
    """Return the share of time in which orders are accepted."""
    return 1 - seconds_a_day / _DAY_S


def misses(rows: Sequence[Row]) -> list[str]:
    """Return all that is not as promised."""
    figures = figures_of(rows)
    found = [miss for one in figures if one.kind in KINDS for miss in one.misses]
    found += [f"{row['name']}: {sentence}" for row in rows for sentence in row["wrong"]]
    reached = availability(away_s(figures, whole=True))
    if figures and reached < PROMISED:
        found.append(f"availability {reached:.4%}, promised {PROMISED:.1%}")
    return found


def recovery_table(rows: Sequence[Row]) -> Table:
    """Return what each kind of fault cost."""
    table = Table(title="from the end of the fault to the first accepted order, in seconds")
    names = ("fault", "times", "lasted", "mean", "median", "p95", "longest")
    for name in (*names, "given time: p95", "ready: p95"):
        table.add_column(name, justify="left" if name == "fault" else "right")
    for one in figures_of(rows):
        if one.kind == "all":
            table.add_section()
        shown = (one.lasted, one.mean, share(one.took, 0.5), share(one.took, 0.95))
        longest = one.took[-1] if one.took else 0
        last = (longest, share(one.with_time, 0.95), share(one.ready, 0.95))
        times = [f"{ms / 1000:.2f}" for ms in (*shown, *last)]
        table.add_row(one.kind, str(one.count), *times)
    return table


def summary_table(rows: Sequence[Row], commits: Mapping[str, int]) -> Table:
    """Return what all of it comes to."""
    table = Table(min_width=72)
    table.add_column("what")
    table.add_column("figure", justify="right")
    for lines in (_year(rows), _counts(rows), _carried_out(rows, commits)):
        for line in lines:
            table.add_row(*line)
        table.add_section()
    return table


def _year(rows: Sequence[Row]) -> Iterator[tuple[str, str]]:
    figures = figures_of(rows)
    for whole, words in ((True, "faults and recoveries"), (False, "recoveries alone")):
        seconds = away_s(figures, whole=whole)
        reached = availability(seconds)
        hours = (1 - reached) * _YEAR_H
        yield f"a fault of each kind a day, {words}", f"{seconds:.1f} s a day, {hours:.1f} h a year"
        yield f"   availability; {PROMISED:.1%} is 86.4 s a day", f"{reached:.4%}"


def _counts(rows: Sequence[Row]) -> Iterator[tuple[str, str]]:
    yield "entries executed, none twice", _sum(rows, "entries")
    yield "fills compared", _sum(rows, "fills")
    yield "messages handed in", _sum(rows, "posts")
    yield "processes that ended by themselves with an error", _sum(rows, "gave_up")
    for words, name in (("raw", "raw_ms"), ("and there was time", "judged_ms")):
        longest = max((row["figures"].get(name, 0) for row in rows), default=0)
        yield f"unprotected at most, {words}", f"{longest} ms"
    passed = sum(r["passed_over"] for row in rows for r in row["recoveries"])
    yield "orders passed over: sent before, or something in doubt", str(passed)


def _carried_out(rows: Sequence[Row], commits: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    yield "batches", str(len(rows))
    yield "batches with anything wrong", str(sum(bool(row["wrong"]) for row in rows))
    for name, count in commits.items():
        yield f"batches at commit {name}", str(count)


def _sum(rows: Sequence[Row], name: str) -> str:
    return str(sum(row["figures"].get(name, 0) for row in rows))
