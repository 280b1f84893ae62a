"""The classic flags of ``main.py``, mapped onto the sub-commands of ``milobot``."""

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from milobot.cli.failures import refuse


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are one sentence, like those of the sub-commands."""

    def error(self, message: str) -> NoReturn:
        """End the process with code 2."""
        sys.exit(refuse(f"{message} (see 'python3 main.py --help')"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a classic command line and return the exit code of the process.

    Flags that are not listed here go on to the sub-command, so that
    ``--script F --backtest --data D --json out.json`` works as expected.

    Args:
        arguments: Words after the program's name; None takes them from the process.
    """
    words = sys.argv[1:] if arguments is None else arguments
    parser = _build_parser()
    flags, further = parser.parse_known_args(words)
    if flags.initdb:
        return _run(["initdb", *flags.initdb, *further])
    if flags.loop:
        if not flags.script:
            parser.error("--loop live needs --script FILE")
        words = _market_words(flags, "--timeframe")
        return _run(["run", "--script", flags.script, *words, *further])
    if flags.print_indicators:
        return _run(["indicators", *_market_words(flags, "--interval"), *further])
    if flags.script:
        command = "backtest" if flags.backtest else "evaluate"
        return _run([command, flags.script, *_market_words(flags, "--timeframe"), *further])
    if further or flags.backtest:
        parser.error("--script, --print-indicators or --initdb is missing")
    parser.print_help()
    return 0


def _run(words: list[str]) -> int:
    from milobot.cli.main import main as run_milobot

    return run_milobot(words)


def _market_words(flags: argparse.Namespace, timeframe_flag: str) -> list[str]:
    """Return the flags that name the market, as the sub-command spells them."""
    pairs = (
        ("--symbol", flags.symbol),
        (timeframe_flag, flags.interval),
        ("--data", flags.data),
    )
    return [word for name, value in pairs if value is not None for word in (name, value)]


def _build_parser() -> _Parser:
    parser = _Parser(
        prog="python3 main.py",
        description="The classic flags. 'milobot --help' shows the same as sub-commands, and more.",
        epilog="Further flags go on to the sub-command, for example --json FILE to the back-test.",
        allow_abbrev=False,
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument(
        "--script", metavar="FILE", help="evaluate a script once and print the decision"
    )
    mode.add_argument("--print-indicators", action="store_true", help="print all nine indicators")
    mode.add_argument("--initdb", metavar="SYMBOL", nargs="+", help="load candles of these symbols")
    parser.add_argument("--backtest", action="store_true", help="back-test the script instead")
    parser.add_argument(
        "--loop", choices=["live"], help="run the script on paper over live candles, with its chart"
    )
    parser.add_argument("--symbol", help="such as BTCUSDT")
    parser.add_argument("--interval", "--timeframe", help="such as 1h")
    parser.add_argument("--data", metavar="FILE", help="candles: .csv, .csv.gz, .zip or .parquet")
    return parser
