"""One batch: a bot trades on an exchange, faults of each kind befall it, and it is judged."""

import asyncio
import random
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.support.crash.exposure import ExposureWatch
from tests.support.crash.market import RestlessPrices, environment_of, exchange_for
from tests.support.crash.marks import Mark
from tests.support.own_postgres import OwnServer, free_port, own_server
from tests.support.recovery.evidence import Evidence, is_in_doubt_at, judge, settled
from tests.support.recovery.faults import FREEZE, OUTAGE, Fault, Scene, faults_of, strike
from tests.support.recovery.line import Line
from tests.support.recovery.load import RESERVE, Load, is_ready, loading
from tests.support.recovery.starving import lost_between, watching_processor
from tests.support.recovery.summary import P95_MS
from tests.support.recovery.supervised import Supervised, supervised

from milobot.local_exchange.core.accounts import Account
from milobot.local_exchange.core.orders import Origin
from milobot.local_exchange.server import LocalExchange
from milobot.local_exchange.setup import DEFAULT_KEY
from milobot.storage.database_url import parse_database_url
from milobot.storage.schema import run_on, upgrade

_READY_WITHIN_S, _RECOVERED_WITHIN_S, _SETTLED_WITHIN_S = 60.0, 60.0, 60.0
_LOOK_S, _CALM_S = 0.02, (0.5, 1.5)
_ENTRIES_BEFORE = 2


@dataclass(frozen=True, slots=True)
class Batch:
    """What is carried out on one exchange with one ledger.

    Attributes:
        kinds: The faults, each once; their order is the seed's.
    """

    dialect: str
    database: str
    seed: int
    kinds: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return what tells it from all others."""
        return f"{self.dialect}/{self.database}/{self.seed}"


@dataclass(slots=True)
class Recovery:
    """One fault and how it was got over.

    Attributes:
        lasted_ms: From its beginning to its end.
        took_ms: From its end to the first order that was accepted; -1 for never.
        ready_ms: From its end until ``/ready`` said so; -1 for never.
        starved_ms: For how long of that its main thread was ready to run and the machine had
            no processor for it.
        passed_over: Orders accepted before that in a slot in which one was in doubt.
    """

    kind: str
    variant: str
    lasted_ms: int
    took_ms: int = -1
    ready_ms: int = -1
    starved_ms: int = 0
    passed_over: int = 0


@dataclass(slots=True)
class Verdict:
    """What came of a batch; ``wrong`` has a sentence for all that is not as promised."""

    name: str
    recoveries: list[Recovery] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)

    @property
    def is_slow(self) -> bool:
        """Return whether a recovery took longer than nineteen of twenty may."""
        return any(not 0 <= recovery.took_ms <= P95_MS for recovery in self.recoveries)

    def to_row(self) -> dict[str, Any]:
        """Return it as JSON keeps it."""
        return asdict(self)


async def carry_out(
    batch: Batch, folder: Path, told: Callable[[Recovery], None], failures: Path | None = None
) -> Verdict:
    """Carry out a batch in a folder of its own; what a bad or slow one leaves is kept in ``failures``."""
    place = folder / batch.name.replace("/", "-")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    verdict = Verdict(batch.name)
    async with (
        exchange_for(batch.dialect, batch.seed, has_limits=True) as exchange,
        _ledger_of(batch, place) as (url, server),
    ):
        await _Work(batch, place, exchange, verdict).through(url, server, told)
    if (verdict.wrong or verdict.is_slow) and failures is not None:
        shutil.rmtree(failures / place.name, ignore_errors=True)
        shutil.copytree(place, failures / place.name)
    shutil.rmtree(place, ignore_errors=True)
    return verdict


@asynccontextmanager
async def _ledger_of(batch: Batch, place: Path) -> AsyncIterator[tuple[str, OwnServer | None]]:
    """Give the ledger's address and its server, which is started beside everything else."""
    if batch.database == "sqlite":
        yield f"sqlite:///{place / 'milobot.db'}", None
        return
    with ExitStack() as stack:
        server = await asyncio.to_thread(stack.enter_context, own_server())
        try:
            await asyncio.to_thread(run_on, parse_database_url(server.url), upgrade)
            yield server.url, server
        finally:
            await asyncio.to_thread(stack.close)


