"""What each page supposes to be there before its first command; see ``Scene``."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.docs.pages import all_blocks, first_block
from tests.support.process import run_milobot


def _generated(name: str) -> Callable[[Path], None]:
    def prepare(folder: Path) -> None:
        made = run_milobot("data", "generate", name, cwd=folder)
        assert made.code == 0, made.err

    return prepare


def _shown(name: str, page: str, language: str, begins: str = "") -> Callable[[Path], None]:
    """Return what saves a block of a page under a name, as the page tells the reader to."""

    def prepare(folder: Path) -> None:
        bodies = [b.body for b in all_blocks() if b.page == page and b.language == language]
        (folder / name).write_text(next(b for b in bodies if begins in b), encoding="utf-8")

    return prepare


def _exported_channel(folder: Path) -> None:
    """Write what Telegram Desktop exports, of the messages that the page shows."""
    lines = first_block("docs/signal-audit.md", "jsonl").splitlines()
    messages = [
        {"id": m["id"], "type": "message", "date": m["time"][:19], "text": m["text"]}
        for m in map(json.loads, lines)
    ]
    export = {"name": "Calls", "type": "public_channel", "id": 1, "messages": messages}
    (folder / "result.json").write_text(json.dumps(export), encoding="utf-8")
    (folder / "candles").mkdir()
    candles = first_block("docs/signal-audit.md", "csv")
    (folder / "candles" / "BTCUSDT_1h.csv").write_text(candles, encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Scene:
    """A page's beginning.

    Attributes:
        files: What makes the files that the page speaks of.
        first: A command that goes on while those of the page are typed.
    """

    files: tuple[Callable[[Path], None], ...] = ()
    first: str = ""


_MARKET = _generated("market.csv.gz")
_MY_SCRIPT = _shown("my.script", "README.md", "python")
SCENES = {
    "README.md": Scene(
        (_shown("first.script", "README.md", "python"), _generated("BTCUSDT-1m-2024-01.zip"))
    ),
    "docs/backtesting.md": Scene((_MARKET,)),
    "docs/candles.md": Scene(),
    "docs/exchanges.md": Scene(),
    "docs/http.md": Scene(first="milobot run"),
    "docs/live.md": Scene((_MY_SCRIPT,)),
    "docs/local-exchange.md": Scene(
        (_MARKET, _shown("plan.toml", "docs/local-exchange.md", "toml"))
    ),
    "docs/operations.md": Scene(first="milobot run"),
    "docs/scripts.md": Scene(
        (
            _generated("candles.csv"),
            _shown("oversold.script", "docs/scripts.md", "python"),
            _shown("dip.script", "docs/scripts.md", "python", "use_trend"),
        )
    ),
    "docs/signal-audit.md": Scene(
        (
            _exported_channel,
            _shown("messages.jsonl", "docs/signal-audit.md", "jsonl"),
            _generated("BTCUSDT_1m.csv.gz"),
            _shown("whales.toml", "docs/signals.md", "toml"),
        )
    ),
    "docs/signals.md": Scene(),
    "docs/simulation.md": Scene(),
}
"""By page; a page with commands that is not here is one that nobody has thought about."""
INLINE_FILES = (
    _MARKET,
    _MY_SCRIPT,
    _shown("channel.jsonl", "docs/signal-audit.md", "jsonl"),
    _shown("BTCUSDT_1h.csv", "docs/signal-audit.md", "csv"),
)
"""What commands in prose speak of."""
