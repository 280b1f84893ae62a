"""``milobot audit``: checks the chain of the audit log, and writes it out."""

import re
from typing import Annotated

import orjson
import typer

from milobot.cli.account_flags import AsJson, with_ledger
from milobot.cli.tables import console, moment, print_json
from milobot.errors import ConfigurationError, LedgerError
from milobot.settings import Settings
from milobot.storage.audit import AuditEntry, ChainCheck, DamagedEntry, Verdict, read_audit
from milobot.storage.ledger import Ledger

_KNOWN = re.compile(r"([1-9][0-9]{0,17}):([0-9a-f]{64})")

app = typer.Typer(
    add_completion=False,
    help="Check and export the audit log: who did what to the bot.",
    context_settings={"help_option_names": ["--help", "-h"]},
)


@app.command("verify")
def verify(
    *,
    known: Annotated[
        str | None,
        typer.Option("--known", help="NUMBER:HASH of an entry, kept elsewhere: it must be there."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Look through the whole chain and say where it breaks, if it does; exit code 2 then."""
    check = ChainCheck(known=_parse_known(known))

    async def look(settings: Settings, ledger: Ledger) -> Verdict:
        del settings
        await read_audit(ledger, check.take)
        return check.end()

    verdict = with_ledger(look)
    if json:
        print_json(_to_json(verdict))
    elif not verdict.fault:
        console().print(_sentence(verdict))
    if verdict.fault:
        raise LedgerError(
            f"the audit log is broken after {verdict.entries} entries: {verdict.fault}. Compare with"
            " a backup and with the events `audit` in the log of the bot"
        )


@app.command("export")
def export(*, json: AsJson = False) -> None:
    """Print every entry, oldest first: as lines, or with --json one JSON object a line."""
    damaged: list[DamagedEntry] = []

    def show(entry: AuditEntry | DamagedEntry) -> None:
        if isinstance(entry, DamagedEntry):
            damaged.append(entry)
        else:
            typer.echo(_line(entry, as_json=json))

    async def write(settings: Settings, ledger: Ledger) -> None:
        del settings
        await read_audit(ledger, show)

    with_ledger(write)
    if damaged:
        raise LedgerError(_left_out(damaged))


def _parse_known(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    found = _KNOWN.fullmatch(text)
    if not found:
        raise ConfigurationError(
            f"--known {text[:80]!r} is no entry: write NUMBER:HASH as `milobot audit verify` prints it"
        )
    return int(found[1]), found[2]


def _left_out(damaged: list[DamagedEntry]) -> str:
    first, more = damaged[0], len(damaged) - 1
    return (
        f"entry {first.number} of the audit log cannot be shown, {first.fault}"
        f"{f'; nor can {more} after it' if more else ''}: somebody changed the database. Compare"
        " with a backup and with the events `audit` in the log of the bot"
    )


def _sentence(verdict: Verdict) -> str:
    if verdict.last is None:
        return "the audit log is empty"
    last = verdict.last
    return (
        f"{verdict.entries} entries, the chain is unbroken; the last is"
        f" {last.number}:{last.hash} of {moment(last.time_ms)} UTC: keep that elsewhere"
    )


def _to_json(verdict: Verdict) -> dict[str, object]:
    last = verdict.last
    return {
        "is_unbroken": not verdict.fault,
        "fault": verdict.fault,
        "entries": verdict.entries,
        "last": None if last is None else {"number": last.number, "hash": last.hash},
    }


def _line(entry: AuditEntry, *, as_json: bool) -> str:
    if as_json:
        return orjson.dumps(entry).decode()
    # One entry, one line: what came in from outside must not look like another entry.
    said = f"{entry.account or '-'} {entry.actor} {entry.event} {entry.details}".strip()
    plain = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in said)
    return f"{entry.number} {moment(entry.time_ms)} {plain}"