class _Work:
    def __init__(
        self, batch: Batch, place: Path, exchange: LocalExchange, verdict: Verdict
    ) -> None:
        self._batch, self._place, self._exchange = batch, place, exchange
        self._verdict = verdict
        self._dice = random.Random(f"batch {batch.seed}")  # noqa: S311 - repeatable on purpose
        self._account: Account = next(iter(exchange.venues[batch.dialect].accounts.values()))
        self._watch = ExposureWatch(exchange.venues[batch.dialect])
        self._watch.start()
        self._prices = RestlessPrices(exchange, self._dice)
        self._outages: list[tuple[int, int]] = []
        self._starved: list[Mark] = []

    async def through(
        self, url: str, server: OwnServer | None, told: Callable[[Recovery], None]
    ) -> None:
        port = free_port()
        async with Line(self._exchange.url) as line, self._prices.moving():
            environment = {
                **environment_of(self._batch.dialect, line.url, DEFAULT_KEY),
                "DATABASE_URL": url,
                "SIGNAL_EXCHANGE": self._batch.dialect,
                **_LOOSE,
            }
            words = ("--port", str(port))
            address, name = f"http://127.0.0.1:{port}", f"r{self._batch.seed}"
            async with (
                supervised(self._place, words, environment, self._now_ms) as bot,
                watching_processor(bot, self._now_ms) as starved,
                loading(address, self._account, self._dice, name) as load,
            ):
                scene = Scene(bot, line, server)
                self._starved = starved
                await self._faults(scene, load, url, told)
                evidence = Evidence(
                    self._exchange, self._batch.dialect, url, self._watch, self._prices.stalls
                )
                await self._come_to_rest(bot, load, evidence)
                if not await bot.end():
                    self._verdict.wrong.append("the bot did not end when it was asked to")
            evidence.bot, evidence.load = bot, load
            evidence.starved, evidence.outages = starved, self._outages
            await judge(evidence, self._verdict.wrong, self._verdict.figures)

    async def _faults(
        self, scene: Scene, load: Load, url: str, told: Callable[[Recovery], None]
    ) -> None:
        for fault in faults_of(self._batch.seed, self._batch.kinds):
            if not await self._is_calm(load):
                self._verdict.wrong.append(f"it was not ready before {fault.kind}")
            load.hold_back()
            await _until(lambda: _truth(not load.holds(RESERVE)), _READY_WITHIN_S)
            recovery = await self._strike(fault, scene, load, url)
            self._verdict.recoveries.append(recovery)
            told(recovery)
            if recovery.took_ms < 0:
                self._verdict.wrong.append(f"nothing was traded after {fault}")

    async def _is_calm(self, load: Load) -> bool:
        """Wait until the bot is ready and trades; return whether it came to that."""
        if not await _until(lambda: is_ready(load), _READY_WITHIN_S):
            return False
        since_ms = self._now_ms()
        trading = await _until(
            lambda: _truth(len(self._entries(since_ms)) >= _ENTRIES_BEFORE), _READY_WITHIN_S
        )
        await asyncio.sleep(self._dice.uniform(*_CALM_S))
        return trading

    async def _strike(self, fault: Fault, scene: Scene, load: Load, url: str) -> Recovery:
        began_ms = self._now_ms()
        await strike(fault, scene)
        ended_ms = self._now_ms()
        load.go_on()
        if fault.kind == OUTAGE:
            self._outages.append((began_ms, ended_ms))
        recovery = Recovery(fault.kind, fault.variant, ended_ms - began_ms)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._note_ready(recovery, load, ended_ms))
            await self._note_first_order(recovery, url, ended_ms)
            load.calm()
        last_ms = ended_ms + max(0, recovery.took_ms)
        recovery.starved_ms = lost_between(self._starved, ended_ms, last_ms)
        return recovery

    async def _note_ready(self, recovery: Recovery, load: Load, ended_ms: int) -> None:
        if recovery.kind != FREEZE:
            # Of what was asked before the fault was noticed no answer tells anything.
            await asyncio.sleep(_LOOK_S)
        if await _until(lambda: is_ready(load), _READY_WITHIN_S):
            recovery.ready_ms = self._now_ms() - ended_ms

    async def _note_first_order(self, recovery: Recovery, url: str, ended_ms: int) -> None:
        """Wait for the first entry that was decided and accepted after the fault."""
        judged: set[str] = set()
        deadline = time.monotonic() + _RECOVERED_WITHIN_S
        while time.monotonic() < deadline:
            for name, symbol, time_ms in self._entries(ended_ms):
                if name in judged:
                    continue
                judged.add(name)
                if await is_in_doubt_at(url, self._bot_account, symbol, name, since_ms=ended_ms):
                    recovery.passed_over += 1
                    continue
                recovery.took_ms = time_ms - ended_ms
                return
            await asyncio.sleep(_LOOK_S)

    def _entries(self, since_ms: int) -> list[tuple[str, str, int]]:
        """Return client id, symbol and time of the entries accepted since then, oldest first."""
        found = []
        for order in reversed(self._account.orders.values()):
            if order.created_ms < since_ms:
                break
            ticket = order.ticket
            if not ticket.reduce_only and not order.parent_id and order.origin is Origin.CLIENT:
                found.append((ticket.client_id, ticket.symbol, order.created_ms))
        return found[::-1]

    async def _come_to_rest(self, bot: Supervised, load: Load, evidence: Evidence) -> None:
        load.end()
        self._prices.calm()
        if not await _until(lambda: _truth(load.is_done), _SETTLED_WITHIN_S):
            self._verdict.wrong.append("not every message was answered")
        if not await _until(lambda: settled(evidence, load), _SETTLED_WITHIN_S):
            self._verdict.wrong.append(f"it did not settle within {_SETTLED_WITHIN_S:.0f} s")

    @property
    def _bot_account(self) -> str:
        return f"{self._batch.dialect}:default"

    def _now_ms(self) -> int:
        return self._exchange.clock.now_ms()


_LOOSE = {
    "METRICS_PORT": "0",
    "SIGNAL_RATE": "10000",
    "MAX_ENTRIES_PER_MINUTE": "10000",
    "DAILY_LOSS_LIMIT": "90%",
    "MAX_DRAWDOWN": "90%",
}
"""Nobody who plays for time should run into a governor that is meant for a market."""


async def _until(holds: Callable[[], Awaitable[bool]], within_s: float) -> bool:
    """Wait until something holds; return whether it came to that."""
    deadline = time.monotonic() + within_s
    while not await holds():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(_LOOK_S)
    return True


async def _truth(value: object) -> bool:
    return bool(value)
