"""A transport without a network: answers by script, remembers what was sent."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
from tests.support.virtual_time import VirtualTime

from milobot.exchanges.wire import Answer, Facts, Failure, FailureKind, Moment, SignedCall


def reply(payload: Any, status: int = 200, **headers: str) -> Answer:
    """Return an answer with a JSON body; header names with underscores for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, named, orjson.dumps(payload))


def refusal(code: int, text: str = "no", status: int = 400, **headers: str) -> Answer:
    """Return a refusal as Binance words it."""
    return reply({"code": code, "msg": text}, status, **headers)


TIMEOUT = Failure(Moment.AFTER_SENDING, FailureKind.TIMEOUT, "timeout")
UNREACHABLE = Failure(Moment.BEFORE_SENDING, FailureKind.NO_CONNECTION, "no connection")


@dataclass
class Sent:
    """One request as it left."""

    method: str
    path: str
    params: dict[str, str]
    request: SignedCall

    @property
    def name(self) -> str:
        """Return method and path."""
        return f"{self.method} {self.path}"


@dataclass
class FakeTransport:
    """Answers each path with the next of its script; the last one stays.

    An answer that depends on the moment stands there as a function.

    Attributes:
        time: Its clock is the exchange's time too, plus ``skew_ms``.
        takes_ms: How long each request is under way.
        sent: Everything that left, the questions for the time left out.
    """

    time: VirtualTime
    skew_ms: int = 0
    takes_ms: int = 0
    sent: list[Sent] = field(default_factory=list)
    asked_time: int = 0
    _scripts: dict[str, list[Facts | Callable[[], Facts]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def on(self, name: str, *answers: Facts | Callable[[], Facts]) -> None:
        """Answer ``"GET /path"`` with these, one after the other."""
        self._scripts[name] = list(answers)

    def names(self) -> list[str]:
        """Return what left, as methods and paths."""
        return [one.name for one in self.sent]

    async def send(self, request: SignedCall) -> Facts:
        """Answer by script."""
        parts = urlsplit(request.url)
        self.time.step(self.takes_ms)
        if parts.path.endswith("/time") and not self._scripts.get(f"GET {parts.path}"):
            self.asked_time += 1
            return reply({"serverTime": self.time.now_ms() + self.skew_ms})
        params = dict(parse_qsl(request.body or parts.query))
        sent = Sent(request.method, parts.path, params, request)
        self.sent.append(sent)
        script = self._scripts[sent.name]
        if not script:
            raise AssertionError(f"nobody said how to answer {sent.name}")
        answer = script.pop(0) if len(script) > 1 else script[0]
        return answer() if callable(answer) else answer
