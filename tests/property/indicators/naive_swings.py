"""The definition of the ZigZag, written down literally and slowly."""

from collections.abc import Sequence
from dataclasses import dataclass

Point = tuple[int, float, str, int | None]


@dataclass(frozen=True)
class NaiveZigZag:
    """The definition over columns of candles that are all known."""

    highs: Sequence[float]
    lows: Sequence[float]
    closes: Sequence[float]
    deviation: float
    depth: int

    def points(self) -> list[Point]:
        """Return (index, price, kind, confirmed_index) of all points known at the last candle."""
        points: list[Point] = []
        candidates = {"high": 0, "low": 0} if self.closes else {}
        for t in range(len(self.closes)):
            confirmed = []
            for kind, candidate in candidates.items():
                if self.is_better(kind, t, candidate):
                    candidates[kind] = t
                elif t - candidate >= self.depth and self.is_turned(kind, t, candidate):
                    confirmed.append((candidate, kind))
            if confirmed:
                pivot, kind = later(confirmed)
                points.append((pivot, self.price(kind, pivot), kind, t))
                candidates = self.turned_candidate(kind, pivot, t)
        if candidates:
            index, kind = later([(index, kind) for kind, index in candidates.items()])
            points.append((index, self.price(kind, index), kind, None))
        return points

    def price(self, kind: str, index: int) -> float:
        """Return the high or the low of a candle."""
        return self.highs[index] if kind == "high" else self.lows[index]

    def is_better(self, kind: str, t: int, candidate: int) -> bool:
        """Return whether candle ``t`` takes the candidate's place."""
        if kind == "high":
            return self.highs[t] > self.highs[candidate]
        return self.lows[t] < self.lows[candidate]

    def is_turned(self, kind: str, t: int, candidate: int) -> bool:
        """Return whether the close of candle ``t`` is far enough back."""
        if kind == "high":
            return self.closes[t] <= self.highs[candidate] * (1 - self.deviation / 100)
        return self.closes[t] >= self.lows[candidate] * (1 + self.deviation / 100)

    def turned_candidate(self, kind: str, pivot: int, t: int) -> dict[str, int]:
        """Return the first candidate of the leg that follows a pivot; ``min`` takes the earliest."""
        choice = range(pivot + self.depth, t + 1)
        if kind == "high":
            return {"low": min(choice, key=lambda index: self.lows[index])}
        return {"high": max(choice, key=lambda index: self.highs[index])}


def later(points: list[tuple[int, str]]) -> tuple[int, str]:
    """Return the later of candidates (index, kind); within one candle the high."""
    return max(points, key=lambda point: (point[0], point[1] == "high"))
