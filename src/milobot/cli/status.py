"""``milobot status``: who leads each account, what it holds, what it may still lose."""

from rich.console import Console
from rich.text import Text

from milobot.app.account_status import (
    AccountStatus,
    drawdown,
    loss_today,
    read_status,
    status_to_json,
)
from milobot.app.presence import find_presence, known_accounts
from milobot.cli.account_flags import Account, AsJson, with_ledger
from milobot.cli.position_table import print_held
from milobot.cli.tables import console, moment, number, percent, print_json, print_table
from milobot.domain.governor import GovernorLimits
from milobot.settings import Settings, load_settings
from milobot.storage.ledger import Ledger

_MODES = {"live": "REAL MONEY", "testnet": "play money", "demo": "demo", "": "never traded"}


def status(*, account: Account = None, json: AsJson = False) -> None:
    """Show how every account stands, as the ledger tells; a bot that runs is not disturbed."""

    async def read(settings: Settings, ledger: Ledger) -> list[AccountStatus]:
        del settings
        return [
            await read_status(ledger, name, await find_presence(ledger, name))
            for name in await known_accounts(ledger, account)
        ]

    found, limits = with_ledger(read), load_settings().governor_limits()
    if json:
        print_json([status_to_json(one, limits) for one in found])
        return
    out = console()
    if not found:
        out.print("the ledger knows no account yet: milobot run makes one")
    for one in found:
        _print(one, limits, out)


def _print(one: AccountStatus, limits: GovernorLimits, out: Console) -> None:
    out.print(Text(f"{one.account}  {_MODES.get(one.mode, one.mode)}", style="bold"))
    for name, value in _lines(one, limits):
        style = "red" if name == "HALTED" else ""
        out.print(Text(f"  {name:<12}{value}", style=style))
    print_held("  positions", one.held, out)
    rows = (
        (
            o.symbol,
            o.purpose.value,
            o.status.value,
            number(o.quantity),
            moment(o.created_ms),
            o.client_order_id,
        )
        for o in one.doubtful
    )
    titles = ("symbol", "purpose", "status", "quantity", "since", "order")
    print_table("  orders in doubt", titles, rows, out)
    runs = ((task.name, moment(task.time_ms), task.said) for task in one.tasks)
    print_table("  tasks", ("task", "last run (UTC)", "result"), runs, out)
    out.print()


def _lines(one: AccountStatus, limits: GovernorLimits) -> list[tuple[str, str]]:
    presence, governor = one.presence, one.governor
    leader = "nobody: no bot runs on it"
    if presence.is_alive:
        leader = f"{presence.holder} (epoch {presence.epoch})"
    elif presence.holder:
        leader = f"nobody; {presence.holder} did and is gone"
    lines = [("led by", leader)]
    if one.equity is not None:
        said = f"{one.equity.equity:,.2f} USDT at {moment(one.equity.time_ms)} UTC"
        lines.append(("equity", said))
    if governor is not None:
        lost, fallen = percent(loss_today(governor)), percent(drawdown(governor))
        lines.append(("day's loss", f"{lost} of {percent(limits.daily_loss)}"))
        lines.append(("drawdown", f"{fallen} of {percent(limits.max_drawdown)}"))
        lines += [
            ("HALTED", f"{halt.kind.value} since {moment(halt.since_ms)} UTC: {halt.reason}")
            for halt in governor.halts
        ]
    compared = next((t for t in one.tasks if t.name == "reconciliation"), None)
    said = "never" if compared is None else f"{moment(compared.time_ms)} UTC"
    lines.append(("reconciled", said))
    lines += [("script", session.owner) for session in one.sessions]
    return lines
