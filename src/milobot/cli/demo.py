"""``milobot demo``: watch a strategy trade on paper, with a live chart."""

from pathlib import Path
from typing import Annotated

import typer

from milobot.cli.run_flags import (
    Equity,
    Fee,
    FundingFile,
    JsonFile,
    Parameters,
    Port,
    Slippage,
    Strict,
    Symbol,
    TimeframeName,
    TrustScript,
)

DEFAULT_SAMPLE = "macd_crossover.script"


def demo(  # noqa: PLR0913 - one parameter for each flag
    *,
    script: Annotated[
        Path | None, typer.Option("--script", help="The script; else a sample, MACD crossover.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data", help="Candles: .csv, .csv.gz, .zip or .parquet; else a made-up market."
        ),
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(
            "--speed",
            help="Candles of the data a second, 0 as fast as possible; else two of the script's.",
        ),
    ] = None,
    history: Annotated[
        int | None,
        typer.Option("--history", help="Script candles to play at once at the start.", min=0),
    ] = None,
    symbol: Symbol = None,
    timeframe: TimeframeName = None,
    equity: Equity = "10000",
    fee: Fee = "0.0005",
    slippage: Slippage = "0",
    funding: FundingFile = None,
    parameters: Parameters = None,
    strict: Strict = False,
    trust_script: TrustScript = False,
    json: JsonFile = None,
    ends: Annotated[
        bool, typer.Option("--exit", help="End with the last candle; else serve until Ctrl-C.")
    ] = False,
    exchange: Annotated[
        str | None,
        typer.Option(
            "--exchange",
            help="Trade over the wire on a local exchange that speaks this dialect: binance or bingx.",
        ),
    ] = None,
    port: Port = 8080,
) -> None:
    """Replay candles through the paper venue and show it on http://localhost:8080.

    Without --data a made-up market of one-minute candles is played, the same every time.
    With --exchange an exchange runs beside it in a process of its own, and every order
    travels to it as it would to a real one.
    """
    from milobot.app.demo import DemoRequest, run_demo
    from milobot.app.preparation import Source
    from milobot.app.scripts import sample
    from milobot.backtest.report import refuse_target, to_json, write_json
    from milobot.backtest.statistics import summarise
    from milobot.cli.backtest_table import print_result
    from milobot.cli.run_source import parse_source
    from milobot.cli.run_terms import parse_terms
    from milobot.settings import load_settings

    settings = load_settings()
    source = Source(
        script=script or sample(DEFAULT_SAMPLE),
        data=data,
        symbol=symbol,
        timeframe=timeframe,
        parameters=parameters or (),
        strict=strict,
        trusts_script=trust_script,
    )
    source = parse_source(source, None, settings)
    terms = parse_terms(
        equity=equity, fee=fee, slippage=slippage, funding=funding, settings=settings
    )
    if exchange is not None:
        _refuse_replay_flags(
            {"--json": json, "--history": history, "--funding": funding}, ends=ends
        )
        from milobot.app.wire_demo import WireDemoRequest, run_wire_demo

        run_wire_demo(WireDemoRequest(source, terms, exchange, speed), port=port, say=typer.echo)
        return
    request = DemoRequest(source=source, terms=terms, speed=speed, history=history)
    if json is not None:
        refuse_target(json)
    result = run_demo(request, port=port, stays=not ends, say=typer.echo)
    if result is None:
        return
    summary = summarise(result)
    print_result(result, summary, trips=10)
    if json is not None:
        write_json(json, to_json(result, summary))


def _refuse_replay_flags(flags: dict[str, object], *, ends: bool) -> None:
    from milobot.errors import ConfigurationError

    named = [flag for flag, value in flags.items() if value is not None] + ["--exit"] * ends
    if named:
        raise ConfigurationError(
            f"{named[0]} belongs to a replay, not to trading on an exchange: leave out"
            f" {named[0]} or --exchange"
        )
