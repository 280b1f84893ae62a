"""The two ways ``milobot run`` goes: on paper, and with a key."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import typer

from milobot.app.exchanges import AccountName, environment_name, open_client, with_production_data
from milobot.app.keys import find_key
from milobot.app.live_paper import LivePaperRequest, run_live_paper
from milobot.app.live_trading import AccountWork, LiveRequest, run_live
from milobot.app.preparation import Source
from milobot.app.telegram import plan_telegram
from milobot.backtest.runner import Terms
from milobot.cli.hidden import ask_password
from milobot.errors import ConfigurationError, KeystoreError
from milobot.settings import Settings
from milobot.telemetry import get_logger


def run_on_paper(
    sources: tuple[Source, ...], terms: Terms, exchange: str, settings: Settings, port: int
) -> None:
    """Trade one script on paper over public candles.

    Raises:
        ConfigurationError: Several were named.
    """
    if len(sources) > 1:
        raise ConfigurationError(
            "on paper one script runs at a time: start one milobot run for each, with its own"
            " --port, or set TRADING_ENABLED=true to trade them together"
        )
    public = with_production_data(settings, exchange)
    run_live_paper(
        LivePaperRequest(sources[0], terms, environment_name(public, exchange)),
        lambda: open_client(public, exchange),
        port=port,
        say=typer.echo,
    )


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


def run_with_keys(wanted: Wanted, settings: Settings, port: int) -> None:
    """Trade scripts and signals, each on their account.

    Raises:
        KeystoreError: There is no key of an account, or it cannot be had.
    """
    known = ask_password()
    ask = cache(known) if known else None  # the password is asked for once
    works = works_of(wanted, settings, ask)
    request = LiveRequest(works, settings, plan_telegram(settings, ask))
    run_live(request, port=port, say=typer.echo)


def works_of(
    wanted: Wanted, settings: Settings, ask: Callable[[], str] | None
) -> tuple[AccountWork, ...]:
    """Return what each account trades, with its key; scripts come first.

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
    if signals_on is not None:
        try:
            key = find_key(settings, signals_on, ask)
        except KeystoreError as error:
            if wanted.needs_signals:
                raise
            get_logger().info("signals_off", said=f"signals are not taken: {error}")
        else:
            works.append(AccountWork(signals_on, key, takes_signals=True))
    return tuple(works)


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
