"""Two processes on one account: whenever the leader dies or freezes, the other one takes over.

    python -m tests.support.crash.takeover                  # 50 takeovers on each database
    python -m tests.support.crash.takeover --count 5 --database sqlite --exchange bingx --seed 7

Each process has an API key of its own of the same account, so the exchange's ledger says who
sent what. Both would ask for the same wishes, five times in two seconds and symbol, without end.
The exchange keeps its request budgets, which both share.
"""

import argparse
import asyncio
import random
import shutil
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from signal import SIGCONT, SIGUSR1

from rich.console import Console
from rich.table import Table
from tests.support.crash.evidence import records_of, truth_of
from tests.support.crash.exposure import Exposure, ExposureWatch
from tests.support.crash.feeds import LOAD_EVERY_MS, stop_file
from tests.support.crash.judge import (
    PROMISE_MS,
    Life,
    Truth,
    Unprotected,
    asked_keys,
    differences,
    executed_twice,
    unprotected,
    without_final_state,
)
from tests.support.crash.loops import run_measured
from tests.support.crash.market import RestlessPrices, environment_of, exchange_for
from tests.support.crash.marks import (
    ALERT,
    ASKED,
    DECIDED,
    LED,
    SETTLED,
    STARTED,
    Mark,
    MarkReader,
    read_marks,
)
from tests.support.crash.nursery import Bot
from tests.support.crash.run import Tools
from tests.support.crash.runs import shared_tools, tools_of
from tests.support.crash.senders import TAKEN_WITHIN_S, TRADES, Takeover, judge_senders
from tests.support.crash.spec import LOAD, BotSpec
from tests.support.crash.takeover_freeze import freeze, is_locked
from tests.support.crash.wishes import PRICES, numbered_wish

from milobot.local_exchange.server import LocalExchange
from milobot.local_exchange.setup import DEFAULT_KEY
from milobot.storage.leases import LeaseRow, read_lease
from milobot.storage.ledger import lease_name, open_ledger
from milobot.telemetry import configure_logging

COUNT = 50
KEYS = (DEFAULT_KEY, "second-key")
_SETTLED_WITHIN_S, _CALM_S = 40.0, 0.6
# Of the 2,400 a minute that Binance grants both, a start costs about 200: 80 of them for what
# rests, 30 for bookings, 50 for balances, positions and fees. Nobody fails over more often.
_LEADS_S = (3.0, 5.0)
# A mark of a time in which something was waited for is made at the end of it.
_MARKED_LATE_MS = 10_000
_COLUMNS = (
    "drill",
    "takeovers",
    "frozen",
    "entries",
    "traded after ms: median, longest",
    "unprotected ms (raw)",
    "locks",
    "throttled",
    "wrong",
)


@dataclass(slots=True)
class Outcome:
    """What came of a drill.

    Attributes:
        wrong: A sentence for all that broke a law.
        late_refused: Orders and the like that the exchange refused.
        held_locks: How often a freeze was put off because it hit a lock on a file.
        notes: What happened where nobody traded in time.
        unprotected: How long a position was without a stop that a process knew of, at most.
        throttled: Requests that the exchange refused because its budgets were used up.
    """

    name: str
    takeovers: list[Takeover] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    entries: int = 0
    late_refused: int = 0
    held_locks: int = 0
    notes: list[str] = field(default_factory=list)
    unprotected: Unprotected = field(default_factory=Unprotected)
    throttled: int = 0


