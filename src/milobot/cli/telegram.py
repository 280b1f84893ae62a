"""``milobot telegram``: logs in, lists chats for the allow-list, shows how far they were read."""

import asyncio
from typing import Annotated

import typer

from milobot.app.secrecy import hide_memory
from milobot.app.telegram_desk import list_chats, log_in, read_telegram_status
from milobot.cli.hidden import ask_password, ask_unseen
from milobot.cli.tables import moment
from milobot.settings import load_settings


def _prepare() -> None:
    """Keep sessions out of memory dumps, before one is read."""
    hide_memory()


app = typer.Typer(
    add_completion=False,
    help="Log in to Telegram, list the chats there are, show how far they were read.",
    context_settings={"help_option_names": ["--help", "-h"]},
    callback=_prepare,
)


class _AtTerminal:
    """Asks the person at the terminal, showing nothing of what is typed."""

    def phone(self) -> str:
        """Return the phone number of the account."""
        return ask_unseen("Phone number with its country code (unseen): ")

    def code(self) -> str:
        """Return the code that Telegram has sent."""
        return ask_unseen("Code that Telegram has sent you (unseen): ")

    def password(self) -> str:
        """Return the second password."""
        return ask_unseen("Your password for two-step verification (unseen): ")


@app.command()
def login() -> None:
    """Log in; a bot by TELEGRAM_BOT_TOKEN, a person by phone, code and second password."""
    settings = load_settings()
    is_there = settings.telegram_session_file.exists()
    name = asyncio.run(log_in(settings, ask_password(is_new=not is_there), _AtTerminal()))
    print(f"logged in as {name}; the session is in {settings.telegram_session_file}, encrypted")


@app.command()
def chats(
    wait: Annotated[
        float, typer.Option("--wait", help="Seconds that a bot listens for chats.", min=1, max=600)
    ] = 30.0,
) -> None:
    """List chats with their ids for TELEGRAM_CHATS; a bot lists those it hears from meanwhile."""
    settings = load_settings()
    if settings.telegram_bot_token:
        print(f"a bot cannot list its chats: post something in each within {wait:.0f} s")
    found = asyncio.run(list_chats(settings, ask_password(), wait))
    for chat in found:
        mark = "*" if chat.chat_id in settings.telegram_chats else " "
        print(f"{mark} {chat.chat_id:>16}  {chat.kind.value:<12} {_plain(chat.title)}")
    print("* is on TELEGRAM_CHATS" if found else "no chat was seen: see docs/telegram.md")


@app.command()
def status() -> None:
    """Show whether somebody listens, and how far each chat was read, as the ledger tells."""
    found = asyncio.run(read_telegram_status(load_settings()))
    print(
        "a bot is listening" if found.is_listening else "nobody is listening: start `milobot run`"
    )
    for chat in found.chats:
        when = (
            f"message {chat.last_id}, {moment(chat.updated_ms)}" if chat.updated_ms else "nothing"
        )
        print(f"  {chat.chat_id:>16}  {when}")


def _plain(title: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in title)[:60]
