"""One run: a bot trades on a local exchange, dies, lives again, and is judged."""

import asyncio
import random
import shutil
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.crash.evidence import records_of, truth_of
from tests.support.crash.exposure import ExposureWatch
from tests.support.crash.judge import (
    DRIFTED,
    EXPOSED,
    STATELESS,
    TWICE,
    Life,
    Records,
    Truth,
    asked_keys,
    differences,
    executed_twice,
    unprotected,
    unprotected_too_long,
    without_final_state,
)
from tests.support.crash.market import RestlessPrices, environment_of, exchange_for
from tests.support.crash.marks import CRASHED, FED, LED, SETTLED, STARVED, Mark, MarkReader
from tests.support.crash.nursery import Bot, Nursery
from tests.support.crash.plan import NO_FAULT, Case
from tests.support.crash.spec import BotSpec
from tests.support.crash.wishes import PRICES, wishes_of

from milobot.local_exchange.faults import parse_rule_text
from milobot.local_exchange.server import LocalExchange
from milobot.local_exchange.setup import DEFAULT_KEY
from milobot.storage.ledger import open_ledger

WISHES = 6
_KILLED_WITHIN_S, _CONVERGED_WITHIN_S, _STAYS_S = 15.0, 40.0, 0.5
# A bot that breaks a law on purpose may never be through.
_BROKEN_WITHIN_S = 6.0
# Two comparisons in turn, each with a second look.
_COMPARED_WITHIN_S = 13.0
_LONG_DOWNTIME, _REPEATS = 0.6, 0.3


@dataclass(frozen=True, slots=True)
class Tools:
    """What runs share.

    Attributes:
        nursery: Bears bots.
        folder: For files of runs.
        template: An empty SQLite ledger of this version.
        postgres: URL of a database with the tables; empty without a server.
        failures: Where what a failed run left is kept; None keeps nothing.
    """

    nursery: Nursery
    folder: Path
    template: Path
    postgres: str = ""
    failures: Path | None = None


