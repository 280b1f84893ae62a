"""Back-tests: script, candles and terms put together, and the result."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from milobot.app.preparation import Prepared, Source, prepare, worker_for
from milobot.app.scripts import naming
from milobot.backtest.core import Funding, Session
from milobot.backtest.result import BacktestResult
from milobot.backtest.runner import Terms, play
from milobot.backtest.timeline import ActionPair, Decisions, Timeline, align, decide
from milobot.domain.market import CandleSeries
from milobot.domain.money import format_decimal
from milobot.domain.timeframes import DAY_MS
from milobot.domain.times import format_time
from milobot.errors import ConfigurationError, DataError, ScriptError
from milobot.scripting.results import Code, Evaluation, ScriptInfo

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Span:
    """The stretch of time to trade in, by open time of candles; None leaves an end open."""

    first_ms: int | None = None
    last_ms: int | None = None


@dataclass(frozen=True, slots=True)
class BacktestRequest:
    """All that a back-test depends on."""

    source: Source
    terms: Terms = field(default_factory=Terms)
    span: Span = Span()


def run_backtest(request: BacktestRequest, progress: Progress | None = None) -> BacktestResult:
    """Run a back-test and return its result.

    The script is evaluated from the first candle there is, its anchor; trading begins with
    the first candle of the span.

    Args:
        request: What to run.
        progress: Called with the name of the stage and the fraction of it done.

    Raises:
        MilobotError: The script, the candles or a flag is wrong; the sentence says which.
    """
    report = progress or (lambda _stage, _done: None)
    _refuse_empty_span(request.span)
    source = request.source
    with worker_for(source) as worker:
        report("Reading", 0.0)
        prepared = prepare(worker, source)
        info, market = prepared.info, prepared.market
        terms = replace(request.terms, rules=market.rules)
        candles = _until(market.candles, request.span.last_ms)
        timeline = align(candles, market.timeframe, info.timeframe)
        total = len(timeline.candles)
        with naming(source.script):
            evaluation = worker.evaluate(
                timeline.candles, lambda done: report("Evaluating", done / total)
            )
            refuse_failures(evaluation, timeline.candles)
    decisions = decisions_of(info, timeline.candles, evaluation.codes)
    start = _first_traded(timeline.candles, request.span)
    _refuse_short_history(evaluation, timeline.candles)
    history = timeline.candles
    timeline = timeline.part(start)
    decisions = decisions.part(start, total)
    session = Session(f"backtest:{source.script.name}", info.coin, info.timeframe)
    played = play(
        session, timeline, decisions, terms, progress=lambda done: report("Trading", done)
    )
    report("Trading", 1.0)
    return BacktestResult(
        script=source.script.name,
        symbol=info.coin,
        timeframe=info.timeframe,
        candles=timeline.candles,
        settings=describe_settings(terms, prepared),
        start_equity=terms.equity,
        end_equity=played.end_equity,
        equity=played.equity,
        round_trips=played.round_trips,
        executions=played.executions,
        decisions=played.decisions,
        repeated=played.repeated,
        prints=_printed(evaluation, timeline, start),
        warm_up=int(np.count_nonzero(evaluation.codes == Code.WARM_UP)),
        warnings=(
            *market.warnings,
            *funding_warnings(terms.funding, timeline.candles),
            *evaluation.warnings,
        ),
        indicators=evaluation.indicators,
        history=history,
    )


def decisions_of(info: ScriptInfo, candles: CandleSeries, codes: NDArray[np.uint8]) -> Decisions:
    """Return the decisions behind a worker's codes."""
    return decide(
        candles,
        codes == Code.TRUE,
        (codes == Code.TRUE) | (codes == Code.FALSE),
        ActionPair(info.action_if_true, info.action_if_false),
    )


def refuse_failures(evaluation: Evaluation, candles: CandleSeries) -> None:
    """Raise the first failure of a script: a result with holes would be no result.

    Raises:
        ScriptError: The script failed on a candle.
    """
    if not evaluation.errors:
        return
    fault = evaluation.errors[0]
    when = format_time(int(candles.time[fault.index]))
    raise ScriptError(
        f"{fault.reason} (at candle {fault.index}, {when} UTC)",
        line=fault.line,
        column=fault.column,
    )


def describe_settings(terms: Terms, prepared: Prepared) -> Mapping[str, str]:
    """Return everything that a result depends on, as text."""
    market, info = prepared.market, prepared.info
    has_rules = terms.rules is not None
    settings = {
        "data": f"{market.origin} ({market.timeframe})",
        "equity": format_decimal(terms.equity),
        "fee": format_decimal(terms.fee),
        "slippage": format_decimal(terms.slippage),
        "funding": "from rates" if len(terms.funding.time) else "none",
        "symbol_rules": "exchange" if has_rules else "none: prices unrounded, quantity step 1e-8",
        "default_stop": f"{format_decimal(terms.limits.default_stop.value * 100)}%",
        "action_if_true": info.texts[0],
        "action_if_false": info.texts[1],
    }
    return settings | {f"set {name}": str(value) for name, value in info.parameters.items()}


def funding_warnings(funding: Funding, candles: CandleSeries) -> tuple[str, ...]:
    """Return a sentence when funding rates are there, but not for all of the candles.

    A position without a rate pays nothing: that flatters, so the user must know.
    """
    if not len(funding.time):
        return ()
    first, last = int(funding.time[0]), int(funding.time[-1])
    if first - DAY_MS <= candles.time[0] and candles.time[-1] <= last + DAY_MS:
        return ()
    span = f"from {format_time(first)} to {format_time(last)} (UTC)"
    return (f"funding rates are there {span} only: outside nothing is charged for it",)


def _refuse_empty_span(span: Span) -> None:
    if span.first_ms is not None and span.last_ms is not None and span.last_ms < span.first_ms:
        raise ConfigurationError(
            f"--from {format_time(span.first_ms)} lies after --to {format_time(span.last_ms)}:"
            " exchange them"
        )


def _until(candles: CandleSeries, last_ms: int | None) -> CandleSeries:
    kept = candles.between(None, last_ms)
    if len(candles) and not len(kept):
        first = format_time(int(candles.time[0]))
        raise DataError(f"no candles at or before --to: the first one opens at {first} UTC")
    return kept


def _first_traded(candles: CandleSeries, span: Span) -> int:
    first = 0 if span.first_ms is None else int(np.searchsorted(candles.time, span.first_ms))
    if first >= len(candles):
        last = format_time(int(candles.time[-1]))
        raise DataError(f"no candles at or after --from: the last one opens at {last} UTC")
    return first


def _refuse_short_history(evaluation: Evaluation, candles: CandleSeries) -> None:
    if not (evaluation.codes == Code.WARM_UP).all():
        return
    needed = evaluation.warm_up + 1
    why = f"its indicators need {needed}" if needed > len(candles) else "it looks back further"
    raise DataError(
        f"{len(candles)} candles are fewer than the script's warm-up ({why}): load more candles"
        " or shorten the periods"
    )


def _printed(evaluation: Evaluation, timeline: Timeline, start: int) -> tuple[tuple[int, str], ...]:
    times = timeline.candles.time
    return tuple(
        (int(times[line.index - start]), line.text)
        for line in evaluation.prints
        if line.index >= start
    )