class Drill:
    """A drill at work: one process leads, one stands by."""

    def __init__(
        self, exchange: LocalExchange, tools: Tools, dialect: str, database: str, seed: int
    ) -> None:
        """Prepare; ``through`` begins."""
        self._exchange, self._tools, self._dialect = exchange, tools, dialect
        self._dice = random.Random(f"takeover {seed}")  # noqa: S311 - repeatable on purpose
        self._outcome = Outcome(f"{dialect}/{database}/{seed}")
        self._watch = ExposureWatch(exchange.venues[dialect])
        self._watch.start()
        self._prices = RestlessPrices(exchange, self._dice)
        folder = tools.folder / f"takeover-{dialect}-{database}-{seed}"
        folder.mkdir()
        url = tools.postgres
        if database == "sqlite":
            shutil.copy(tools.template, folder / "ledger.db")
            url = f"sqlite:///{folder / 'ledger.db'}"
        self._spec = BotSpec(
            seed=f"t{seed}",
            exchange=dialect,
            account=f"{dialect}:takeover{seed}",
            database=url,
            marks=str(folder / "marks"),
            life=0,
            kill="",
            environment={},
            feed=LOAD,
            since_ms=exchange.clock.now_ms(),
        )
        self._lives: list[Life] = []
        self._numbers: dict[int, int] = {}
        self._leads_since = exchange.clock.now_ms()

    async def through(self, count: int) -> Outcome:
        """Carry out ``count`` takeovers and judge."""
        async with self._prices.moving():
            leader = await self._bear(0)
            if not await self._trades(KEYS[0], self._spec.since_ms):
                self._outcome.wrong.append("the first process never traded")
            standby = await self._bear(1)
            freezes = [number % 2 == 1 for number in range(count)]
            self._dice.shuffle(freezes)
            for number, is_freeze in enumerate(freezes):
                await asyncio.sleep(self._dice.uniform(*_LEADS_S))
                leader, standby = await self._change(
                    leader, standby, number % 2, is_freeze=is_freeze
                )
            await self._come_to_rest()
            await leader.kill()
            await standby.kill()
            self._end_life(leader)
        await self._judge()
        return self._outcome

    async def _bear(self, who: int) -> Bot:
        self._spec = replace(
            self._spec,
            life=self._spec.life + 1,
            environment=environment_of(self._dialect, self._exchange.url, KEYS[who]),
        )
        bot = await self._tools.nursery.bear(self._spec)
        self._numbers[bot.pid] = self._spec.life
        return bot

    async def _change(
        self, leader: Bot, standby: Bot, who: int, *, is_freeze: bool
    ) -> tuple[Bot, Bot]:
        """Kill or freeze the leader; return the new leader and who stands by from now on."""
        if is_freeze:
            self._outcome.held_locks += await freeze(leader, self._spec.database)
        else:
            await leader.kill()
        since_ms = self._exchange.clock.now_ms()
        self._end_life(leader)
        takeover = Takeover(is_freeze, await self._lease_end())
        self._outcome.takeovers.append(takeover)
        takeover.traded_ms = await self._trades(KEYS[1 - who], since_ms)
        if not takeover.traded_ms:
            await self._explain(standby, since_ms)
        self._leads_since = takeover.possible_ms
        if not is_freeze:
            return standby, await self._bear(who)
        await asyncio.sleep(self._dice.uniform(0, 1.5))
        leader.send(SIGCONT)
        return standby, leader

    def _end_life(self, leader: Bot) -> None:
        now_ms = self._exchange.clock.now_ms()
        self._lives.append(Life(self._numbers[leader.pid], self._leads_since, now_ms))

    async def _lease(self) -> LeaseRow | None:
        async with await open_ledger(self._spec.database) as ledger:
            name = lease_name(self._spec.account)
            return await ledger.read(lambda connection: read_lease(connection, name))

    async def _lease_end(self) -> int:
        row = await self._lease()
        return row.until_ms if row is not None else 0

    async def _explain(self, standby: Bot, since_ms: int) -> None:
        """Say what happened while nobody traded, and what the process that should waits for."""
        standby.send(SIGUSR1)
        await asyncio.sleep(0.5)
        said = await asyncio.to_thread(Path(f"{self._spec.marks}.log").read_text)
        self._outcome.notes += [f"process {self._numbers[standby.pid]}", *said.splitlines()[-400:]]
        now_ms, kinds = self._exchange.clock.now_ms(), {STARTED, LED, ALERT, ASKED, DECIDED}
        marks = [m for m in read_marks(Path(self._spec.marks)) if m.time_ms >= since_ms]
        told = [m for m in marks if m.kind in kinds][-12:]
        locked = await asyncio.to_thread(is_locked, self._spec.database)
        self._outcome.notes += [f"at {now_ms}: locked {locked}, lease {await self._lease()}"]
        self._outcome.notes += [f"  {m}" for m in told]

    async def _trades(self, key: str, since_ms: int) -> int:
        """Wait for the first order that is executed for a key; return when, or 0."""
        return await _until(lambda: self._first_order(key, since_ms), TAKEN_WITHIN_S)

    def _first_order(self, key: str, since_ms: int) -> int:
        found = 0
        for request in reversed(self._exchange.requests):
            if request.time_ms < since_ms:
                break
            if request.key == key and request.executed and request.call.startswith("place"):
                found = request.time_ms
        return found

    async def _come_to_rest(self) -> None:
        """End the load and wait until the leader has put everything in order."""
        stop_file(self._spec.marks).touch()
        self._prices.calm()
        marks = MarkReader(Path(self._spec.marks))
        if not await _until(lambda: _is_calm(marks), _SETTLED_WITHIN_S):
            self._outcome.wrong.append(f"it did not settle within {_SETTLED_WITHIN_S:.0f} s")
        await asyncio.sleep(_CALM_S)

    def _spent(self, exposure: Exposure, truth: Truth, marks: list[Mark]) -> Unprotected:
        """Return how long a position had no stop; of many lives and marks few are of its time."""
        end_ms = truth.ended_ms if exposure.end_ms is None else exposure.end_ms
        lives = [x for x in self._lives if x.born_ms <= end_ms and exposure.start_ms <= x.died_ms]
        first = bisect_left(marks, exposure.start_ms, key=lambda mark: mark.time_ms)
        last = bisect_right(marks, end_ms + _MARKED_LATE_MS, key=lambda mark: mark.time_ms)
        return unprotected(exposure, truth, lives, marks[first:last])

    async def _judge(self) -> None:
        outcome = self._outcome
        marks = sorted(read_marks(Path(self._spec.marks)), key=lambda mark: mark.time_ms)
        truth = truth_of(self._exchange, self._dialect, self._watch, self._prices.stalls.stalls)
        async with await open_ledger(self._spec.database) as ledger:
            records = await ledger.read(lambda c: records_of(c, self._spec.account))
        last = (self._exchange.clock.now_ms() - self._spec.since_ms) // LOAD_EVERY_MS
        wishes = [
            numbered_wish(self._spec.seed, symbol, number)
            for symbol in PRICES
            for number in range(last + 1)
        ]
        wished = {w.key: (w.symbol, w.quantity) for w in wishes if w.quantity is not None}
        requests = [record.to_dict() for record in self._exchange.requests]
        outcome.wrong += judge_senders(requests, outcome.takeovers)
        outcome.wrong += executed_twice(truth, wished)
        outcome.wrong += without_final_state(records, asked_keys(marks))
        spent = [(self._spent(exposure, truth, marks), exposure) for exposure in truth.exposures]
        outcome.wrong += [
            f"{e.symbol} was {s.judged} ms without a stop from {e.start_ms} on (raw {s.raw} ms)"
            for s, e in spent
            if s.judged > PROMISE_MS
        ]
        longest = max(spent, key=lambda one: (one[0].judged, one[0].raw), default=None)
        outcome.unprotected = longest[0] if longest is not None else Unprotected()
        outcome.throttled = sum(r["answer"] in {"429", "418"} for r in requests)
        outcome.wrong += differences(truth, records)
        outcome.entries = sum(not o.reduces and o.filled > 0 for o in truth.orders)
        outcome.late_refused = sum(
            r["call"].startswith(TRADES) and not r["executed"] for r in requests
        )


