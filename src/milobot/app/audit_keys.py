"""Keys that are set and removed go into the audit log, where there is a ledger."""

from milobot.app.audit_trail import AuditTrail, whoami
from milobot.app.presence import open_known_ledger
from milobot.errors import MilobotError
from milobot.exchanges.times import SteadyClock
from milobot.settings import Settings
from milobot.telemetry import get_logger


async def note_key_change(settings: Settings, account: str, event: str, masked: str) -> None:
    """Note that the key of an account was changed; without a ledger there is nowhere to.

    Args:
        settings: Where the ledger is.
        account: ``exchange:name``.
        event: ``key_set`` or ``key_removed``.
        masked: Enough of its id to recognize it.
    """
    try:
        ledger = await open_known_ledger(settings.database_url.get_secret_value())
    except MilobotError as error:
        get_logger().info("key_change_not_audited", account=account, reason=str(error))
        return
    async with ledger:
        trail = AuditTrail(ledger, account, SteadyClock())
        await trail.note(event, masked, actor=whoami())
