"""Where the log of a command goes, and how much of it: one rule for each kind of command."""

import sys
from collections.abc import Callable
from enum import Enum
from functools import wraps
from typing import Any

import typer


class Logs(Enum):
    """What a command does, as far as its log is concerned.

    Secrets are cut out of all of them.
    """

    SERVICE = "service"
    """It runs until it is stopped: its log is on stdout, from LOG_LEVEL on."""

    RESULTS = "results"
    """It prints results on stdout: its log is on stderr, and tells what went wrong only,
    unless LOG_LEVEL asks for something else than INFO."""

    SILENT = "silent"
    """It says itself what goes wrong: only errors are logged, on stderr. No setting is read."""


def with_logs(logs: Logs, run: Callable[..., Any] | None) -> Callable[..., Any]:
    """Return what runs a command with its log configured; None stands for doing nothing."""

    @wraps(run or _nothing)
    def configured(**flags: Any) -> Any:
        configure_logs(logs)
        return None if run is None else run(**flags)

    return configured


def configure_logs(logs: Logs) -> None:
    """Configure the log of this process."""
    from milobot.telemetry import configure_logging

    match logs:
        case Logs.SERVICE:
            configure_logging(_wanted_level(), sys.stdout)
        case Logs.RESULTS:
            level = _wanted_level()
            configure_logging("WARNING" if level == "INFO" else level, sys.stderr)
        case Logs.SILENT:  # pragma: no branch - mypy proves that none is left
            configure_logging("ERROR", sys.stderr)


def say(text: str) -> None:
    """Tell whoever started a service something: a line on a terminal, else an event of its log.

    Whoever collects what a container writes takes every line for JSON.
    """
    from milobot.telemetry import get_logger

    if sys.stdout.isatty():
        typer.echo(text)
    else:
        get_logger().info("notice", said=text)


def _wanted_level() -> str:
    """Return LOG_LEVEL; where settings are wrong, a command that needs them says so itself."""
    from milobot.errors import ConfigurationError
    from milobot.settings import load_settings

    try:
        return load_settings().log_level
    except ConfigurationError:
        return "INFO"


def _nothing() -> None:
    """Do nothing."""
