"""Every fenced block is read by what reads its like; a block of no known kind is refused."""

import ast
import hashlib
import hmac
import json
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from dotenv import dotenv_values
from tests.docs.pages import SHELL, Block, all_blocks, commands_in
from tests.support.process import ROOT

from milobot.domain.timeframes import Timeframe
from milobot.local_exchange.faults import load_plan
from milobot.marketdata.generated import generate_candles
from milobot.scripting.interpreter import Interpreter
from milobot.settings import load_settings
from milobot.signals.profile_toml import parse_profile

OF_TESTS = "docs/local-exchange.md"
"""Its Python is a test's; that of all other pages is the scripts' language."""


def _python(block: Block, _: Path) -> None:
    if block.page == OF_TESTS:
        ast.parse(f"async def example():\n{textwrap.indent(block.body, '    ')}")
        return
    assert Interpreter(block.body).metadata.coin


def _toml(block: Block, folder: Path) -> None:
    if block.page == OF_TESTS:
        (folder / "plan.toml").write_text(block.body, encoding="utf-8")
        assert load_plan(folder / "plan.toml").rules
    else:
        parse_profile(block.body, block.place)


def _ini(block: Block, folder: Path) -> None:
    """Load it as the file of settings that it is; a name that does not exist would be ignored."""
    file = folder / ".env"
    file.write_text(block.body, encoding="utf-8")
    file.chmod(0o600)  # some show where a secret is written
    settings = load_settings(file)
    for name in dotenv_values(file):
        assert hasattr(settings, name.lower()), f"{block.place}: {name}"


def _text(block: Block, _: Path) -> None:
    """Look that nothing to type hides in what is only looked at."""
    begins = ("milobot ", "make ", "curl ", "docker", "python3 main.py", "$ ")
    assert not [line for line in block.body.splitlines() if line.startswith(begins)]


def _json(block: Block, _: Path) -> None:
    json.loads(block.body)


def _jsonl(block: Block, _: Path) -> None:
    assert all(map(json.loads, block.body.splitlines()))


def _yaml(block: Block, _: Path) -> None:
    yaml = pytest.importorskip("yaml", reason="make .venv/.installed-ops brings it")
    assert yaml.safe_load(block.body)


def _read_by(test: str) -> Callable[[Block, Path], None]:
    """Return what looks whether a test elsewhere reads such blocks of the page."""

    def look(block: Block, _: Path) -> None:
        source = (ROOT / test).read_text(encoding="utf-8")
        assert Path(block.page).name in source
        assert block.language in source

    return look


def _shell(block: Block, _: Path) -> None:
    """Look that there is something to type; ``test_commands.py`` types it."""
    assert commands_in(block.body)


READERS: dict[str, Callable[[Block, Path], None]] = {
    **dict.fromkeys(SHELL, _shell),
    "python": _python,
    "toml": _toml,
    "ini": _ini,
    "text": _text,
    "json": _json,
    "jsonl": _jsonl,
    "yaml": _yaml,
    "csv": _read_by("tests/unit/signals/audit/test_command.py"),
    "action": _read_by("tests/unit/scripting/test_documents.py"),
    "mistake": _read_by("tests/unit/scripting/test_documents.py"),
    "signal": _read_by("tests/unit/signals/test_documentation.py"),
}


@pytest.mark.parametrize("block", all_blocks(), ids=lambda block: block.place)
def test_a_block_is_what_it_says(block: Block, tmp_path: Path) -> None:
    """What people copy has to be taken by what they give it to."""
    assert block.language in READERS, f"{block.place}: of what kind is this block?"
    READERS[block.language](block, tmp_path)


class MyClient:
    """The client of somebody who tests it on the local exchange, with nothing of ours in it."""

    def __init__(self, url: str, stream_url: str, *, key: str, secret: str) -> None:
        """Keep addresses and key."""
        assert stream_url.startswith("ws://")
        self._url, self._key, self._secret = url, key, secret

    async def buy(self, symbol: str, quantity: str) -> None:
        """Buy at the market."""
        async with httpx.AsyncClient(headers={"X-MBX-APIKEY": self._key}) as http:
            now_ms = (await http.get(f"{self._url}/fapi/v1/time")).json()["serverTime"]
            order = {"symbol": symbol, "side": "BUY", "type": "MARKET", "quantity": quantity}
            query = urlencode({**order, "timestamp": now_ms})
            signature = hmac.new(self._secret.encode(), query.encode(), hashlib.sha256).hexdigest()
            url = f"{self._url}/fapi/v1/order?{query}&signature={signature}"
            assert (await http.post(url)).status_code == 200


async def test_the_example_of_a_test_is_one() -> None:
    """Whoever brings a client of their own begins with it; its last line looks at the fill."""
    (source,) = (b.body for b in all_blocks() if b.page == OF_TESTS and b.language == "python")
    names: dict[str, Any] = {
        "candles": generate_candles(minutes=600),
        "Timeframe": Timeframe,
        "MyClient": MyClient,
    }

    exec(f"async def example():\n{textwrap.indent(source, '    ')}", names)  # noqa: S102 - our own manual
    await names["example"]()
