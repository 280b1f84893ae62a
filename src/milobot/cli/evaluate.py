"""``milobot evaluate``: one decision of a script, at the last candle there is."""

from pathlib import Path
from typing import Annotated

import typer

from milobot.cli.options import Database
from milobot.cli.run_flags import Data, Parameters, Symbol, TimeframeName, TrustScript


def evaluate(  # noqa: PLR0913 - one parameter for each flag
    script: Annotated[Path, typer.Argument(help="The script.")],
    *,
    data: Data = None,
    db: Database,
    symbol: Symbol = None,
    timeframe: TimeframeName = None,
    parameters: Parameters = None,
    trust_script: TrustScript = False,
) -> None:
    """Evaluate a script once, at the last candle there is, and print its decision."""
    from milobot.app.evaluate import evaluate_once
    from milobot.app.preparation import Source
    from milobot.cli.run_source import parse_source
    from milobot.domain.money import decimal_from_float, format_decimal
    from milobot.domain.times import format_time
    from milobot.settings import load_settings

    source = Source(
        script=script,
        data=data,
        symbol=symbol,
        timeframe=timeframe,
        parameters=parameters or (),
        trusts_script=trust_script,
    )
    verdict = evaluate_once(parse_source(source, db, load_settings()))
    for warning in verdict.warnings:
        typer.echo(f"warning: {warning}", err=True)
    for line in verdict.prints:
        print(f"script: {line}")
    candle = verdict.candle
    print(
        f"{verdict.symbol} {verdict.timeframe}, candle {format_time(candle.time)} UTC, "
        f"close {format_decimal(decimal_from_float(candle.close))} ({verdict.origin})"
    )
    state = "warming up" if verdict.is_true is None else str(verdict.is_true)
    print(f"condition_true: {state}")
    print(f"decision: {verdict.action}")
