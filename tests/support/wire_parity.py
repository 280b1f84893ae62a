"""A script over the wire in lock-step: the product's own live run, candle by candle."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from pathlib import Path

from tests.support.local_clients import Client, client_for

from milobot.app.backtests import decisions_of
from milobot.app.leader import SigningDeadline
from milobot.app.live_account import LivePlan
from milobot.app.live_bot import BotPlan
from milobot.app.live_page import LivePage
from milobot.app.live_run import LiveRun, RunPlan
from milobot.app.live_setup import load_plans, settings_ahead
from milobot.app.preparation import Source
from milobot.app.sessions import ScriptPlan
from milobot.backtest.core import Session
from milobot.backtest.runner import Terms, play
from milobot.backtest.timeline import align
from milobot.domain.governor import GovernorLimits
from milobot.domain.market import CandleSeries, SymbolRules
from milobot.domain.round_trips import RoundTrip
from milobot.domain.slots import PositionState, position_state
from milobot.exchanges.account_keeper import KeeperTimes
from milobot.exchanges.account_view import ViewPlan
from milobot.exchanges.margin_holds import HoldTimes
from milobot.exchanges.options import ClientOptions
from milobot.execution.engine import EngineConfig
from milobot.local_exchange.core.accounts import Account
from milobot.local_exchange.server import LocalExchange
from milobot.local_exchange.setup import DEFAULT_KEY, ExchangeSetup
from milobot.scripting.client import ScriptWorker
from milobot.scripting.lock_levels import Purpose, Trust
from milobot.storage.ledger import open_ledger
from milobot.storage.queries import list_round_trips
from milobot.web.state import Heading

TRUST = Trust(purpose=Purpose.SIMULATED, is_trusted=True)
LIMITS = GovernorLimits(
    daily_loss=Decimal(1), max_drawdown=Decimal(1), max_entries_per_minute=100_000
)
_PATIENCE_S = 60.0
# BingX tells balances with four digits.
_TOLD = Decimal("0.0001")
# What is held back for an order is released a moment after the exchange counts it.
_ABOUT = Decimal(1)
_SOON = ViewPlan(
    settings_apart_s=0.05,
    account=KeeperTimes(least_ms=20, holds=HoldTimes(settle_ms=20)),
)


@dataclass(frozen=True, slots=True)
class Scene:
    """A script and its market.

    Attributes:
        candles: Of the script's timeframe.
        history: How many of them have closed before the start.
    """

    script: Path
    candles: CandleSeries
    history: int


def told(trip: RoundTrip) -> tuple[object, ...]:
    """Return what both ways have to agree on; only within a candle each has times of its own."""
    return (
        trip.side,
        trip.quantity,
        trip.signal_time_ms,
        trip.entry_time_ms,
        trip.entry_price,
        trip.stop,
        trip.target,
        trip.exit_price,
        trip.exit_reason,
        round(trip.fees, 8),
        round(trip.pnl, 8),
    )


def backtested(scene: Scene, rules: SymbolRules) -> list[RoundTrip]:
    """Return the round trips of a back-test that begins after the history."""
    with ScriptWorker(TRUST) as worker:
        info = worker.load(scene.script.read_text(encoding="utf-8"), rules=rules)
        codes = worker.evaluate(scene.candles).codes
    decisions = decisions_of(info, scene.candles, codes).part(scene.history, len(scene.candles))
    timeline = align(scene.candles, info.timeframe, info.timeframe).part(scene.history)
    session = Session("t", info.coin, info.timeframe)
    played = play(session, timeline, decisions, Terms(rules=rules, governor=LIMITS))
    return list(played.round_trips)


async def over_the_wire(
    scene: Scene, dialect: str, folder: Path
) -> tuple[list[RoundTrip], SymbolRules]:
    """Return the round trips of a live run on a local exchange, and the rules traded by."""
    source = replace(Source(scene.script), data_limit=scene.history, trusts_script=True)
    (script,) = await asyncio.to_thread(load_plans, [source], TRUST)
    setup = ExchangeSetup(
        candles={script.info.coin: scene.candles},
        timeframe=script.info.timeframe,
        history=scene.history,
        dialects=(dialect,),
        has_limits=False,
    )
    deadline, url = Unhurried(), f"sqlite:///{folder / f'{dialect}.db'}"
    async with LocalExchange(setup) as local, await open_ledger(url) as ledger:
        options = ClientOptions(signing_deadline=deadline)
        async with client_for(dialect, local, options) as client:
            plan = _plan(dialect, script, deadline)
            page = LivePage(Heading("demo", script.info.coin, "1h", scene.script.name))
            run = LiveRun(client, ledger, plan, page)
            async with asyncio.TaskGroup() as tasks:
                running = tasks.create_task(run.run())
                await Stepping(run, local, dialect, client).play(scene)
                running.cancel()
            rules = await client.account.fetch_rules(script.info.coin)
        account = plan.bot.live.config.account
        trips = await ledger.read(lambda c: list_round_trips(c, account, limit=10_000))
    return trips[::-1], rules


class Unhurried(SigningDeadline):
    """No deadline: a clock that leaps by half an hour has left every lease behind.

    Whether a request is signed before or after the next renewal is chance here; nobody else
    wants the account, and the ledger still asks for the lease's number with every commit.
    """

    def __call__(self) -> None:
        """Let everything be signed."""


class Stepping:
    """Plays a market half a candle at a time, and goes on when the live run has settled."""

    def __init__(self, run: LiveRun, local: LocalExchange, dialect: str, client: Client) -> None:
        """Watch a live run."""
        self._run, self._local, self._client = run, local, client
        self._books: Account = local.venues[dialect].accounts[DEFAULT_KEY]

    async def play(self, scene: Scene) -> None:
        """Play all candles, and close what is open at the last close."""
        await self._until(lambda: bool(self._run.desks), "a start")
        symbol = next(iter(self._local.setup.candles))
        for index in range(scene.history, len(scene.candles)):
            await self._local.advance()  # opens a candle, and thereby closes the one before
            if index > scene.history:
                closed_ms = int(scene.candles.time[index - 1])
                await self._until(partial(self._has_dealt_with, closed_ms), "a decision")
            await self._settled(symbol)
            await self._local.advance()
            await self._settled(symbol)
        if self._run.live is not None:
            await self._run.live.engine.close_position(symbol, "end_of_data")
        await self._settled(symbol)

    def _has_dealt_with(self, time_ms: int) -> bool:
        return bool(self._run.desks) and self._run.desks[0].dealt_with_ms >= time_ms

    async def _settled(self, symbol: str) -> None:
        """Wait until the run knows all that has happened at the exchange, and has acted on it."""
        live = self._run.live
        while live is not None:
            await self._until(lambda: self._agrees(symbol), "books that agree")
            # The second half of a reversal is planned within a turn in which nothing is open:
            # whoever asks for a turn of its own waits until that is over.
            await live.engine.block(symbol, live.engine.slot(symbol).blocked)
            if not self._agrees(symbol):
                continue
            known = await live.view.fetch_account()
            is_known = abs(known.wallet - self._books.wallet) <= _TOLD
            if is_known and abs(known.available - self._books.available) <= _ABOUT:
                return
            await asyncio.sleep(0.005)

    def _agrees(self, symbol: str) -> bool:
        live = self._run.live
        if live is None:
            return False
        slot, book = live.engine.slot(symbol), self._books.books.get(symbol)
        held = Decimal(0) if book is None else book.position.quantity
        is_calm = slot.is_idle or position_state(slot) is PositionState.PROTECTED
        return is_calm and not slot.closing and slot.position.quantity == held

    async def _until(self, holds: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + _PATIENCE_S
        while not holds():
            if time.monotonic() > end:
                raise AssertionError(f"no {what} within {_PATIENCE_S:g} s")
            await asyncio.sleep(0.001)


def _plan(dialect: str, script: ScriptPlan, deadline: SigningDeadline) -> RunPlan:
    return RunPlan(
        bot=BotPlan(
            live=LivePlan(
                config=EngineConfig(account=f"{dialect}:test"),
                symbols=(script.info.coin,),
                settings=settings_ahead([script]),
                view=_SOON,
            ),
            limits=LIMITS,
            holder="test",
            deadline=deadline,
        ),
        scripts=(script,),
        trust=TRUST,
        mode="testnet",
        source=f"{dialect}-local",
        candle_file=None,
    )
