"""``milobot run`` without a script: signals over HTTP become protected positions, once."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.live_runs import Bot, Market, ask, is_protected, market, rows, until
from tests.support.process import start_milobot

from milobot.local_exchange.setup import DEFAULT_KEY, DEFAULT_SECRET

SET_UP = "LONG BTCUSDT now, SL 5%, TP1 {near} TP2 {far}"


@contextmanager
def signal_bot(folder: Path, exchange: Market, number: int) -> Iterator[Bot]:
    """Run the bot for signals on a local exchange that speaks BingX's dialect."""
    settings = {
        "BINGX_BASE_URL": exchange.url,
        "BINGX_API_KEY": DEFAULT_KEY,
        "BINGX_SECRET_KEY": DEFAULT_SECRET,
        "TRADING_ENABLED": "true",
    }
    log = folder / f"bot-{number}.log"
    with log.open("wb") as out:
        process = start_milobot(
            "run", "--port", "0", cwd=folder, stdout=out, stderr=out, **settings
        )
    running = Bot(process, log)
    try:
        running.wait_for("account_known")
        yield running
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(timeout=20)


def address_of(running: Bot) -> str:
    """Return where the bot listens."""
    return running.said.partition("chart: ")[2].split()[0]


def post(address: str, message: str, key: str = "") -> tuple[int, dict[str, Any]]:
    """Do what the documented curl does; return status and answer."""
    headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
    body = json.dumps({"message": message, "metadata": {"source": "test"}}).encode()
    request = urllib.request.Request(f"{address}/signal", body, headers)  # noqa: S310 - http on loopback
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as refused:
        return refused.code, json.loads(refused.read())


def get(address: str, path: str) -> dict[str, Any]:
    """Return what is told of something."""
    with urllib.request.urlopen(f"{address}{path}", timeout=10) as answer:  # noqa: S310 - http on loopback
        told: dict[str, Any] = json.loads(answer.read())
    return told


def test_a_posted_set_up_becomes_a_position_with_stop_and_targets_once(tmp_path: Path) -> None:
    """And the same key again, after a crash too, is the same signal and no second entry."""
    with market("--dialect", "bingx", speed="0.5") as exchange:
        with signal_bot(tmp_path, exchange, 1) as first:
            address = address_of(first)
            status, told = post(address, SET_UP.format(near=60_000, far=70_000), key="k1")
            assert (status, told["code"]) == (202, "")
            until(lambda: is_protected(tmp_path), "a position with its stop")
            signal = f"/signals/{told['id']}"
            until(lambda: get(address, signal)["state"] == "open", "the signal says so")
            until(lambda: len(exchange.resting()) >= 3, "a stop and two targets rest")
            first.kill()
            steps = [line for line in first.said.splitlines() if '"client_order_id"' in line]
            assert len(steps) >= 4
            assert all(f'"signal_id":{told["id"]}' in line for line in steps)

        with signal_bot(tmp_path, exchange, 2) as second:
            address = address_of(second)
            status, again = post(address, SET_UP.format(near=60_000, far=70_000), key="k1")
            assert (status, again["id"]) == (200, told["id"])
            status, refused = post(address, "BUY BTCUSDT 0,001")
            assert (status, refused["code"]) == (422, "bad_quantity")
            status, _ = post(address, "close BTCUSDT")
            assert status == 202
            until(lambda: exchange.held() == "0", "closed by a message")
            until(lambda: get(address, signal)["state"] == "closed", "the signal says so")
            assert "bingx:default" in ask(tmp_path, "status").out

        entries = rows(tmp_path, "select client_order_id from orders where purpose = 'entry'")
        assert len(entries) == 1
        assert not exchange.resting()


def test_a_run_that_is_to_trade_nothing_says_so(tmp_path: Path) -> None:
    """Without a script, and told to take no signals."""
    ended = ask(tmp_path, "run", "--no-signals", TRADING_ENABLED="true")

    assert ended.code == 2
    assert "nothing is to be traded" in ended.err


def test_signals_without_a_key_name_the_command_that_sets_one(tmp_path: Path) -> None:
    """The container's command is `milobot run`: its first complaint is read by everybody."""
    ended = ask(tmp_path, "run", TRADING_ENABLED="true")

    assert ended.code == 2
    assert "milobot keys set default --exchange bingx" in ended.err
