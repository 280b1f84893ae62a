"""The page of a live run: the first script's chart, and the log of everything."""

import asyncio
from decimal import Decimal

from milobot.app.happenings import Passing
from milobot.app.live_account import LiveAccount
from milobot.app.run_page import RunPage, Standing
from milobot.domain.alerts import Alert
from milobot.domain.decisions import Decision, Outcome
from milobot.domain.margin import liquidation_price
from milobot.domain.market import CandleSeries
from milobot.domain.money import ZERO
from milobot.domain.slots import PositionState, Slot
from milobot.errors import ExchangeError
from milobot.ports import Journal
from milobot.scripting.results import Evaluation
from milobot.telemetry import get_logger
from milobot.web.state import ChartState, Heading

REFRESH_S = 0.5


class LivePage:
    """Shows an account that is traded live; what it holds of the past is bounded.

    Attributes:
        passing: Stands before the journal and sees what goes on record.
    """

    def __init__(self, heading: Heading) -> None:
        """Begin with an empty page."""
        self.passing = Passing()
        self._symbol = heading.symbol
        self._page = RunPage(heading, self._slots, self.passing)
        self._live: LiveAccount | None = None
        self._candles = CandleSeries.empty()
        self._shown = 0
        self._start: Decimal | None = None
        self._what = "starting,"

    @property
    def state(self) -> ChartState:
        """Return the page's model."""
        return self._page.state

    def before(self, journal: Journal) -> Journal:
        """Return a journal that shows here what goes on record."""
        return self.passing.before(journal)

    def take_over(self, live: LiveAccount | None) -> None:
        """Show an account that is ours from now on; None when it is ours no more."""
        self._live = live
        self._what = "trading," if live is not None else "standing by,"
        if live is not None:
            self._page.take_over()

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

    def wait(self, reason: str) -> None:
        """Say why nothing is traded yet."""
        self._page.log(0, "error", reason)
        self._page.publish(self._candles, running=False, what="waiting for the ledger,")

    async def run(self) -> None:
        """Show what is new, a few times a second, until cancelled."""
        while True:
            await self.refresh()
            await asyncio.sleep(REFRESH_S)

    async def refresh(self) -> None:
        """Show what is new."""
        standing = await self._standing()
        if standing is not None:
            fresh = self._candles.part(self._shown, len(self._candles))
            points = [(int(fresh.time[-1]), standing.equity)] if len(fresh) else []
            self._page.show(self._candles, fresh, points, standing)
            self._shown = len(self._candles)
        self._page.publish(self._candles, running=self._live is not None, what=self._what)

    def _slots(self) -> list[tuple[Slot, PositionState]]:
        return [] if self._live is None else list(self._live.engine.slots())

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
        slot = live.engine.slot(self._symbol)
        return Standing(self._start, account.equity, self._gain(live, slot), _liquidation(slot))

    def _gain(self, live: LiveAccount, slot: Slot) -> Decimal:
        quote, held = live.view.quote(self._symbol), slot.position
        if held.is_flat or quote is None or quote.middle is None:
            return ZERO
        return held.side.sign * (quote.middle * held.quantity - held.cost)


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


def _liquidation(slot: Slot) -> Decimal | None:
    """Return about where the position would be liquidated: brackets are left out."""
    held, setup = slot.position, slot.setup
    if held.is_flat or setup is None:
        return None
    price = liquidation_price(
        side=held.side,
        quantity=held.quantity,
        cost=held.cost,
        margin=held.cost / setup.action.leverage,
        brackets=(),
    )
    return None if price is None else Decimal(f"{price:.8g}")
