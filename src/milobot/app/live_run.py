"""A live run: scripts and signals that trade an account, with page, ledger, an orderly end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from milobot.app.exchanges import ExchangeClient
from milobot.app.live_account import LiveAccount
from milobot.app.live_bot import BotPlan, LiveBot
from milobot.app.live_end import say_what_stays, settle
from milobot.app.live_page import QuietWatcher
from milobot.app.live_scripts import Floor, LiveScripts, scripts_at_work
from milobot.app.live_shows import LiveShow
from milobot.app.live_signals import LiveSignals
from milobot.app.patience import Patience
from milobot.app.script_desk import DeskWatcher, ScriptDesk
from milobot.app.sessions import (
    ScriptPlan,
    continue_session,
    continue_signals,
    session_id,
)
from milobot.app.upkeep import Upkeep, note_comparisons
from milobot.domain.market import SymbolRules
from milobot.errors import ExchangeError
from milobot.marketdata.feed import FeedSource
from milobot.marketdata.history import HistoryLoader
from milobot.scripting.lock_levels import Trust
from milobot.storage.account_records import Session
from milobot.storage.candles import SqliteCandleStore
from milobot.storage.ledger import Ledger
from milobot.telemetry import get_logger

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What a live run consists of.

    Attributes:
        bot: How the account is run.
        scripts: The first has the chart; none where signals alone are traded.
        trust: What is known about all of the scripts.
        mode: ``demo``, ``testnet`` or ``live``, for page and sessions.
        source: Name under which candles are stored.
        candle_file: Where they are stored; None stores none.
    """

    bot: BotPlan
    scripts: tuple[ScriptPlan, ...]
    trust: Trust
    mode: str
    source: str
    candle_file: Path | None


