"""Set-ups without a time: tried wherever the market stood at their entry.

That is no record of a channel: nobody knows when it said so. It tells what the levels are
worth without its sense of time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from milobot.signals.audit.attempts import Attempt
from milobot.signals.audit.counting import target_lines
from milobot.signals.audit.figures import bootstrap_mean, mean
from milobot.signals.audit.outcomes import Result, posted_price
from milobot.signals.audit.report import Rehearsal, RehearsalLine
from milobot.signals.audit.setups import SetUp
from milobot.signals.audit.tracks import Track

# How near the market has to be, how long two tries of one set-up lie apart, and how many of
# them are made at the most.
_NEAR = 0.005
_APART_MS = 86_400_000
_MOST = 60


def tries_of(setups: Iterable[SetUp], tracks: Mapping[str, Track]) -> list[list[Attempt]]:
    """Return the tries of each set-up that has a place in the candles."""
    found = []
    for setup in setups:
        track = tracks.get(setup.plan.symbol)
        starts = _starts(setup, track) if track is not None else []
        if track is not None and starts:
            found.append([_try(setup, track, start) for start in starts])
    return found


def rehearsal_of(results: Sequence[Sequence[Result]]) -> Rehearsal:
    """Return what the tries came to; every set-up counts the same, however often it was tried."""
    filled = [[r for r in tries if r.r is not None] for tries in results]
    means = [sum(r.r for r in tries if r.r is not None) / len(tries) for tries in filled if tries]
    flat = [r for tries in filled for r in tries]
    return Rehearsal(
        setups=len(means),
        tries=len(flat),
        expectancy=mean(means),
        interval=bootstrap_mean(means),
        # Tries of one set-up are no independent observations: an interval would look too sure.
        targets=tuple(
            replace(line, interval=None) for line in target_lines([(r.shape, r.hits) for r in flat])
        ),
        lines=tuple(_line(tries) for tries in filled if tries),
    )


def _line(tries: Sequence[Result]) -> RehearsalLine:
    shape = tries[0].shape
    return RehearsalLine(
        message_id=tries[0].message_id,
        symbol=shape.symbol,
        side=shape.side.value,
        entry=shape.entry,
        tries=len(tries),
        first=sum(1 in r.hits for r in tries),
        chance=shape.chances()[0] if shape.targets else None,
        mean_r=sum(r.r for r in tries if r.r is not None) / len(tries),
    )


def _try(setup: SetUp, track: Track, start: int) -> Attempt:
    message = replace(setup.message, time_ms=int(track.candles.time[start]))
    return Attempt(replace(setup, message=message, changes=()), start)


def _starts(setup: SetUp, track: Track) -> list[int]:
    """Return the candles that open at the entry of a set-up, a day or more apart."""
    price = posted_price(setup.plan)
    if price is None:
        return []
    near = np.flatnonzero(np.abs(track.candles.open / float(price) - 1) <= _NEAR)
    starts: list[int] = []
    for index in near.tolist():
        time_ms = int(track.candles.time[index])
        if not starts or time_ms - int(track.candles.time[starts[-1]]) >= _APART_MS:
            starts.append(index)
    if len(starts) > _MOST:
        picked = np.linspace(0, len(starts) - 1, _MOST).round().astype(int)
        starts = [starts[place] for place in picked.tolist()]
    return starts
