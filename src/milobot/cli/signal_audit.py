"""``milobot signals audit``: what following a channel would have brought."""

from pathlib import Path
from typing import Annotated

import typer


def audit_channel(  # noqa: PLR0913 - one parameter for each flag
    export: Annotated[
        Path, typer.Argument(help="Telegram Desktop's result.json, or .jsonl: a message a line.")
    ],
    *,
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", help="Candle file or folder; names tell symbols. May be repeated."),
    ] = None,
    db: Annotated[
        Path | None, typer.Option("--db", help="Candle database, instead of --data.")
    ] = None,
    profile: Annotated[
        Path | None, typer.Option(help="Read and trade with a channel's profile (TOML).")
    ] = None,
    risk: Annotated[
        str | None,
        typer.Option(
            "--risk", help="What each set-up loses at its stop: 1%; SIGNAL_RISK sets the default."
        ),
    ] = None,
    equity: Annotated[str, typer.Option("--equity", help="Starting balance in USDT.")] = "10000",
    fee: Annotated[str, typer.Option("--fee", help="Fee of a fill: 0.0005 or 0.05%.")] = "0.0005",
    slippage: Annotated[
        str, typer.Option("--slippage", help="Adverse fraction on each fill: 0.0002 or 0.02%.")
    ] = "0",
    coarsest: Annotated[
        str, typer.Option("--coarsest", help="Longest candles to trade on, such as 15m.")
    ] = "1h",
    trades: Annotated[int, typer.Option("--trades", help="Trades to print.", min=0)] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write the report to this page as well.")
    ] = None,
) -> None:
    """Read a channel's exported messages, trade them over candles, and report.

    Nothing is sent anywhere. Without candles the messages are only read. What cannot be
    played, because a time or candles are missing, is counted and never guessed.
    """
    from milobot.backtest.report import refuse_target
    from milobot.cli.audit_table import print_audit, write_page
    from milobot.cli.audit_terms import AuditNumbers, find_candles, parse_audit_terms
    from milobot.cli.progress import stages
    from milobot.cli.tables import print_json
    from milobot.domain.timeframes import parse_timeframe
    from milobot.signals.audit.audit import audit, read_export
    from milobot.signals.audit.document import to_json
    from milobot.signals.audit.export import load_export
    from milobot.signals.audit.tracks import build_tracks, too_coarse

    if html is not None:
        refuse_target(html)
    terms = parse_audit_terms(AuditNumbers(risk, equity, fee, slippage), profile)
    longest = parse_timeframe(coarsest)
    messages = load_export(export)
    with stages() as progress:
        talk = read_export(messages, terms, progress)
        symbols = frozenset(setup.plan.symbol for setup in talk.setups)
        found = find_candles(data or (), db, symbols, progress)
        tracks = build_tracks(found.sources, longest)
        notes = (*found.notes, *too_coarse(found.sources, longest))
        report = audit(messages, talk, tracks, terms, notes=notes, progress=progress)
    if html is not None:
        write_page(report, html)
    if as_json:
        print_json(to_json(report))
    else:
        print_audit(report, trades=trades)
