"""``milobot signals list`` and ``show``: the messages on record, and what became of them."""

from functools import partial
from typing import Annotated, Any

import typer
from rich.text import Text

from milobot.app.presence import known_accounts
from milobot.cli.account_flags import Account, AsJson, with_ledger
from milobot.cli.tables import console, moment, print_json, print_table
from milobot.errors import ConfigurationError
from milobot.settings import Settings
from milobot.signals.door import SignalHistory
from milobot.signals.inbox.rows import history_of
from milobot.storage.ledger import Ledger
from milobot.storage.signal_records import list_events, list_signals, read_signal

_SHOWN = 60

Last = Annotated[int, typer.Option("--last", min=1, max=10_000, help="How many, at most.")]


def list_messages(*, account: Account = None, last: Last = 20, json: AsJson = False) -> None:
    """Show the messages that came last, newest first, and where each of them stands."""

    async def read(settings: Settings, ledger: Ledger) -> list[SignalHistory]:
        del settings
        found = []
        for name in await known_accounts(ledger, account):
            rows = await ledger.read(partial(list_signals, account=name, limit=last))
            found += [history_of(row, ()) for row in rows]
        return sorted(found, key=lambda one: one.receipt.signal_id, reverse=True)[:last]

    found = with_ledger(read)
    if json:
        print_json([_to_json(one) for one in found])
        return
    if not found:
        console().print("no message is on record")
        return
    rows = [
        (
            str(one.receipt.signal_id),
            moment(one.received_ms),
            one.source,
            _shortened(one.text),
            one.receipt.state.value,
            one.receipt.reason or one.receipt.code,
        )
        for one in found
    ]
    columns = ("id", "received (UTC)", "source", "message", "state", "reason")
    print_table("signals", columns, rows, console())


def show_message(
    signal_id: Annotated[int, typer.Argument(min=1, help="Its number, as `list` shows it.")],
    *,
    json: AsJson = False,
) -> None:
    """Show one message with what was read and everything that has happened to it."""

    async def read(settings: Settings, ledger: Ledger) -> SignalHistory | None:
        del settings
        row = await ledger.read(partial(read_signal, signal_id=signal_id))
        if row is None:
            return None
        return history_of(row, await ledger.read(partial(list_events, signal_id=signal_id)))

    found = with_ledger(read)
    if found is None:
        raise ConfigurationError(
            f"no signal has the number {signal_id}: `milobot signals list` shows those there are"
        )
    if json:
        print_json(_to_json(found))
        return
    out = console()
    out.print(f"signal {signal_id} of {found.source} on {found.account}: {found.receipt.state}")
    out.print(Text(found.text), style="dim")
    read_as = ", ".join(f"{name} {value}" for name, value in found.reading.items())
    out.print(Text(f"read as: {read_as}" if read_as else "nothing was read"))
    rows = [(moment(e.time_ms), e.kind, e.state.value, e.code, e.sentence) for e in found.events]
    print_table("history", ("time (UTC)", "what", "state", "code", "why"), rows, out)
    for key in found.intent_keys:
        out.print(f"decision: milobot decisions --why '{key}'")


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"


def _to_json(one: SignalHistory) -> dict[str, Any]:
    return {
        "id": one.receipt.signal_id,
        "account": one.account,
        "source": one.source,
        "message_id": one.message_id,
        "received_ms": one.received_ms,
        "text": one.text,
        "reading": dict(one.reading),
        "state": one.receipt.state.value,
        "code": one.receipt.code,
        "reason": one.receipt.reason,
        "intent_keys": list(one.intent_keys),
        "events": [
            {
                "time_ms": e.time_ms,
                "kind": e.kind,
                "state": e.state.value,
                "code": e.code,
                "sentence": e.sentence,
            }
            for e in one.events
        ],
    }
