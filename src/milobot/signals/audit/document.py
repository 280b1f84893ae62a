"""An audit as JSON: every figure of the report, and what became of each set-up."""

from collections.abc import Iterable
from dataclasses import asdict
from decimal import Decimal

from milobot.domain.money import format_decimal
from milobot.signals.audit.figures import Interval
from milobot.signals.audit.outcomes import Result
from milobot.signals.audit.report import AuditReport, GroupLine, TargetLine, Trades
from milobot.signals.audit.verdict import verdict_of

Json = dict[str, object]


def to_json(report: AuditReport) -> Json:
    """Return an audit for programs: prices as decimal strings, what is not defined as null."""
    talk, export = report.conversation, report.export
    rehearsal = report.rehearsal
    return {
        "channel": export.name,
        "verdict": verdict_of(report),
        "messages": {
            "count": len(export.messages),
            "service": export.service,
            "empty": export.empty,
            "kinds": {kind.value: count for kind, count in talk.kinds.items()},
            "refusals": dict(talk.refusals),
            "setups": len(talk.setups),
            "duplicates": talk.duplicates,
            "unmatched_commands": talk.unmatched,
        },
        "terms": {
            "equity": format_decimal(report.terms.equity),
            "risk": format_decimal(report.terms.risk),
            "fee": format_decimal(report.terms.fee),
            "slippage": format_decimal(report.terms.slippage),
        },
        "shapes": asdict(report.shapes),
        "played": dict(report.fates),
        "not_played": dict(report.not_played),
        "missing_candles": dict(report.missing),
        "trades": _trades(report.trades),
        "lateness": asdict(report.lateness),
        "claims": {
            "checked": len(report.claims.checked),
            "confirmed": report.claims.confirmed,
            "unmatched": report.claims.unmatched,
        },
        "portfolio": asdict(report.portfolio) if report.portfolio else None,
        "rehearsal": None
        if rehearsal is None
        else {
            "setups": rehearsal.setups,
            "tries": rehearsal.tries,
            "no_place": rehearsal.no_place,
            "expectancy_r": rehearsal.expectancy,
            "interval": _interval(rehearsal.interval),
            "targets": _targets(rehearsal.targets),
            "setups_tried": [
                {**asdict(line), "entry": _price(line.entry)} for line in rehearsal.lines
            ],
        },
        "candles": dict(report.candles),
        "notes": [*export.notes, *report.notes],
        "setups": [_result(result) for result in report.played],
    }


def _trades(trades: Trades) -> Json:
    return {
        "count": len(trades.results),
        "expectancy_r": trades.expectancy,
        "interval": _interval(trades.interval),
        "needed": trades.needed,
        "win_rate": trades.win_rate,
        "win_interval": _interval(trades.win_interval),
        "average_win_r": trades.average_win,
        "average_loss_r": trades.average_loss,
        "profit_factor": trades.profit_factor,
        "max_drawdown_r": trades.drawdown,
        "longest_losing_streak": trades.longest_losing_streak,
        "exposure": trades.exposure,
        "in_doubt": trades.in_doubt,
        "as_posted_r": trades.as_posted,
        "fees_r": trades.fees,
        "targets": _targets(trades.targets),
        "by_side": _groups(trades.by_side),
        "by_symbol": _groups(trades.by_symbol),
        "by_month": _groups(trades.by_month),
        "by_exit": _groups(trades.by_exit),
        "results_r": list(trades.results),
    }


def _interval(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [interval.low, interval.high]


def _targets(lines: Iterable[TargetLine]) -> list[Json]:
    return [
        {
            "number": line.number,
            "count": line.count,
            "hits": line.hits,
            "interval": _interval(line.interval),
            "chance": line.chance,
            "reward_r": line.reward,
        }
        for line in lines
    ]


def _groups(lines: Iterable[GroupLine]) -> list[Json]:
    return [asdict(line) for line in lines]


def _result(result: Result) -> Json:
    shape = result.shape
    return {
        "message_id": result.message_id,
        "time": result.time_ms,
        "symbol": shape.symbol,
        "side": shape.side.value,
        "fate": result.fate,
        "code": result.code,
        "posted_price": _price(shape.entry),
        "first_price": _price(result.first_price),
        "drift": result.drift,
        "stop_distance": shape.stop,
        "targets_hit": list(result.hits),
        "in_doubt": result.is_in_doubt,
        "entry_time": result.entry_ms or None,
        "entry_price": _price(result.entry_price),
        "exit_time": result.exit_ms or None,
        "exit_price": _price(result.exit_price),
        "exit_reason": result.exit_reason,
        "r": result.r,
        "r_as_posted": result.as_posted,
        "candle_ms": result.candle_ms,
    }


def _price(price: Decimal | None) -> str | None:
    return None if price is None else format_decimal(price)