@dataclass(slots=True)
class Verdict:
    """What came of a run.

    Attributes:
        wrong: What broke each law.
        figures: What was counted.
        hit: At which of the places where it was to die it died, each once.
    """

    case: Case
    wrong: dict[str, list[str]] = field(default_factory=dict)
    figures: dict[str, int] = field(default_factory=dict)
    hit: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Return whether no law was broken."""
        return not any(self.wrong.values())


async def carry_out(case: Case, tools: Tools, *, broken: str = "") -> Verdict:
    """Carry out one run; ``broken`` is the law that its bots break on purpose."""
    folder = tools.folder / f"run{case.seed}{broken}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    async with exchange_for(case.dialect, case.seed) as exchange:
        run = Run(case, tools, folder, exchange, broken)
        await run.through()
        verdict = await run.judged()
    if not verdict.is_good and not broken and tools.failures is not None:
        shutil.rmtree(tools.failures / folder.name, ignore_errors=True)
        shutil.copytree(folder, tools.failures / folder.name)
    shutil.rmtree(folder, ignore_errors=True)
    return verdict


class Run:
    """A run at work."""

    def __init__(
        self, case: Case, tools: Tools, folder: Path, exchange: LocalExchange, broken: str = ""
    ) -> None:
        """Prepare the exchange and the database."""
        self._broken = broken
        self._case, self._tools, self._folder, self._exchange = case, tools, folder, exchange
        self._dice = random.Random(f"run {case.seed}")  # noqa: S311 - repeatable on purpose
        self._prices = RestlessPrices(exchange, self._dice)
        self._watch = ExposureWatch(exchange.venues[case.dialect])
        self._watch.start()
        self._marks = folder / "marks"
        self._reader = MarkReader(self._marks)
        self._lives: list[Life] = []
        self._died: dict[int, str] = {}
        self._has_settled = False
        self._database = tools.postgres
        if case.database == "sqlite":
            shutil.copy(tools.template, folder / "ledger.db")
            self._database = f"sqlite:///{folder / 'ledger.db'}"

    async def through(self) -> None:
        """Let bots live and die, until the last one has put everything in order."""
        async with self._prices.moving():
            for number, kill in enumerate(self._case.kills, 1):
                self._strike(number)
                await self._life(str(kill), self._until_dead)
                if self._dice.random() < _LONG_DOWNTIME:
                    await self._exchange.elapse(self._dice.randint(4_100, 9_000))
            self._strike(len(self._case.kills) + 1)
            await self._life("", self._until_settled)

    async def judged(self) -> Verdict:
        """Hold what the bot wrote down against the exchange's ledger."""
        case, marks = self._case, self._reader.all()
        truth, records = await self._evidence()
        wishes = [w for s in PRICES for w in wishes_of(str(case.seed), s, WISHES)]
        wished = {w.key: (w.symbol, w.quantity) for w in wishes if w.quantity is not None}
        verdict = Verdict(
            case,
            {
                TWICE: executed_twice(truth, wished),
                STATELESS: without_final_state(records, asked_keys(marks)),
                EXPOSED: unprotected_too_long(truth, self._lives, marks),
                DRIFTED: differences(truth, records),
            },
            _figures(truth, records, self._lives, marks),
            self._hit(marks),
        )
        if not self._has_settled:
            verdict.wrong[STATELESS].append(f"it did not settle within {_CONVERGED_WITHIN_S:.0f} s")
        verdict.wrong[STATELESS] += [
            f"process {m.life} ended by itself: {m.said}" for m in marks if m.kind == CRASHED
        ]
        if not verdict.is_good:
            evidence = [case.name, *truth.lines(), *records.lines(), *map(str, self._lives)]
            evidence += map(str, self._exchange.ledger()["requests"])
            (self._folder / "evidence").write_text("\n".join(evidence), encoding="utf-8")
        return verdict

    def _hit(self, marks: list[Mark]) -> list[str]:
        crashed = {m.life for m in marks if m.kind == CRASHED}
        return [kill for life, kill in self._died.items() if kill and life not in crashed]

    async def _evidence(self) -> tuple[Truth, Records]:
        async with await open_ledger(self._database) as ledger:
            records = await ledger.read(lambda c: records_of(c, self._case.account))
        stalls = self._prices.stalls.stalls
        return truth_of(self._exchange, self._case.dialect, self._watch, stalls), records

    async def _life(self, kill: str, until: Callable[[Bot, int], Awaitable[None]]) -> None:
        number = len(self._lives) + 1
        born_ms = self._exchange.clock.now_ms()
        bot = await self._tools.nursery.bear(self._spec(number, kill))
        try:
            await until(bot, number)
        finally:
            if bot.is_gone:
                self._died[number] = kill
            await bot.kill()
            self._lives.append(Life(number, born_ms, self._exchange.clock.now_ms()))

    def _spec(self, number: int, kill: str) -> BotSpec:
        return BotSpec(
            seed=str(self._case.seed),
            exchange=self._case.dialect,
            account=self._case.account,
            database=self._database,
            marks=str(self._marks),
            life=number,
            kill=kill,
            environment=environment_of(self._case.dialect, self._exchange.url, DEFAULT_KEY),
            wishes=WISHES,
            repeats=0.0 if number == 1 else _REPEATS,
            ahead_ms=self._exchange.clock.now_ms() - time.time_ns() // 1_000_000,
            broken=self._broken,
        )

    async def _until_dead(self, bot: Bot, number: int) -> None:
        """Wait for the death that was planned; a bot that is through with everything dies now."""
        deadline = asyncio.get_running_loop().time() + _KILLED_WITHIN_S
        while not bot.is_gone and not self._has(number, SETTLED):
            if asyncio.get_running_loop().time() > deadline:
                return
            await bot.gone(0.05)

    async def _until_settled(self, bot: Bot, number: int) -> None:
        """Wait until everything was asked and the account stays as it should be."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (_BROKEN_WITHIN_S if self._broken else _CONVERGED_WITHIN_S)
        while not self._has(number, FED) and not bot.is_gone and loop.time() < deadline:
            await bot.gone(0.05)
        self._exchange.plan.clear()
        self._prices.calm()
        compared_by = loop.time() + _COMPARED_WITHIN_S
        calm_since, is_alike = loop.time(), False
        while loop.time() < deadline and not bot.is_gone:
            await bot.gone(0.05)
            if not self._is_settled(number) or self._owes_late():
                calm_since, is_alike = loop.time(), False
            elif loop.time() > calm_since + _STAYS_S:
                if is_alike:  # and stays so: what makes it alike may leave something to be done
                    self._has_settled = True
                    return
                # News that never came is found when the account is compared in turn.
                evidence = await self._evidence()
                is_alike = loop.time() > compared_by or not differences(*evidence)
                calm_since = loop.time()

    def _strike(self, number: int) -> None:
        """Let the fault strike in this life, some calls from now."""
        if self._case.fault != NO_FAULT:
            rule = f"{self._case.fault},skip={self._dice.randint(0, 6)}"
            if ":" not in self._case.fault:
                rule = rule.replace(",", ":", 1)
            self._exchange.plan.clear()
            self._exchange.plan.extend([parse_rule_text(rule)])

    def _has(self, number: int, kind: str) -> bool:
        return any((m.life, m.kind) == (number, kind) for m in self._reader.all())

    def _owes_late(self) -> bool:
        """Return whether the exchange has yet to carry out what it took and answered nothing to."""
        requests = self._exchange.ledger()["requests"]
        late = [r["time_ms"] for r in requests if "late_execution" in r["faults"]]
        if not late:
            return False
        after_ms = 1_000 * parse_rule_text(self._case.fault).number("seconds")
        return bool(self._exchange.clock.now_ms() <= max(late) + after_ms)

    def _is_settled(self, number: int) -> bool:
        said = [m.said for m in self._reader.all() if (m.life, m.kind) == (number, SETTLED)]
        return said[-1:] == ["yes"]


def _figures(
    truth: Truth, records: Records, lives: list[Life], marks: list[Mark]
) -> dict[str, int]:
    spent = [unprotected(e, truth, lives, marks) for e in truth.exposures]
    return {
        "lives": len(lives),
        "led": len({m.life for m in marks if m.kind == LED}),
        "intents": len(records.intents),
        "entries": sum(not o.reduces and o.filled > 0 for o in truth.orders),
        "fills": len(truth.fills),
        "raw_ms": max((s.raw for s in spent), default=0),
        "served_ms": max((s.served for s in spent), default=0),
        "judged_ms": max((s.judged for s in spent), default=0),
        "starved_ms": sum(int(m.said) for m in marks if m.kind == STARVED),
        "stalled_ms": sum(last - first for first, last in truth.stalls),
    }
