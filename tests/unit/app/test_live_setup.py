"""What a live run is made of: who shares what, who is trusted, and a ledger that is waited for."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from milobot.app.live_request import is_first_time
from milobot.app.live_setup import (
    open_patiently,
    refuse_twins,
    settings_ahead,
    sharing,
    trust_of,
)
from milobot.app.preparation import Source
from milobot.app.scripts import sample
from milobot.app.sessions import ScriptPlan
from milobot.domain.intents import Action, Close, DoNothing
from milobot.domain.reports import MarginMode
from milobot.domain.timeframes import Timeframe
from milobot.errors import ConfigurationError
from milobot.scripting.actions import parse_action
from milobot.scripting.lock_levels import Level, may_run
from milobot.scripting.results import ScriptInfo
from milobot.storage.account_records import Session

STRANGER = Path("stranger.script")


def plan_of(coin: str, name: str, action: Action | None = None) -> ScriptPlan:
    """Return a script on a symbol."""
    info = ScriptInfo(Timeframe.H1, coin, action or Close(), DoNothing(), {}, ("", ""))
    return ScriptPlan(Source(Path(name)), info)


def test_scripts_that_share_a_symbol_are_named_at_the_start() -> None:
    """Half of all entries denied for no visible reason would look like a fault."""
    plans = [plan_of("BTCUSDT", "a"), plan_of("ETHUSDT", "b"), plan_of("BTCUSDT", "c")]

    (sentence,) = sharing(plans)

    assert sentence.startswith("BTCUSDT is wanted by a, c: ")


def test_the_same_script_twice_is_refused_and_on_two_symbols_is_not() -> None:
    """Two desks with one name would decide each candle for each other."""
    refuse_twins("binance:default", [plan_of("BTCUSDT", "a"), plan_of("ETHUSDT", "a")])

    with pytest.raises(ConfigurationError, match="a is named twice for BTCUSDT 1h"):
        refuse_twins("binance:default", [plan_of("BTCUSDT", "a"), plan_of("BTCUSDT", "a")])


def test_leverage_is_set_before_the_first_entry_needs_it() -> None:
    """BingX takes one such change a second: an entry must not wait for it."""
    first = plan_of("BTCUSDT", "a", parse_action("long(1%risk@7x,sl=2%)"))
    second = plan_of("BTCUSDT", "b", parse_action("short(1%risk@3x,sl=2%)"))

    (settings,) = settings_ahead([plan_of("ETHUSDT", "c"), first, second])

    assert (settings.symbol, settings.leverage) == ("BTCUSDT", 7)
    assert settings.margin_mode is MarginMode.ISOLATED


def test_what_signals_will_mostly_ask_for_is_set_ahead_unless_a_script_wants_another() -> None:
    """The first set-up of a symbol that its profile names must not wait for it either."""
    script = plan_of("BTCUSDT", "a", parse_action("long(1%risk@7x,sl=2%)"))

    found = settings_ahead([script], {"BTCUSDT": 20, "ETHUSDT": 10})

    assert [(one.symbol, one.leverage) for one in found] == [("BTCUSDT", 7), ("ETHUSDT", 10)]


@pytest.mark.parametrize(
    ("scripts", "is_real", "is_trusted", "runs"),
    [
        ([sample("macd_crossover.script")], False, False, True),
        ([sample("macd_crossover.script"), STRANGER], False, False, False),
        ([STRANGER], False, True, True),
        ([STRANGER], True, True, False),
        ([sample("macd_crossover.script")], True, False, False),
    ],
)
def test_real_money_needs_full_isolation_whoever_is_trusted(
    scripts: list[Path], *, is_real: bool, is_trusted: bool, runs: bool
) -> None:
    """A script that reaches the keys of a demo costs nothing; with money nothing else counts."""
    trust = trust_of(scripts, is_real=is_real, is_trusted=is_trusted)

    assert may_run(Level.PARTIAL, trust) is runs
    assert may_run(Level.FULL, trust)


async def test_a_ledger_that_is_locked_is_waited_for(tmp_path: Path) -> None:
    """A database that comes up after the bot must not cost a night."""
    file, told = tmp_path / "ledger.db", list[str]()
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        async with asyncio.timeout(40), asyncio.TaskGroup() as tasks:
            opening = tasks.create_task(
                open_patiently(f"sqlite:///{file}", told.append, again_s=0.05)
            )
            for _ in range(600):
                if told:
                    break
                await asyncio.sleep(0.05)
            assert not opening.done()
            other.execute("ROLLBACK")
            ledger = await opening
        await ledger.close()

    assert len(told) == 1
    assert "ledger.db" in told[0]


def test_the_risk_notice_comes_before_the_first_real_money() -> None:
    """Once for an account, and not because it was traded at a demo host before."""
    demo = Session("s", "binance:default", "s", "x.script", "testnet", 0, 0)

    assert is_first_time([])
    assert is_first_time([demo])
    assert not is_first_time([demo, replace(demo, mode="live")])
