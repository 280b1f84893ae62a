"""Flags that the commands about accounts share, and how they reach the ledger."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from milobot.app.presence import open_known_ledger
from milobot.settings import Settings, load_settings, settings_to_exit
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


def with_ledger(use: Callable[[Settings, Ledger], Awaitable[_T]], *, is_exit: bool = False) -> _T:
    """Return what comes of using the ledger that the settings name.

    Args:
        use: What to do with settings and ledger.
        is_exit: Whether it is a way out, which nothing may bar that is wrong elsewhere.

    Raises:
        MilobotError: There is none yet, or it cannot be used.
    """
    settings = _settings_to_exit() if is_exit else load_settings()

    async def run() -> _T:
        url = settings.database_url.get_secret_value()
        async with await open_known_ledger(url) as ledger:
            return await use(settings, ledger)

    return asyncio.run(run())


def _settings_to_exit() -> Settings:
    settings, wrong = settings_to_exit()
    if wrong:
        typer.echo(f"warning, this command goes on: {wrong}", err=True)
    return settings
