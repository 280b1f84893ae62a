"""``milobot backtest``: a script over past candles, and what it would have earned."""

import socket
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated

import typer

from milobot.cli.options import Database
from milobot.cli.run_flags import (
    Data,
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

DAY_MS = 86_400_000
_DATE_LENGTH = len("2024-01-31")


def backtest(  # noqa: PLR0913 - one parameter for each flag
    script: Annotated[Path, typer.Argument(help="The script.")],
    *,
    data: Data = None,
    db: Database,
    symbol: Symbol = None,
    timeframe: TimeframeName = None,
    first: Annotated[
        str | None, typer.Option("--from", help="First day or time (UTC) to trade.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", help="Last day or time (UTC), included.")
    ] = None,
    equity: Equity = "10000",
    fee: Fee = "0.0005",
    slippage: Slippage = "0",
    funding: FundingFile = None,
    parameters: Parameters = None,
    strict: Strict = False,
    trust_script: TrustScript = False,
    trips: Annotated[int, typer.Option("--trips", help="Round trips to print.", min=0)] = 10,
    json: JsonFile = None,
    open_page: Annotated[
        bool, typer.Option("--open", help="Show chart, marks, equity and drawdown in a browser.")
    ] = False,
    port: Port = 8080,
) -> None:
    """Run a script over past candles and report the result."""
    from milobot.app.backtests import BacktestRequest, Span, run_backtest
    from milobot.app.preparation import Source
    from milobot.backtest.report import refuse_target, to_json, write_json
    from milobot.backtest.statistics import summarise
    from milobot.cli.backtest_table import print_result
    from milobot.cli.progress import stages
    from milobot.cli.run_source import parse_source
    from milobot.cli.run_terms import parse_terms
    from milobot.settings import load_settings

    settings = load_settings()
    source = Source(
        script=script,
        data=data,
        symbol=symbol,
        timeframe=timeframe,
        parameters=parameters or (),
        strict=strict,
        trusts_script=trust_script,
    )
    request = BacktestRequest(
        source=parse_source(source, db, settings),
        terms=parse_terms(
            equity=equity, fee=fee, slippage=slippage, funding=funding, settings=settings
        ),
        span=Span(_first_ms(first), _last_ms(last)),
    )
    if json is not None:
        refuse_target(json)
    with ExitStack() as open_things:
        listener = open_things.enter_context(closing(_listen(port))) if open_page else None
        with stages() as progress:
            result = run_backtest(request, progress)
            summary = summarise(result)
        print_result(result, summary, trips=trips)
        if json is not None:
            write_json(json, to_json(result, summary))
        if listener is not None:
            from milobot.app.backtest_page import show_backtest

            show_backtest(result, summary, listener, say=typer.echo)


def _listen(port: int) -> socket.socket:
    """Take the page's port before the work: a port that is taken should not cost a wait."""
    from milobot.web.server import open_listener

    return open_listener("127.0.0.1", port)


def _first_ms(text: str | None) -> int | None:
    from milobot.domain.times import parse_time

    return None if text is None else parse_time(text)


def _last_ms(text: str | None) -> int | None:
    """Return the last open time to take; a day without a time is taken whole."""
    time_ms = _first_ms(text)
    if time_ms is None or text is None:
        return None
    return time_ms + DAY_MS - 1 if len(text) == _DATE_LENGTH else time_ms
