"""Metrics that are read when somebody asks for them, from how the run stands at that moment."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from milobot.app.figures import AccountFigures, Books, Line
from milobot.app.health import Role
from milobot.app.metrics import BY_NAME
from milobot.domain.governor import HaltKind
from milobot.domain.intents import PositionSide
from milobot.domain.slots import PositionState

Labels = tuple[str, ...]
_STATES = tuple(state for state in PositionState if state is not PositionState.FLAT)


@dataclass(frozen=True, slots=True)
class RunFigures:
    """A run as it stands at one moment.

    Attributes:
        cycles: Comparisons since the start, by account.
        refused: HTTP requests that were refused, by reason code.
        telegram: Counters of the listener by name; None where nobody listens.
        is_telegram_on: Whether it is listened to now.
        worker_kills: Script workers that were ended or lost.
    """

    version: str
    mode: str
    is_ready: bool
    is_ledger_up: bool
    accounts: tuple[AccountFigures, ...] = ()
    cycles: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)
    telegram: Mapping[str, int] | None = None
    is_telegram_on: bool = False
    worker_kills: int = 0


class _Sheet:
    """Families of one scrape, each begun with its first sample."""

    def __init__(self) -> None:
        self._families: dict[str, GaugeMetricFamily | CounterMetricFamily] = {}

    def put(self, name: str, value: float, *labels: str) -> None:
        family = self._families.get(name)
        if family is None:
            metric = BY_NAME[name]
            kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
            family = self._families[name] = kind(name, metric.means, labels=metric.labels)
        family.add_metric(labels, value)

    def families(self) -> Iterator[Family]:
        yield from self._families.values()


class RunCollector(Collector):
    """Shows a run's figures to a registry."""

    def __init__(self, read: Callable[[], RunFigures]) -> None:
        """Read nothing yet; ``read`` is called at every scrape."""
        self._read = read

    def describe(self) -> Iterator[Family]:
        """Name nothing ahead: nothing is read when it is registered."""
        yield from ()

    def collect(self) -> Iterator[Family]:
        """Yield every family that has a sample now."""
        run, sheet = self._read(), _Sheet()
        sheet.put("build_info", 1, run.version, run.mode)
        sheet.put("ready", run.is_ready)
        sheet.put("ledger_up", run.is_ledger_up)
        disk = shutil.disk_usage(".")
        sheet.put("disk_free_bytes", disk.free)
        sheet.put("disk_size_bytes", disk.total)
        sheet.put("worker_kills_total", run.worker_kills)
        for code, count in run.refused.items():
            sheet.put("http_refused_total", count, code)
        if run.telegram is not None:
            sheet.put("telegram_connected", run.is_telegram_on)
            for event, count in run.telegram.items():
                sheet.put("telegram_events_total", count, event)
        for account in run.accounts:
            _put_account(sheet, account, run.cycles.get(account.account, 0))
        yield from sheet.families()


def _put_account(sheet: _Sheet, account: AccountFigures, cycles: int) -> None:
    name = account.account
    sheet.put("account_leading", account.role is Role.LEADING, name)
    sheet.put("reconciliation_cycles_total", cycles, name)
    if account.line is not None:
        _put_line(sheet, name, account.line)
    if account.books is not None:
        _put_books(sheet, name, account.books)


def _put_line(sheet: _Sheet, name: str, line: Line) -> None:
    if line.streams:
        silent_ms = max(pulse.silent_ms for pulse in line.streams)
        sheet.put("stream_age_seconds", silent_ms / 1000, name)
    connected = sum(pulse.age_ms is not None for pulse in line.streams)
    sheet.put("streams_connected", connected, name)
    for event, count in line.events.items():
        sheet.put("stream_events_total", count, name, event)
    for budget, (used, most) in line.budgets.items():
        sheet.put("rate_budget_used_ratio", used / most if most else 0, name, budget)
    sheet.put("breaker_open", bool(line.rest), name)
    sheet.put("clock_offset_seconds", line.clock_offset_ms / 1000, name)


def _put_books(sheet: _Sheet, name: str, books: Books) -> None:
    states = [held.state for held in books.held]
    for state in _STATES:
        sheet.put("positions", states.count(state), name, state.value)
    for held in books.held:
        if held.slot.held:
            sign = 1 if held.slot.held_side is PositionSide.LONG else -1
            sheet.put("position_size", sign * float(held.slot.held), name, held.slot.symbol)
    sheet.put("position_unprotected_now_seconds", books.exposed_ms / 1000, name)
    sheet.put("orders_in_doubt", books.doubtful, name)
    _put_comparison(sheet, name, books)
    kinds = {halt.kind for halt in books.halts}
    for kind in HaltKind:
        sheet.put("governor_halted", kind in kinds, name, kind.value)
    if books.candle_age_ms:
        sheet.put("last_candle_age_seconds", max(books.candle_age_ms.values()) / 1000, name)


def _put_comparison(sheet: _Sheet, name: str, books: Books) -> None:
    for code, count in books.findings.items():
        sheet.put("reconciliation_findings", count, name, code.value)
    if books.compared_age_ms is not None:
        sheet.put("reconciliation_age_seconds", books.compared_age_ms / 1000, name)
    if books.drift is not None:
        sheet.put("wallet_drift_usdt", float(books.drift), name)
