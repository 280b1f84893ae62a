"""A small real bot: the product's own parts over the wire, fed with wishes, that may die anywhere."""

import asyncio
import os
import signal
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import cast

from tests.support.crash.broken import broken_client, broken_journal
from tests.support.crash.feeds import feed_of
from tests.support.crash.marks import ALERT, LED, STARTED, MarkWriter
from tests.support.crash.points import INSTANT, KillSwitch, parse_point
from tests.support.crash.spec import INBOX, BotSpec
from tests.support.crash.starvation import Starvation
from tests.support.crash.watched import WatchedClient, Witness, watched_journal
from tests.support.crash.wishes import PRICES

from milobot.app.exchanges import ExchangeClient, key_from_environment, open_client
from milobot.app.leader import SigningDeadline
from milobot.app.live_account import LiveAccount, LivePlan
from milobot.app.live_bot import BotPlan, LiveBot
from milobot.domain.alerts import Alert
from milobot.domain.governor import GovernorLimits
from milobot.exchanges.gateway import Timeouts
from milobot.execution.doubt import Terms
from milobot.execution.engine import EngineConfig
from milobot.execution.trader import Cadence
from milobot.ports import Journal
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


async def live(spec: BotSpec) -> None:
    """Trade until killed."""
    os.environ.update(spec.environment)
    configure_logging("WARNING")
    settings, deadline = load_settings(None), SigningDeadline()
    mark = MarkWriter(Path(spec.marks), spec.life, ahead_ms=spec.ahead_ms)
    point = parse_point(spec.kill) if spec.kill else None
    switch = KillSwitch(point)
    timeouts = Timeouts(order_s=ANSWER_S, query_s=ANSWER_S)
    key = key_from_environment(settings, spec.exchange)
    real = open_client(settings, spec.exchange, key, timeouts=timeouts, deadline=deadline)
    mark.clock = real.clock
    starvation = Starvation(mark)
    witness = Witness(mark, starvation.look)
    client = cast(ExchangeClient, WatchedClient(broken_client(real, spec.broken), switch, witness))
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, _print_tasks)
    plan = BotPlan(
        live=LivePlan(
            config=EngineConfig(account=spec.account),
            symbols=tuple(PRICES),
            terms=TERMS,
            cadence=Cadence(reconcile_s=RECONCILE_S) if spec.feed == INBOX else Cadence(),
        ),
        limits=_limits(spec),
        holder=f"{spec.seed}-{spec.life}-{os.getpid()}",
        deadline=deadline,
        database_url=spec.database,
    )

    def tell(alert: Alert) -> None:
        mark(ALERT, f"{alert.kind} {alert.symbol}", alert.sentence)

    async with real, await open_ledger(spec.database) as ledger:
        mark(STARTED)

        def show(journal: Journal) -> Journal:
            return watched_journal(broken_journal(journal, spec.broken), switch)

        bot = LiveBot(client, ledger, plan, tell, show=show)

        async def work(account: LiveAccount) -> None:
            mark(LED)
            if point is not None and point.call == INSTANT:
                asyncio.get_running_loop().call_later(point.number / 1000, os.kill, os.getpid(), 9)
            await feed_of(spec, mark)(account)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(starvation.watch())
            tasks.create_task(bot.run(work))


def _print_tasks() -> None:
    """Print what every task waits for: asked for by a signal when a bot does not do its work."""
    for task in asyncio.all_tasks():
        task.print_stack(limit=12)
    sys.stderr.flush()


def _limits(spec: BotSpec) -> GovernorLimits:
    if spec.daily_loss is None:
        return LOOSE
    return replace(LOOSE, daily_loss=Decimal(spec.daily_loss))
