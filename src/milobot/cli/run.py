"""``milobot run``: scripts and signals, on accounts or on paper at live prices."""

from pathlib import Path
from typing import Annotated

import typer

from milobot.cli.loading import loading
from milobot.cli.options import Database
from milobot.cli.run_flags import (
    Equity,
    Fee,
    Parameters,
    Port,
    Slippage,
    Symbol,
    TimeframeName,
    TrustScript,
)


def run(  # noqa: PLR0913 - one parameter for each flag
    *,
    script: Annotated[
        list[Path] | None,
        typer.Option("--script", help="A script; repeat it to trade several. None: signals."),
    ] = None,
    exchange: Annotated[
        str | None,
        typer.Option("--exchange", help="binance or bingx; without it binance for scripts."),
    ] = None,
    account: Annotated[
        str, typer.Option("--account", help="Name of the account whose key trades.")
    ] = "default",
    signals: Annotated[
        bool | None,
        typer.Option(
            "--signals/--no-signals",
            help="Trade signals on SIGNAL_EXCHANGE; when its key is there, if nothing is said.",
        ),
    ] = None,
    db: Database,
    symbol: Symbol = None,
    timeframe: TimeframeName = None,
    equity: Equity = "10000",
    fee: Fee = "0.0005",
    slippage: Slippage = "0",
    parameters: Parameters = None,
    trust_script: TrustScript = False,
    port: Port = 8080,
) -> None:
    """Trade scripts and signals, and show the first script on http://localhost:8080.

    With TRADING_ENABLED=true they trade live with the account's key: play money at the
    exchange's demo hosts, real money only with BINANCE_TESTNET=false (or BINGX_TESTNET=false).
    Without it they trade on paper: prices come from the exchange's public data, no key is
    needed, and no order leaves this machine.

    Signals come by POST /signal, TradingView's webhook and Telegram. Without a script they are
    all that is traded.
    """
    with loading():
        from milobot.app.exchanges import AccountName, parse_account
        from milobot.app.preparation import Source
        from milobot.cli.run_kinds import (
            Wanted,
            refuse_simulation_flags,
            run_on_paper,
            run_with_keys,
        )
        from milobot.cli.run_source import parse_source
        from milobot.errors import ConfigurationError
        from milobot.settings import load_settings

    settings = load_settings()
    is_named = bool(exchange) or ":" in account
    named = parse_account(account, exchange if is_named else "binance")
    sources = tuple(
        parse_source(
            Source(
                script=path,
                symbol=symbol,
                timeframe=timeframe,
                parameters=parameters or (),
                trusts_script=trust_script,
            ),
            db,
            settings,
        )
        for path in script or ()
    )
    if not sources and signals is False:
        raise ConfigurationError(
            "nothing is to be traded: name a --script, or leave out --no-signals"
        )
    usual = AccountName(settings.signal_exchange, settings.signal_account)
    signals_on = named if is_named and not sources else usual
    if not settings.trading_enabled:
        from milobot.app.paper_plan import PaperPlan
        from milobot.cli.run_terms import parse_terms

        terms = parse_terms(
            equity=equity, fee=fee, slippage=slippage, funding=None, settings=settings
        )
        paper = PaperPlan(terms.equity, terms.fee, terms.slippage)
        # Without a word about them signals go where the scripts are: one paper account will do.
        signals_on = named if sources and signals is None else signals_on
        wanted = Wanted(sources, named, None if signals is False else signals_on)
        run_on_paper(wanted, paper, settings, port)
        return
    refuse_simulation_flags(equity=equity, fee=fee, slippage=slippage)
    is_needed = bool(signals) or not sources
    wanted = Wanted(sources, named, None if signals is False else signals_on, is_needed)
    run_with_keys(wanted, settings, port)
