"""A live run on a database server: it waits for its tables, then trades and tells."""

import json
from pathlib import Path

from tests.support.live_runs import HOLDS, ask, bot, market, until

from milobot.storage.database_url import parse_database_url
from milobot.storage.schema import run_on, upgrade


def test_tables_that_are_missing_are_waited_for_and_named(
    postgres_url: str, tmp_path: Path
) -> None:
    """A bot that comes up before the migration stays up, trades nothing, and says what to do."""
    url = postgres_url
    with market(speed="1") as exchange:
        settings = {**exchange.settings, "DATABASE_URL": url}
        with bot(tmp_path, settings, HOLDS) as running:
            running.wait_for("nothing trades: ")
            early = ask(tmp_path, "status", DATABASE_URL=url)
            assert running.process.poll() is None
            assert exchange.account()["requests"] == []

            run_on(parse_database_url(url), upgrade)
            running.wait_for("account_known")
            until(lambda: exchange.held() != "0", "a position")
            until(lambda: bool(exchange.resting()), "its stop")
            told = json.loads(ask(tmp_path, "status", "--json", DATABASE_URL=url).out)
            halted = ask(tmp_path, "halt", DATABASE_URL=url)
            code, _ = running.stop()
        positions = json.loads(ask(tmp_path, "positions", "--json", DATABASE_URL=url).out)

    assert "alembic upgrade head" in running.said
    assert early.code == 2
    assert "alembic upgrade head" in early.err
    assert (told[0]["is_led"], told[0]["mode"]) == (True, "testnet")
    assert "reconciliation" in told[0]["tasks"]
    assert halted.code == 0, halted.err
    assert code == 0
    assert [(p["symbol"], p["state"]) for p in positions] == [("BTCUSDT", "PROTECTED")]
    assert not (tmp_path / "milobot.db").exists()
