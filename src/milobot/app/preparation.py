"""What every run begins with: a script in its worker, and the candles it will see."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from milobot.app.markets import Market, market_from_file, market_from_store
from milobot.app.scripts import is_bundled, naming, parse_parameters, read_script
from milobot.domain.intents import Action, Enter
from milobot.domain.margin import max_leverage
from milobot.domain.market import SymbolRules
from milobot.domain.money import ZERO
from milobot.domain.timeframes import parse_timeframe
from milobot.errors import ScriptError
from milobot.scripting.client import ScriptWorker
from milobot.scripting.lock_levels import Purpose, Trust
from milobot.scripting.results import ScriptInfo


@dataclass(frozen=True, slots=True)
class Source:
    """A script and the candles to run it on.

    Attributes:
        script: Its file.
        data: Candle file; None takes stored candles.
        database: Candle database, for when there is no file.
        symbol: Replaces the script's ``coin``.
        timeframe: Replaces the script's ``timeframe``.
        parameters: ``name=value`` for each parameter to change.
        strict: Refuse candles with gaps.
        data_limit: Candles that the script sees as ``data``.
        trusts_script: Run it even where scripts cannot be fully isolated.
    """

    script: Path
    data: Path | None = None
    database: Path = Path("binance_data.db")
    symbol: str | None = None
    timeframe: str | None = None
    parameters: Sequence[str] = ()
    strict: bool = False
    data_limit: int = 5000
    trusts_script: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """A script loaded into a worker, with the market it will see."""

    info: ScriptInfo
    market: Market


MarketFinder = Callable[[Source, ScriptInfo], Market]


def worker_for(source: Source) -> ScriptWorker:
    """Return a worker that takes the source's script if it is locked in well enough for it.

    For back-tests and paper; live trading asks for more.
    """
    return ScriptWorker(
        Trust(
            purpose=Purpose.SIMULATED,
            is_bundled=is_bundled(source.script),
            is_trusted=source.trusts_script,
        )
    )


def prepare(worker: ScriptWorker, source: Source, find: MarketFinder | None = None) -> Prepared:
    """Load a script into a worker and find its candles, by default in its file or the store.

    Raises:
        MilobotError: The script, the candles or a flag is wrong.
    """
    if source.timeframe:
        parse_timeframe(source.timeframe)
    info = load_script(worker, source)
    market = (find or find_market)(source, info)
    with naming(source.script):
        refuse_leverage(info, market.rules)
    # Which rules the script may ask for is known only now that its symbol is.
    return Prepared(load_script(worker, source, market.rules) if market.rules else info, market)


def refuse_leverage(info: ScriptInfo, rules: SymbolRules | None) -> None:
    """Refuse a leverage that no size could have, before anything runs.

    Raises:
        ScriptError: An action asks for more than the symbol's first bracket allows.
    """
    most = max_leverage(ZERO, rules.brackets if rules else ())
    named = zip(("action_if_true", "action_if_false"), _actions(info), strict=True)
    for name, action in named:
        if isinstance(action, Enter) and action.leverage > most:
            raise ScriptError(
                f"{name} asks for {action.leverage}x, but the most for {info.coin} is {most}x:"
                " lower the leverage"
            )


def _actions(info: ScriptInfo) -> tuple[Action, Action]:
    return info.action_if_true, info.action_if_false


def find_market(source: Source, info: ScriptInfo) -> Market:
    """Return the candles that a source names: its file, or what is stored of the symbol."""
    if source.data is not None:
        return market_from_file(source.data, strict=source.strict)
    return market_from_store(source.database, info.coin, info.timeframe)


def load_script(
    worker: ScriptWorker, source: Source, rules: SymbolRules | None = None
) -> ScriptInfo:
    """Load the script of a source into a worker; ``rules`` are what it may ask for.

    Raises:
        ConfigurationError: The file or a parameter is wrong.
        ScriptError: The script is wrong; names it.
    """
    text = read_script(source.script)
    with naming(source.script):
        return worker.load(
            text,
            parameters=parse_parameters(source.parameters),
            symbol=source.symbol,
            timeframe=source.timeframe,
            rules=rules,
            data_limit=source.data_limit,
        )
