"""``milobot run`` without a switch: scripts and signals on paper, at a real exchange's prices."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.journeys.test_signal_run import address_of, get, post
from tests.support.live_runs import FLIPS, HOLDS, Bot, Market, is_protected, market, rows, until
from tests.support.process import run_milobot, start_milobot


@contextmanager
def paper_bot(
    folder: Path, exchange: Market, *words: str, dialect: str = "binance"
) -> Iterator[Bot]:
    """Run on paper over the public data of a local exchange."""
    log = folder / f"bot-{len(list(folder.glob('bot-*.log')))}.log"
    settings = {f"{dialect.upper()}_BASE_URL": exchange.url, "DATA_LIMIT": "60"}
    with log.open("wb") as out:
        process = start_milobot(
            "run", "--port", "0", *words, cwd=folder, stdout=out, stderr=out, **settings
        )
    running = Bot(process, log)
    try:
        running.wait_for("account_known")
        yield running
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(timeout=20)


def test_scripts_trade_on_paper_and_nothing_reaches_the_exchange(tmp_path: Path) -> None:
    """Two at once; decisions, orders and round trips are on record as live."""
    waits = HOLDS.replace("> 3", "> 9999")
    for name, script in (("flips", FLIPS), ("waits", waits)):
        (tmp_path / f"{name}.script").write_text(script, encoding="utf-8")
    with market(speed="4") as exchange:
        words = ("--script", "flips.script", "--script", "waits.script", "--equity", "5000")
        with paper_bot(tmp_path, exchange, *words) as running:
            until(lambda: is_protected(tmp_path), "a protected position")
            trips = "select 1 from round_trips"
            until(lambda: bool(rows(tmp_path, trips)), "a round trip")
            running.stop()
        account = exchange.account()

    assert "PAPER: flips.script, waits.script, signals on binance:paper" in running.said
    assert not account["orders"]
    assert not account["requests"]
    assert {mode for (mode,) in rows(tmp_path, "select mode from sessions")} == {"paper"}


def test_signals_trade_on_paper_when_nothing_is_set_and_go_on_after_a_crash(
    tmp_path: Path,
) -> None:
    """What the container does before anybody has configured it."""
    with market("--dialect", "bingx", speed="0.5") as exchange:
        with paper_bot(tmp_path, exchange, dialect="bingx") as first:
            status, told = post(address_of(first), "LONG BTCUSDT now, SL 5%, TP 60000")
            assert status == 202
            until(lambda: is_protected(tmp_path), "a protected position")
            first.kill()
        with paper_bot(tmp_path, exchange, dialect="bingx") as second:
            address = address_of(second)
            signal = f"/signals/{told['id']}"
            until(lambda: get(address, signal)["state"] == "open", "it goes on")
            held = rows(tmp_path, "select quantity from positions where quantity != '0'")
            assert held
            post(address, "close BTCUSDT")
            until(lambda: get(address, signal)["state"] == "closed", "closed by a message")
            second.stop()
        account = exchange.account()

    entries = rows(tmp_path, "select 1 from orders where purpose = 'entry'")
    assert len(entries) == 1
    assert not account["orders"]
    kept = json.loads((tmp_path / "paper-bingx.json").read_text())
    assert kept


@pytest.mark.parametrize("coin", ["BTCUSD"])
def test_a_symbol_that_is_not_traded_is_named_with_its_neighbours(
    tmp_path: Path, coin: str
) -> None:
    """A typing error costs a sentence, not a night."""
    (tmp_path / "x.script").write_text(HOLDS.replace("BTCUSDT", coin), encoding="utf-8")
    with market(speed="1") as exchange:
        ended = run_milobot(
            "run",
            "--script",
            "x.script",
            "--port",
            "0",
            cwd=tmp_path,
            BINANCE_BASE_URL=exchange.url,
        )

    assert ended.code == 2
    assert "did you mean BTCUSDT" in ended.err
