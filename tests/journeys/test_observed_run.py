"""A run as those see it who look after it: endpoints under faults, and what it writes."""

import json
import re
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.support.live_runs import HOLDS, bot, is_protected, market, until
from tests.support.observed import TOKEN, Asked, free_port
from tests.support.own_postgres import own_server

from milobot.local_exchange.setup import DEFAULT_SECRET
from milobot.storage.database_url import parse_database_url
from milobot.storage.schema import run_on, upgrade

WITHIN_S = 5.0
ANSWERED_S = 2.5
"""Until every stream has been pinged and has answered: whoever never does is given more time."""
SLACK_S = 1.0
"""For a machine that does other things meanwhile."""


def test_ready_turns_with_each_fault_and_back_and_nothing_tells_a_secret(tmp_path: Path) -> None:
    """Exchange frozen, ledger locked, exchange gone: each is named within five seconds."""
    port = free_port()
    with market() as exchange:
        settings = {**exchange.settings, "METRICS_PORT": str(port), "API_TOKEN": TOKEN}
        with bot(tmp_path, settings, HOLDS) as running:
            until(lambda: is_protected(tmp_path), "a protected position")
            asked = Asked(running, port)
            asked.turns(ready=True)
            time.sleep(ANSWERED_S)
            frozen = _frozen(asked, exchange.process.send_signal)
            locked = _locked(asked, tmp_path / "milobot.db")
            refused = asked.get("/status")[0]
            status: dict[str, Any] = json.loads(asked.get("/status", token=True)[1])
            scraped = asked.metrics()
            exchange.process.kill()
            gone_s = asked.turns(ready=False)
            gone, cut = asked.missing(), asked.metrics()
            alive = asked.get("/health")[0]
            running.stop()
            said = running.said

    took = {"frozen": frozen[0], "locked": locked[0], "gone": gone_s}
    assert max(took.values()) <= WITHIN_S + SLACK_S, took
    assert any(reason.startswith("exchange_stream") for reason in gone), gone
    assert re.search(r"^streams_connected\{.*\} 0", cut, re.MULTILINE)
    assert "stream_age_seconds{" in cut, "silence is told while a stream is away"
    assert (alive, refused) == (200, 401)
    _check_status(status)
    for name in ("orders_total{", "position_size{", "reconciliation_cycles_total{"):
        assert name in scraped
    for name in ("process_start_time_seconds", "process_resident_memory_bytes"):
        assert f"\n{name} " in scraped
    _check_lines(said)
    for secret in (DEFAULT_SECRET, TOKEN):
        assert secret not in said
        assert not [text for text in asked.seen if secret in text]


def test_ready_turns_when_the_database_server_is_late_frozen_or_gone(tmp_path: Path) -> None:
    """What a cluster sees most often: the database is started anew, and the bot goes on by itself."""
    with own_server() as server, market() as exchange:
        run_on(parse_database_url(server.url), upgrade)
        settings = {**exchange.settings, "METRICS_PORT": "0", "DATABASE_URL": server.url}
        server.stop()
        with bot(tmp_path, settings, HOLDS) as running:
            running.wait_for("ledger_not_usable")
            asked = Asked(running, 0)
            late, alive = asked.missing(), asked.get("/health")[0]
            server.start()
            running.wait_for("order_filled")
            asked.turns(ready=True)
            with server.frozen():
                frozen_s = asked.turns(ready=False)
                # The lease may run out first; that the ledger is silent is known a moment later.
                until(lambda: _names(asked, "ledger: no answer"), "the ledger named")
            thawed_s = asked.turns(ready=True)
            server.stop()
            gone_s, gone = asked.turns(ready=False), asked.missing()
            server.start()
            back_s = asked.turns(ready=True)
            running.stop()

    took = (
        f"frozen {frozen_s:.1f} s, back {thawed_s:.1f} s; gone {gone_s:.1f} s, back {back_s:.1f} s"
    )
    print(took)  # noqa: T201 - shown by -s
    assert max(frozen_s, gone_s) <= WITHIN_S + SLACK_S
    assert any(reason.startswith("ledger: PostgreSQL at") for reason in late), late
    assert any(reason.startswith("ledger: PostgreSQL at") for reason in gone), gone
    assert alive == 200


def _names(asked: Asked, beginning: str) -> bool:
    return any(reason.startswith(beginning) for reason in asked.missing())


def _frozen(asked: Asked, send: Callable[[int], None]) -> tuple[float, float]:
    """Freeze the exchange: its connections stay open, and nothing answers any more."""
    send(signal.SIGSTOP)
    try:
        away_s = asked.turns(ready=False)
        missing = asked.missing()
    finally:
        send(signal.SIGCONT)
    assert any("has been silent" in reason for reason in missing), missing
    back_s = asked.turns(ready=True)
    print(f"frozen: ready was false after {away_s:.1f} s, true again after {back_s:.1f} s")  # noqa: T201 - shown by -s
    return away_s, back_s


def _locked(asked: Asked, ledger: Path) -> tuple[float, float]:
    """Lock the ledger: it answers questions and takes no records."""
    with closing(sqlite3.connect(ledger, isolation_level=None, timeout=10)) as other:
        other.execute("BEGIN IMMEDIATE")
        away_s = asked.turns(ready=False)
        missing = asked.missing()
        other.execute("ROLLBACK")
    assert any(reason.startswith(("ledger", "lease")) for reason in missing), missing
    back_s = asked.turns(ready=True)
    print(f"locked: ready was false after {away_s:.1f} s, true again after {back_s:.1f} s")  # noqa: T201 - shown by -s
    return away_s, back_s


def _check_status(status: dict[str, Any]) -> None:
    (account,) = status["accounts"]
    assert (status["mode"], account["role"]) == ("testnet", "leading")
    assert [p["state"] for p in account["positions"]] == ["PROTECTED"]
    assert account["positions"][0]["stop"]
    assert account["last_candle_age_ms"].keys() == {"BTCUSDT 1m"}
    assert account["tasks"].keys() >= {"capital", "reconciliation"}
    assert account["rate_budgets"]["weight"]["most"] > 0


def _check_lines(said: str) -> None:
    """Every line is JSON in the specified form, and those of an order can be put together."""
    lines = [json.loads(line) for line in said.splitlines()]
    assert {frozenset(line) for line in lines} == {
        frozenset({"timestamp", "level", "event_type", "data"})
    }
    steps: dict[str, list[str]] = {}
    for line in lines:
        name = line["data"].get("client_order_id")
        if name:
            assert line["data"]["intent_key"]
            steps.setdefault(name, []).append(line["event_type"])
    whole = ["order_created", "order_filled", "fill_booked"]  # a state in between may be left out
    assert whole in [[e for e in told if e in whole] for told in steps.values()]
