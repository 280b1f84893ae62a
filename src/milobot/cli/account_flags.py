"""Flags that the commands about accounts share, and how they reach the ledger."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from milobot.app.presence import open_known_ledger
from milobot.settings import Settings, load_settings
from milobot.storage.ledger import Ledger

_T = TypeVar("_T")
Account = Annotated[
    str | None,
    typer.Option("--account", help="binance:default, or its name alone; without: all of them."),
]
OneAccount = Annotated[
    str | None,
    typer.Option("--account", help="binance:default, or its name alone; needed where several."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
OnSymbol = Annotated[str | None, typer.Option("--symbol", help="Only this one, such as BTCUSDT.")]


def with_ledger(use: Callable[[Settings, Ledger], Awaitable[_T]]) -> _T:
    """Return what comes of using the ledger that the settings name.

    Raises:
        MilobotError: There is none yet, or it cannot be used.
    """
    settings = load_settings()

    async def run() -> _T:
        url = settings.database_url.get_secret_value()
        async with await open_known_ledger(url) as ledger:
            return await use(settings, ledger)

    return asyncio.run(run())
