"""What keeps a live run from starting: one clear sentence each, and exit code 2."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.live_runs import HOLDS, ask, bot, free_port, is_protected, market, until

LIVE = {"TRADING_ENABLED": "true"}
SILENT = {"BINANCE_BASE_URL": "http://127.0.0.1:9"}
KEY = {"BINANCE_API_KEY": "key-of-a-test", "BINANCE_SECRET_KEY": "secret-of-a-test"}


@pytest.fixture
def script(tmp_path: Path) -> str:
    """Return a script in the folder."""
    path = tmp_path / "x.script"
    path.write_text(HOLDS, encoding="utf-8")
    return str(path)


def test_no_key_is_named_with_the_command_that_sets_one(tmp_path: Path, script: str) -> None:
    """Trading was asked for: paper instead would be a lie."""
    ended = ask(tmp_path, "run", "--script", script, **LIVE)

    assert ended.code == 2
    assert "there is no key of binance:default" in ended.err
    assert "milobot keys set default --exchange binance" in ended.err


def test_an_unknown_account_is_named(tmp_path: Path, script: str) -> None:
    """A typing error must not trade another account."""
    ended = ask(tmp_path, "run", "--script", script, "--account", "second", **LIVE, **KEY)

    assert ended.code == 2
    assert "there is no key of binance:second (known: binance:default)" in ended.err


def test_a_wrong_password_is_said(tmp_path: Path, script: str) -> None:
    """Nobody can be asked in a container: the sentence is all there is."""
    right, wrong = "right-password", "wrong-password"
    plain = {"api_key": "k" * 20, "api_secret": "s" * 20, "password": right}
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(plain), encoding="utf-8")
    keys.chmod(0o600)
    words = ("run", "--script", script, "--port", "0")
    with bot(tmp_path, {**LIVE, **SILENT}, HOLDS) as taking_over:
        taking_over.wait_for("binance does not answer")

    ended = ask(tmp_path, *words, **LIVE, **SILENT, KEYS_PASSWORD=wrong)

    assert right not in keys.read_text(encoding="utf-8")
    assert ended.code == 2
    assert "password" in ended.err
    assert wrong not in ended.err


def test_real_money_is_said_in_the_first_line(tmp_path: Path) -> None:
    """Whoever mixed up two switches has to see it before anything else."""
    real = {"BINANCE_TESTNET": "false", "BINANCE_BASE_URL": "https://exchange.invalid"}
    with bot(tmp_path, {**LIVE, **KEY, **real}, HOLDS) as running:
        running.wait_for("live_trading")

    first = json.loads(running.said.splitlines()[0])
    assert (first["event_type"], first["level"]) == ("live_trading", "WARNING")
    assert first["data"]["money"] == "REAL MONEY"
    assert "https://exchange.invalid" in first["data"]["said"]


def test_a_taken_port_is_said_before_anything_is_sent(tmp_path: Path, script: str) -> None:
    """A page that nobody can open is no page."""
    taken, port = free_port()
    with taken:
        words = ("run", "--script", script, "--port", str(port))
        ended = ask(tmp_path, *words, **LIVE, **KEY, **SILENT)

    assert ended.code == 2
    assert str(port) in ended.err


def test_the_same_script_twice_is_refused(tmp_path: Path, script: str) -> None:
    """Their decisions could not be told apart."""
    words = ("run", "--script", script, "--script", script, "--port", "0")
    ended = ask(tmp_path, *words, **LIVE, **KEY, **SILENT)

    assert ended.code == 2
    assert "x.script is named twice for BTCUSDT 1m" in ended.err


def test_a_flag_of_paper_trading_is_refused(tmp_path: Path, script: str) -> None:
    """Who sets an equity believes to be on paper."""
    ended = ask(tmp_path, "run", "--script", script, "--equity", "500", **LIVE, **KEY, **SILENT)

    assert ended.code == 2
    assert "--equity belongs to paper trading" in ended.err


def test_a_ledger_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    """An old program must not write into tables that it does not know."""
    with market(speed="1") as exchange:
        with bot(tmp_path, exchange.settings, HOLDS) as running:
            until(lambda: is_protected(tmp_path), "a protected position")
            running.stop()
        with closing(sqlite3.connect(tmp_path / "milobot.db")) as ledger:
            ledger.execute("update alembic_version set version_num = '9999'")
            ledger.commit()
        words = ("run", "--script", "x.script", "--port", "0")
        ended = ask(tmp_path, *words, **exchange.settings)
        status = ask(tmp_path, "status")

    assert ended.code == 2
    assert "update milobot" in ended.err
    assert status.code == 2


def test_a_server_that_is_demanded_and_not_named_is_refused(tmp_path: Path, script: str) -> None:
    """An empty secret must not become a ledger that no other replica sees."""
    kind = {"DATABASE_URL": "", "DATABASE_KIND": "postgresql"}
    ended = ask(tmp_path, "run", "--script", script, "--port", "0", **kind)

    assert ended.code == 2
    assert "DATABASE_URL is empty or names a SQLite file" in ended.err
    assert not list(tmp_path.glob("*.db"))


@pytest.mark.parametrize(
    "command", ["status", "positions", "orders", "decisions", "halt", "resume"]
)
def test_without_a_ledger_a_command_says_so_and_makes_none(command: str, tmp_path: Path) -> None:
    """In the wrong folder a status of nothing would calm whoever reads it."""
    ended = ask(tmp_path, command)

    assert ended.code == 2
    assert "there is no ledger milobot.db here" in ended.err
    assert not (tmp_path / "milobot.db").exists()
