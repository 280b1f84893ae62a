"""A live run through real processes: it trades, dies, goes on, ends in order, is replaced."""

import json
from collections import Counter
from pathlib import Path

from tests.support.live_runs import (
    ACCOUNT,
    FLIPS,
    HOLDS,
    Market,
    ask,
    bot,
    is_protected,
    market,
    rows,
    until,
)

ENDED = "select count(*) from round_trips"
ENTRIES = "select intent_key, count(*) from orders where purpose = 'entry' group by intent_key"


def entries_at(exchange: Market, folder: Path) -> Counter[str]:
    """Return how often the exchange carried out each entry that the ledger knows."""
    ours = {
        row[0] for row in rows(folder, "select client_order_id from orders where purpose='entry'")
    }
    done = (r for r in exchange.account()["requests"] if r["executed"] and r["client_id"] in ours)
    return Counter(r["client_id"] for r in done)


def test_a_killed_run_goes_on_where_it_was_and_enters_nothing_twice(tmp_path: Path) -> None:
    """The crash that every night brings one day: no order twice, no position lost."""
    with market() as exchange:
        with bot(tmp_path, exchange.settings, FLIPS) as first:
            until(lambda: is_protected(tmp_path), "a protected position")
            first.kill()
        anchors = rows(tmp_path, "select anchor_ms from sessions")
        before = rows(tmp_path, ENDED)[0][0]
        with bot(tmp_path, exchange.settings, FLIPS) as second:
            until(lambda: rows(tmp_path, ENDED)[0][0] >= before + 2, "two more round trips")
            until(lambda: is_protected(tmp_path), "a protected position")
            code, _ = second.stop()
        carried_out = entries_at(exchange, tmp_path)

    assert code == 0
    assert rows(tmp_path, "select anchor_ms from sessions") == anchors
    assert all(count == 1 for _, count in rows(tmp_path, ENTRIES))
    assert len(carried_out) >= 3
    assert set(carried_out.values()) == {1}
    assert '"event_type":"live_trading"' in first.said.splitlines()[0]
    assert "play money" in first.said.splitlines()[0]


def test_sigterm_leaves_the_stop_and_the_lease(tmp_path: Path) -> None:
    """Deployments end processes all the time: what is open stays protected, quickly."""
    with market(speed="1") as exchange:
        with bot(tmp_path, exchange.settings, HOLDS) as running:
            until(lambda: is_protected(tmp_path), "a protected position")
            code, took_s = running.stop()
        held, resting = exchange.held(), exchange.resting()
        lease = rows(tmp_path, "select holder, until_ms from leases")

    assert code == 0
    assert took_s < 5
    assert held != "0"
    assert resting
    assert lease == [("", 0)]
    assert "stays open at the exchange" in running.said


def test_a_second_run_stands_by_and_takes_over(tmp_path: Path) -> None:
    """Two replicas are one bot: the other trades only when the first is gone."""
    with market(speed="1") as exchange, bot(tmp_path, exchange.settings, HOLDS) as first:
        until(lambda: is_protected(tmp_path), "a protected position")
        with bot(tmp_path, exchange.settings, HOLDS) as second:
            second.wait_for("this one stands by")
            assert "account_led" not in second.said
            first.kill()
            second.wait_for(f"this process leads {ACCOUNT} now")
            second.wait_for("account_known")
            held = exchange.held()

    assert held != "0"
    assert rows(tmp_path, "select count(*) from orders where purpose = 'entry'") == [(1,)]


def test_two_scripts_on_a_symbol_share_it_in_turns(tmp_path: Path) -> None:
    """Who has the slot trades; the other is denied, and that is said at the start."""
    other = tmp_path / "other.script"
    other.write_text(HOLDS, encoding="utf-8")
    with (
        market(speed="1") as exchange,
        bot(tmp_path, exchange.settings, HOLDS, "--script", str(other)) as running,
    ):
        until(lambda: is_protected(tmp_path), "a protected position")
        until(
            lambda: bool(rows(tmp_path, "select 1 from decisions where code='slot_owned'")),
            "denial",
        )
        told = json.loads(ask(tmp_path, "status", "--json").out)

    assert "BTCUSDT is wanted by x.script, other.script" in running.said
    assert len(told[0]["scripts"]) == 2
    assert rows(tmp_path, "select count(*) from orders where purpose = 'entry'") == [(1,)]
