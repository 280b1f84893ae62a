"""What goes into the audit log by itself, and that it stops nothing."""

import json
from pathlib import Path

from structlog.testing import capture_logs
from tests.support.virtual_time import VirtualTime

from milobot.app.audit_keys import note_key_change
from milobot.app.audit_trail import TELLING, AuditTrail, telling_settings
from milobot.domain.governor import Halt, HaltKind
from milobot.settings import Settings, load_settings
from milobot.storage.audit import AuditEntry, check_chain, list_audit
from milobot.storage.ledger import Ledger, open_ledger


def _settings(**values: object) -> Settings:
    return load_settings(None).model_copy(update=values)


async def _told(ledger: Ledger) -> list[AuditEntry]:
    return [e for e in await ledger.read(list_audit) if isinstance(e, AuditEntry)]


async def test_a_start_is_noted_and_logged_with_its_hash(tmp_path: Path) -> None:
    """The log of the process is the second place by which a rewritten chain is found out."""
    async with await open_ledger(f"sqlite:///{tmp_path}/m.db") as ledger:
        trail = AuditTrail(ledger, "a", VirtualTime())
        with capture_logs() as lines:
            await trail.note("started", "live: x.script")
        (entry,) = await _told(ledger)

    assert (entry.actor, entry.event, entry.details) == ("milobot", "started", "live: x.script")
    (line,) = [line for line in lines if line["event"] == "audit"]
    assert (line["number"], line["hash"]) == (1, entry.hash)


async def test_settings_are_noted_when_they_have_changed(tmp_path: Path) -> None:
    """Who asks later under which limits a loss was made finds them; a restart adds nothing."""
    async with await open_ledger(f"sqlite:///{tmp_path}/m.db") as ledger:
        trail = AuditTrail(ledger, "a", VirtualTime())
        same = telling_settings(_settings(telegram_admins=frozenset({1, 2})))
        again = telling_settings(_settings(telegram_admins=frozenset({2, 1})))
        for settings in (same, again, telling_settings(_settings(allow_unprotected=True))):
            await trail.note_settings(settings)
        told = await _told(ledger)

    assert [json.loads(e.details)["allow_unprotected"] for e in told] == ["False", "True"]
    assert json.loads(told[0].details)["limit daily_loss"] == "0.05"


def test_no_secret_is_among_the_settings_that_are_noted() -> None:
    """The audit log is exported and shown to others."""
    kinds = {name: str(Settings.model_fields[name].annotation) for name in TELLING}

    assert not [name for name, kind in kinds.items() if "Secret" in kind]


async def test_a_halt_by_itself_is_noted_once_with_its_end(tmp_path: Path) -> None:
    """A manual one is a command, which is noted with who asked for it."""
    daily, manual = Halt(HaltKind.DAILY_LOSS, "lost 5 %", 1), Halt(HaltKind.MANUAL, "by u", 1)
    async with await open_ledger(f"sqlite:///{tmp_path}/m.db") as ledger:
        trail = AuditTrail(ledger, "a", VirtualTime())
        for halts in ((manual,), (manual, daily), (daily,), ()):
            await trail.note_halts(halts)
        told = await _told(ledger)

    assert [(e.event, e.details) for e in told] == [
        ("governor_halt", "daily_loss: lost 5 %"),
        ("governor_release", "daily_loss"),
    ]
    assert check_chain(told).fault == ""


async def test_a_ledger_that_is_away_stops_nothing(tmp_path: Path) -> None:
    """A note is for later; a stop at the exchange is for now."""
    ledger = await open_ledger(f"sqlite:///{tmp_path}/m.db")
    await ledger.close()

    with capture_logs() as lines:
        await AuditTrail(ledger, "a", VirtualTime()).note("stopped", "")

    assert [line["event"] for line in lines] == ["audit_not_noted"]


async def test_a_key_that_is_set_is_noted_where_there_is_a_ledger(tmp_path: Path) -> None:
    """The first key is set before there is any ledger, and none is made for it."""
    settings = load_settings(None).model_copy(
        update={
            "database_url": type(load_settings(None).database_url)(f"sqlite:///{tmp_path}/m.db")
        }
    )
    await note_key_change(settings, "binance:default", "key_set", "abcd…")
    assert not (tmp_path / "m.db").exists()

    async with await open_ledger(f"sqlite:///{tmp_path}/m.db") as ledger:
        await note_key_change(settings, "binance:default", "key_set", "abcd…")
        (entry,) = await _told(ledger)

    assert (entry.account, entry.event, entry.details) == ("binance:default", "key_set", "abcd…")
    assert entry.actor.startswith("cli")
