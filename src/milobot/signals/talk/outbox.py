"""What waits to be told to one person: bounded, gathered into few messages, urgent things first."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from milobot.domain.times import format_time
from milobot.signals.talk.notices import Notice, NoticeKind
from milobot.signals.talk.plain import cut_lines

GATHER_MS = 2_000
"""How long a notice that is not urgent waits for others like it."""
BETWEEN_MS = 5_000
"""Least time between two messages of notices that are not urgent: room is left for answers."""
MOST_WAITING = 300
_LINES_OF_ONE = 3
_MOST_LINES = 12
_OLD_MS = 60_000
_MOST_URGENT = 500


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message with the notices that it tells.

    Attributes:
        missed: What could not be kept until it could be told, by kind.
    """

    text: str
    notices: tuple[Notice, ...]
    missed: Counter[NoticeKind]

    @property
    def is_urgent(self) -> bool:
        """Return whether it tells of something urgent."""
        return any(notice.kind.is_urgent for notice in self.notices)


class Outbox:
    """Notices for one person."""

    def __init__(self, most: int = MOST_WAITING) -> None:
        """Keep at most ``most`` notices that are not urgent; the others are all kept."""
        self._most = most
        self._waiting: dict[object, Notice] = {}
        self._missed: Counter[NoticeKind] = Counter()
        self._since_ms: int | None = None
        self._last_ms: int | None = None

    @property
    def missed(self) -> int:
        """Return how many notices could not be kept and were not told of yet."""
        return self._missed.total()

    def put(self, notice: Notice, now_ms: int) -> None:
        """Let a notice wait. Where there are too many the least urgent is given up, and counted."""
        self._keep(notice)
        if self._since_ms is None and not notice.kind.is_urgent:
            self._since_ms = now_ms
        self._make_room()

    def take_urgent(self, now_ms: int) -> Parcel | None:
        """Return urgent notices, which wait for nothing; None when there are none."""
        urgent = [n for n in self._waiting.values() if n.kind.is_urgent][:_MOST_LINES]
        if not urgent:
            return None
        for notice in urgent:
            del self._waiting[notice.key]
        return Parcel(_text(urgent, Counter(), now_ms), tuple(urgent), Counter())

    def take(self, now_ms: int) -> Parcel | None:
        """Return the other notices once they are due; None when nothing is. They wait no more."""
        if not self._is_due(now_ms):
            return None
        calm = [n for n in self._waiting.values() if not n.kind.is_urgent]
        notices, missed = tuple(calm), self._missed
        for notice in notices:
            del self._waiting[notice.key]
        self._missed = Counter()
        self._since_ms, self._last_ms = None, now_ms
        return Parcel(_text(notices, missed, now_ms), notices, missed)

    def put_back(self, parcel: Parcel, now_ms: int) -> None:
        """Let what was not told wait again, before what has come since."""
        later = tuple(self._waiting.values())
        self._waiting = {}
        for notice in (*parcel.notices, *later):
            self._keep(notice)
        self._missed += parcel.missed
        if not parcel.is_urgent:
            self._since_ms, self._last_ms = now_ms - GATHER_MS, None
        self._make_room()

    def _is_due(self, now_ms: int) -> bool:
        if self._since_ms is None or now_ms - self._since_ms < GATHER_MS:
            return False
        return self._last_ms is None or now_ms - self._last_ms >= BETWEEN_MS

    def _keep(self, notice: Notice) -> None:
        known = self._waiting.get(notice.key)
        self._waiting[notice.key] = notice if known is None else known.joined(notice)

    def _make_room(self) -> None:
        if len(self._waiting) <= self._most:
            return
        if len(self._waiting) > _MOST_URGENT:
            self._leave_superseded()
        calm = [n for n in self._waiting.values() if not n.kind.is_urgent]
        while len(calm) > self._most:
            given_up = max(calm, key=lambda n: n.kind.rank)  # of the same rank the oldest
            calm.remove(given_up)
            del self._waiting[given_up.key]
            self._missed[given_up.kind] += given_up.times

    def _leave_superseded(self) -> None:
        """Keep of urgent notices about the same thing only the newest; count the others."""
        urgent = [n for n in self._waiting.values() if n.kind.is_urgent]
        newest = {(n.kind, n.about): n.key for n in urgent}
        for notice in urgent[: -_MOST_URGENT or None]:
            if newest[notice.kind, notice.about] != notice.key:
                del self._waiting[notice.key]
                self._missed[notice.kind] += notice.times


def _text(notices: Iterable[Notice], missed: Counter[NoticeKind], now_ms: int) -> str:
    """Return notices as one message: by what they are about, the most urgent first."""
    groups: dict[str, list[Notice]] = {}
    for notice in notices:
        groups.setdefault(notice.about, []).append(notice)
    told: list[str] = []
    left: Counter[NoticeKind] = Counter()
    shown = 0
    for title, group in sorted(groups.items(), key=lambda item: min(n.kind.rank for n in item[1])):
        kept, over = _choose(group, _MOST_LINES - shown)
        shown += len(kept)
        left += over
        told += _lines(title, kept, now_ms)
    if left:
        told.append(f"…and {left.total()} more ({_by_kind(left)})")
    if missed:
        told.append(f"not told while you could not be reached: {_by_kind(missed)}")
    return cut_lines("\n".join(told))


def _choose(group: list[Notice], room: int) -> tuple[list[Notice], Counter[NoticeKind]]:
    """Return which notices about one thing are told in full, in order, and how many are not."""
    kept: list[Notice] = []
    over: Counter[NoticeKind] = Counter()
    of_kind: Counter[NoticeKind] = Counter()
    for notice in group:
        is_told = notice.kind.is_urgent or (
            len(kept) < room and of_kind[notice.kind] < _LINES_OF_ONE
        )
        if is_told:
            kept.append(notice)
            of_kind[notice.kind] += 1
        else:
            over[notice.kind] += notice.times
    return kept, over


def _lines(title: str, notices: list[Notice], now_ms: int) -> list[str]:
    lines = [f"{_when(n, now_ms)}{n.line}" for n in notices]
    if not title or not lines:
        return lines
    return [f"{title}: {lines[0]}"] if len(lines) == 1 else [title, *(f"  {one}" for one in lines)]


def _when(notice: Notice, now_ms: int) -> str:
    """Return when it was, where that is not now."""
    if now_ms - notice.time_ms < _OLD_MS:
        return ""
    return f"({format_time(notice.time_ms - notice.time_ms % 60_000)} UTC) "


def _by_kind(counted: Counter[NoticeKind]) -> str:
    kinds = sorted(counted, key=lambda kind: kind.rank)
    return ", ".join(f"{counted[kind]} {kind.value}" for kind in kinds)
