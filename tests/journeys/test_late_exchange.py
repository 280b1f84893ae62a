"""A run that is started before its exchange can be reached, as after a power cut."""

import json
import time
from pathlib import Path

from tests.support.live_runs import HOLDS, ask, bot, is_protected, market, until
from tests.support.observed import Asked, free_port

from milobot.local_exchange.setup import DEFAULT_KEY, DEFAULT_SECRET

LATE_S = 3.0
SETTINGS = {"TRADING_ENABLED": "true", "DATA_LIMIT": "60", "BINANCE_API_KEY": DEFAULT_KEY}


def test_a_run_waits_for_its_exchange_and_trades_once_it_answers(tmp_path: Path) -> None:
    """Nobody is there at night to start it again; a key that is refused is another matter."""
    port, metrics_port = free_port(), free_port()
    settings = {
        **SETTINGS,
        "BINANCE_BASE_URL": f"http://127.0.0.1:{port}",
        "BINANCE_SECRET_KEY": DEFAULT_SECRET,
        "METRICS_PORT": str(metrics_port),
    }
    with bot(tmp_path, settings, HOLDS) as running:
        running.wait_for("exchange_awaited")
        asked = Asked(running, metrics_port)
        alive, missing = asked.get("/health")[0], asked.missing()
        time.sleep(LATE_S)
        was_ready = asked.get("/ready")[0]
        with market("--port", str(port)):
            asked.turns(ready=True)
            until(lambda: is_protected(tmp_path), "a protected position")
            running.stop()
            words = ("run", "--script", str(tmp_path / "x.script"), "--port", "0")
            refused = ask(tmp_path, *words, **{**settings, "BINANCE_SECRET_KEY": "wrong-secret"})
    said = [json.loads(line) for line in running.said.splitlines()]
    awaited = [line["data"]["said"] for line in said if line["event_type"] == "exchange_awaited"]

    assert (alive, was_ready) == (200, 503)
    assert any(m.startswith("exchange_stream: binance does not answer") for m in missing), missing
    assert "nothing is traded on binance:default yet" in awaited[0]
    assert "'milobot doctor'" in awaited[0]
    assert refused.code == 2
    assert refused.err.startswith("milobot: ")
    assert refused.err.count("\n") == 1