async def _until(found: Callable[[], int], within_s: float) -> int:
    """Return the first answer that is not 0, or 0 when none comes in time."""
    deadline = asyncio.get_running_loop().time() + within_s
    while asyncio.get_running_loop().time() < deadline:
        answer = found()
        if answer:
            return answer
        await asyncio.sleep(0.02)
    return 0


def _is_calm(marks: MarkReader) -> bool:
    said = [m.said for m in marks.all() if m.kind == SETTLED]
    return said[-1:] == ["yes"]


async def drill(tools: Tools, dialect: str, database: str, count: int, seed: int) -> Outcome:
    """Carry out one drill."""
    async with exchange_for(dialect, seed, further_keys=KEYS[1:], has_limits=True) as exchange:
        return await Drill(exchange, tools, dialect, database, seed).through(count)


def main(words: list[str]) -> int:
    """Carry out drills and print what came of them; 1 when anything was wrong."""
    parser = argparse.ArgumentParser(description="Kill and freeze the leader of an account.")
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both")
    parser.add_argument("--exchange", choices=("binance", "bingx"), default="binance")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(words)
    configure_logging("ERROR")
    names = ("sqlite", "postgres") if chosen.database == "both" else (chosen.database,)

    async def run(shared: tuple[Path, Path, str]) -> list[Outcome]:
        async with tools_of(*shared) as tools, asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(drill(tools, chosen.exchange, name, chosen.count, chosen.seed))
                for name in names
                if name == "sqlite" or tools.postgres
            ]
        return [task.result() for task in running]

    with shared_tools() as shared:
        outcomes = run_measured(run(shared))
    _report(outcomes)
    return int(any(outcome.wrong for outcome in outcomes))


def _report(outcomes: list[Outcome]) -> None:
    table = Table(*_COLUMNS)
    for outcome in outcomes:
        delays = sorted(t.delay_ms for t in outcome.takeovers) or [0]
        table.add_row(
            outcome.name,
            str(len(outcome.takeovers)),
            str(sum(t.is_freeze for t in outcome.takeovers)),
            str(outcome.entries),
            f"{delays[len(delays) // 2]}, {delays[-1]}",
            f"{outcome.unprotected.judged} ({outcome.unprotected.raw})",
            str(outcome.held_locks),
            str(outcome.throttled),
            str(len(outcome.wrong)),
        )
    console = Console()
    console.print(table)
    for outcome in outcomes:
        for sentence in (*outcome.wrong[:30], *outcome.notes):
            console.print(f"WRONG {outcome.name}: {sentence}", markup=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
