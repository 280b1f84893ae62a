"""What a live bot is made of, from the settings: plan, client, ledger."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from milobot.app.exchanges import AccountName, ExchangeClient, refuse_rights
from milobot.app.leader import SigningDeadline, new_holder
from milobot.app.live_account import LivePlan
from milobot.app.live_bot import BotPlan
from milobot.app.preparation import Source, load_script
from milobot.app.scripts import is_bundled
from milobot.app.sessions import ScriptPlan, session_id
from milobot.domain.intents import Distance, DistanceKind, Enter
from milobot.domain.reports import MarginMode, SymbolSettings
from milobot.errors import (
    AuthenticationError,
    ConfigurationError,
    ExchangeError,
    LedgerUnavailableError,
    SchemaTooOldError,
)
from milobot.exchanges.account_view import ViewPlan
from milobot.execution.doubt import Terms
from milobot.execution.engine import EngineConfig
from milobot.execution.gates import Limits
from milobot.scripting.client import ScriptWorker
from milobot.scripting.lock_levels import Purpose, Trust
from milobot.settings import Settings
from milobot.storage.ledger import Ledger, open_ledger
from milobot.telemetry import get_logger

BACKUPS = Path("backups")
_AGAIN_S = 5.0


def plan_bot(
    settings: Settings,
    account: AccountName,
    scripts: Sequence[ScriptPlan] = (),
    *,
    followed: Sequence[str] = (),
    leverages: Mapping[str, int] | None = None,
    is_paper: bool = False,
) -> BotPlan:
    """Return how an account is run under these settings.

    Args:
        settings: What the user has set.
        account: Which account.
        scripts: What trades on it.
        followed: Symbols whose prices are streamed beside those of the scripts.
        leverages: By symbol, what signals will mostly ask for: made before the first of them.
        is_paper: Whether it is an exchange of our own.
    """
    return BotPlan(
        live=LivePlan(
            config=EngineConfig(account=str(account), limits=limits_of(settings)),
            symbols=tuple(dict.fromkeys([*(s.info.coin for s in scripts), *followed])),
            hears_all=is_paper,
            settings=settings_ahead(scripts, leverages),
            terms=Terms(engine_delay_ms=round(settings.engine_delay * 1000)),
            view=ViewPlan(has_bulk_brackets=account.exchange == "binance"),
        ),
        limits=settings.governor_limits(),
        holder=new_holder(),
        deadline=SigningDeadline(),
        database_url=settings.database_url.get_secret_value(),
        backups=BACKUPS,
    )


def limits_of(settings: Settings) -> Limits:
    """Return what entries are allowed under these settings."""
    stop = Distance(DistanceKind.PERCENT, settings.default_stop)
    return Limits(default_stop=stop, allow_unprotected=settings.allow_unprotected)


def settings_ahead(
    scripts: Sequence[ScriptPlan], leverages: Mapping[str, int] | None = None
) -> tuple[SymbolSettings, ...]:
    """Return leverage and margin mode of each symbol, to be made before the first entry.

    Where a script and signals trade the same symbol, the script's counts.
    """
    found: dict[str, SymbolSettings] = {}
    for plan in scripts:
        for action in (plan.info.action_if_true, plan.info.action_if_false):
            if isinstance(action, Enter):
                coin = plan.info.coin
                wanted = SymbolSettings(coin, action.leverage, MarginMode.ISOLATED)
                found.setdefault(coin, wanted)
    for coin, leverage in (leverages or {}).items():
        found.setdefault(coin, SymbolSettings(coin, leverage, MarginMode.ISOLATED))
    return tuple(found.values())


def trust_of(scripts: Sequence[Path], *, is_real: bool, is_trusted: bool) -> Trust:
    """Return what is known about scripts that share workers; real money trusts none."""
    return Trust(
        purpose=Purpose.LIVE if is_real else Purpose.SIMULATED,
        is_bundled=all(is_bundled(script) for script in scripts),
        is_trusted=is_trusted,
    )


def refuse_twins(account: str, plans: Sequence[ScriptPlan]) -> None:
    """Refuse the same script twice: its decisions could not be told apart.

    Raises:
        ConfigurationError: Two are the same script on the same symbol and timeframe.
    """
    seen: set[str] = set()
    for plan in plans:
        name = session_id(account, plan)
        if name in seen:
            raise ConfigurationError(
                f"{plan.source.script.name} is named twice for {plan.info.coin}"
                f" {plan.info.timeframe.value}: name it once, or with other parameters"
            )
        seen.add(name)


def sharing(plans: Sequence[ScriptPlan]) -> list[str]:
    """Return a sentence for each symbol that several scripts want to trade."""
    by_symbol: dict[str, list[str]] = {}
    for plan in plans:
        by_symbol.setdefault(plan.info.coin, []).append(plan.source.script.name)
    return [
        f"{symbol} is wanted by {', '.join(names)}: who enters first has it until it is flat,"
        " entries of the others are denied, slot_owned"
        for symbol, names in by_symbol.items()
        if len(names) > 1
    ]


async def first_answer(exchange: str, client: ExchangeClient) -> int:
    """Return the exchange's time; where nobody answers, say what to do.

    Raises:
        ConfigurationError: It does not answer.
    """
    try:
        return await client.market.fetch_server_time()
    except ExchangeError as error:
        raise ConfigurationError(
            f"{exchange} does not answer ({error}): check the network and the address,"
            " 'milobot doctor' looks at each part"
        ) from error


async def check_key(exchange: str, client: ExchangeClient) -> None:
    """Refuse a key that may withdraw, or may not trade.

    Raises:
        AuthenticationError: The exchange refuses the key, or we do.
    """
    try:
        rights = await client.account.fetch_key_rights()
    except AuthenticationError:
        raise
    except ExchangeError as error:
        get_logger().warning("key_rights_unknown", exchange=exchange, reason=str(error))
        return
    refuse_rights(rights, exchange)


async def open_patiently(
    url: str, told: Callable[[str], None], *, again_s: float = _AGAIN_S
) -> Ledger:
    """Open the ledger; while its tables are too old, or it is away, wait and trade nothing.

    Args:
        url: ``DATABASE_URL``.
        told: Hears once why it is waited for.
        again_s: Seconds between two tries.

    Raises:
        LedgerError: It cannot be used, such as one of a newer version.
        ConfigurationError: The URL is none.
    """
    said = ""
    while True:
        try:
            return await open_ledger(url)
        except (SchemaTooOldError, LedgerUnavailableError) as error:
            if str(error) != said:
                said = str(error)
                told(said)
        await asyncio.sleep(again_s)


def load_plans(sources: Sequence[Source], trust: Trust) -> tuple[ScriptPlan, ...]:
    """Return what scripts say about themselves, each read by a worker.

    Raises:
        MilobotError: A script or a flag is wrong, or workers are not locked in well enough.
    """
    with ScriptWorker(trust) as worker:
        return tuple(ScriptPlan(source, load_script(worker, source)) for source in sources)