class LiveRun:
    """Scripts and signals on one account, from the first comparison to the orderly end."""

    def __init__(
        self,
        client: ExchangeClient,
        ledger: Ledger,
        plan: RunPlan,
        page: LiveShow,
        signals: LiveSignals | None = None,
        patience: Patience | None = None,
    ) -> None:
        """Prepare; nothing is asked before ``run``.

        Args:
            client: Made with the deadline of the plan's bot as its signing deadline.
            ledger: Open, and of this version.
            plan: What to run.
            page: Where it is shown.
            signals: What else trades the account; None for scripts alone.
            patience: Waits for an exchange that goes away at the start; None gives up.
        """
        self._client, self._ledger, self._plan = client, ledger, plan
        self._page, self._signals, self._patience = page, signals, patience
        self._bot = LiveBot(client, ledger, plan.bot, page.tell, show=page.before)
        self._live: LiveAccount | None = None
        self._scripts: LiveScripts | None = None

    @property
    def account(self) -> str:
        """Return which account it trades."""
        return self._plan.bot.live.config.account

    @property
    def client(self) -> ExchangeClient:
        """Return its connection to the exchange."""
        return self._client

    @property
    def bot(self) -> LiveBot:
        """Return who leads the account, or stands by."""
        return self._bot

    @property
    def live(self) -> LiveAccount | None:
        """Return the account while it is ours, else None."""
        return self._live

    @property
    def desks(self) -> tuple[ScriptDesk, ...]:
        """Return the scripts' desks while the account is ours."""
        return self._scripts.desks if self._scripts is not None and self._live else ()

    async def run(self) -> None:
        """Trade until cancelled.

        Raises:
            MilobotError: The exchange, the ledger or a script does not let it begin.
        """
        rules = await self._ask(self._client.market.fetch_all_rules)
        if self._signals is not None:
            self._signals.learn(rules)
            await self._begin_signals()
        async with self._at_work(rules) as scripts, asyncio.TaskGroup() as tasks:
            self._scripts = scripts
            self._page.take_over(None)
            showing = tasks.create_task(self._page.run())
            try:
                await self._bot.run(self._work)
            finally:
                showing.cancel()

    @asynccontextmanager
    async def _at_work(self, rules: Mapping[str, SymbolRules]) -> AsyncIterator[LiveScripts | None]:
        """Keep the scripts at work; None where there are none."""
        if not self._plan.scripts:
            yield None
            return
        sessions = await self._sessions(await self._ask(self._client.market.fetch_server_time))
        async with AsyncExitStack() as opened:
            file = self._plan.candle_file
            store = None if file is None else opened.enter_context(SqliteCandleStore(file))
            source = self._feed_source(store)
            floor = Floor(source, rules, self._plan.trust, self._watcher_of, self._page.tell)
            plans = tuple(zip(self._plan.scripts, sessions, strict=True))
            yield await opened.enter_async_context(scripts_at_work(floor, plans))

    async def finish(self) -> None:
        """Ask for no more trades, withdraw entries that rest, see to it that stops are there."""
        if self._scripts is not None:
            self._scripts.close()
        if self._signals is not None:
            self._signals.close()
        live = self._live
        if live is None:
            return
        self._page.say("ending,")
        await settle(live.trader, live.engine, asyncio.sleep)
        say_what_stays(live.engine)

    async def _work(self, live: LiveAccount) -> None:
        await leave_hedge_mode(live)
        self._warn_of_owners(live)
        self._live = live
        self._page.take_over(live)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._note_comparisons(live))
                if self._signals is not None:
                    tasks.create_task(self._signals.work(live, self._page.tell, self._bot.lease))
                if self._scripts is not None:
                    tasks.create_task(self._scripts.work(live.trader))
        finally:
            self._live = None
            self._page.take_over(None)

    async def _ask(self, question: Callable[[], Awaitable[_Answer]]) -> _Answer:
        return await (question() if self._patience is None else self._patience.ask(question))

    async def _note_comparisons(self, live: LiveAccount) -> None:
        account = self._plan.bot.live.config.account
        upkeep = Upkeep(account, self._ledger, self._client.clock, asyncio.sleep)
        await note_comparisons(upkeep, lambda: live.reconciler.rounds)

    async def _begin_signals(self) -> None:
        account, mode = self._plan.bot.live.config.account, self._plan.mode
        now_ms = await self._ask(self._client.market.fetch_server_time)
        await self._ledger.write(
            partial(continue_signals, account=account, mode=mode, now_ms=now_ms)
        )

    async def _sessions(self, now_ms: int) -> list[Session]:
        account, plan = self._plan.bot.live.config.account, self._plan

        def begin(connection: Connection) -> list[Session]:
            return [
                continue_session(connection, account, script, mode=plan.mode, now_ms=now_ms)
                for script in plan.scripts
            ]

        return await self._ledger.write(begin)

    def _feed_source(self, store: SqliteCandleStore | None) -> FeedSource:
        client = self._client
        loader = HistoryLoader(self._plan.source, client.market, store)
        return FeedSource(client.market, client.candle_feed, loader, client.clock)

    def _watcher_of(self, name: str) -> DeskWatcher:
        account = self._plan.bot.live.config.account
        if name == session_id(account, self._plan.scripts[0]):
            return self._page
        return QuietWatcher(name)

    def _warn_of_owners(self, live: LiveAccount) -> None:
        """Say who holds a slot that a script of this run wants."""
        account = self._plan.bot.live.config.account
        owners = {session_id(account, plan) for plan in self._plan.scripts}
        for slot, _ in live.engine.slots():
            wanted = any(plan.info.coin == slot.symbol for plan in self._plan.scripts)
            if slot.owner and slot.owner not in owners and wanted:
                get_logger().warning(
                    "slot_held_by_another",
                    symbol=slot.symbol,
                    owner=slot.owner,
                    said=f"{slot.symbol} belongs to {slot.owner}, which does not run: nothing"
                    " else enters there until it is flat, see milobot close",
                )


async def leave_hedge_mode(live: LiveAccount) -> None:
    """Put an account into one-way mode, in which alone it is traded.

    Raises:
        ExchangeError: It is in hedge mode and stays there, as while something is open.
    """
    try:
        is_hedged = await live.view.fetch_is_hedged()
    except ExchangeError as error:
        get_logger().warning("position_mode_unknown", reason=str(error))
        return
    if is_hedged:
        await live.view.set_one_way()
        get_logger().info("one_way_mode_set")
