"""The faults that the local exchange can make, by name."""

from collections.abc import Mapping
from dataclasses import dataclass, field

ORDER_CALLS = "place*"
EVERY_CALL = "*"
_QUERIES = "query*"


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One kind of fault.

    Attributes:
        on: Calls it strikes unless a rule says otherwise.
        summary: What the client meets.
        parameters: Numbers and words a rule may set, with their defaults.
    """

    on: str
    summary: str
    parameters: Mapping[str, float | str] = field(default_factory=dict)


KINDS: dict[str, FaultKind] = {
    "latency": FaultKind(
        EVERY_CALL,
        "the answer takes longer: log-normal, half before and half after execution",
        {"p50_ms": 50.0, "p95_ms": 200.0},
    ),
    "timeout_after_accept": FaultKind(
        ORDER_CALLS, "executed, but no answer comes for `seconds`", {"seconds": 30.0}
    ),
    "timeout_before_accept": FaultKind(
        ORDER_CALLS, "not executed, and no answer comes for `seconds`", {"seconds": 30.0}
    ),
    "drop_before": FaultKind(ORDER_CALLS, "the connection drops, nothing was executed"),
    "drop_after": FaultKind(ORDER_CALLS, "executed, then the connection drops"),
    "late_execution": FaultKind(
        ORDER_CALLS,
        "the connection drops, execution follows `seconds` later, beyond recvWindow",
        {"seconds": 3.0},
    ),
    "invisible": FaultKind(
        ORDER_CALLS, "accepted, but no query or event shows it for `seconds`", {"seconds": 3.0}
    ),
    "stale_positions": FaultKind(
        "positions", "positions as they were `seconds` ago", {"seconds": 5.0}
    ),
    "stale_orders": FaultKind("query*", "orders as they were `seconds` ago", {"seconds": 5.0}),
    "cut_body": FaultKind(ORDER_CALLS, "executed, the body of the answer is cut off"),
    "empty_body": FaultKind(ORDER_CALLS, "executed, answered 200 with an empty body"),
    "empty_json": FaultKind(ORDER_CALLS, "executed, answered 200 with an empty object"),
    "truncated_json": FaultKind(ORDER_CALLS, "executed, answered 200 with half of the JSON"),
    "html": FaultKind(EVERY_CALL, "not executed, answered 200 with an HTML page"),
    "endless_body": FaultKind(EVERY_CALL, "executed, the body never ends", {"seconds": 30.0}),
    "huge_body": FaultKind(EVERY_CALL, "executed, the body has megabytes", {"megabytes": 64.0}),
    "http_error": FaultKind(
        ORDER_CALLS,
        "answered with `status` by a gateway; `executed` is 1 or 0",
        {"status": 504.0, "executed": 1.0},
    ),
    "unknown_503": FaultKind(
        ORDER_CALLS, "503 'Unknown error', status unknown; `executed` is 1 or 0", {"executed": 1.0}
    ),
    "unavailable_503": FaultKind(ORDER_CALLS, "503 'Service Unavailable.', not executed"),
    "overload_503": FaultKind(ORDER_CALLS, "503 code -1008, not executed"),
    "internal_503": FaultKind(ORDER_CALLS, "503 'Internal error', not executed"),
    "unknown_1006": FaultKind(
        ORDER_CALLS, "code -1006, status unknown; `executed` is 1 or 0", {"executed": 1.0}
    ),
    "timeout_1007": FaultKind(
        ORDER_CALLS, "408 code -1007, status unknown; `executed` is 1 or 0", {"executed": 1.0}
    ),
    "rate_limited": FaultKind(EVERY_CALL, "429 with Retry-After `seconds`", {"seconds": 1.0}),
    "banned": FaultKind(EVERY_CALL, "418 with Retry-After `seconds`", {"seconds": 5.0}),
    "maintenance": FaultKind(EVERY_CALL, "the exchange says it is under maintenance"),
    "reject": FaultKind(
        ORDER_CALLS,
        "refused with error `code` of the dialect, not executed; `executed` 1 executes it",
        {"code": 0.0, "executed": 0.0},
    ),
    "attached_stop_dropped": FaultKind("place", "the entry fills, its attached exits are gone"),
    "attached_stop_nameless": FaultKind("place", "attached exits are listed without an id"),
    "attached_stop_resized": FaultKind("place", "attached exits are over half of the quantity"),
    "child_rejected": FaultKind(
        "place*", "when the conditional order triggers, its child is rejected"
    ),
    "partial_fill": FaultKind(
        "place",
        "only `fraction` fills; `rest` rests until the market moves, or expires",
        {"fraction": 0.5, "rest": "rests"},
    ),
    "client_id_reused": FaultKind(
        "place*", "a client id that was used before is accepted once more"
    ),
    "client_id_dropped": FaultKind("place*", "BingX: the order is made with an empty client id"),
    "events_late": FaultKind("event.*", "the user event comes `seconds` late", {"seconds": 2.0}),
    "events_twice": FaultKind("event.*", "the user event comes twice"),
    "events_out_of_order": FaultKind("event.*", "the user event comes after the next one"),
    "events_missing": FaultKind("event.*", "the user event never comes"),
    "stream_silent": FaultKind(
        "stream.*",
        "the stream sends nothing for `seconds`, the socket stays open",
        {"seconds": 5.0},
    ),
    "stream_dropped": FaultKind("stream.*", "the socket closes"),
    "listen_key_expired": FaultKind("event.*", "the listen key expires"),
    "clock_skew": FaultKind(
        "time", "the server's clock jumps by `ms` from here on", {"ms": 10_000.0}
    ),
    "history_retention": FaultKind(
        _QUERIES, "orders that ended are not found any more", {"seconds": 0.0}
    ),
}
"""Every fault there is; the documentation lists them from here."""


def family(call: str) -> str:
    """Return what a call or a pattern of calls belongs to: event, stream or call."""
    head = call.partition(".")[0]
    return head if head in {"event", "stream"} else "call"
