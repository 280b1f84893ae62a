"""An audit from export and candles to the report."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from milobot.domain.times import format_time
from milobot.signals.audit.attempts import Attempt
from milobot.signals.audit.claims import check_claims
from milobot.signals.audit.counting import (
    lateness_of,
    portfolio_of,
    shapes_of,
    trades_of,
)
from milobot.signals.audit.desk import Desk, DeskTerms
from milobot.signals.audit.messages import Export
from milobot.signals.audit.outcomes import Result, SetUpShape, result_of, shape_of
from milobot.signals.audit.rehearsal import rehearsal_of, tries_of
from milobot.signals.audit.report import AuditReport, Portfolio, Rehearsal
from milobot.signals.audit.setups import Conversation, SetUp, read_messages
from milobot.signals.audit.tracks import Track

Progress = Callable[[str, float], None]
NO_TIME = "the message has no time"
NO_SYMBOL = "no candles of its symbol"
NO_CANDLES = "no candles at its time"
NO_LEVELS = "its levels leave no risk to measure in"
_DAY_LENGTH = len("2024-01-31")
# Alone, a set-up risks the same money out of a balance so large that margin never binds.
_ROOM = 100


@dataclass(frozen=True, slots=True)
class _Placed:
    attempts: tuple[Attempt, ...]
    left_out: Counter[str]
    missing: Counter[str]


def read_export(export: Export, terms: DeskTerms, progress: Progress | None = None) -> Conversation:
    """Return what every message of an export says.

    Args:
        export: The messages.
        terms: They name the channel's profile, and the size that every set-up gets.
        progress: Called with a stage and the fraction of it done.
    """
    said = progress or _silent
    profile = _with_size(terms).profile
    return read_messages(
        export.messages, profile, terms.signals, progress=lambda done: said("reading", done)
    )


def audit(
    export: Export,
    conversation: Conversation,
    tracks: Mapping[str, Track],
    terms: DeskTerms,
    *,
    notes: Sequence[str] = (),
    progress: Progress | None = None,
) -> AuditReport:
    """Play what can be played, and count.

    Args:
        export: The messages.
        conversation: What they say.
        tracks: Candles by symbol; empty to count messages only.
        terms: Of the simulated account.
        notes: What else the reader of the report should know.
        progress: Called with a stage and the fraction of it done.
    """
    report = asyncio.run(
        _audit(export, conversation, tracks, _with_size(terms), progress or _silent)
    )
    return replace(report, notes=tuple(notes))


def _silent(_stage: str, _done: float) -> None:
    """Tell nobody."""


def _with_size(terms: DeskTerms) -> DeskTerms:
    return replace(terms, profile=replace(terms.profile, size=terms.size))


async def _audit(
    export: Export,
    conversation: Conversation,
    tracks: Mapping[str, Track],
    terms: DeskTerms,
    said: Progress,
) -> AuditReport:
    placed = _place(conversation.setups, tracks)
    alone = _alone(terms)
    results = []
    for done, attempt in enumerate(placed.attempts, 1):
        found = await _play_alone(attempt, tracks, alone)
        if found is None:
            placed.left_out[NO_LEVELS] += 1
        else:
            results.append(found)
        said("trading", done / len(placed.attempts))
    return AuditReport(
        export=export,
        conversation=conversation,
        terms=terms,
        shapes=shapes_of(_all_shapes(conversation.setups, results, terms), terms),
        played=tuple(results),
        not_played=dict(placed.left_out.most_common()),
        missing=dict(placed.missing.most_common()),
        trades=trades_of(results),
        lateness=lateness_of(results),
        claims=check_claims(export.messages, conversation.setups, tracks),
        portfolio=await _together(conversation.setups, tracks, terms, said) if results else None,
        rehearsal=await _rehearse(conversation.setups, tracks, alone, said),
        candles=_candles(tracks, results),
    )


def _all_shapes(
    setups: Iterable[SetUp], results: Iterable[Result], terms: DeskTerms
) -> list[SetUpShape]:
    """Return the shape of each set-up: as it was played, else as it was posted with a price."""
    known = {result.number: result.shape for result in results}
    default_stop = terms.limits.default_stop.value
    found = [known.get(s.message.number) or shape_of(s.plan, None, default_stop) for s in setups]
    return [shape for shape in found if shape is not None and shape.stop > 0]


def _place(setups: Iterable[SetUp], tracks: Mapping[str, Track]) -> _Placed:
    """Return an attempt for each set-up that has candles, and how many have none."""
    attempts: list[Attempt] = []
    left_out: Counter[str] = Counter()
    missing: Counter[str] = Counter()
    for setup in setups:
        track, time_ms = tracks.get(setup.plan.symbol), setup.message.time_ms
        start = None if track is None or time_ms is None else track.find(time_ms)
        if start is not None:
            attempts.append(Attempt(setup, start))
            continue
        if track is None:
            missing[setup.plan.symbol] += 1
        why = NO_TIME if time_ms is None else NO_SYMBOL if track is None else NO_CANDLES
        left_out[why] += 1
    return _Placed(tuple(attempts), left_out, missing)


def _alone(terms: DeskTerms) -> DeskTerms:
    return _with_size(replace(terms, equity=terms.equity * _ROOM, risk=terms.risk / _ROOM))


async def _play_alone(
    attempt: Attempt, tracks: Mapping[str, Track], terms: DeskTerms
) -> Result | None:
    own = Attempt(_sized(attempt.setup, terms), attempt.start)
    track = tracks[attempt.setup.plan.symbol]
    await Desk({track.symbol: track}, terms).play([own])
    return result_of(own, track, terms)


def _sized(setup: SetUp, terms: DeskTerms) -> SetUp:
    return replace(setup, reading=replace(setup.reading, size=terms.size))


async def _together(
    setups: Sequence[SetUp], tracks: Mapping[str, Track], terms: DeskTerms, said: Progress
) -> Portfolio:
    attempts = _place(setups, tracks).attempts
    desk = Desk(tracks, terms)
    await desk.play(attempts, lambda done: said("together", done))
    found = (result_of(a, tracks[a.setup.plan.symbol], terms) for a in attempts)
    return portfolio_of([r for r in found if r is not None], desk.equity, terms)


async def _rehearse(
    setups: Sequence[SetUp], tracks: Mapping[str, Track], terms: DeskTerms, said: Progress
) -> Rehearsal | None:
    undated = [s for s in setups if s.message.time_ms is None]
    tries = tries_of(undated, tracks)
    if not tries:
        return None
    results = []
    for done, attempts in enumerate(tries, 1):
        found = [await _play_alone(attempt, tracks, terms) for attempt in attempts]
        results.append([r for r in found if r is not None])
        said("rehearsing", done / len(tries))
    return replace(rehearsal_of(results), no_place=len(undated) - len(tries))


def _candles(tracks: Mapping[str, Track], results: Iterable[Result]) -> dict[str, str]:
    """Return in words which candles there are of each symbol, and on which it was played."""
    began: dict[str, Counter[int]] = {}
    for result in results:
        began.setdefault(result.shape.symbol, Counter())[result.candle_ms] += 1
    return {symbol: _described(track, began.get(symbol)) for symbol, track in tracks.items()}


def _described(track: Track, began: Counter[int] | None) -> str:
    first = format_time(int(track.candles.time[0]))[:_DAY_LENGTH]
    last = format_time(int(track.ends[-1]))[:_DAY_LENGTH]
    gaps = len(track.stretches) - 2
    broken = f" with {gaps} gaps" if gaps > 1 else " with a gap" if gaps else ""
    text = f"{len(track.candles):,} candles, {first} to {last}{broken}"
    if began:
        shares = (f"{n:,} on {length // 60_000}m" for length, n in sorted(began.items()))
        text += f"; set-ups began: {', '.join(shares)}"
    return text
