"""The ``milobot`` command: finds the sub-command, loads only that one, runs it.

A sub-command's module is imported when it is called, so that ``milobot --help``
needs neither numpy nor a web server and answers at once.
"""

import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from milobot.cli.failures import installed_version, run_reporting
from milobot.cli.logs import Logs, with_logs


@dataclass(frozen=True, slots=True)
class SubCommand:
    """Where a sub-command lives and what the overview says about it.

    Attributes:
        place: ``module:attribute``; the attribute is a function or a ``typer.Typer``.
        logs: Where its log goes; it is configured before the command begins.
    """

    place: str
    summary: str
    logs: Logs


SUB_COMMANDS = {
    "demo": SubCommand(
        "milobot.cli.demo:demo", "Watch a strategy trade on paper, with a live chart.", Logs.RESULTS
    ),
    "backtest": SubCommand(
        "milobot.cli.backtest:backtest",
        "Run a script over past candles and report the result.",
        Logs.RESULTS,
    ),
    "run": SubCommand(
        "milobot.cli.run:run",
        "Trade scripts on an account, or one on paper.",
        Logs.SERVICE,
    ),
    "halt": SubCommand(
        "milobot.cli.bot_commands:halt", "Let nothing enter any more, or close all.", Logs.RESULTS
    ),
    "resume": SubCommand(
        "milobot.cli.bot_commands:resume", "Let entries pass again after a halt.", Logs.RESULTS
    ),
    "close": SubCommand(
        "milobot.cli.bot_commands:close", "Close what is open in a symbol.", Logs.RESULTS
    ),
    "status": SubCommand(
        "milobot.cli.status:status", "Show who leads, what is held, what is halted.", Logs.RESULTS
    ),
    "positions": SubCommand(
        "milobot.cli.records:positions", "Show what is open, with its stop.", Logs.RESULTS
    ),
    "orders": SubCommand("milobot.cli.records:orders", "Show orders on record.", Logs.RESULTS),
    "decisions": SubCommand(
        "milobot.cli.records:decisions", "Show what was decided, and why.", Logs.RESULTS
    ),
    "audit": SubCommand(
        "milobot.cli.audit_log:app", "Check and export who did what to the bot.", Logs.RESULTS
    ),
    "evaluate": SubCommand(
        "milobot.cli.evaluate:evaluate",
        "Evaluate a script once and print its decision.",
        Logs.RESULTS,
    ),
    "indicators": SubCommand(
        "milobot.cli.indicators:indicators",
        "Print the last values of all nine indicators.",
        Logs.RESULTS,
    ),
    "initdb": SubCommand(
        "milobot.cli.initdb:initdb",
        "Load candles and rules of symbols from an exchange.",
        Logs.RESULTS,
    ),
    "data": SubCommand("milobot.cli.data:app", "Import, export and check candles.", Logs.RESULTS),
    "exchange": SubCommand(
        "milobot.cli.exchange:exchange",
        "Serve an exchange on this machine to test clients on.",
        Logs.RESULTS,
    ),
    "keys": SubCommand(
        "milobot.cli.keys:app", "Keep API keys encrypted and test their rights.", Logs.SILENT
    ),
    "signals": SubCommand(
        "milobot.cli.signals:app", "Read a message as a signal and explain it.", Logs.RESULTS
    ),
    "telegram": SubCommand(
        "milobot.cli.telegram:app", "Log in to Telegram and list its chats.", Logs.SILENT
    ),
    "doctor": SubCommand(
        "milobot.cli.doctor:doctor",
        "Check exchanges, keys, clock, database and this machine.",
        Logs.SILENT,
    ),
    "version": SubCommand("milobot.cli.main:version", "Print the version.", Logs.SILENT),
}


class LazyGroup(TyperGroup):
    """A command group that lists its sub-commands without importing them."""

    def __init__(self, **settings: Any) -> None:
        """Register a stand-in for every sub-command: enough for the overview and for typos."""
        super().__init__(**settings)
        for name, entry in SUB_COMMANDS.items():
            self.add_command(TyperCommand(name, help=entry.summary))

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names in the order of the table, not of the alphabet."""
        return list(SUB_COMMANDS)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the sub-command that ``args`` calls, now imported."""
        name, command, rest = super().resolve_command(ctx, args)
        if name is None:
            return name, command, rest
        return name, load_command(name), rest


def load_command(name: str) -> Any:
    """Import a sub-command and return it as typer runs it, its log configured first."""
    module, attribute = SUB_COMMANDS[name].place.split(":")
    target = getattr(importlib.import_module(module), attribute)
    if not isinstance(target, typer.Typer):
        single = typer.Typer(add_completion=False)
        single.command(name)(target)
        target = single
    command = typer.main.get_command(target)
    command.name = name
    command.callback = with_logs(SUB_COMMANDS[name].logs, command.callback)
    return command


app = typer.Typer(
    cls=LazyGroup,
    add_completion=False,
    help="A trading bot for perpetual futures: write a script, back-test it, watch it trade.",
    epilog="Trading is risky: try every strategy in simulation first. No liability, no advice.",
    context_settings={"help_option_names": ["--help", "-h"]},
)


def version() -> None:
    """Print the version."""
    print(f"milobot {installed_version()}")


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    *,
    show_version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Show the version or the overview when no sub-command is given."""
    if show_version:
        version()
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code of the process.

    Args:
        arguments: Words after the program's name; None takes them from the process.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    command = typer.main.get_command(app)
    return run_reporting(
        lambda: command.main(args=words, prog_name="milobot", standalone_mode=False)
    )
