"""A back-test as JSON: everything a program needs to check or draw it.

Money, prices and quantities are decimal strings, plain and without trailing zeros; ratios
are numbers, what is not defined is null. Times are open times (UTC milliseconds) of the
candle concerned: the deciding candle for a signal, the one that filled for entry and exit
(the finer candle where finer ones decide fills), the one that closed for an equity value.
"""

import os
from collections.abc import Mapping
from decimal import Context, Decimal
from pathlib import Path

import orjson

from milobot.backtest.performance import Performance
from milobot.backtest.result import BacktestResult
from milobot.backtest.statistics import Group, Summary, TripStatistics
from milobot.domain.money import format_decimal
from milobot.domain.round_trips import RoundTrip
from milobot.errors import StorageError

Json = dict[str, object]

# Average prices are quotients, exact to 28 digits at best. With 18, the result of a round trip
# worth up to ten billion USDT follows from its quantity and prices to the last booked digit,
# and an exact price is written exactly.
_AVERAGE_PRICE = Context(prec=18)


def to_json(result: BacktestResult, summary: Summary) -> Json:
    """Return a back-test as a document that ``orjson`` and ``json`` write as it is.

    The same back-test gives the same document, keys in the same order.
    """
    times = result.candles.time
    return {
        "script": result.script,
        "symbol": result.symbol,
        "timeframe": str(result.timeframe.value),
        "candles": len(times),
        "first": int(times[0]),
        "last": int(times[-1]),
        "settings": dict(result.settings),
        "summary": summary_to_json(summary),
        "round_trips": [round_trip_to_json(trip) for trip in result.round_trips],
        "equity": _equity(result),
    }


def refuse_target(path: Path) -> None:
    """Refuse a place where no report can be written, before anything is computed for it.

    Raises:
        StorageError: It is a folder, or its folder does not exist. Or it is a device or
            pipe, which a new file would replace.
    """
    if path.is_dir():
        raise StorageError(f"{path} is a folder: name a file in it to write the report to")
    if path.exists() and not path.is_file():
        raise StorageError(f"{path} is no ordinary file: name one to write the report to")
    if not path.parent.is_dir():
        raise StorageError(f"the folder of {path} does not exist: make it, or name another file")


def write_json(path: Path, document: Mapping[str, object]) -> None:
    """Write a document to a file, whole or not at all, replacing what was there.

    Raises:
        StorageError: The file could not be written; an older one is still there.
    """
    refuse_target(path)
    content = orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        _remove(part)
        reason = error.strerror or str(error)
        raise StorageError(
            f"{path} cannot be written: {reason}; nothing was changed, name another file"
        ) from error


def summary_to_json(summary: Summary) -> Json:
    """Return the numbers of a back-test, money as decimal strings."""
    return {
        "start_equity": format_decimal(summary.start_equity),
        **_performance(summary.strategy),
        "exposure": summary.exposure,
        "fees": format_decimal(summary.fees),
        "funding": format_decimal(summary.funding),
        **_trips(summary.trips),
        "buy_and_hold": _performance(summary.buy_and_hold),
    }


def round_trip_to_json(trip: RoundTrip) -> Json:
    """Return one round trip, sides as ``LONG`` and ``SHORT``."""
    return {
        "side": str(trip.side.value),
        "quantity": format_decimal(trip.quantity),
        "signal_time": trip.signal_time_ms,
        "entry_time": trip.entry_time_ms,
        "entry_price": format_decimal(_AVERAGE_PRICE.plus(trip.entry_price)),
        "stop": _optional(trip.stop),
        "target": _optional(trip.target),
        "exit_time": trip.exit_time_ms,
        "exit_price": format_decimal(_AVERAGE_PRICE.plus(trip.exit_price)),
        "exit_reason": trip.exit_reason,
        "fees": format_decimal(trip.fees),
        "funding": format_decimal(trip.funding),
        "pnl": format_decimal(trip.pnl),
    }


def _performance(measured: Performance) -> Json:
    return {
        "end_equity": format_decimal(measured.end_equity),
        "total_return": measured.total_return,
        "cagr": measured.cagr,
        "max_drawdown": measured.max_drawdown,
        "max_drawdown_peak": measured.drawdown_peak_ms,
        "max_drawdown_trough": measured.drawdown_trough_ms,
        "longest_under_water_ms": measured.longest_under_water_ms,
        "sharpe": measured.sharpe,
        "sortino": measured.sortino,
        "calmar": measured.calmar,
    }


def _trips(trips: TripStatistics) -> Json:
    return {
        "round_trips": trips.count,
        "wins": trips.wins,
        "losses": trips.losses,
        "win_rate": trips.win_rate,
        "profit_factor": trips.profit_factor,
        "expectancy": _optional(trips.expectancy),
        "expectancy_r": trips.expectancy_r,
        "average_win": _optional(trips.average_win),
        "average_loss": _optional(trips.average_loss),
        "largest_win": _optional(trips.largest_win),
        "largest_loss": _optional(trips.largest_loss),
        "average_duration_ms": trips.average_duration_ms,
        "by_side": {str(side.value): _group(group) for side, group in trips.by_side.items()},
        "by_exit_reason": {reason: _group(group) for reason, group in trips.by_exit_reason.items()},
    }


def _group(group: Group) -> Json:
    return {"round_trips": group.count, "wins": group.wins, "pnl": format_decimal(group.pnl)}


def _optional(value: Decimal | None) -> str | None:
    return None if value is None else format_decimal(value)


def _equity(result: BacktestResult) -> list[list[object]]:
    rows: list[list[object]] = []
    before, text = result.start_equity, format_decimal(result.start_equity)
    values = result.equity.exact(result.candles.close, result.start_equity)
    for time, value in zip(result.candles.time.tolist(), values, strict=True):
        if value is not before:  # most closes of most scripts hold nothing: the same object
            before, text = value, format_decimal(value)
        rows.append([time, text])
    return rows


def _remove(part: Path) -> None:
    try:
        part.unlink(missing_ok=True)
    except OSError:  # the folder has gone or may not be changed: the caller's error says so
        return
