"""``milobot keys``: stores, tests, lists and removes API keys; never shows one."""

import asyncio
from typing import Annotated

import typer

from milobot.app.audit_keys import note_key_change
from milobot.app.exchanges import TITLES, parse_account, refuse_rights
from milobot.app.keys import (
    ask_rights,
    describe_rights,
    find_key,
    known_keys,
    open_or_make_store,
    open_store,
    try_out,
)
from milobot.app.secrecy import hide_memory
from milobot.cli.hidden import ask_password, read_key
from milobot.settings import load_settings


def _prepare() -> None:
    """Keep keys out of memory dumps, before one is read."""
    hide_memory()


app = typer.Typer(
    add_completion=False,
    help="Keep API keys in an encrypted file, and ask what they may do.",
    context_settings={"help_option_names": ["--help", "-h"]},
    callback=_prepare,
)

Name = Annotated[str, typer.Argument(help="Name of the account.")]
ExchangeName = Annotated[str | None, typer.Option("--exchange", help="binance or bingx.")]


@app.command("set")
def set_key(
    name: Name = "default",
    *,
    exchange: ExchangeName = None,
    stdin: Annotated[
        bool,
        typer.Option("--stdin", help="Read key and secret (and password) from lines of stdin."),
    ] = False,
    test: Annotated[bool, typer.Option("--test/--no-test", help="Ask the exchange first.")] = True,
) -> None:
    """Store the key of an account, encrypted; asks for key, secret and password unseen."""
    settings = load_settings()
    account = parse_account(name, exchange)
    given = read_key(account, from_stdin=stdin)
    store = open_or_make_store(
        settings,
        given.password or ask_password(),
        given.password or ask_password(is_new=True),
    )
    if test:
        for line in asyncio.run(try_out(settings, account.exchange, given.key)):
            print(line)
    store.put(str(account), given.key)
    asyncio.run(note_key_change(settings, str(account), "key_set", given.key.masked))
    print(f"{account} is stored in {settings.keys_file}, encrypted (key {given.key.masked})")


@app.command("test")
def ask_exchange(name: Name = "default", *, exchange: ExchangeName = None) -> None:
    """Ask the exchange what a key may do; refuses one that may withdraw or cannot trade."""
    settings = load_settings()
    account = parse_account(name, exchange)
    key = find_key(settings, account, ask_password())
    rights = asyncio.run(ask_rights(settings, account.exchange, key))
    refuse_rights(rights, account.exchange)
    for line in describe_rights(rights, settings, account.exchange):
        print(line)


@app.command("show")
def show_keys() -> None:
    """List the accounts that have a key, with enough of its id to recognize it."""
    found = known_keys(load_settings(), ask_password())
    if not found:
        print("no keys: set one with `milobot keys set --exchange binance`")
    for known in found:
        print(f"{known.account!s:<24} {known.key.masked:<12} {known.place}")


@app.command("remove")
def remove_key(name: Name, *, exchange: ExchangeName = None) -> None:
    """Remove the key of an account from the file; it stays valid at the exchange."""
    settings = load_settings()
    account = parse_account(name, exchange)
    open_store(settings, ask_password()).remove(str(account))
    asyncio.run(note_key_change(settings, str(account), "key_removed", ""))
    print(
        f"{account} is removed from {settings.keys_file}; delete the key at"
        f" {TITLES[account.exchange]} too if it is not used elsewhere"
    )
