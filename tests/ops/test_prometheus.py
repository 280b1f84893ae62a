"""A real Prometheus beside the running demo: both specified alerts fire when they should, only then.

Its times are shortened: a minute of the rules is two seconds here. ``make check-delivery`` runs it.
"""

import json
import os
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.support.live_runs import until
from tests.support.own_postgres import free_port
from tests.support.process import ROOT, Started, start_milobot
from tests.support.tools import find_program

pytestmark = pytest.mark.skipif(
    os.environ.get("PROVE_ALERTS") != "1", reason="takes half a minute: make check-delivery"
)
SHORTER = (("interval: 15s", "interval: 1s"), ("for: [12]m", "for: 2s"), (r"\[5m\]", "[10s]"))
SPEED = "720"
"""Minutes of the market a second: at the usual 120 no order may come for as long as a test waits."""
CONFIGURATION = """\
global: {scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s}
rule_files: [alerts.yml]
scrape_configs:
  - job_name: trading-bot
    static_configs:
      - targets: ["TARGET"]
"""


class Watcher:
    """A Prometheus that scrapes a bot."""

    def __init__(self, url: str) -> None:
        """Keep where it answers."""
        self._url = url

    def firing(self) -> set[str]:
        """Return the names of the alerts that fire."""
        return {
            alert["labels"]["alertname"]
            for alert in self._ask("alerts")["alerts"]
            if alert["state"] == "firing"
        }

    def value(self, expression: str) -> float:
        """Return what an expression is now; -1 where there is nothing."""
        found = self._ask(f"query?query={quote(expression)}")["result"]
        return float(found[0]["value"][1]) if found else -1.0

    def is_up(self) -> bool:
        """Return whether it answers and has seen the bot."""
        try:
            return self.value('up{job="trading-bot"}') == 1
        except OSError:
            return False

    def _ask(self, what: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self._url}/api/v1/{what}", timeout=5) as answer:  # noqa: S310 - http on loopback
            told: dict[str, Any] = json.loads(answer.read())["data"]
        return told


@contextmanager
def prometheus(folder: Path, target: str) -> Iterator[Watcher]:
    """Run a Prometheus with the rules of the repository, shortened, until the body ends."""
    folder.mkdir()
    rules = (ROOT / "monitoring" / "alerts.yml").read_text()
    for long, short in SHORTER:
        rules, changed = re.subn(long, short, rules)
        assert changed, long
    (folder / "alerts.yml").write_text(rules)
    (folder / "prometheus.yml").write_text(CONFIGURATION.replace("TARGET", target))
    address = f"127.0.0.1:{free_port()}"
    command = [find_program("prometheus"), f"--web.listen-address={address}"]
    command += ["--config.file=prometheus.yml", "--storage.tsdb.path=data"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)  # noqa: S603 - Debian's own
    try:
        yield Watcher(f"http://{address}")
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def demo(folder: Path) -> Iterator[tuple[Started, str, str]]:
    """Run the demo; yield the process, and where its page and its exchange answer."""
    page, log = f"127.0.0.1:{free_port()}", folder / "demo.log"
    words = ("demo", "--exchange", "binance", "--port", page.rpartition(":")[2], "--speed", SPEED)
    with log.open("wb") as out:
        process = start_milobot(*words, cwd=folder, stdout=out, stderr=out)
    try:
        until(lambda: "chart:" in log.read_text(), "the demo shows its page")
        found = re.search(r"exchange: (\S+)", log.read_text())
        assert found is not None, log.read_text()
        yield process, page, found[1]
    finally:
        process.kill()
        process.wait(20)


def refuse_orders(exchange: str, times: int) -> None:
    """Let the exchange refuse the next orders."""
    body = json.dumps({"fault": "reject", "times": times}).encode()
    request = urllib.request.Request(f"{exchange}/control/faults", body)  # noqa: S310 - http on loopback
    urllib.request.urlopen(request, timeout=5).close()  # noqa: S310 - as above


def test_the_running_demo_is_scraped(tmp_path: Path) -> None:
    """It is the first that anybody puts a Prometheus beside: all quiet, until orders fail."""
    with (
        demo(tmp_path) as (process, page, exchange),
        prometheus(tmp_path / "prometheus", page) as watcher,
    ):
        until(watcher.is_up, "the demo is scraped")
        until(lambda: watcher.value("sum(orders_total)") >= 2, "its orders are counted")
        until(lambda: watcher.value('sum(positions{state="PROTECTED"})') == 1, "it is protected")
        until(lambda: watcher.value("count_over_time(up[1m])") >= 8, "rules had time to fire")
        assert watcher.firing() == set()

        refuse_orders(exchange, times=40)
        until(lambda: "HighOrderFailureRate" in watcher.firing(), "failing orders are reported")
        assert "TradingBotDown" not in watcher.firing()

        process.kill()
        until(lambda: "TradingBotDown" in watcher.firing(), "a dead demo is reported")
