"""The page of a live run: all that is held, a chart, the signals, and the log of everything."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal

from milobot.app.followed_chart import TIMEFRAME, FollowedChart
from milobot.app.happenings import Passing
from milobot.app.live_holdings import Holdings
from milobot.app.run_page import RunPage, Standing
from milobot.app.shown_account import ShownAccount
from milobot.app.signal_board import TellsSignals, read_board
from milobot.domain.alerts import Alert
from milobot.domain.decisions import Decision, Outcome
from milobot.domain.market import CandleSeries
from milobot.domain.slots import PositionState, Slot
from milobot.errors import ExchangeError, MilobotError
from milobot.ports import Journal
from milobot.scripting.results import Evaluation
from milobot.telemetry import get_logger
from milobot.web.state import ChartState, Heading

REFRESH_S = 0.5
SIGNALS_S = 1.0
ASK_S = 2.0
_LOOKED_AT = 20  # refreshes after the last reader: one that polls comes every 5 s
_EQUITY_MS = 60_000
_FOLLOWS = {
    "chart": "No candle yet: the chart follows the first signal that trades.",
    "equity": "No point yet: one is added every minute while the account is traded.",
}
_AWAITS = {
    "chart": "No candle yet: they come once the script has been heard.",
    "equity": "No point yet: one is added with every candle.",
}


class LivePage:
    """Shows accounts that are traded live; what it holds of the past is bounded.

    Chart and equity are of the first account; what is held, decided and closed is of all.

    Attributes:
        passing: Stands before the journal and sees what goes on record.
    """

    def __init__(self, heading: Heading, *, signals: TellsSignals | None = None) -> None:
        """Begin with an empty page.

        Args:
            heading: What the page says about the run, and whether its chart follows it.
            signals: Tells the signals that came last; None where none are taken.
        """
        self.passing = Passing()
        self._page = RunPage(heading, self._slots, self.passing)
        self._elsewhere = Passing()
        self._holdings = Holdings()
        self._holdings.take_over("", None)
        self._chart = FollowedChart() if heading.follows else None
        self._signals = signals
        self._symbol = heading.symbol
        self._live: ShownAccount | None = None
        self._candles = CandleSeries.empty()
        self._shown = 0
        self._unseen = _LOOKED_AT
        self._start: Decimal | None = None
        self._what = "starting,"
        self.state.set_notes(_FOLLOWS if heading.follows else _AWAITS)
        if signals is not None:
            self.state.set_inbox(())

    @property
    def state(self) -> ChartState:
        """Return the page's model."""
        return self._page.state

    @property
    def is_looked_at(self) -> bool:
        """Return whether somebody has the page open."""
        return self._unseen < _LOOKED_AT

    def before(self, journal: Journal) -> Journal:
        """Return a journal that shows here what goes on record."""
        return self.passing.before(journal)

    def before_beside(self, journal: Journal) -> Journal:
        """Return a journal of a further account, of which the log and round trips are shown."""
        return self._elsewhere.before(journal)

    def take_over(self, live: ShownAccount | None) -> None:
        """Show an account that is ours from now on; None when it is ours no more."""
        self._live = live
        self._holdings.take_over("", live)
        self._what = "trading," if live is not None else "standing by,"
        if live is not None:
            self._page.take_over()

    def take_beside(self, account: str, live: ShownAccount | None) -> None:
        """Show what a further account of the run holds; None when it is ours no more."""
        self._holdings.take_over(account, live)

    def evaluated(self, evaluation: Evaluation, candles: CandleSeries) -> None:
        """Show what the first script said about the last of the candles since its anchor."""
        self._candles = candles
        self._page.show_evaluation(evaluation, candles)
        if not self._shown:
            self._page.show_warnings(int(candles.time[-1]), evaluation.warnings)

    def decided(self, decision: Decision) -> None:
        """Log what became of what a script wanted."""
        log_decision(decision)

    def tell(self, alert: Alert) -> None:
        """Show an alert in the log of page and process."""
        level = "info" if alert.is_over else "warning"
        self._page.log(alert.time_ms, level, alert.sentence)
        facts = {"kind": alert.kind.value, "symbol": alert.symbol, "said": alert.sentence}
        if alert.is_over:
            get_logger().info("alert_over", **facts)
        else:
            get_logger().warning("alert", **facts)

    def say(self, what: str) -> None:
        """Say in a word or two what the run is doing."""
        self._what = what

    def wait(self, reason: str, *, what: str = "the ledger") -> None:
        """Say why nothing is traded yet, and what is waited for."""
        self._page.log(0, "error", reason)
        self._publish(running=False, what=f"waiting for {what},")

    async def run(self) -> None:
        """Show what is new, a few times a second, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_again_and_again(self.refresh, REFRESH_S))
            tasks.create_task(_again_and_again(self.ask, ASK_S))
            tasks.create_task(_again_and_again(self.look_at_signals, SIGNALS_S))

    async def refresh(self) -> None:
        """Show what is new."""
        self._unseen = 0 if self.state.revisions.take_read() else self._unseen + 1
        standing = await self._standing()
        self._follow()
        if standing is not None:
            self._show(standing)
        self._page.show_elsewhere(self._elsewhere.take())
        self.state.set_positions(self._holdings.views(self._symbol), self._holdings.unknown)
        self._publish(running=self._live is not None, what=self._what)

    async def ask(self) -> None:
        """Fetch candles and prices that nothing else needs, while somebody looks.

        Raises:
            ExchangeError: They cannot be had now.
        """
        if not self.is_looked_at:
            return
        await self._holdings.ask_prices()
        if self._chart is not None and self._live is not None:
            symbol = self._chart.symbol
            begins_anew = await self._chart.fetch(self._live)
            if begins_anew and symbol == self._symbol:
                self._page.follow(symbol, TIMEFRAME.value)

    async def look_at_signals(self) -> None:
        """Show the newest signals, while somebody looks.

        Raises:
            StorageError: They cannot be read now.
        """
        if self._signals is not None and self.is_looked_at:
            self.state.set_inbox(await read_board(self._signals))

    def _slots(self) -> list[tuple[Slot, PositionState]]:
        return [] if self._live is None else list(self._live.engine.slots())

    def _follow(self) -> None:
        """Give the chart to what was entered last, or to what a reader wishes for."""
        chart, wish = self._chart, self.state.take_wish()
        if chart is not None and chart.choose((slot for slot, _ in self._slots()), wish):
            self._symbol = chart.symbol
            self._page.follow(chart.symbol, TIMEFRAME.value)
            note = f"The candles of {chart.symbol} are on their way."
            self.state.set_notes({**_FOLLOWS, "chart": note})

    def _show(self, standing: Standing) -> None:
        """Show candles, equity and what went on record."""
        if self._chart is not None:
            fresh = self._chart.take_fresh()
            self._page.show(self._chart.candles, fresh, self._minute(standing), standing)
            return
        fresh = self._candles.part(self._shown, len(self._candles))
        points = [(int(fresh.time[-1]), standing.equity)] if len(fresh) else []
        self._page.show(self._candles, fresh, points, standing)
        self._shown = len(self._candles)

    def _minute(self, standing: Standing) -> list[tuple[int, Decimal]]:
        """Return the point of this minute, once."""
        if self._live is None:
            return []
        minute = self._live.clock.now_ms() // _EQUITY_MS
        if minute <= self._shown:
            return []
        self._shown = minute
        return [(minute * _EQUITY_MS, standing.equity)]

    def _publish(self, *, running: bool, what: str) -> None:
        candles = self._candles if self._chart is None else None
        self._page.publish(candles, running=running, what=what)

    async def _standing(self) -> Standing | None:
        """Return how the account stands; None while nobody knows."""
        live = self._live
        if live is None:
            return None
        try:
            account = await live.view.fetch_account()
        except ExchangeError:
            return None  # what is there stays; the alert about it comes from the trader
        if self._start is None:
            self._start = account.equity
        return Standing(self._start, account.equity, holds_shown=True)


class QuietWatcher:
    """Watches a desk that has no chart: what it decides is logged."""

    def __init__(self, name: str) -> None:
        """Watch the desk of a script."""
        self._name = name

    def evaluated(self, evaluation: Evaluation, candles: CandleSeries) -> None:
        """Log where the script failed and what it printed."""
        log = get_logger()
        for fault in evaluation.errors[:1]:
            log.warning("script_failed", script=self._name, line=fault.line, reason=fault.reason)
        for line in evaluation.prints:
            time_ms = int(candles.time[line.index])
            log.info("script_printed", script=self._name, time_ms=time_ms, text=line.text)

    def decided(self, decision: Decision) -> None:
        """Log what became of what the script wanted."""
        log_decision(decision)


def log_decision(decision: Decision) -> None:
    """Log a decision in the form of every other event; what changes nothing only for the curious."""
    log = get_logger().debug if decision.outcome is Outcome.IGNORED else get_logger().info
    log(
        "decision",
        symbol=decision.symbol,
        action=decision.action,
        outcome=decision.outcome.value,
        code=decision.code,
        reason=decision.reason,
        intent=decision.intent_key,
    )


async def _again_and_again(act: Callable[[], Awaitable[None]], apart_s: float) -> None:
    """Show something again and again; what fails is tried again: a page never ends a run."""
    reason = ""
    while True:
        try:
            await act()
            reason = ""
        except MilobotError as error:
            if str(error) != reason:
                reason = str(error)
                get_logger().info("page_not_refreshed", reason=reason)
        await asyncio.sleep(apart_s)
