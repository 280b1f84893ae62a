"""The gates of live trading in a back-test: what would be refused there is not traded here."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from tests.support.backtests import FIRST_MS, HOUR_MS, candles_of

from milobot.backtest.core import Session
from milobot.backtest.runner import Played, Terms, play
from milobot.backtest.timeline import ActionPair, align, decide
from milobot.domain.decisions import Outcome
from milobot.domain.governor import GovernorLimits
from milobot.domain.intents import Size, SizeKind
from milobot.domain.market import CandleSeries
from milobot.domain.timeframes import Timeframe
from milobot.scripting.actions import parse_action

PAIR = ActionPair(parse_action("long(10%equity@10x,sl=2%)"), parse_action("donothing"))
FLAT = candles_of([100.0] * 12)


def played(candles: CandleSeries, limits: GovernorLimits | None, *, skips: bool = True) -> Played:
    """Return what a script that always wants to be long trades over candles."""
    always = np.ones(len(candles), dtype=np.bool_)
    decisions = decide(candles, always, always, PAIR)
    timeline = align(candles, Timeframe.H1, Timeframe.H1)
    session = Session("t", "BTCUSDT", Timeframe.H1)
    return play(session, timeline, decisions, Terms(governor=limits), skips=skips)


def denials(result: Played) -> set[str]:
    """Return the codes of what was denied."""
    return {d.code for d in result.decisions if d.outcome is Outcome.DENIED}


def test_a_decision_that_fills_at_the_next_open_is_not_too_old() -> None:
    """A candle of an hour ends when the next one opens: its age is 0, not an hour."""
    result = played(FLAT, GovernorLimits())

    assert len(result.round_trips) == 1
    assert result.round_trips[0].entry_time_ms == FIRST_MS + HOUR_MS
    assert denials(result) == set()


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (GovernorLimits(max_leverage=5), "leverage_limit"),
        (
            GovernorLimits(max_position_notional=Size(SizeKind.QUOTE, Decimal(500))),
            "notional_limit",
        ),
    ],
)
def test_what_live_trading_would_refuse_is_not_traded(limits: GovernorLimits, code: str) -> None:
    """A back-test at 10x of an account that allows 5x shows money nobody can earn."""
    result = played(FLAT, limits)

    assert result.round_trips == ()
    assert denials(result) == {code}


@pytest.mark.parametrize("skips", [True, False])
def test_a_decision_before_a_gap_expires(*, skips: bool) -> None:
    """Nobody enters hours later on a close that is history; the next decision does."""
    late = replace_times(FLAT, after=0, by_ms=5 * HOUR_MS)

    result = played(late, GovernorLimits(), skips=skips)

    assert denials(result) == {"intent_stale"}
    assert result.round_trips[0].signal_time_ms == int(late.time[1])


def test_losses_halt_no_back_test() -> None:
    """Nobody is there to say ``resume``: a year would end with its first bad day."""
    falling = candles_of([100.0 * 0.97**n for n in range(40)])
    pair_of_all = GovernorLimits(daily_loss=Decimal("0.0001"), max_drawdown=Decimal("0.0001"))

    result = played(falling, pair_of_all)

    assert len(result.round_trips) > 5
    assert denials(result) == set()


def replace_times(candles: CandleSeries, *, after: int, by_ms: int) -> CandleSeries:
    """Return candles of which those after one come later."""
    time = candles.time.copy()
    time[after + 1 :] += by_ms
    return replace(candles, time=time)
