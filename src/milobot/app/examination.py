"""One visit to the doctor: settings, machine and exchanges, in the order of the report."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from milobot.app.doctor import Finding, Verdict, examine_all
from milobot.app.doctor_exchange import Patient, examine_exchange
from milobot.app.doctor_machine import machine_checks
from milobot.app.exchanges import DEFAULT_NAME
from milobot.app.keys import Ask, KnownKey, known_keys
from milobot.app.secrecy import hide_memory
from milobot.errors import ConfigurationError, KeystoreError
from milobot.setting_faults import Fault, describe
from milobot.settings import EXCHANGES, Settings, look_at_settings


@dataclass(frozen=True, slots=True)
class Visit:
    """What to look at.

    Attributes:
        exchanges: Which ones; none looks at this machine only.
        symbol: The symbol that rules, brackets and margin mode are asked for.
        account: Name of the account whose key is used; the first there is, for the default.
    """

    exchanges: Sequence[str] = EXCHANGES
    symbol: str = "BTCUSDT"
    account: str = DEFAULT_NAME


async def examine_everything(visit: Visit, ask: Ask | None) -> list[Finding]:
    """Look at everything and return what was found.

    Args:
        visit: What to look at.
        ask: Asks for the password of the file of keys; None where nobody can be asked.
    """
    hide_memory()
    try:
        settings, faults = look_at_settings()
    except ConfigurationError as error:
        settings, faults = Settings.model_construct(), (Fault(str(error)),)
    if faults:
        said = Finding(
            Verdict.FAIL,
            "settings",
            describe(faults),
            "repair them; exchanges were not asked, the rest is looked at with defaults in their place",
        )
        faulty = frozenset[str]().union(*(fault.fields for fault in faults))
        return [said, *await examine_all(machine_checks(settings, faulty))]
    patients = _patients(settings, visit, ask)
    parts = await asyncio.gather(
        examine_all(machine_checks(settings)), *(examine_exchange(one) for one in patients)
    )
    return [_switches(settings), *(finding for part in parts for finding in part)]


def _switches(settings: Settings) -> Finding:
    if not settings.trading_enabled:
        return Finding(Verdict.OK, "switches", "TRADING_ENABLED=false: no order leaves")
    real = [name for name in EXCHANGES if not settings.venue(name).is_play_money]
    if real:
        said = f"TRADING_ENABLED=true: orders go to {' and '.join(real)} with REAL MONEY"
        return Finding(Verdict.WARN, "switches", said, "read docs/live.md before you start")
    return Finding(Verdict.OK, "switches", "TRADING_ENABLED=true: orders go out, for play money")


def _patients(settings: Settings, visit: Visit, ask: Ask | None) -> list[Patient]:
    if not visit.exchanges:
        return []
    try:
        keys, trouble = known_keys(settings, ask), ""
    except KeystoreError as error:
        from_environment = settings.model_copy(update={"keys_file": settings.keys_file / "none"})
        keys, trouble = known_keys(from_environment, None), str(error)
    return [_patient(settings, visit, name, keys, trouble) for name in visit.exchanges]


def _patient(
    settings: Settings, visit: Visit, exchange: str, keys: Sequence[KnownKey], trouble: str
) -> Patient:
    own = [known for known in keys if known.account.exchange == exchange]
    named = [known for known in own if known.account.name == visit.account]
    fallback = own if visit.account == DEFAULT_NAME else []
    chosen = next(iter([*named, *fallback]), None)
    if chosen is not None:
        return Patient(settings, exchange, visit.symbol, chosen.key, str(chosen.account))
    keyless = (f"no key of {exchange}:{visit.account} is set", "")
    if trouble:
        keyless = (trouble, "open the file of keys, then ask the doctor again")
    return Patient(settings, exchange, visit.symbol, None, keyless=keyless)
