"""``milobot doctor``: a table of what is in order, what is not, and what to do about it."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from milobot.app.doctor import Finding, Verdict, is_fit
from milobot.app.examination import Visit, examine_everything
from milobot.app.exchanges import check_exchange
from milobot.cli.hidden import ask_password
from milobot.settings import EXCHANGES

_STYLES = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAIL: "bold red"}
_WIDTH_IN_FILES = 140


def doctor(
    *,
    exchange: Annotated[
        list[str] | None, typer.Option("--exchange", help="binance or bingx; else both.")
    ] = None,
    symbol: Annotated[
        str, typer.Option("--symbol", help="Symbol to ask rules, brackets and margin for.")
    ] = "BTCUSDT",
    account: Annotated[
        str, typer.Option("--account", help="Account whose key is used.")
    ] = "default",
    offline: Annotated[bool, typer.Option("--offline", help="Look at this machine only.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> int:
    """Check settings, machine and exchanges; ends with 1 if anything stands in the way.

    Nothing is changed and no order is sent. Without keys and without a network it says
    so and looks at the rest.
    """
    chosen = [check_exchange(name) for name in exchange or EXCHANGES]
    visit = Visit([] if offline else chosen, symbol.strip().upper(), account)
    findings = asyncio.run(examine_everything(visit, ask_password()))
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2, ensure_ascii=False))
    else:
        _print_table(findings)
    return 0 if is_fit(findings) else 1


def _print_table(findings: Sequence[Finding]) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("", "what", "found", "next step"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        verdict = Text(finding.verdict.value, style=_STYLES[finding.verdict])
        # As plain text: what an exchange answers must not colour or steer the terminal.
        rest = (finding.subject, finding.fact, finding.next_step)
        table.add_row(verdict, *(Text(text) for text in rest))
    on_terminal = Console().is_terminal
    Console(width=None if on_terminal else _WIDTH_IN_FILES, highlight=False).print(table)
    print(_summary(findings))


def _summary(findings: Sequence[Finding]) -> str:
    counts = {verdict: sum(f.verdict is verdict for f in findings) for verdict in Verdict}
    return ", ".join(f"{count} {verdict.value}" for verdict, count in counts.items())
