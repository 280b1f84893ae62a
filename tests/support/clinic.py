"""A local exchange at today's time, and commands of milobot that are pointed at it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.process import Ended, run_milobot
from tests.support.wire import flat_bars, setup_of

from milobot.local_exchange.core.accounts import Rights
from milobot.local_exchange.core.timing import ClockMode
from milobot.local_exchange.faults import parse_rule_text
from milobot.local_exchange.server import LocalExchange
from milobot.local_exchange.setup import Credentials

KEY, SECRET = "the-key-of-the-clinic-1234", "the-secret-of-the-clinic-5678"
PASSWORD = "a password of the clinic"  # noqa: S105 - opens files of tests
HEALTHY = Rights()


@dataclass(frozen=True, slots=True)
class Clinic:
    """An exchange and a folder to run commands in.

    Attributes:
        exchange: Its state may be changed by the test.
        keys: Variables with the key of the account.
    """

    exchange: LocalExchange
    folder: Path
    keys: dict[str, str]

    async def run(self, *words: str, stdin: str | None = None, **environment: str) -> Ended:
        """Run a command with the exchange's address in its environment."""
        url = self.exchange.url
        hosts = {"BINANCE_BASE_URL": url, "BINGX_BASE_URL": url}
        return await asyncio.to_thread(
            run_milobot, *words, cwd=self.folder, stdin=stdin, **{**hosts, **environment}
        )

    async def examine(
        self, exchange: str, *words: str, **environment: str
    ) -> tuple[int, dict[str, dict[str, Any]]]:
        """Run the doctor with a key; return its code, and its findings by subject."""
        ended = await self.run(
            "doctor", "--json", "--exchange", exchange, *words, **{**self.keys, **environment}
        )
        assert ended.err == ""
        return ended.code, {one["subject"]: one for one in json.loads(ended.out)}


@asynccontextmanager
async def clinic(folder: Path, *faults: str, rights: Rights = HEALTHY) -> AsyncIterator[Clinic]:
    """Run an exchange with one account."""
    setup = setup_of(
        flat_bars(20),
        clock=ClockMode.WALL,
        history=10,
        credentials=(Credentials(KEY, SECRET, rights),),
    )
    async with LocalExchange(setup) as exchange:
        await exchange.advance()
        exchange.plan.extend([parse_rule_text(text) for text in faults])
        keys = {
            f"{name}_{end}": value
            for name in ("BINANCE", "BINGX")
            for end, value in (("API_KEY", KEY), ("SECRET_KEY", SECRET))
        }
        yield Clinic(exchange, folder, keys)
