"""A mailbox: what one person is to be told, and when the messenger lets it be told."""

from collections import deque

from milobot.signals.talk.notices import Notice
from milobot.signals.talk.outbox import Outbox, Parcel

LEAST_GAP_MS = 1_000
PER_MINUTE = 20
_MINUTE_MS = 60_000
_MOST_ANSWERS = 20
_FIRST_WAIT_MS = 1_000
_LONGEST_WAIT_MS = 60_000
_GONE_WAIT_MS = 600_000


class Pace:
    """At most one message a second and twenty a minute: what messengers allow a chat."""

    def __init__(self) -> None:
        """Begin with nothing sent."""
        self._sent: deque[int] = deque(maxlen=PER_MINUTE)

    def allows(self, now_ms: int) -> bool:
        """Return whether a message may leave now."""
        if not self._sent:
            return True
        is_full = len(self._sent) == PER_MINUTE and now_ms - self._sent[0] < _MINUTE_MS
        return not is_full and now_ms - self._sent[-1] >= LEAST_GAP_MS

    def count(self, now_ms: int) -> None:
        """Take in that one has left, or has been tried."""
        self._sent.append(now_ms)


class Mailbox:
    """Notices and answers for one person. Answers go before notices that are not urgent.

    Attributes:
        outbox: The notices.
        lost_answers: How many answers were given up, as nobody could be reached.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self.outbox = Outbox()
        self.lost_answers = 0
        self._answers: deque[str] = deque()
        self._pace = Pace()
        self._leaving: Parcel | str | None = None
        self._not_before_ms = 0
        self._failures = 0

    def put(self, notice: Notice, now_ms: int) -> None:
        """Let a notice wait."""
        self.outbox.put(notice, now_ms)

    def answer(self, text: str) -> None:
        """Let an answer wait; who asks for more than can be sent loses the oldest ones."""
        self._answers.append(text)
        if len(self._answers) > _MOST_ANSWERS:
            self._answers.popleft()
            self.lost_answers += 1

    def heard(self) -> None:
        """Take in that the person has written: it may be tried again at once."""
        if self._failures:
            self._failures, self._not_before_ms = 0, 0

    def take(self, now_ms: int) -> str | None:
        """Return what is to be sent now; None when nothing is, or may be."""
        if now_ms < self._not_before_ms or not self._pace.allows(now_ms):
            return None
        parcel = self.outbox.take_urgent(now_ms)
        if parcel is None and self._answers:
            self._leaving = self._answers.popleft()
            self._pace.count(now_ms)
            return self._leaving
        parcel = parcel or self.outbox.take(now_ms)
        if parcel is None:
            return None
        self._leaving = parcel
        self._pace.count(now_ms)
        return parcel.text

    def sent(self) -> None:
        """Take in that what was taken has arrived."""
        self._leaving, self._failures = None, 0

    def failed(self, now_ms: int, *, may_retry: bool, wait_s: float) -> None:
        """Take in that what was taken may not have arrived: it waits again.

        Args:
            now_ms: When it failed.
            may_retry: Whether trying soon makes sense.
            wait_s: How long the messenger wants to be left alone; 0 when it does not say.
        """
        if isinstance(self._leaving, Parcel):
            self.outbox.put_back(self._leaving, now_ms)
        elif self._leaving is not None:
            self._answers.appendleft(self._leaving)
        self._leaving = None
        wait_ms = min(_FIRST_WAIT_MS * 2 ** min(self._failures, 10), _LONGEST_WAIT_MS)
        if not may_retry:
            wait_ms = _GONE_WAIT_MS
        self._failures += 1
        self._not_before_ms = now_ms + max(wait_ms, round(wait_s * 1000))
