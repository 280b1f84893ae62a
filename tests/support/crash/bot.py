"""A small real bot: the product's own parts over the wire, fed with wishes, that may die anywhere."""

import asyncio
import json
import os
import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import cast

from tests.support.crash.marks import (
    ALERT,
    ASKED,
    DECIDED,
    FED,
    LED,
    SETTLED,
    STARTED,
    MarkWriter,
    read_marks,
)
from tests.support.crash.points import INSTANT, KillSwitch, parse_point
from tests.support.crash.watched import WatchedClient, watched_journal
from tests.support.crash.wishes import PRICES, Wish, wishes_of

from milobot.app.exchanges import ExchangeClient, key_from_environment, open_client
from milobot.app.leader import SigningDeadline
from milobot.app.live_account import LiveAccount, LivePlan
from milobot.app.live_bot import BotPlan, LiveBot
from milobot.domain.alerts import Alert
from milobot.domain.governor import GovernorLimits
from milobot.domain.slots import PositionState
from milobot.exchanges.gateway import Timeouts
from milobot.execution.doubt import Terms, is_in_doubt
from milobot.execution.engine import EngineConfig
from milobot.execution.trader import Cadence
from milobot.settings import load_settings
from milobot.storage.ledger import open_ledger
from milobot.telemetry import configure_logging

# Times are those of DESIGN.md but for these, which are shorter so that a run ends in seconds.
# The receive window of 2 s, the lease's 4 s and the second to send within stay as they are.
ENGINE_DELAY_MS, APART_MS, ANSWER_S, RECONCILE_S = 1_000, 500, 1.0, 5.0
TERMS = Terms(engine_delay_ms=ENGINE_DELAY_MS, apart_ms=APART_MS)
LOOSE = GovernorLimits(
    max_entries_per_minute=10_000, daily_loss=Decimal("0.9"), max_drawdown=Decimal("0.9")
)
_LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class BotSpec:
    """Everything a bot process has to know.

    Attributes:
        life: Which process of the run it is, from 1.
        kill: Where it dies, as ``parse_point`` takes it; empty for nowhere.
        environment: Addresses and keys, as a user sets them.
        wishes: How many are asked about each symbol.
        repeats: Share of the wishes that were decided about and are asked once more.
        daily_loss: The governor's limit; None for none that is ever reached.
    """

    seed: str
    exchange: str
    account: str
    database: str
    marks: str
    life: int
    kill: str
    environment: Mapping[str, str]
    wishes: int = 6
    repeats: float = 0.0
    daily_loss: str | None = None

    def to_json(self) -> str:
        """Return what ``parse_spec`` takes."""
        return json.dumps(asdict(self))


def parse_spec(text: str) -> BotSpec:
    """Return the spec of a JSON text."""
    return BotSpec(**json.loads(text))


async def live(spec: BotSpec) -> None:
    """Trade until killed."""
    os.environ.update(spec.environment)
    configure_logging("WARNING")
    settings, deadline = load_settings(None), SigningDeadline()
    mark = MarkWriter(Path(spec.marks), spec.life)
    point = parse_point(spec.kill) if spec.kill else None
    switch = KillSwitch(point)
    timeouts = Timeouts(order_s=ANSWER_S, query_s=ANSWER_S)
    key = key_from_environment(settings, spec.exchange)
    real = open_client(settings, spec.exchange, key, timeouts=timeouts, deadline=deadline)
    client = cast(ExchangeClient, WatchedClient(real, switch, mark))
    mark.clock = client.clock
    plan = BotPlan(
        live=LivePlan(
            config=EngineConfig(account=spec.account),
            symbols=tuple(PRICES),
            terms=TERMS,
            cadence=Cadence(reconcile_s=RECONCILE_S),
        ),
        limits=LOOSE
        if spec.daily_loss is None
        else replace(LOOSE, daily_loss=Decimal(spec.daily_loss)),
        holder=f"{spec.seed}-{spec.life}-{os.getpid()}",
        deadline=deadline,
        database_url=spec.database,
    )

    def tell(alert: Alert) -> None:
        mark(ALERT, f"{alert.kind} {alert.symbol}", alert.sentence)

    async with real, await open_ledger(spec.database) as ledger:
        mark(STARTED)
        bot = LiveBot(
            client, ledger, plan, tell, show=lambda journal: watched_journal(journal, switch)
        )
        feed = Feed(spec, mark)

        async def work(account: LiveAccount) -> None:
            mark(LED)
            if point is not None and point.call == INSTANT:
                asyncio.get_running_loop().call_later(point.number / 1000, os.kill, os.getpid(), 9)
            await feed.run(account)

        await bot.run(work)


class Feed:
    """Asks for everything that has not been decided about, as an inbox delivers again."""

    def __init__(self, spec: BotSpec, mark: MarkWriter) -> None:
        """Read what the processes before this one came to."""
        self._spec, self._mark = spec, mark
        dice = random.Random(f"{spec.seed}/{spec.life}")  # noqa: S311 - repeatable on purpose
        decided = {m.about for m in read_marks(Path(spec.marks)) if m.kind == DECIDED}
        self._wishes = {
            symbol: [
                wish
                for wish in wishes_of(spec.seed, symbol, spec.wishes)
                if wish.key not in decided or dice.random() < spec.repeats
            ]
            for symbol in PRICES
        }

    async def run(self, account: LiveAccount) -> None:
        """Ask for it all, then tell whether the account is as it should be, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for wishes in self._wishes.values():
                tasks.create_task(self._ask(account, wishes))
        self._mark(FED)
        was_settled = False
        while True:
            is_now = is_settled(account)
            if is_now != was_settled:
                self._mark(SETTLED, said="yes" if is_now else "no")
                was_settled = is_now
            await asyncio.sleep(_LOOK_S)

    async def _ask(self, account: LiveAccount, wishes: list[Wish]) -> None:
        for wish in wishes:
            await asyncio.sleep(wish.gap_s)
            now_ms = self._mark.clock.now_ms() if self._mark.clock else 0
            self._mark(ASKED, wish.key)
            decision = await account.trader.submit(wish.intent(now_ms))
            self._mark(DECIDED, wish.key, f"{decision.outcome} {decision.code}")


def is_settled(account: LiveAccount) -> bool:
    """Return whether every position is protected, no order in doubt and everything on record."""
    recorder = account.engine.recorder
    if recorder.is_behind or any(recorder._held.values()) or any(account.trader._mail.values()):
        return False
    return all(
        ((slot.is_idle and not slot.owner) or state is PositionState.PROTECTED)
        and not slot.closing
        and slot.queued is None
        and not any(is_in_doubt(order) for order in slot.orders)
        for slot, state in account.engine.slots()
    )
