"""Who may hand in signals and look at the account: token, rate, origin.

Where nobody else can reach the server no token is needed; beyond this machine it is. A token
that is set is asked for everywhere in a run but at ``/health``, ``/ready`` and ``/metrics``,
which tell nothing of the account, and at webhooks, which have a secret of their own.

A browser may show the page with the token as the password of a Basic login. It sends such a
login along with whatever a foreign page makes it do, so what changes something takes the token
as ``Bearer`` alone, and nothing from a page of another origin.
"""

import hashlib
import hmac
import math
from base64 import b64decode
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from ipaddress import IPv6Address
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from milobot.telemetry import get_logger
from milobot.web.access_rules import AccessRules
from milobot.web.rate_limit import RateLimit
from milobot.web.security import is_same_origin, read_header

OPEN_PATHS = ("/health", "/ready", "/metrics")
_OWN_GATES = frozenset({"signal", "signals", "webhook", "status"})
_UNCHECKED = frozenset(path[1:] for path in OPEN_PATHS) | _OWN_GATES
_POLICY_VIOLATION = 1008
_BY_STRANGERS = frozenset({401, 403, 429})
_LOGGED_A_SECOND = 1.0


class Gate(Enum):
    """What stands behind a path, and so what is asked for before it."""

    PAGE = "page"
    """Shows the account: a token, from a browser too."""
    TELLS = "tells"
    """As the page, and limited in rate."""
    ACTS = "acts"
    """Changes something: the token as Bearer, no foreign origin, limited in rate."""
    WEBHOOK = "webhook"
    """Limited in rate; it checks a secret of its own."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request goes no further.

    Attributes:
        status: HTTP status.
        code: Stable reason code.
        sentence: The same for people.
        headers: Further headers of the answer.
    """

    status: int
    code: str
    sentence: str
    headers: dict[str, str] = field(default_factory=dict)

    def response(self, **facts: Any) -> Response:
        """Return the answer; ``facts`` stand beside the reason."""
        body = {"detail": self.sentence, "code": self.code, **facts}
        return Response(
            orjson.dumps(body), self.status, self.headers, media_type="application/json"
        )


class Access:
    """Checks requests against the rules, and counts those that were refused.

    Attributes:
        refused: How many requests were refused, by reason code.
    """

    def __init__(self, rules: AccessRules) -> None:
        """Begin with nobody known."""
        self.rules = rules
        self.refused: Counter[str] = Counter()
        self._token = _digest(rules.token)
        self._secret = _digest(rules.tradingview_secret)
        self._by_address = RateLimit(rules.signal_rate)
        self._by_token = RateLimit(rules.signal_rate)
        self._lines = RateLimit(_LOGGED_A_SECOND, burst=10)

    def check(self, scope: Scope, gate: Gate) -> Refusal | None:
        """Return why a request is refused; None lets it pass."""
        if gate is Gate.ACTS and not is_same_origin(scope):
            return Refusal(403, "foreign_origin", "A page of another origin may not do this.")
        if gate is not Gate.PAGE and (late := self._limit(self._by_address, address_of(scope))):
            return late
        if gate is Gate.WEBHOOK or not self.rules.token:
            return None
        if not self._is_token(_shown(scope, basic=gate is not Gate.ACTS)):
            return self._stranger(scope, gate)
        return None if gate is Gate.PAGE else self._limit(self._by_token, "token")

    def is_tradingview_secret(self, shown: str) -> bool:
        """Return whether an alert shows the right secret; it takes as long either way."""
        is_right = hmac.compare_digest(_digest(shown), self._secret)
        return is_right and bool(self.rules.tradingview_secret)

    def note(self, refusal: Refusal, scope: Scope) -> Refusal:
        """Count a refused request and log it; of many from strangers only some are logged."""
        self.refused[refusal.code] += 1
        if refusal.status not in _BY_STRANGERS or self._lines.take("lines") == 0:
            get_logger().warning(
                "request_refused",
                code=refusal.code,
                reason=refusal.sentence,
                status=refusal.status,
                address=address_of(scope),
            )
        return refusal

    def _is_token(self, shown: str) -> bool:
        return hmac.compare_digest(_digest(shown), self._token)

    def _stranger(self, scope: Scope, gate: Gate) -> Refusal:
        # The page has no rate of its own; without this one a token could be guessed there.
        if gate is Gate.PAGE and (late := self._limit(self._by_address, address_of(scope))):
            return late
        asks = "Bearer" if gate is Gate.ACTS else "Basic"
        return Refusal(
            401,
            "wrong_token",
            "This needs the token: send the header 'Authorization: Bearer ' and API_TOKEN.",
            {"WWW-Authenticate": f'{asks} realm="milobot"'},
        )

    def _limit(self, limit: RateLimit, name: str) -> Refusal | None:
        wait_s = limit.take(name)
        if wait_s == 0:
            return None
        return Refusal(
            429,
            "too_many_requests",
            f"More than {self.rules.signal_rate:g} requests a second: wait, or raise SIGNAL_RATE.",
            {"Retry-After": str(max(1, math.ceil(wait_s)))},
        )


class Gated:
    """ASGI middleware that lets pass what the rules allow."""

    def __init__(self, app: ASGIApp, access: Access, gate: Gate) -> None:
        """Stand before ``app``; before a whole page it leaves out what has gates of its own."""
        self._app, self._access, self._gate = app, access, gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        refusal = self._check(scope)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            close = {"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": refusal.code}
            await send(close)
        else:
            await refusal.response()(scope, receive, send)

    def _check(self, scope: Scope) -> Refusal | None:
        if scope["type"] not in {"http", "websocket"}:
            return None
        if self._gate is Gate.PAGE and _first_part(scope["path"]) in _UNCHECKED:
            return None
        refusal = self._access.check(scope, self._gate)
        return refusal and self._access.note(refusal, scope)


def _first_part(path: str) -> str:
    return path.removeprefix("/").partition("/")[0]


def address_of(scope: Scope) -> str:
    """Return who asks: an IPv4 address, or the /64 network that one IPv6 user has to himself."""
    client = scope.get("client")
    if not client:
        return "unknown"
    host = str(client[0])
    if ":" not in host:
        return host
    try:
        address = IPv6Address(host)
    except ValueError:
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Address(int(address) >> 64 << 64)) + "/64"


def _shown(scope: Scope, *, basic: bool) -> str:
    """Return the token that a request shows; empty when it shows none, or two."""
    headers = read_header(scope, b"authorization")
    scheme, _, value = headers[0].partition(" ") if len(headers) == 1 else ("", "", "")
    if scheme.lower() == "bearer":
        return value.strip()
    if not basic or scheme.lower() != "basic":
        return ""
    try:
        return b64decode(value, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


def _digest(secret: str) -> bytes:
    """Return something of one length, so that comparing it tells nothing about the secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
