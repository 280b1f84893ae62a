"""The two ways ``milobot run`` goes: on paper, and with a key."""

import typer

from milobot.app.exchanges import AccountName, environment_name, open_client, with_production_data
from milobot.app.keys import find_key
from milobot.app.live_paper import LivePaperRequest, run_live_paper
from milobot.app.live_trading import LiveRequest, run_live
from milobot.app.preparation import Source
from milobot.backtest.runner import Terms
from milobot.cli.hidden import ask_password
from milobot.errors import ConfigurationError
from milobot.settings import Settings


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


def run_with_key(
    sources: tuple[Source, ...], account: AccountName, settings: Settings, port: int
) -> None:
    """Trade scripts on an account.

    Raises:
        KeystoreError: There is no key of the account, or it cannot be had.
    """
    key = find_key(settings, account, ask_password())
    run_live(LiveRequest(sources, account, settings, key), port=port, say=typer.echo)


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
