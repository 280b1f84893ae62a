"""One back-test from decisions to result: the engine over a simulated venue."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from milobot.backtest.core import NO_FUNDING, Funding, Replay, Session
from milobot.backtest.equity import EquityCurve
from milobot.backtest.executions import Execution, executions
from milobot.backtest.timeline import Decisions, Timeline
from milobot.domain.decisions import Decision, Outcome
from milobot.domain.governor import GovernorLimits, GovernorState
from milobot.domain.market import SymbolRules
from milobot.domain.money import ZERO
from milobot.domain.round_trips import RoundTrip
from milobot.execution.engine import EngineConfig, ExecutionEngine
from milobot.execution.gates import Limits
from milobot.execution.governor import Governor
from milobot.simulation.clock import ReplayClock
from milobot.simulation.venue import SimulatedVenue
from milobot.storage.memory import MemoryJournal

DEFAULT_FEE = Decimal("0.0005")
DEFAULT_EQUITY = Decimal(10000)


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a simulated account trades.

    Attributes:
        equity: Starting balance in USDT.
        fee: Fee of every fill as a fraction of its notional.
        slippage: Adverse fraction of the price on every market fill.
        rules: Rules of the symbol; None where nothing is known of it (a bare file).
        funding: Funding rates; none by default.
        governor: Limits on entries, as live; the session has to name its timeframe. None for
            none. Losses halt nothing here: nobody is there to say ``resume``.
    """

    equity: Decimal = DEFAULT_EQUITY
    fee: Decimal = DEFAULT_FEE
    slippage: Decimal = ZERO
    rules: SymbolRules | None = None
    funding: Funding = NO_FUNDING
    limits: Limits = field(default_factory=Limits)
    governor: GovernorLimits | None = None


@dataclass(frozen=True, slots=True)
class PaperAccount:
    """A simulated account with the engine that trades it: what back-test and paper run share."""

    venue: SimulatedVenue
    engine: ExecutionEngine
    journal: MemoryJournal
    replay: Replay


def open_account(session: Session, terms: Terms, *, skips: bool) -> PaperAccount:
    """Return a fresh simulated account for one session; ``skips`` as in ``Replay``."""
    rules = terms.rules or SymbolRules(session.symbol)
    venue = SimulatedVenue(
        wallet=terms.equity,
        taker_fee=terms.fee,
        slippage=terms.slippage,
        rules=lambda symbol: rules if symbol == rules.symbol else SymbolRules(symbol),
    )
    journal = MemoryJournal()
    clock = ReplayClock()
    config = EngineConfig(limits=terms.limits)
    governor = Governor(GovernorState(config.account), terms.governor) if terms.governor else None
    engine = ExecutionEngine(venue, journal, clock, config, governor=governor)
    replay = Replay(session, engine, venue, clock, funding=terms.funding, skips=skips)
    return PaperAccount(venue, engine, journal, replay)


@dataclass(frozen=True, slots=True)
class Played:
    """What a replay left behind.

    Attributes:
        decisions: The last decision on each intent that the engine looked at, those that
            it ignored left out.
        repeated: Decided candles that changed nothing: the direction was held already, or
            there was nothing to close.
    """

    round_trips: tuple[RoundTrip, ...]
    executions: tuple[Execution, ...]
    decisions: tuple[Decision, ...]
    repeated: int
    equity: EquityCurve
    end_equity: Decimal


def play(
    session: Session,
    timeline: Timeline,
    decisions: Decisions,
    terms: Terms,
    *,
    skips: bool = True,
    progress: Callable[[float], None] | None = None,
) -> Played:
    """Play decisions over candles and close what is open at the end.

    Args:
        session: Whose intents they are.
        timeline: Complete script candles and the finer ones in them.
        decisions: One for each script candle.
        terms: Of the simulated account.
        skips: Leave out candles on which nothing can happen; the result is the same.
        progress: Called now and then with the fraction done.
    """
    account = open_account(session, terms, skips=skips)
    account.replay.on_progress = progress

    async def run() -> None:
        await account.replay.play(timeline, decisions)
        await account.replay.finish(timeline)

    asyncio.run(run())
    return collect(account, decisions)


def collect(account: PaperAccount, decisions: Decisions) -> Played:
    """Return what an account's replay left behind so far."""
    journal = account.journal
    last = {d.intent_key: d for d in journal.decisions}
    looked_at = tuple(d for d in last.values() if d.outcome is not Outcome.IGNORED)
    return Played(
        round_trips=tuple(journal.round_trips),
        executions=tuple(executions(journal)),
        decisions=looked_at,
        repeated=decisions.wanted() - len(looked_at),
        equity=account.replay.equity,
        end_equity=account.venue.wallet,
    )
