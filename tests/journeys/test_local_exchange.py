"""``milobot exchange`` as its user meets it: started, traded on, steered, stopped."""

import hashlib
import hmac
import json
import os
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.support.process import run_milobot
from tests.support.talking import Talking, talking

from milobot.cli.main import main

_STARTS_WITHIN_S = 30
KEY, SECRET = "my-key", "my-secret"


class Running(NamedTuple):
    """A served exchange."""

    url: str
    lines: list[str]
    process: Talking


@contextmanager
def serving(*words: str, cwd: Path) -> Iterator[Running]:
    """Start the command and wait for its last line; it must end by SIGTERM with 0."""
    flags = ("exchange", "--key", KEY, "--secret", SECRET)
    with talking(*flags, *words, cwd=cwd) as process:
        lines: list[str] = []
        deadline = time.monotonic() + _STARTS_WITHIN_S
        while not (lines and "Ctrl-C" in lines[-1]) and time.monotonic() < deadline:
            line = process.stdout.readline()
            assert line, process.communicate(1)
            lines.append(line.rstrip())
        url = next(word for word in lines[0].split() if word.startswith("http"))
        yield Running(url, lines, process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


def ask(method: str, url: str, body: Any = None) -> Any:
    """Send a request and return the JSON that comes back."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"X-MBX-APIKEY": KEY}
    request = urllib.request.Request(url, data=data, method=method, headers=headers)  # noqa: S310 - an address of this machine
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)


def signed(exchange: Running, path: str, query: str, method: str = "GET") -> Any:
    """Send a signed request in the Binance dialect."""
    now = ask("GET", f"{exchange.url}/fapi/v1/time")["serverTime"]
    text = f"{query}&timestamp={now}" if query else f"timestamp={now}"
    digest = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
    return ask(method, f"{exchange.url}{path}?{text}&signature={digest}")


def test_lock_step_exchange_is_traded_on_and_tells_the_truth(tmp_path: Path) -> None:
    """The whole of it as a program: candles of a file, an order, a step, the ledger, the end."""
    rows = [f"{1_704_067_200_000 + 60_000 * i},40000,40100,39900,4000{i},5" for i in range(8)]
    file = tmp_path / "candles.csv"
    file.write_text("open_time,open,high,low,close,volume\n" + "\n".join(rows) + "\n")

    with serving("--data", str(file), "--lock-step", "--history", "4", cwd=tmp_path) as exchange:
        stepped = ask("POST", f"{exchange.url}/control/advance", {"steps": 1})
        placed = signed(
            exchange,
            "/fapi/v1/order",
            "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01&newClientOrderId=j1",
            "POST",
        )
        candles = ask("GET", f"{exchange.url}/fapi/v1/klines?symbol=BTCUSDT&interval=1m")
        ledger = ask("GET", f"{exchange.url}/control/ledger")

    assert (stepped["step"], placed["clientOrderId"]) == ("open", "j1")
    assert len(candles) == 5
    fills = ledger["accounts"][0]["fills"]
    assert [(fill["client_id"], fill["price"]) for fill in fills] == [("j1", "40000")]
    assert any(KEY in line for line in exchange.lines)
    assert "lock-step" in exchange.lines[-1]


def test_made_up_market_plays_at_its_speed_with_a_fault_plan(tmp_path: Path) -> None:
    """Paced play moves by itself; the plan of the file and of the flag both count."""
    plan = tmp_path / "plan.toml"
    plan.write_text('seed = 1\n[[rules]]\nfault = "-2019"\n')
    words = ["--market", "3", "--speed", "200", "--dialect", "binance", "--timeframe", "5m"]
    words += ["--faults", str(plan), "--fault", "maintenance:on=account"]

    with serving(*words, cwd=tmp_path) as exchange:
        first = ask("GET", f"{exchange.url}/control/status")
        time.sleep(0.3)
        second = ask("GET", f"{exchange.url}/control/status")
        order = "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01"
        refused = signed(exchange, "/fapi/v1/order", order, "POST")
        faults = ask("GET", f"{exchange.url}/control/faults")

    assert second["time_ms"] > first["time_ms"]
    assert refused["code"] == -2019
    assert [rule["fault"] for rule in faults["rules"]] == ["reject", "maintenance"]
    assert not any("BingX" in line for line in exchange.lines)


WRONG = [
    (["--dialect", "kraken"], "use binance, bingx or both"),
    (["--speed", "2", "--lock-step"], "exclude each other"),
    (["--speed", "9999"], "out of range"),
    (["--data", "absent.csv"], "absent.csv does not exist"),
    (["--data", "absent.csv", "--market", "1"], "exclude each other"),
    (["--key", "alone"], "every --key needs its --secret"),
    (["--fault", "explode"], "unknown fault 'explode'"),
    (["--faults", "absent.toml"], "holds no fault plan"),
    (["--wallet", "much"], "--wallet 'much'"),
    (["--fee", "-1"], "--fee '-1'"),
    (["--clock", "sun"], "use market or wall"),
    (["--timeframe", "7m"], "unknown timeframe"),
    (["--port", "99999"], "--port 99999"),
    (["--funding", "rates.csv"], "rates.csv does not exist"),
    (["--history", "999999999"], "leave none to play"),
]


@pytest.mark.parametrize(("words", "part"), WRONG)
def test_wrong_flag_is_one_sentence(
    words: list[str], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, one line on stderr, nothing started."""
    code = main(["exchange", *words])

    told = capsys.readouterr()
    assert (code, told.out) == (2, "")
    assert part in told.err
    assert len(told.err.splitlines()) == 1


def test_taken_port_is_said(tmp_path: Path) -> None:
    """Somebody else listens there: name the port and the way out."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = run_milobot("exchange", "--port", port, cwd=tmp_path)

    assert ended.code == 2
    assert f"port {port} cannot be used" in ended.err
    assert os.linesep not in ended.err.strip()
