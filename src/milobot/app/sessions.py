"""Sessions of scripts: who a script is across restarts, and where its history begins.

Indicators are computed from the anchor candle on. It is stored when a session first starts,
so that a restart computes the same values to the last bit.
"""

import hashlib
import json
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from milobot.app.preparation import Source
from milobot.app.scripts import parse_parameters
from milobot.domain.timeframes import Timeframe
from milobot.domain.times import format_time
from milobot.scripting.results import ScriptInfo
from milobot.storage.account_records import (
    Session,
    load_session,
    replace_session,
    save_session,
)
from milobot.storage.audit import append_audit
from milobot.telemetry import get_logger

MOST_FURTHER = 100_000
"""Candles by which a history may grow beyond ``DATA_LIMIT`` before its anchor is moved."""

SIGNALS = "signals"
_HASH_LENGTH = 8


@dataclass(frozen=True, slots=True)
class ScriptPlan:
    """A script that is to run: its source, and what it says about itself."""

    source: Source
    info: ScriptInfo


def session_id(account: str, plan: ScriptPlan) -> str:
    """Return who a script is: the same after a restart and after an edit of its text.

    An edited script goes on with the position that its older self has opened.
    """
    parameters = sorted(parse_parameters(plan.source.parameters).items())
    told = hashlib.sha256(json.dumps(parameters).encode()).hexdigest()[:_HASH_LENGTH]
    info = plan.info
    return f"{account}|{plan.source.script.name}|{info.coin}|{info.timeframe.value}|{told}"


def continue_session(
    connection: Connection, account: str, plan: ScriptPlan, *, mode: str, now_ms: int
) -> Session:
    """Return the session of a script with its anchor: the stored one, or a new one.

    An anchor so far back that a start would take minutes is moved, and that is recorded.
    """
    timeframe, limit = plan.info.timeframe, plan.source.data_limit
    name = session_id(account, plan)
    fresh = Session(
        session_id=name,
        account=account,
        owner=name,
        script=plan.source.script.name,
        mode=mode,
        anchor_ms=anchor_of(timeframe, limit, now_ms),
        started_ms=now_ms,
        details=json.dumps(parse_parameters(plan.source.parameters)),
    )
    known = load_session(connection, name)
    if known is None:
        save_session(connection, fresh)
        return fresh
    oldest_ms = anchor_of(timeframe, limit + MOST_FURTHER, now_ms)
    if known.anchor_ms is not None and known.anchor_ms >= oldest_ms:
        return known
    moved = replace(known, anchor_ms=fresh.anchor_ms)
    _record_move(connection, known, moved, now_ms)
    return moved


def continue_signals(connection: Connection, account: str, *, mode: str, now_ms: int) -> None:
    """Put on record that signals are traded on an account; they have no anchor."""
    name = f"{account}|{SIGNALS}"
    known = load_session(connection, name)
    if known is None:
        fresh = Session(name, account, SIGNALS, SIGNALS, mode, None, now_ms)
        save_session(connection, fresh)
    elif known.mode != mode:
        replace_session(connection, replace(known, mode=mode))


def anchor_of(timeframe: Timeframe, candles: int, now_ms: int) -> int:
    """Return where a history of about so many candles up to now begins."""
    return timeframe.open_of(max(0, now_ms - candles * timeframe.milliseconds))


def _record_move(connection: Connection, known: Session, moved: Session, now_ms: int) -> None:
    replace_session(connection, moved)
    was, now = (format_time(s.anchor_ms or 0) for s in (known, moved))
    told = f"{known.session_id}: from {was} to {now}"
    append_audit(
        connection,
        known.account,
        actor="milobot",
        event="anchor_moved",
        details=told,
        now_ms=now_ms,
    )
    get_logger().warning("anchor_moved", session=known.session_id, was=was, now=now)
