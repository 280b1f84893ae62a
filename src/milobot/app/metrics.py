"""The metrics of a process: their names, what they mean, and the objects that count.

``METRICS`` is the whole list; ``docs/operations.md`` shows the same, and a test compares them.
Labels are bounded: words from fixed sets, accounts of the run, and symbols only while a position
is open in them. What is counted lives in ``Meters``; what is read when somebody asks, in
``app.gauges``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.metrics import disable_created_metrics

Kind = Literal["counter", "gauge", "histogram"]
_ORDER_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10)
_EXPOSED_S = (0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30)
_LAG_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
MOST_CODES = 200
"""Reason codes come from fixed sets of the program; more than these would be a fault of it."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        means: In one sentence, as ``# HELP`` says it.
    """

    name: str
    kind: Kind
    labels: tuple[str, ...]
    means: str


METRICS = (
    Metric("orders_total", "counter", ("account", "purpose"), "Orders put on record to be sent."),
    Metric(
        "orders_failed_total",
        "counter",
        ("account", "purpose", "reason"),
        "Orders that the exchange refused or that were certainly not executed.",
    ),
    Metric(
        "order_outcomes_total",
        "counter",
        ("account", "purpose", "status"),
        "States that orders have reached, UNKNOWN among them.",
    ),
    Metric(
        "signal_processing_duration_seconds",
        "histogram",
        ("source",),
        "From a message's being handed in to the decision about it being on record.",
    ),
    Metric(
        "order_stage_seconds",
        "histogram",
        ("stage",),
        "Stages of an order: decision_to_request, request_to_answer, request_to_fill.",
    ),
    Metric(
        "position_size",
        "gauge",
        ("account", "symbol"),
        "Quantity held in the base asset; negative when short.",
    ),
    Metric(
        "positions",
        "gauge",
        ("account", "state"),
        "Open slots by how safe they are: OPENING, UNPROTECTED, PROTECTED, CLOSING.",
    ),
    Metric(
        "position_unprotected_seconds",
        "histogram",
        ("account",),
        "How long a position had no resting stop, each time it had none.",
    ),
    Metric(
        "position_unprotected_now_seconds",
        "gauge",
        ("account",),
        "Longest time for which an open position has had no resting stop; 0 when all have.",
    ),
    Metric(
        "reconciliation_cycles_total", "counter", ("account",), "Comparisons with the exchange."
    ),
    Metric(
        "reconciliation_findings",
        "gauge",
        ("account", "code"),
        "Differences to the exchange that do not end by themselves, by what they are.",
    ),
    Metric("wallet_drift_usdt", "gauge", ("account",), "Wallet less what our books explain."),
    Metric("reconciliation_age_seconds", "gauge", ("account",), "Since the last comparison."),
    Metric("decisions_total", "counter", ("account", "outcome", "code"), "Decisions by reason."),
    Metric("orders_in_doubt", "gauge", ("account",), "Orders whose end is not known."),
    Metric(
        "stream_age_seconds",
        "gauge",
        ("account",),
        "Since the quietest stream said anything, connected or not.",
    ),
    Metric("streams_connected", "gauge", ("account",), "Streams that are connected."),
    Metric(
        "stream_events_total",
        "counter",
        ("account", "event"),
        "What happened to streams: reconnected, failed, stale, garbage.",
    ),
    Metric(
        "rate_budget_used_ratio",
        "gauge",
        ("account", "budget"),
        "Share of the exchange's request budget that is used in its window.",
    ),
    Metric("breaker_open", "gauge", ("account",), "1 while the exchange is given a rest."),
    Metric("governor_halted", "gauge", ("account", "kind"), "1 while entries are blocked for it."),
    Metric("account_leading", "gauge", ("account",), "1 while this process leads the account."),
    Metric(
        "lease_changes_total", "counter", ("account",), "Times the lead was taken or was lost here."
    ),
    Metric("clock_offset_seconds", "gauge", ("account",), "Exchange's clock less ours."),
    Metric("last_candle_age_seconds", "gauge", ("account",), "Since the last candle's close."),
    Metric("alerts_total", "counter", ("account", "kind"), "Alerts told, without their ends."),
    Metric("worker_kills_total", "counter", (), "Script workers that were ended or lost."),
    Metric("http_refused_total", "counter", ("code",), "HTTP requests refused, by reason."),
    Metric("telegram_connected", "gauge", (), "1 while Telegram is listened to."),
    Metric("telegram_events_total", "counter", ("event",), "What the Telegram listener counts."),
    Metric("event_loop_lag_seconds", "histogram", (), "How late the event loop wakes a sleeper."),
    Metric("ledger_up", "gauge", (), "1 while the ledger answers."),
    Metric("disk_free_bytes", "gauge", (), "Space left in the working folder."),
    Metric("disk_size_bytes", "gauge", (), "Space there is, where the working folder lies."),
    Metric("ready", "gauge", (), "1 while /ready answers 200."),
    Metric("build_info", "gauge", ("version", "mode"), "Always 1; its labels say what runs."),
)
BY_NAME: Mapping[str, Metric] = {metric.name: metric for metric in METRICS}


class Meters:
    """What is counted as it happens.

    Attributes:
        registry: What is shown; of this process part alone, so that two do not mix.
    """

    def __init__(self) -> None:
        """Count nothing yet."""
        # It would add a second series for each counter, which nobody asked for.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library's own
        self.registry = CollectorRegistry()
        self.orders = self._counter("orders_total")
        self.orders_failed = self._counter("orders_failed_total")
        self.outcomes = self._counter("order_outcomes_total")
        self.decisions = self._counter("decisions_total")
        self.alerts = self._counter("alerts_total")
        self.lease_changes = self._counter("lease_changes_total")
        self.signal_processing = self._histogram("signal_processing_duration_seconds", _ORDER_S)
        self.stages = self._histogram("order_stage_seconds", _ORDER_S)
        self.unprotected = self._histogram("position_unprotected_seconds", _EXPOSED_S)
        self.loop_lag = self._histogram("event_loop_lag_seconds", _LAG_S)
        self._codes: set[str] = set()

    def code(self, code: str) -> str:
        """Return a reason code as a label; ``other`` once there are too many."""
        if code not in self._codes and len(self._codes) >= MOST_CODES:
            return "other"
        self._codes.add(code)
        return code

    def _counter(self, name: str) -> Counter:
        metric = BY_NAME[name]
        return Counter(name, metric.means, metric.labels, registry=self.registry)

    def _histogram(self, name: str, buckets: tuple[float, ...]) -> Histogram:
        metric = BY_NAME[name]
        return Histogram(name, metric.means, metric.labels, registry=self.registry, buckets=buckets)
