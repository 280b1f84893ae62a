"""``milobot run``: a script on paper over an exchange's live candles."""

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
    script: Annotated[Path, typer.Option("--script", help="The script.")],
    exchange: Annotated[
        str, typer.Option("--exchange", help="Whose candles: binance or bingx.")
    ] = "binance",
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
    """Trade a script on paper over live candles and show it on http://localhost:8080.

    Candles come from the exchange's public data, no key is needed, and no order leaves this
    machine. The script sees the last DATA_LIMIT candles before the start as its history.
    """
    from milobot.app.exchanges import (
        check_exchange,
        environment_name,
        open_client,
        with_production_data,
    )
    from milobot.app.live_paper import LivePaperRequest, run_live_paper
    from milobot.app.preparation import Source
    from milobot.cli.run_terms import parse_source, parse_terms
    from milobot.settings import load_settings

    settings = load_settings()
    if settings.trading_enabled:
        # Who asked for live trading must not take this for it.
        typer.echo("paper: TRADING_ENABLED=true changes nothing here, no order leaves", err=True)
    name = check_exchange(exchange)
    public = with_production_data(settings, name)
    source = Source(
        script=script,
        symbol=symbol,
        timeframe=timeframe,
        parameters=parameters or (),
        trusts_script=trust_script,
    )
    terms = parse_terms(equity=equity, fee=fee, slippage=slippage, funding=None, settings=settings)
    run_live_paper(
        LivePaperRequest(parse_source(source, db, settings), terms, environment_name(public, name)),
        lambda: open_client(public, name),
        port=port,
        say=typer.echo,
    )
