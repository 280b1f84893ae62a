"""The log of every command: configured before it begins, secrets cut out, results left alone."""

import json
from pathlib import Path

import pytest
import structlog

from milobot.cli.logs import Logs, configure_logs, say
from milobot.cli.main import SUB_COMMANDS, main
from milobot.telemetry import HIDDEN, get_logger

# Words with which each command ends at once, without a network.
FIRST_REFUSALS: dict[str, list[str]] = {
    "demo": ["--script", "missing.script"],
    "backtest": ["missing.script"],
    "run": ["--script", "missing.script", "--exchange", "mtgox"],
    "halt": ["--flatten"],
    "resume": [],
    "close": ["BTCUSDT"],
    "status": [],
    "positions": [],
    "orders": ["--all"],
    "decisions": ["--why", "1"],
    "audit": ["verify"],
    "evaluate": ["missing.script"],
    "indicators": [],
    "initdb": ["BTCUSDT", "--exchange", "mtgox"],
    "data": ["info"],
    "exchange": ["--dialect", "mtgox"],
    "keys": ["show"],
    "signals": ["read", "hello"],
    "telegram": ["login"],
    "doctor": ["--exchange", "mtgox"],
    "version": [],
}
SIGNED = "GET /fapi/v1/order?symbol=BTCUSDT&signature=0a1b2c"


@pytest.fixture(autouse=True)
def no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work where no settings lie."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LOG_LEVEL", raising=False)


@pytest.mark.parametrize(
    ("logs", "level", "quiet", "loud"),
    [
        (Logs.SERVICE, "", "debug", "info"),
        (Logs.SERVICE, "WARNING", "info", "warning"),
        (Logs.RESULTS, "", "info", "warning"),
        (Logs.RESULTS, "DEBUG", None, "debug"),
        (Logs.RESULTS, "ERROR", "warning", "error"),
        (Logs.RESULTS, "LOUD", "info", "warning"),
        (Logs.SILENT, "DEBUG", "warning", "error"),
    ],
)
def test_only_a_service_logs_to_stdout(
    logs: Logs,
    level: str,
    quiet: str | None,
    loud: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Who pipes a result on must not find log lines in it; who follows a bot reads stdout.

    A level that is none is not the log's business: the command that needs settings refuses.
    """
    monkeypatch.setenv("LOG_LEVEL", level)

    configure_logs(logs)
    if quiet is not None:
        getattr(get_logger(), quiet)("left_out")
    getattr(get_logger(), loud)("asked", request=SIGNED)

    said = capsys.readouterr()
    written, empty = (said.out, said.err) if logs is Logs.SERVICE else (said.err, said.out)
    assert empty == ""
    (line,) = [json.loads(line) for line in written.splitlines()]
    assert (line["event_type"], line["level"]) == ("asked", loud.upper())
    assert line["data"]["request"].endswith(f"signature={HIDDEN}")


@pytest.mark.parametrize("name", list(SUB_COMMANDS))
def test_every_command_configures_its_log_before_it_begins(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Left alone, the log library writes everything to stdout, secrets and all."""
    assert not structlog.is_configured()

    code = main([name, *FIRST_REFUSALS[name]])
    capsys.readouterr()
    get_logger().error("failed", request=SIGNED)

    said = capsys.readouterr()
    assert code in {0, 2}
    assert json.loads(said.out + said.err)["event_type"] == "failed"
    assert bool(said.out) is (SUB_COMMANDS[name].logs is Logs.SERVICE)
    assert "0a1b2c" not in said.out + said.err


def test_help_needs_no_settings(capsys: pytest.CaptureFixture[str]) -> None:
    """A command that only explains itself has nothing to log, and answers at once."""
    assert main(["version", "--help"]) == 0

    assert not structlog.is_configured()
    assert "Usage" in capsys.readouterr().out


def test_what_a_service_says_is_json_where_nobody_watches(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whoever collects the output of a container takes every line of it for JSON."""
    configure_logs(Logs.SERVICE)
    say("chart: http://localhost:8080")

    line = json.loads(capsys.readouterr().out)
    assert (line["event_type"], line["data"]["said"]) == ("notice", "chart: http://localhost:8080")
