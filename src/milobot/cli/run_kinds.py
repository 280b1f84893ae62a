"""The two ways ``milobot run`` goes: on paper, and with keys."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from milobot.app.exchanges import AccountName
from milobot.app.keys import find_key
from milobot.app.live_request import AccountWork, LiveRequest
from milobot.app.live_trading import run_live
from milobot.app.paper_plan import PAPER, PaperPlan, paper_file
from milobot.app.preparation import Source
from milobot.app.telegram_plan import plan_telegram
from milobot.cli.hidden import ask_password
from milobot.cli.logs import say
from milobot.errors import ConfigurationError, KeystoreError
from milobot.settings import Settings


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a run is to trade, and where.

    Attributes:
        sources: Scripts; none where signals alone are traded.
        scripts_on: Account of the scripts.
        signals_on: Account of the signals; None where none are taken.
        needs_signals: Whether the run is refused when there is no key for them.
    """

    sources: tuple[Source, ...]
    scripts_on: AccountName
    signals_on: AccountName | None
    needs_signals: bool = False


def run_on_paper(wanted: Wanted, paper: PaperPlan, settings: Settings, port: int) -> None:
    """Trade scripts and signals on paper, each on the account of an exchange's prices."""
    telegram = plan_telegram(settings, ask_password())
    request = LiveRequest(paper_works(wanted, paper, settings), settings, telegram)
    run_live(request, port=port, say=say)


def paper_works(wanted: Wanted, paper: PaperPlan, settings: Settings) -> tuple[AccountWork, ...]:
    """Return what each paper account trades; scripts come first."""

    def work(exchange: str, sources: tuple[Source, ...], *, takes_signals: bool) -> AccountWork:
        file = paper_file(settings, exchange)
        kept = replace(paper, state_file=file)
        return AccountWork(AccountName(exchange, PAPER), None, sources, takes_signals, kept)

    scripts, signals = wanted.scripts_on.exchange, wanted.signals_on
    both = signals is not None and signals.exchange == scripts
    works = []
    if wanted.sources:
        works.append(work(scripts, wanted.sources, takes_signals=both))
    if signals is not None and not (both and works):
        works.append(work(signals.exchange, (), takes_signals=True))
    return tuple(works)


def run_with_keys(wanted: Wanted, settings: Settings, port: int) -> None:
    """Trade scripts and signals, each on their account.

    Raises:
        KeystoreError: There is no key of an account, or it cannot be had.
    """
    known = ask_password()
    ask = cache(known) if known else None  # the password is asked for once
    works, left_out = works_of(wanted, settings, ask)
    request = LiveRequest(works, settings, plan_telegram(settings, ask), left_out)
    run_live(request, port=port, say=say)


def works_of(
    wanted: Wanted, settings: Settings, ask: Callable[[], str] | None
) -> tuple[tuple[AccountWork, ...], tuple[str, ...]]:
    """Return what each account trades, scripts first; and why something is left out.

    Raises:
        KeystoreError: There is no key of an account that has to have one.
    """
    works = []
    signals_on = wanted.signals_on
    if wanted.sources:
        account = wanted.scripts_on
        both = account == signals_on
        works.append(AccountWork(account, find_key(settings, account, ask), wanted.sources, both))
        signals_on = None if both else signals_on
    if signals_on is None:
        return tuple(works), ()
    try:
        key = find_key(settings, signals_on, ask)
    except KeystoreError as error:
        if wanted.needs_signals:
            raise
        return tuple(works), (f"signals are not taken: {error}",)
    return (*works, AccountWork(signals_on, key, takes_signals=True)), ()


def refuse_simulation_flags(*, equity: str, fee: str, slippage: str) -> None:
    """Refuse flags that mean nothing on a real account.

    Raises:
        ConfigurationError: One was given.
    """
    defaults = (
        ("--equity", equity, "10000"),
        ("--fee", fee, "0.0005"),
        ("--slippage", slippage, "0"),
    )
    for flag, value, default in defaults:
        if value != default:
            raise ConfigurationError(
                f"{flag} belongs to paper trading, and TRADING_ENABLED=true trades live: leave"
                f" out {flag}, or set TRADING_ENABLED=false"
            )
