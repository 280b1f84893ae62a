"""``milobot halt``, ``resume`` and ``close``: what a user asks of whoever leads an account."""

import asyncio
from typing import Annotated

import typer

from milobot.app.ask_bot import Reply, Wish, account_name, act_alone, ask_bot
from milobot.app.keys import find_key
from milobot.app.presence import accounts_to_command, find_presence, only_account
from milobot.cli.account_flags import Account, AsJson, OneAccount, with_ledger
from milobot.cli.hidden import ask_password
from milobot.cli.tables import print_json
from milobot.errors import ConfigurationError, MilobotError
from milobot.settings import Settings
from milobot.storage.commands import CommandKind
from milobot.storage.ledger import Ledger

Replies = dict[str, Reply]


def halt(
    *,
    flatten: Annotated[
        bool, typer.Option("--flatten", help="Close everything as well, bot or no bot.")
    ] = False,
    account: Account = None,
    json: AsJson = False,
) -> None:
    """Let nothing enter on an account, or on all of them, until milobot resume.

    What is open keeps its stop. With --flatten everything of ours is closed too: by the bot,
    and where none runs by this command itself.
    """
    kind = CommandKind.FLATTEN if flatten else CommandKind.HALT

    async def ask(settings: Settings, ledger: Ledger) -> Replies:
        names = await accounts_to_command(ledger, account)
        if not names:
            raise ConfigurationError("the ledger knows no account yet: there is nothing to halt")
        return await _ask_each(settings, ledger, names, kind)

    _report(with_ledger(ask, is_exit=True), as_json=json)


def resume(*, account: OneAccount = None, json: AsJson = False) -> None:
    """Let entries pass again after a halt by hand or a drawdown; a daily loss ends by itself."""

    async def ask(settings: Settings, ledger: Ledger) -> Replies:
        name = await only_account(ledger, account)
        return {name: await _ask(settings, ledger, Wish(name, CommandKind.RESUME), acts=False)}

    _report(with_ledger(ask), as_json=json)


def close(
    symbol: Annotated[str, typer.Argument(help="What to close, such as BTCUSDT.")],
    *,
    account: OneAccount = None,
    json: AsJson = False,
) -> None:
    """Close what is open in a symbol: the bot does it, and where none runs this command itself."""

    async def ask(settings: Settings, ledger: Ledger) -> Replies:
        name = await only_account(ledger, account)
        wish = Wish(name, CommandKind.CLOSE, symbol.upper())
        return {name: await _ask(settings, ledger, wish, acts=True)}

    _report(with_ledger(ask, is_exit=True), as_json=json)


async def _ask_each(
    settings: Settings, ledger: Ledger, names: list[str], kind: CommandKind
) -> Replies:
    """Ask about each account; none waits for, or fails with, another one's trouble.

    Bots are asked at once. What this command does itself follows one by one: it may have to ask
    for a password.
    """
    found: Replies = {}
    acts = kind is CommandKind.FLATTEN

    async def ask(name: str) -> None:
        try:
            found[name] = await _ask(settings, ledger, Wish(name, kind), acts=acts)
        except MilobotError as error:
            found[name] = Reply(str(error), is_done=False)

    presences = await asyncio.gather(*(find_presence(ledger, name) for name in names))
    async with asyncio.TaskGroup() as tasks:
        for name, presence in zip(names, presences, strict=True):
            if presence.is_alive:
                tasks.create_task(ask(name))
    for name in names:
        if name not in found:
            await ask(name)
    return {name: found[name] for name in names}


async def _ask(settings: Settings, ledger: Ledger, wish: Wish, *, acts: bool) -> Reply:
    """Ask the bot; where there is none and the wish allows it, act."""
    if not acts or (await find_presence(ledger, wish.account)).is_alive:
        return await ask_bot(ledger, wish)
    account = account_name(wish.account)
    typer.echo(f"{wish.account}: no bot runs on it, so this command acts itself", err=True)
    return await act_alone(ledger, wish, settings, find_key(settings, account, ask_password()))


def _report(replies: Replies, *, as_json: bool) -> None:
    """Print what came of it; the exit code is 2 unless all was done as asked.

    Raises:
        Exit: Something was not.
    """
    if as_json:
        print_json(
            [
                {"account": name, "said": reply.said, "is_done": reply.is_done}
                for name, reply in replies.items()
            ]
        )
    else:
        for name, reply in replies.items():
            typer.echo(f"{name}: {reply.said}", err=not reply.is_done)
    if not all(reply.is_done for reply in replies.values()):
        raise typer.Exit(2)
