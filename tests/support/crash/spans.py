"""Arithmetic of times: what is left of a time when others are taken off, and never too much.

A span is (first, last) in milliseconds; a list of free spans is in order and does not overlap.
"""

from collections.abc import Iterable

Span = tuple[int, int]


def without(spans: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """Return what is left of spans when all that ``taken`` covers is taken off."""
    left = list(spans)
    for first, last in taken:
        left = [
            piece
            for start, end in left
            for piece in ((start, min(end, first)), (max(start, last), end))
            if piece[0] < piece[1]
        ] if first < last else left  # fmt: skip
    return left


def common(spans: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """Return every overlap of one of the spans with one of the others."""
    others = list(others)
    pairs = ((max(a, c), min(b, d)) for a, b in spans for c, d in others)
    return [(first, last) for first, last in pairs if first < last]


def length(free: Iterable[Span]) -> int:
    """Return how long free spans are together."""
    return sum(last - first for first, last in free)


def surely_within(free: list[Span], losses: Iterable[tuple[Span, int]]) -> int:
    """Return how much of what was lost must have been lost within free spans.

    Args:
        free: The spans in question.
        losses: Times, no two of which overlap, and how much was lost somewhere within each: as
            much as fits may have been lost outside, so that only the rest is certain.
    """
    certain = 0
    for (first, last), lost in losses:
        inside = length(common(free, [(first, last)]))
        certain += max(0, min(lost, last - first) - (last - first - inside))
    return certain
