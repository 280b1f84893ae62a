"""What goes over the wire and what comes back, as plain facts without a dialect.

A ``Call`` is a request before it is signed. Sending one gives an ``Answer`` or a
``Failure``; what either means for an order is looked up in a table (``outcomes``), never
decided where it happens.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Literal
from urllib.parse import quote

_UNRESERVED = re.compile(r"[A-Za-z0-9_.~&=-]*").fullmatch  # most are, and quoting is slow
Method = Literal["GET", "POST", "PUT", "DELETE"]
Params = tuple[tuple[str, str], ...]


class Priority(IntEnum):
    """Who goes first when the rate budget is short; lower is more urgent.

    EXIT: whatever reduces risk: closes, stops, targets. VITAL: what nothing can be
    protected without: who listens, and questions asked within ``urgency.vital``. ORDER: entries, cancels, settings.
    """

    EXIT = 0
    VITAL = 1
    ORDER = 2
    QUERY = 3
    DOWNLOAD = 4


class Access(StrEnum):
    """What a call proves about its sender."""

    PUBLIC = "public"
    KEY = "key"
    SIGNED = "signed"


@dataclass(frozen=True, slots=True)
class Call:
    """One request before it is signed.

    Attributes:
        path: Path below the host, such as ``/fapi/v1/order``.
        params: Parameters in order, as plain text, not yet encoded.
        costs: What it takes from which rate budget.
        base: Name of the host that it goes to, where a dialect has several.
    """

    method: Method
    path: str
    params: Params = ()
    access: Access = Access.PUBLIC
    priority: Priority = Priority.QUERY
    costs: tuple[tuple[str, int], ...] = ()
    base: str = "rest"

    @property
    def is_read(self) -> bool:
        """Return whether repeating it changes nothing at the exchange."""
        return self.method == "GET"


@dataclass(frozen=True, slots=True)
class SignedCall:
    """A request as it leaves.

    Attributes:
        url: Complete and encoded; not shown in any text, since it may hold the signature.
        time_ms: The timestamp that it was signed with.
        body: Form-encoded parameters that travel there instead; empty for none.
    """

    method: Method
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    time_ms: int
    timeout_s: float
    body: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Moment(StrEnum):
    """Whether the exchange can have seen a request that failed."""

    BEFORE_SENDING = "before sending"
    AFTER_SENDING = "after sending"


class FailureKind(StrEnum):
    """Why no complete answer came."""

    NO_CONNECTION = "no connection"
    TIMEOUT = "timeout"
    DROPPED = "connection dropped"
    CUT_BODY = "answer cut off"
    TOO_LARGE = "answer too large"
    RATE_LIMITED = "rate budget used up"
    CIRCUIT_OPEN = "exchange out of order"
    TOO_LATE = "deadline passed"


@dataclass(frozen=True, slots=True)
class Failure:
    """A request without a complete answer.

    Attributes:
        reason: A sentence without address parameters: they may hold a signature.
        wait_s: How long nothing can be sent; 0 when not known.
    """

    moment: Moment
    kind: FailureKind
    reason: str
    wait_s: float = 0.0


Facts = Answer | Failure


def joined(params: Params) -> str:
    """Return parameters as a query string as they are, nothing encoded."""
    return "&".join([f"{name}={value}" for name, value in params])


def encode(params: Params) -> str:
    """Return parameters as a query string, everything but unreserved characters encoded.

    >>> encode((("symbol", "币安USDT"), ("a", "1 2")))
    'symbol=%E5%B8%81%E5%AE%89USDT&a=1%202'
    """
    return encoded(params, joined(params))


def encoded(params: Params, plain: str) -> str:
    """Return what ``encode`` does, of parameters that were ``joined`` already.

    >>> encoded((("symbol", "BTC-USDT"),), "symbol=BTC-USDT")
    'symbol=BTC-USDT'
    """
    if _UNRESERVED(plain) and plain.count("=") == len(params) == plain.count("&") + 1:
        return plain
    return "&".join([f"{name}={quote(value, safe='')}" for name, value in params])
