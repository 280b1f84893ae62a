"""How a run stands, as ``GET /status`` tells it: money as text, times in milliseconds."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection

from milobot.app.account_status import held_to_json
from milobot.app.figures import AccountFigures, Books, Line
from milobot.app.gauges import RunFigures
from milobot.app.upkeep import task_cursor
from milobot.domain.money import format_decimal
from milobot.errors import StorageError
from milobot.storage.account_records import list_cursors
from milobot.storage.ledger import Ledger

_PATIENCE_S = 2.0
Tasks = Mapping[str, Mapping[str, Mapping[str, Any]]]


async def read_tasks(ledger: Ledger | None, accounts: Sequence[str]) -> Tasks:
    """Return the last run of each task by account; nothing while the ledger does not answer."""
    if ledger is None:
        return {}

    def read(connection: Connection) -> Tasks:
        return {account: _tasks_of(connection, account) for account in accounts}

    try:
        async with asyncio.timeout(_PATIENCE_S):
            return await ledger.read(read)
    except (StorageError, TimeoutError):
        return {}


def status_to_json(
    run: RunFigures, tasks: Tasks, *, readiness: Mapping[str, Any], uptime_s: float
) -> dict[str, Any]:
    """Return a run's figures as JSON."""
    return {
        "version": run.version,
        "mode": run.mode,
        "uptime_s": round(uptime_s, 1),
        "ready": readiness["ready"],
        "missing": readiness["missing"],
        "accounts": [_account(one, tasks.get(one.account, {})) for one in run.accounts],
        "telegram": None
        if run.telegram is None
        else {"connected": run.is_telegram_on, **run.telegram},
        "http_refused": dict(run.refused),
        "worker_kills": run.worker_kills,
    }


def _account(account: AccountFigures, tasks: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "account": account.account,
        "role": account.role.value,
        "leader": account.leader,
        "epoch": account.epoch,
        **({} if account.line is None else _line(account.line)),
        **({} if account.books is None else _books(account.books)),
        "tasks": dict(tasks),
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "streams": [
            {"name": pulse.name, "age_ms": pulse.age_ms, "fresh": pulse.is_fresh}
            for pulse in line.streams
        ],
        "stream_events": dict(line.events),
        "rate_budgets": {
            name: {"used": used, "most": most} for name, (used, most) in line.budgets.items()
        },
        "breaker": {"open": bool(line.rest), "reason": line.rest},
        "clock": {"offset_ms": line.clock_offset_ms, "uncertainty_ms": line.clock_uncertainty_ms},
    }


def _books(books: Books) -> dict[str, Any]:
    return {
        "positions": [held_to_json(held) for held in books.held],
        "unprotected_ms": books.exposed_ms,
        "orders_in_doubt": books.doubtful,
        "reconciliation": {
            "rounds": books.rounds,
            "age_ms": books.compared_age_ms,
            "findings": {code.value: count for code, count in books.findings.items() if count},
            "wallet_drift_usdt": None if books.drift is None else format_decimal(books.drift),
        },
        "governor": [asdict(halt) for halt in books.halts],
        "last_candle_age_ms": dict(books.candle_age_ms),
    }


def _tasks_of(connection: Connection, account: str) -> dict[str, Mapping[str, Any]]:
    beginning = task_cursor(account, "")
    return {
        name.removeprefix(beginning): {"said": said, "time_ms": time_ms}
        for name, said, time_ms in list_cursors(connection, beginning)
    }
