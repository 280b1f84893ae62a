"""``milobot run``: scripts on an account, or one on paper over an exchange's live candles."""

from pathlib import Path
from typing import Annotated

import typer

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
        list[Path], typer.Option("--script", help="A script; repeat it to trade several.")
    ],
    exchange: Annotated[
        str | None, typer.Option("--exchange", help="binance or bingx; binance without.")
    ] = None,
    account: Annotated[
        str, typer.Option("--account", help="Name of the account whose key trades.")
    ] = "default",
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
    """Trade scripts and show the first on http://localhost:8080.

    With TRADING_ENABLED=true they trade live with the account's key: play money at the
    exchange's demo hosts, real money only with BINANCE_TESTNET=false (or BINGX_TESTNET=false).
    Without it one script trades on paper: candles come from the exchange's public data, no key
    is needed, and no order leaves this machine.
    """
    from milobot.app.exchanges import parse_account
    from milobot.app.preparation import Source
    from milobot.cli.run_kinds import refuse_simulation_flags, run_on_paper, run_with_key
    from milobot.cli.run_terms import parse_source, parse_terms
    from milobot.settings import load_settings

    settings = load_settings()
    named = parse_account(account, exchange if exchange or ":" in account else "binance")
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
        for path in script
    )
    if not settings.trading_enabled:
        terms = parse_terms(
            equity=equity, fee=fee, slippage=slippage, funding=None, settings=settings
        )
        run_on_paper(sources, terms, named.exchange, settings, port)
        return
    refuse_simulation_flags(equity=equity, fee=fee, slippage=slippage)
    run_with_key(sources, named, settings, port)
