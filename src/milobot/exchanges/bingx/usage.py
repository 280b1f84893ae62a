"""What BingX's headers say of its rates: each interface has a budget of its own."""

import re

from milobot.exchanges.bingx import requests
from milobot.exchanges.bingx.outcomes import RATE_CODES, read
from milobot.exchanges.limits import Limit, PriorityLimiter, Usage
from milobot.exchanges.times import ExchangeClock
from milobot.exchanges.transport import Transport
from milobot.exchanges.wire import Answer, Facts, SignedCall

_REMAIN, _EXPIRE = "x-ratelimit-requests-remain", "x-ratelimit-requests-expire"
_MOST_REFUSAL_BYTES = 2048
_RATE_CODES = tuple(code.encode() for code in sorted(RATE_CODES))
_MOMENT = re.compile(rb"\b1\d{12}\b")
# "The system will restrict the request and recover after 5 minutes."
_LONGEST_MS = 300_000
_SHORTEST_MS = 1000


class LearningTransport:
    """A transport that tells the limiter what each answer says of its interface's budget."""

    def __init__(self, inner: Transport, limiter: PriorityLimiter, clock: ExchangeClock) -> None:
        """Send through ``inner``."""
        self._inner = inner
        self._limiter = limiter
        self._clock = clock
        self._blocked: set[str] = set()

    async def send(self, request: SignedCall) -> Facts:
        """Send once; learn from the answer."""
        facts = await self._inner.send(request)
        limit = requests.USER_LIMITS.get(requests.budget_of(request.method, _path_of(request.url)))
        if limit is not None and isinstance(facts, Answer):
            self._learn(limit, facts)
        return facts

    def _learn(self, limit: Limit, answer: Answer) -> None:
        if _is_refused_for_rate(answer):
            # A longer window with everything used is a pause of this interface alone: exits
            # over another one still leave.
            self._blocked.add(limit.name)
            self._limiter.set_limit(
                Limit(limit.name, limit.most, self._wait_ms(answer), limit.kept)
            )
            self._limiter.learn(Usage(limit.name, limit.most))
            return
        if limit.name in self._blocked:
            self._blocked.discard(limit.name)
            self._limiter.set_limit(limit)
        remain = answer.headers.get(_REMAIN, "")
        if remain.isdecimal():
            self._limiter.learn(Usage(limit.name, limit.most - int(remain)))

    def _wait_ms(self, answer: Answer) -> int:
        """Return how long an interface is closed, as told in words or by a header."""
        told = [int(moment) for moment in _MOMENT.findall(answer.body)]
        expire = answer.headers.get(_EXPIRE, "")
        if expire.isdecimal():
            told.append(int(expire))
        wait_ms = max(told, default=0) - self._clock.now_ms()
        return min(max(wait_ms, _SHORTEST_MS), _LONGEST_MS)


def _path_of(url: str) -> str:
    """Return the path of an address; it is our own, so nothing needs to be checked."""
    start = url.index("/", url.index("//") + 2)
    end = url.find("?", start)
    return url[start:] if end < 0 else url[start:end]


def _is_refused_for_rate(answer: Answer) -> bool:
    body = answer.body
    if len(body) > _MOST_REFUSAL_BYTES or not any(map(body.__contains__, _RATE_CODES)):
        return False  # decoding every answer a second time would cost each order its share
    return read(answer).code in RATE_CODES
