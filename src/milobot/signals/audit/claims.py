"""What a channel says about its own set-ups afterwards, held against the candles."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from milobot.domain.money import decimal_from_float
from milobot.signals.audit.messages import PostedMessage
from milobot.signals.audit.setups import SetUp
from milobot.signals.audit.tracks import Track

_DONE = r"(?:hit|reached|achieved|done|smashed|completed|взят\w*|достигнут\w*|✅|☑|✔)"
_TARGET = re.compile(
    rf"(?i)(?:tp|target|take[- ]?profit|тейк|цель)s?\s*[#:.-]?\s*(\d{{1,2}})\b[^\d\n]{{0,30}}?{_DONE}"
)
_ALL = re.compile(rf"(?i)\ball\s+(?:take[- ]?profit\s+)?targets?\b[^\n]{{0,30}}?{_DONE}")


@dataclass(frozen=True, slots=True)
class Claim:
    """A target that a channel says was reached.

    Attributes:
        target: Its number, from 1.
        was_reached: Whether the market was there between the set-up and the claim.
    """

    setup: str
    message_id: str
    target: int
    was_reached: bool


@dataclass(frozen=True, slots=True)
class Claims:
    """All claims of an export.

    Attributes:
        unmatched: Claims that answer no set-up, or one without candles.
    """

    checked: tuple[Claim, ...] = ()
    unmatched: int = 0

    @property
    def confirmed(self) -> int:
        """Return how many were so."""
        return sum(claim.was_reached for claim in self.checked)


def claimed_target(text: str) -> int | None:
    """Return the highest target that a text says was reached; 0 for all, None for none.

    >>> claimed_target("#BTC Target 2 reached! +30 %"), claimed_target("good morning")
    (2, None)
    """
    if _ALL.search(text):
        return 0
    return max((int(found) for found in _TARGET.findall(text)), default=None)


def check_claims(
    messages: Sequence[PostedMessage], setups: Sequence[SetUp], tracks: Mapping[str, Track]
) -> Claims:
    """Return each claim that answers a set-up with whether the market was there by then."""
    by_id = {setup.message.message_id: setup for setup in setups}
    checked: list[Claim] = []
    unmatched = 0
    for message in messages:
        number = claimed_target(message.text)
        if number is None:
            continue
        setup = by_id.get(message.reply_to)
        claim = _check(message, number, setup, tracks) if setup else None
        if claim is None:
            unmatched += 1
        else:
            checked.append(claim)
    return Claims(tuple(checked), unmatched)


def _check(
    message: PostedMessage, number: int, setup: SetUp, tracks: Mapping[str, Track]
) -> Claim | None:
    targets = setup.plan.aims
    number = number or len(targets)
    track, since = tracks.get(setup.plan.symbol), setup.message.time_ms
    if track is None or since is None or message.time_ms is None or not 0 < number <= len(targets):
        return None
    start, stop = track.find(since), track.find(message.time_ms)
    if start is None or stop is None or stop <= start:
        return None
    best = _best(track, start, stop, setup.plan.side.sign)
    sign = setup.plan.side.sign
    was_reached = (best - targets[number - 1].distance.value) * sign >= 0
    return Claim(setup.message.message_id, message.message_id, number, was_reached)


def _best(track: Track, start: int, stop: int, sign: int) -> Decimal:
    candles = track.candles
    best = candles.high[start:stop].max() if sign > 0 else candles.low[start:stop].min()
    return decimal_from_float(float(best))
