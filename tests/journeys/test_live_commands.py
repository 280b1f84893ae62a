"""Commands beside a live run: asked of the bot, or done by the command where there is none."""

import json
from pathlib import Path
from typing import Any

from tests.support.live_runs import (
    ACCOUNT,
    HOLDS,
    ask,
    bot,
    is_protected,
    market,
    rows,
    until,
)

from milobot.storage.account_records import save_governor
from milobot.storage.ledger import open_ledger


def test_a_bot_halts_closes_and_resumes_on_request(tmp_path: Path) -> None:
    """What a trader types at night has to happen, and be answered."""
    with market(speed="1") as exchange, bot(tmp_path, exchange.settings, HOLDS):
        until(lambda: is_protected(tmp_path), "a protected position")
        before = the_account(tmp_path)
        halted = ask(tmp_path, "halt")
        closed = ask(tmp_path, "close", "btcusdt")
        held = exchange.held()
        after = the_account(tmp_path)
        until(
            lambda: bool(rows(tmp_path, "select 1 from decisions where code='governor_halted'")),
            "an entry denied by the halt",
        )
        resumed = ask(tmp_path, "resume", "--json")
        until(lambda: is_protected(tmp_path), "a new position")

    assert before["is_led"] is True
    assert before["mode"] == "testnet"
    assert [(p["symbol"], p["state"]) for p in before["positions"]] == [("BTCUSDT", "PROTECTED")]
    assert before["tasks"].keys() >= {"capital", "prune", "maintain", "backup", "reconciliation"}
    assert (halted.code, closed.code, resumed.code) == (0, 0, 0)
    assert "halted: nothing enters" in halted.out
    assert "flat: BTCUSDT" in closed.out
    assert held == "0"
    assert [h["kind"] for h in after["halts"]] == ["manual"]
    assert after["positions"] == []
    assert json.loads(resumed.out)[0]["is_done"] is True
    audit = [row[0] for row in rows(tmp_path, "select event from audit order by id")]
    assert audit[:3] == ["started", "settings", "lead_taken"]
    asked_and_done = [
        f"{name}{end}" for name in ("halt", "close", "resume") for end in ("", "_done")
    ]
    assert audit[3:9] == asked_and_done
    assert ask(tmp_path, "audit", "verify").code == 0


def test_without_a_bot_a_halt_waits_and_flatten_acts_itself(tmp_path: Path) -> None:
    """The kill switch must work above all when the bot is dead."""
    with market(speed="1") as exchange:
        with bot(tmp_path, exchange.settings, HOLDS) as running:
            until(lambda: is_protected(tmp_path), "a protected position")
            running.kill()
        halted = ask(tmp_path, "halt", **exchange.settings)
        resumed = ask(tmp_path, "resume", **exchange.settings)
        held_before = exchange.held()
        (tmp_path / ".env").write_text('FOO="a" b\nMAX_LEVERGE=2\n')
        flattened = ask(tmp_path, "halt", "--flatten", **exchange.settings)
        (tmp_path / ".env").unlink()
        held, resting = exchange.held(), exchange.resting()
        status = ask(tmp_path, "status", **exchange.settings)
        closed = ask(tmp_path, "close", "BTCUSDT", **exchange.settings)

    assert halted.code == 2
    assert "no bot runs on it" in halted.err
    assert "the halt holds as soon as one starts" in halted.err
    assert resumed.code == 2
    assert held_before != "0"
    assert flattened.code == 0, flattened.err
    assert "warning, this command goes on: 2 settings are wrong: line 1 of .env" in flattened.err
    assert "this command acts itself" in flattened.err
    assert "nothing is left at the exchange" in flattened.out
    assert (held, resting) == ("0", [])
    assert "nobody" in status.out
    assert "HALTED" in status.out
    assert closed.code == 0
    assert "nothing of ours is open there" in closed.out


def test_every_decision_can_be_looked_up(tmp_path: Path) -> None:
    """Why was this traded, and why was that not? Asked of the ledger, not of a log."""
    with market(speed="2") as exchange, bot(tmp_path, exchange.settings, HOLDS) as running:
        until(lambda: is_protected(tmp_path), "a protected position")
        until(lambda: len(rows(tmp_path, "select 1 from decisions")) > 2, "further decisions")
        running.stop()
    listed = json.loads(ask(tmp_path, "decisions", "--symbol", "btcusdt", "--json").out)
    first = listed[-1]["number"]
    why = json.loads(ask(tmp_path, "decisions", "--why", str(first), "--json").out)
    shown = ask(tmp_path, "decisions", "--why", str(first))
    resting = json.loads(ask(tmp_path, "orders", "--json").out)
    every = json.loads(ask(tmp_path, "orders", "--all", "--json").out)
    held = ask(tmp_path, "positions")
    unknown = ask(tmp_path, "decisions", "--why", "999999")

    assert listed[-1]["outcome"] == "accepted"
    assert {d["code"] for d in listed[:-1]} == {"already_in_position"}
    assert [o["purpose"] for o in why["orders"]] == ["entry", "stop"]
    assert why["fills"]
    assert {g["name"] for g in why["decisions"][0]["gates"]} >= {"size", "intent_age", "daily_loss"}
    assert "gates" in shown.out
    assert [o["purpose"] for o in resting] == ["stop"]
    assert {o["purpose"] for o in every} == {"entry", "stop"}
    assert "PROTECTED" in held.out
    assert unknown.code == 2
    assert "there is no decision 999999" in unknown.err


def the_account(folder: Path) -> dict[str, Any]:
    """Return what ``milobot status`` tells programs about the one account."""
    found: list[dict[str, Any]] = json.loads(ask(folder, "status", "--json").out)
    assert [one["account"] for one in found] == [ACCOUNT]
    return found[0]


async def test_one_accounts_trouble_keeps_nobody_from_closing_another(tmp_path: Path) -> None:
    """The kill switch must not stop at the first account that it cannot reach."""
    accounts = ("binance:default", "bingx:default")
    async with await open_ledger(f"sqlite:///{tmp_path / 'milobot.db'}") as ledger:
        for account in accounts:
            await ledger.write(lambda c, of=account: save_governor(c, of, "{}", now_ms=1))  # type: ignore[misc]  # a loop's own name

    ended = ask(tmp_path, "halt", "--flatten")

    assert ended.code == 2
    for account in accounts:
        assert f"{account}: there is no key of {account}" in ended.err
