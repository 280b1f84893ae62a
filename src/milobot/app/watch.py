"""Looks after a run for those who look after it: ``/ready``, ``/status``, ``/metrics``.

It asks the ledger every second and measures the event loop; all else is read from the run when
somebody asks. Nothing of it stands in the way of an order.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from importlib.metadata import version
from time import monotonic
from typing import Any, Protocol

from prometheus_client import ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from milobot.app.figures import AccountFigures, Line, books_of, line_of
from milobot.app.gauges import RunCollector, RunFigures
from milobot.app.health import Part, Role, Sighting, judge
from milobot.app.ledger_watch import LedgerWatch
from milobot.app.live_run import LiveRun
from milobot.app.live_shows import HeardShow, LiveShow
from milobot.app.metrics import Meters
from milobot.app.order_log import KnowsSignals, OrderLog
from milobot.app.run_status import read_tasks, status_to_json
from milobot.domain.alerts import Alert
from milobot.exchanges.times import Sleep, real_sleep
from milobot.ports import Clock
from milobot.signals.telegram.figures import ListenerState
from milobot.storage.ledger import Ledger
from milobot.telemetry import counts
from milobot.web.access import Access

_LAG_EVERY_S = 0.25


class HasListener(Protocol):
    """Who may be listening to Telegram."""

    @property
    def listener(self) -> ListenerState | None:
        """Return where it stands; None where nobody listens."""
        ...


class RunWatch:
    """Knows how a run stands.

    Attributes:
        meters: What is counted as it happens.
        ledger: What is known of the ledger.
        awaited: Why an exchange is waited for, by account; empty or missing when it is not.
    """

    def __init__(
        self,
        accounts: Sequence[str],
        mode: str,
        *,
        sleep: Sleep = real_sleep,
        elapsed: Callable[[], float] = monotonic,
    ) -> None:
        """Know nothing yet.

        Args:
            accounts: Those that the run trades, as ``exchange:name``.
            mode: ``live``, ``testnet``, ``paper`` or ``demo``.
            sleep: Waits.
            elapsed: Seconds that pass evenly.
        """
        self.meters = Meters()
        self.ledger = LedgerWatch(accounts, sleep=sleep, elapsed=elapsed)
        self.awaited: dict[str, str] = {}
        self.access: Access | None = None
        self.messenger: HasListener | None = None
        self._accounts, self._mode = tuple(accounts), mode
        self._sleep, self._elapsed = sleep, elapsed
        self._version, self._began_s = version("milobot"), elapsed()
        self._runs: list[LiveRun] = []
        self._open: Ledger | None = None
        self._cycles: dict[str, tuple[int, int]] = {}
        self._roles: dict[str, Role] = {}
        self.meters.registry.register(RunCollector(self.figures))
        ProcessCollector(registry=self.meters.registry)

    def beside(
        self, show: LiveShow, account: str, clock: Clock, signals: KnowsSignals | None = None
    ) -> LiveShow:
        """Return a show of an account of which everything is counted, too."""
        return WatchedShow(show, OrderLog(account, self.meters, clock, signals=signals))

    def follow(self, ledger: Ledger, runs: Sequence[LiveRun]) -> None:
        """Take over what there is to look at, once the ledger is open."""
        self._open, self._runs = ledger, list(runs)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Keep looking while the body runs."""
        async with asyncio.TaskGroup() as tasks:
            looking = [tasks.create_task(self._measure_loop()), tasks.create_task(self._look())]
            try:
                yield
            finally:
                for task in looking:
                    task.cancel()

    def readiness(self) -> tuple[bool, Mapping[str, Any]]:
        """Return whether the run is ready, and each part with its state and reason."""
        parts = self._parts()
        is_ready = all(part.is_ready for part in parts)
        missing = [f"{p.name}: {p.reason}" for p in parts if not p.is_ready]
        return is_ready, {
            "ready": is_ready,
            "missing": missing,
            "parts": [asdict(part) for part in parts],
        }

    async def status(self) -> Mapping[str, Any]:
        """Return how the run stands; what the ledger alone knows is left out while it is away."""
        tasks = await read_tasks(self._open, self._accounts)
        return status_to_json(
            self.figures(),
            tasks,
            readiness=self.readiness()[1],
            uptime_s=self._elapsed() - self._began_s,
        )

    def metrics(self) -> tuple[bytes, str]:
        """Return all metrics in Prometheus' text form, and its media type."""
        return generate_latest(self.meters.registry), CONTENT_TYPE_PLAIN_0_0_4

    def accounts(self) -> tuple[AccountFigures, ...]:
        """Return how each account stands now."""
        runs = {run.account: run for run in self._runs}
        return tuple(self._account(name, runs.get(name)) for name in self._accounts)

    def figures(self) -> RunFigures:
        """Return how the whole run stands now."""
        accounts = self.accounts()
        parts = self._parts()
        listener = None if self.messenger is None else self.messenger.listener
        return RunFigures(
            version=self._version,
            mode=self._mode,
            is_ready=all(part.is_ready for part in parts),
            is_ledger_up=parts[0].is_ready,
            accounts=accounts,
            cycles={account.account: self._cycles_of(account) for account in accounts},
            refused={} if self.access is None else dict(self.access.refused),
            telegram=None if listener is None else asdict(listener.figures),
            is_telegram_on=listener is not None and listener.is_connected,
            worker_kills=counts["worker_kills"],
        )

    def _parts(self) -> tuple[Part, ...]:
        """Return what has to be right; first of all the ledger."""
        ledger = self.ledger.sight
        troubles = [run.bot.trouble for run in self._runs if run.bot.trouble]
        if troubles and not ledger.trouble:  # it may answer questions and take no records
            ledger = replace(ledger, trouble=troubles[0])
        return judge(Sighting(ledger, tuple(account.sight for account in self.accounts())))

    def _account(self, name: str, run: LiveRun | None) -> AccountFigures:
        leader, epoch = self.ledger.leader(name)
        awaited = self.awaited.get(name, "")
        if run is None:
            return AccountFigures(name, Role.UNKNOWN, leader, epoch, Line(rest=awaited))
        lease = run.bot.lease
        role = Role.STANDING_BY if leader and leader != lease.holder else Role.UNKNOWN
        if lease.is_held:
            role, leader, epoch = Role.LEADING, lease.holder, lease.epoch
        line, books = line_of(run.client, run.client.clock), books_of(run)
        if awaited:
            line = replace(line or Line(), rest=awaited)
        return AccountFigures(name, role, leader, epoch, line, books)

    def _cycles_of(self, account: AccountFigures) -> int:
        """Return how often it was compared since the start; each lead counts from zero again."""
        before, last = self._cycles.get(account.account, (0, 0))
        rounds = last if account.books is None else account.books.rounds
        if rounds < last:
            before += last
        self._cycles[account.account] = before, rounds
        return before + rounds

    async def _measure_loop(self) -> None:
        while True:
            began_s = self._elapsed()
            await self._sleep(_LAG_EVERY_S)
            lag_s = self._elapsed() - began_s - _LAG_EVERY_S
            self.meters.loop_lag.observe(max(0.0, lag_s))

    async def _look(self) -> None:
        while True:
            if self._open is not None:
                await self.ledger.ask(self._open)
            self._note_roles()
            await self._sleep(1.0)

    def _note_roles(self) -> None:
        """Count each time the lead was taken or lost."""
        for account in self.accounts():
            self._cycles_of(account)
            was = self._roles.get(account.account)
            leads = account.role is Role.LEADING
            if (was is Role.LEADING) != leads:
                self.meters.lease_changes.labels(account.account).inc()
            self._roles[account.account] = account.role


class WatchedShow(HeardShow):
    """A show of which everything is counted, and whose orders are timed as they leave."""

    def __init__(self, show: LiveShow, log: OrderLog) -> None:
        """Put ``log`` beside ``show``."""
        super().__init__(show, _CountingEar(log))
        self._log = log

    def take_over(self, live: Any) -> None:
        """Time the orders of an account that is ours from now on."""
        if live is not None:
            live.view.watcher = self._log
        super().take_over(live)


class _CountingEar:
    """Hears for an ``OrderLog``."""

    def __init__(self, log: OrderLog) -> None:
        self._log = log
        self.before = log.before

    def tell(self, alert: Alert) -> None:
        self._log.alert(alert)
