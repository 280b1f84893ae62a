"""Flags that back-test and demo share: what to run, on which candles, on what terms."""

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path | None,
    typer.Option("--data", help="Candles: .csv, .csv.gz, .zip or .parquet; else stored ones."),
]
Symbol = Annotated[str | None, typer.Option("--symbol", help="Replaces the script's coin.")]
TimeframeName = Annotated[
    str | None, typer.Option("--timeframe", help="Replaces the script's timeframe, such as 4h.")
]
Equity = Annotated[str, typer.Option("--equity", help="Starting balance in USDT.")]
Fee = Annotated[str, typer.Option("--fee", help="Fee of a fill: 0.0005 or 0.05%.")]
Slippage = Annotated[
    str, typer.Option("--slippage", help="Adverse fraction on market fills: 0.0002 or 0.02%.")
]
FundingFile = Annotated[
    Path | None,
    typer.Option("--funding", help="Funding rates: CSV with open_time,funding_rate."),
]
Parameters = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change a parameter: --set rsi_period=21. May be repeated."),
]
TrustScript = Annotated[
    bool,
    typer.Option(
        "--trust-script",
        help="Run your script even where this machine cannot isolate it fully.",
    ),
]
Strict = Annotated[bool, typer.Option("--strict", help="Refuse candles with gaps.")]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Write the report to this file.")]
Port = Annotated[int, typer.Option("--port", help="Port of the chart page.")]
