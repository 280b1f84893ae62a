"""Sessions: who a script is across restarts, and that its history begins where it did."""

from pathlib import Path

from sqlalchemy import select

from milobot.app.preparation import Source
from milobot.app.sessions import (
    MOST_FURTHER,
    ScriptPlan,
    anchor_of,
    continue_session,
    session_id,
)
from milobot.domain.intents import DoNothing
from milobot.domain.timeframes import Timeframe
from milobot.scripting.results import ScriptInfo
from milobot.storage import tables
from milobot.storage.account_records import Session
from milobot.storage.ledger import Ledger, open_ledger

ACCOUNT = "binance:default"
NOW_MS = 1_704_067_500_000
MINUTE_MS = 60_000


def plan_of(*parameters: str, name: str = "rsi.script", coin: str = "BTCUSDT") -> ScriptPlan:
    """Return a script that is to run."""
    source = Source(Path("somewhere") / name, parameters=parameters, data_limit=100)
    idle = DoNothing()
    return ScriptPlan(source, ScriptInfo(Timeframe.M1, coin, idle, idle, {}, ("", "")))


async def begin(ledger: Ledger, plan: ScriptPlan, now_ms: int) -> Session:
    """Return a script's session as a start at a moment finds it."""
    return await ledger.write(
        lambda c: continue_session(c, ACCOUNT, plan, mode="testnet", now_ms=now_ms)
    )


def test_a_session_is_told_by_script_market_and_parameters() -> None:
    """What it is called decides who owns a position after a restart."""
    first = session_id(ACCOUNT, plan_of("period=14"))

    assert first.startswith("binance:default|rsi.script|BTCUSDT|1m|")
    assert first == session_id(ACCOUNT, plan_of("period=14"))
    others = {
        session_id(ACCOUNT, plan_of("period=15")),
        session_id(ACCOUNT, plan_of("period=14", coin="ETHUSDT")),
        session_id(ACCOUNT, plan_of("period=14", name="other.script")),
        session_id("binance:second", plan_of("period=14")),
    }
    assert len(others | {first}) == 5


def test_the_order_of_parameters_makes_no_other_session() -> None:
    """Somebody who types them the other way round owns the same position."""
    assert session_id(ACCOUNT, plan_of("a=1", "b=2")) == session_id(ACCOUNT, plan_of("b=2", "a=1"))


async def test_a_restart_continues_from_the_stored_anchor(tmp_path: Path) -> None:
    """An EMA that begins elsewhere is another number, and another trade."""
    async with await open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        first = await begin(ledger, plan_of(), NOW_MS)
        later = await begin(ledger, plan_of(), NOW_MS + 1_000 * MINUTE_MS)

    assert first.anchor_ms == anchor_of(Timeframe.M1, 100, NOW_MS)
    assert later == first


async def test_an_anchor_too_far_back_is_moved_and_that_is_recorded(tmp_path: Path) -> None:
    """A start must not take minutes after a year; that values change is nobody's secret."""
    much_later_ms = NOW_MS + (MOST_FURTHER + 10) * MINUTE_MS
    async with await open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        first = await begin(ledger, plan_of(), NOW_MS)
        moved = await begin(ledger, plan_of(), much_later_ms)
        again = await begin(ledger, plan_of(), much_later_ms + MINUTE_MS)
        events = await ledger.read(
            lambda c: list(c.execute(select(tables.audit.c.event)).scalars())
        )

    assert moved.anchor_ms == anchor_of(Timeframe.M1, 100, much_later_ms)
    assert moved.started_ms == first.started_ms
    assert again == moved
    assert events == ["anchor_moved"]
