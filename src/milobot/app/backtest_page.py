"""The chart page of a finished back-test."""

import asyncio
import socket
import webbrowser
from collections.abc import Callable

from milobot.app.pages import Served, serve_beside
from milobot.app.presenter import Presenter, closes_by_time
from milobot.backtest.result import BacktestResult
from milobot.backtest.statistics import Summary
from milobot.domain.decisions import Outcome
from milobot.domain.money import format_decimal
from milobot.web.server import page_address
from milobot.web.state import EVERYTHING, ChartState, Heading


def show_backtest(
    result: BacktestResult,
    summary: Summary,
    listener: socket.socket,
    *,
    say: Callable[[str], None],
) -> None:
    """Serve the page of a back-test and open a browser; returns after Ctrl-C or SIGTERM."""
    state = backtest_state(result, summary)
    address = page_address(listener)

    async def open_browser() -> None:
        say(f"chart: {address}  (Ctrl-C ends it)")
        await asyncio.to_thread(webbrowser.open, address)

    asyncio.run(serve_beside(open_browser, Served(state, listener), stays=True))


def backtest_state(result: BacktestResult, summary: Summary) -> ChartState:
    """Return the page's model of a finished back-test."""
    timeframe = str(result.timeframe.value)
    heading = Heading("backtest", result.symbol, timeframe, result.script)
    state = ChartState(heading, limits=EVERYTHING)
    presenter = Presenter(state, result.symbol)
    candles, history = result.candles, result.history or result.candles
    state.add_candles(history)
    presenter.show_studies(result.indicators, history)
    for warning in result.warnings:
        state.add_log(int(candles.time[0]), "warning", warning)
    accepted = (d for d in result.decisions if d.outcome is Outcome.ACCEPTED)
    presenter.show_decisions(accepted, closes_by_time(candles))
    presenter.show_executions(result.executions)
    presenter.show_prints(result.prints)
    presenter.show_round_trips(result.round_trips)
    values = result.equity.exact(candles.close, result.start_equity)
    presenter.show_equity(candles.time.tolist(), values)
    state.set_summary(
        {
            "Equity": f"{format_decimal(round(result.end_equity, 2))} USDT",
            "Return": _percent(summary.strategy.total_return),
            "Max drawdown": f"{100 * summary.strategy.max_drawdown:.2f} %",
            "Buy and hold": _percent(summary.buy_and_hold.total_return),
            "Round trips": str(len(result.round_trips)),
        }
    )
    state.set_status(running=False, text="back-test finished")
    state.publish()
    return state


def _percent(fraction: float | None) -> str:
    return "-" if fraction is None else f"{100 * fraction:+.2f} %"
