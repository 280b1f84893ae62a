"""``milobot exchange``: an exchange on this machine that any client can trade on."""

from pathlib import Path
from typing import Annotated

import typer


def exchange(  # noqa: PLR0913 - one parameter for each flag
    *,
    dialect: Annotated[str, typer.Option(help="binance, bingx or both.")] = "both",
    data: Annotated[
        Path | None, typer.Option("--data", help="A .csv, .csv.gz, .zip or .parquet file.")
    ] = None,
    market: Annotated[
        int | None, typer.Option("--market", help="Seed of a made-up market of 1m candles.", min=0)
    ] = None,
    days: Annotated[
        int, typer.Option("--days", help="Length of a made-up market.", min=1, max=1000)
    ] = 30,
    symbol: Annotated[str, typer.Option(help="Symbol that trades.")] = "BTCUSDT",
    timeframe: Annotated[
        str | None, typer.Option("--timeframe", help="Timeframe to play; else that of the data.")
    ] = None,
    speed: Annotated[
        float | None, typer.Option("--speed", help="Candles a second; 1 when nothing is said.")
    ] = None,
    lock_step: Annotated[
        bool, typer.Option("--lock-step", help="Play on POST /control/advance only.")
    ] = False,
    clock: Annotated[
        str, typer.Option("--clock", help="The server's time: market, or wall for now.")
    ] = "market",
    history: Annotated[
        int | None, typer.Option("--history", help="Candles that have closed at the start.", min=0)
    ] = None,
    port: Annotated[int, typer.Option("--port", help="Port on 127.0.0.1; 0 takes a free one.")] = 0,
    key: Annotated[
        list[str] | None, typer.Option("--key", help="API key; repeat for more.")
    ] = None,
    secret: Annotated[
        list[str] | None, typer.Option("--secret", help="Secret of each key, in order.")
    ] = None,
    wallet: Annotated[str, typer.Option("--wallet", help="USDT on every account.")] = "10000",
    fee: Annotated[str, typer.Option("--fee", help="Taker fee as a fraction.")] = "0.0005",
    spread: Annotated[str, typer.Option("--spread", help="Spread as a fraction.")] = "0",
    slippage: Annotated[str, typer.Option("--slippage", help="Adverse fraction.")] = "0",
    funding: Annotated[
        str, typer.Option("--funding", help="A funding rate for every 8 hours, or a file of rates.")
    ] = "0",
    faults: Annotated[
        Path | None, typer.Option("--faults", help="A fault plan, .toml or .json.")
    ] = None,
    fault: Annotated[
        list[str] | None, typer.Option("--fault", help="One fault: name:key=value,key=value.")
    ] = None,
    limits: Annotated[
        bool, typer.Option("--limits/--no-limits", help="Keep the request limits.")
    ] = True,
    follow: Annotated[
        bool, typer.Option("--follow", help="Take symbols and prices from control calls.")
    ] = False,
    state: Annotated[
        Path | None, typer.Option("--state", help="Keep the account that follows in this file.")
    ] = None,
    paused: Annotated[
        bool, typer.Option("--paused", help="Wait for POST /control/pace before playing.")
    ] = False,
) -> None:
    """Serve an exchange on 127.0.0.1 until Ctrl-C: play money, candles of a file or made up.

    It speaks the Binance USD-M and BingX swap v2 dialects, REST and WebSocket, and can be told
    to fail in every way an exchange does. Addresses and keys are printed at the start.
    """
    from milobot.cli.exchange_setup import Request, serve_until_stopped

    serve_until_stopped(
        Request(
            dialect=dialect,
            data=data,
            market=market,
            days=days,
            symbol=symbol.upper(),
            timeframe=timeframe,
            speed=speed,
            is_lock_step=lock_step,
            clock=clock,
            history=history,
            port=port,
            keys=tuple(key or ()),
            secrets=tuple(secret or ()),
            wallet=wallet,
            fee=fee,
            spread=spread,
            slippage=slippage,
            funding=funding,
            fault_file=faults,
            faults=tuple(fault or ()),
            has_limits=limits,
            is_paused=paused,
            follows=follow,
            state=state,
        ),
        say=typer.echo,
    )
