"""The trading loop: one script on one account over the wire, everything in one queue.

Closed candles, news of the account and the ticks of a timer line up in one queue and are
taken one after the other, so that the engine never sees two things at once. What was sent
and has no certain end is asked for at every tick, and everything that is live after the
stream of news was away.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from milobot.app.run_page import RunPage, Standing
from milobot.backtest.timeline import ATR_PERIOD
from milobot.domain.intents import Action, Close, DoNothing, Enter, TradeIntent
from milobot.domain.market import CandleSeries
from milobot.domain.money import ZERO, decimal_from_float
from milobot.domain.orders import OrderPurpose, OrderStatus, OrderUpdate
from milobot.domain.reports import AccountNews, MarginMode, NewsKind
from milobot.errors import AuthenticationError, ExchangeError, ScriptError
from milobot.execution.engine import ExecutionEngine
from milobot.indicators.series import atr
from milobot.ports import ExchangeAccount, MarketFeed, News, UserStream
from milobot.scripting.client import ScriptWorker
from milobot.scripting.results import Code, Evaluation, ScriptInfo
from milobot.telemetry import get_logger

TICK_S = 1.0


class Tick:
    """A second has passed."""


Event = CandleSeries | News | Tick


@dataclass(frozen=True, slots=True)
class Desk:
    """What a trader works with.

    Attributes:
        worker: With the script loaded.
        feed: Closed candles of the script's timeframe, from the anchor on.
        account: Where orders go.
        news: Of that account.
        engine: On that account.
        owner: Who owns the slot.
    """

    worker: ScriptWorker
    info: ScriptInfo
    feed: MarketFeed
    account: ExchangeAccount
    news: UserStream
    engine: ExecutionEngine
    owner: str


class Trader:
    """Runs one script on one account until cancelled."""

    def __init__(self, desk: Desk, page: RunPage, history: CandleSeries) -> None:
        """Prepare.

        Args:
            desk: What to work with.
            page: Where to show it.
            history: Candles from the anchor up to the start; they are evaluated, not traded.
        """
        self._desk = desk
        self._page = page
        self._candles = history
        self._shown = 0
        self._start_equity = ZERO
        self._queue: asyncio.Queue[Event] = asyncio.Queue()

    async def run(self) -> None:
        """Trade until cancelled.

        Raises:
            AuthenticationError: The exchange refuses the key.
        """
        self._start_equity = (await self._desk.account.fetch_account()).equity
        await self._prepare()
        if len(self._candles):
            evaluation = await self._evaluate(self._candles)
            self._page.show_evaluation(evaluation, self._candles)
            await self._show()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._desk.news.run())
            tasks.create_task(self._take(self._desk.news.news()))
            tasks.create_task(self._take(self._desk.feed.candles()))
            tasks.create_task(self._tick())
            tasks.create_task(self._work())

    async def _prepare(self) -> None:
        """Set the leverage before it is needed: BingX takes one such request a second."""
        info = self._desk.info
        for action in (info.action_if_true, info.action_if_false):
            if isinstance(action, Enter):
                try:
                    await self._desk.account.prepare_symbol(
                        info.coin, leverage=action.leverage, margin_mode=MarginMode.ISOLATED
                    )
                except ExchangeError as error:
                    get_logger().warning("symbol_not_prepared", reason=str(error))
                return

    async def _take(self, source: AsyncIterator[Event]) -> None:
        async for event in source:
            self._queue.put_nowait(event)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._queue.put_nowait(Tick())

    async def _work(self) -> None:
        while True:
            event = await self._queue.get()
            try:
                await self._handle(event)
                if self._queue.empty():
                    await self._show()
            except AuthenticationError:
                raise  # nothing more can be done with this key
            except ExchangeError as error:
                # What is open keeps its stop at the exchange; the next event looks again.
                self._page.log(self._last_ms(), "warning", str(error))

    async def _handle(self, event: Event) -> None:
        match event:
            case CandleSeries():
                await self._candles_closed(event)
            case AccountNews():
                await self._hear(event)
            case Tick():
                await self._ask(only_doubtful=True)
            case _:
                await self._desk.engine.apply(event)

    def _last_ms(self) -> int:
        return int(self._candles.time[-1]) if len(self._candles) else 0

    async def _candles_closed(self, fresh: CandleSeries) -> None:
        """Let the script decide about what has closed; only the newest candle may trade."""
        desk, symbol = self._desk, self._desk.info.coin
        self._candles = self._candles.joined(fresh)
        evaluation = await self._evaluate(fresh)
        self._page.show_evaluation(evaluation, self._candles)
        await desk.engine.candle_closed(symbol, decimal_from_float(float(fresh.close[-1])))
        action = _action(desk.info, int(evaluation.codes[-1]))
        if not isinstance(action, DoNothing):
            await desk.engine.accept(self._intent(action))
        await self._show()

    async def _evaluate(self, fresh: CandleSeries) -> Evaluation:
        try:
            return await self._desk.worker.evaluate_async(fresh)
        except ScriptError as error:
            self._page.log(int(fresh.time[-1]), "error", str(error))
            failed = np.full(len(fresh), Code.FAILED, dtype=np.uint8)
            return Evaluation(len(self._candles) - len(fresh), failed, (), (), 0, ())

    def _intent(self, action: Close | Enter) -> TradeIntent:
        candles, owner = self._candles, self._desk.owner
        value = float(atr(candles.high, candles.low, candles.close, ATR_PERIOD)[-1])
        time_ms = int(candles.time[-1])
        return TradeIntent(
            key=f"{owner}|{time_ms}",
            owner=owner,
            symbol=self._desk.info.coin,
            time_ms=time_ms,
            action=action,
            reference_price=decimal_from_float(float(candles.close[-1])),
            atr=None if np.isnan(value) else decimal_from_float(value),
        )

    async def _hear(self, news: AccountNews) -> None:
        if news.kind in {NewsKind.BALANCE, NewsKind.POSITION}:
            return  # orders and fills say the same, and more
        self._page.log(news.time_ms, "warning", f"{news.kind.value}: {news.reason}")
        await self._ask(only_doubtful=False)

    async def _ask(self, *, only_doubtful: bool) -> None:
        """Ask the exchange about live orders, or only about those in doubt."""
        for order in self._desk.engine.slot(self._desk.info.coin).orders:
            in_doubt = order.status in {OrderStatus.UNKNOWN, OrderStatus.TRIGGERED}
            rests = order.purpose in {OrderPurpose.STOP, OrderPurpose.TARGET}
            if only_doubtful and (rests and not in_doubt):
                continue
            update = await self._desk.account.fetch_update(order)
            if isinstance(update, OrderUpdate):
                await self._desk.engine.apply(update)

    async def _show(self) -> None:
        """Show what happened since the last time."""
        standing = await self._standing()
        fresh = self._candles.part(self._shown, len(self._candles))
        equity = [(int(fresh.time[-1]), standing.equity)] if len(fresh) else []
        self._page.show(self._candles, fresh, equity, standing)
        self._shown = len(self._candles)
        self._page.publish(self._candles, running=True, what="trading,")

    async def _standing(self) -> Standing:
        account = await self._desk.account.fetch_account()
        symbol = self._desk.info.coin
        if self._desk.engine.slot(symbol).position.is_flat:
            return Standing(self._start_equity, account.equity)
        held = [p for p in await self._desk.account.fetch_positions() if p.symbol == symbol]
        liquidation: Decimal | None = held[0].liquidation_price if held else None
        return Standing(self._start_equity, account.equity, account.unrealized_pnl, liquidation)


def _action(info: ScriptInfo, code: int) -> Action:
    match code:
        case Code.TRUE:
            return info.action_if_true
        case Code.FALSE:
            return info.action_if_false
        case _:
            return DoNothing()
