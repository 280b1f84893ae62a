"""One evaluation: what a script decides at the last candle there is."""

from dataclasses import dataclass

from milobot.app.backtests import refuse_failures
from milobot.app.preparation import Source, prepare, worker_for
from milobot.app.scripts import naming
from milobot.backtest.timeline import align
from milobot.domain.market import Candle
from milobot.domain.timeframes import Timeframe
from milobot.errors import DataError
from milobot.scripting.results import Code, Evaluation


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a script says about the last closed candle.

    Attributes:
        action: The action string that applies.
        is_true: Value of ``condition_true``; None while the script warms up.
        prints: What it printed on that candle.
    """

    symbol: str
    timeframe: Timeframe
    candle: Candle
    origin: str
    action: str
    is_true: bool | None
    prints: tuple[str, ...]
    warnings: tuple[str, ...]


def evaluate_once(source: Source) -> Verdict:
    """Evaluate a script over all candles there are and return its last decision.

    Raises:
        MilobotError: The script, the candles or a flag is wrong; the sentence says which.
    """
    with worker_for(source) as worker:
        prepared = prepare(worker, source)
        info, market = prepared.info, prepared.market
        timeline = align(market.candles, market.timeframe, info.timeframe)
        candles = timeline.candles
        if not len(candles):
            raise DataError(f"{market.origin} holds no candle")
        with naming(source.script):
            history = worker.evaluate(candles.part(0, len(candles) - 1))
            latest = worker.evaluate(candles.part(len(candles) - 1, len(candles)))
            refuse_failures(latest, candles)
    is_true = _condition(latest)
    return Verdict(
        symbol=info.coin,
        timeframe=info.timeframe,
        candle=candles[-1],
        origin=market.origin,
        action="donothing" if is_true is None else info.texts[0 if is_true else 1],
        is_true=is_true,
        prints=tuple(line.text for line in latest.prints),
        warnings=(*market.warnings, *(latest.warnings or history.warnings)),
    )


def _condition(evaluation: Evaluation) -> bool | None:
    code = evaluation.codes[-1]
    return None if code == Code.WARM_UP else bool(code == Code.TRUE)
