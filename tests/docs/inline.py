"""Commands that stand in prose and tables: what is typed for each, beside a bot that trades on paper."""

import re
from collections.abc import Callable
from pathlib import Path

FIRST = "milobot run --script my.script"
"""What goes on meanwhile; it is one of them."""
THEN = (
    "curl -X POST http://localhost:8080/signal -H 'Content-Type: application/json'"
    ' -d \'{"message": "BUY BTCUSDT 0.001"}\''
)
"""What gives it something to tell of."""
NAMED = {
    "milobot close",
    "milobot data",
    "milobot data gaps",
    "milobot demo",
    "milobot indicators",
    "milobot initdb",
    "milobot keys set",
}
"""Named without what they take; their ``--help`` is typed, so they exist."""
PLACEHOLDERS = {
    "COMMAND": "run",
    "FILE --symbol …": "market.csv.gz --symbol BTCUSDT",
    "SYMBOL": "BTCUSDT",
    "NAME": "paper",
    "NUMBER": "1",
    "FILE": "copy.db",
    "--symbol S": "--symbol BTCUSDT",
    "--last N": "--last 5",
}
CHAIN = "NUMBER:HASH"
"""What ``milobot audit verify`` prints."""


def is_looked_at(command: str) -> Callable[[Path], bool] | None:
    """Return what to look for in place of typing a command that takes minutes."""
    if module := re.match(r"python -m ([\w.]+)$", command):
        return lambda root: (root / f"{module[1].replace('.', '/')}.py").is_file()
    if script := re.match(r"python (\S+\.py)$", command):
        return lambda root: (root / script[1]).is_file()
    if target := re.match(r"make ([\w-]+)$", command):
        return lambda root: f"\n{target[1]}: " in (root / "Makefile").read_text(encoding="utf-8")
    return None


def typed_for(command: str, chain: str) -> str:
    """Return what is typed: optional parts and all, with values in place of the capitals."""
    if command in NAMED:
        return f"{command} --help"
    typed = command.replace("[", "").replace("]", "").replace(CHAIN, chain)
    for placeholder, value in PLACEHOLDERS.items():
        typed = typed.replace(placeholder, value)
    return typed
