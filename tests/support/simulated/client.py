"""An exchange as one process meets it: what was asked may not arrive, nor what was answered.

It answers as the real clients do: placing and cancelling never raise for what happens on the
way, and nothing is signed after an order's time or the process's right to trade.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

from tests.support.simulated.exposures import UNANSWERED_S
from tests.support.simulated.laws import Laws
from tests.support.simulated.loop import Host, SimulatedLoop, answer_to, fail
from tests.support.simulated.records import Lead
from tests.support.simulated.remote import Refused, Remote
from tests.support.simulated.unasked import Unasked
from tests.support.simulated.venue import TAKER_FEE, Venue
from tests.support.simulated.views import Views
from tests.support.simulated.weather import Chance

from milobot.domain.market import SymbolRules
from milobot.domain.money import ZERO
from milobot.domain.orders import (
    Fill,
    Order,
    OrderPurpose,
    OrderStatus,
    OrderType,
    OrderUpdate,
    Refusal,
)
from milobot.domain.reports import (
    MarginMode,
    MarkPrice,
    OrderReport,
    PositionReport,
    SymbolSettings,
)
from milobot.errors import ExchangeUnavailableError
from milobot.ports import Account

P, R, S = OrderPurpose, Refusal, OrderStatus
T = TypeVar("T")
RECEIVE_WINDOW_MS = 2_000
_TIMEOUT_S = 5.0
# Orders that make a position safe: what holds them up is counted apart.
_SAVING = frozenset({P.STOP, P.CLOSE})
_WALLET = Decimal(1_000_000)


class Client(Unasked):
    """One process's way to the exchange (ports ``ExchangeAccount`` and ``MarketData``)."""

    def __init__(
        self, venue: Venue, host: Host, lead: Lead, loop: SimulatedLoop, chance: Chance, laws: Laws
    ) -> None:
        """Ask for a process, for as long as it leads."""
        self._venue = venue
        self._views = Views(venue, loop)
        self._host = host
        self._lead = lead
        self._loop = loop
        self._chance = chance
        self._laws = laws
        self.called: Callable[[], None] = lambda: None

    # --- requests that change something

    async def place_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Send an order once, not after its time, and return what became of it."""
        answer = await self._write(order, lambda: self._taken(order), order.send_before_ms)
        if answer.refusal is R.DUPLICATE_ID:
            answer = await self._found(order) or replace(answer, status=S.UNKNOWN)
        return (answer,)

    async def cancel_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Withdraw an order; UNKNOWN unless that is confirmed, or its end was found by asking."""
        answer = await self._write(order, lambda: self._cancelled(order), 0, is_cancel=True)
        if answer.refusal is R.NOT_RESTING:
            answer = await self._found(order) or replace(answer, status=S.UNKNOWN)
        # A cancel that did not happen says nothing of the order.
        is_undone = answer.status in {S.NOT_EXECUTED, S.REJECTED} and answer.refusal is not None
        return (replace(answer, status=S.UNKNOWN) if is_undone else answer,)

    async def _found(self, order: Order) -> OrderUpdate | None:
        try:
            return await self.fetch_update(order)
        except ExchangeUnavailableError:
            return None

    async def _write(
        self,
        order: Order,
        carry_out: Callable[[], OrderUpdate],
        not_after_ms: int,
        *,
        is_cancel: bool = False,
    ) -> OrderUpdate:
        self.called()
        chance, exposures, symbol = self._chance, self._laws.exposures, order.symbol
        if chance.strikes("signing_slow"):
            wait_s = chance.between(0.1, 1.5)
            self._hold_up(order, wait_s, is_cancel=is_cancel)
            await asyncio.sleep(wait_s)
            exposures.go_on(symbol, order.client_order_id)
        stamp_ms = self._loop.now_ms()
        if (not_after_ms and stamp_ms > not_after_ms) or not self.may_sign(stamp_ms):
            return self._news(order, S.NOT_EXECUTED, R.TOO_LATE)
        if not is_cancel:
            self._laws.signed(self._lead.epoch, order)
        await asyncio.sleep(0.0002)
        if self._venue.is_away or chance.strikes("refused"):
            self._hold_up(order, UNANSWERED_S, is_cancel=is_cancel)
            await asyncio.sleep(chance.between(0.005, 0.03))
            return self._news(order, S.NOT_EXECUTED, R.UNAVAILABLE)
        answer = await self._sent(order, carry_out, stamp_ms, is_cancel=is_cancel)
        exposures.shown_update(self._host, answer)
        return answer

    def _hold_up(self, order: Order, seconds: float, *, is_cancel: bool) -> None:
        """Count time apart that an exit loses on its way, until it or the next one goes on."""
        if order.purpose in _SAVING and not is_cancel:
            self._laws.exposures.hold_up(order.symbol, order.client_order_id, seconds)

    async def _sent(
        self, order: Order, carry_out: Callable[[], OrderUpdate], stamp_ms: int, *, is_cancel: bool
    ) -> OrderUpdate:
        chance, exposures = self._chance, self._laws.exposures
        done: asyncio.Future[OrderUpdate] = self._loop.create_future()
        there_s = chance.between(0.004, 0.04)
        is_slow = chance.strikes("request_slow")
        if is_slow:
            there_s = chance.between(0.05, 2.6)
        is_lost = chance.strikes("request_lost")
        is_unheard = chance.strikes("answer_lost")
        if is_slow or is_lost or is_unheard:
            self._hold_up(order, UNANSWERED_S, is_cancel=is_cancel)

        def arrive() -> None:
            if is_lost or self._venue.is_away:
                self._hold_up(order, UNANSWERED_S - there_s, is_cancel=is_cancel)
                return
            if self._loop.now_ms() > stamp_ms + RECEIVE_WINDOW_MS:
                answer = self._news(order, S.NOT_EXECUTED, R.CLOCK)
            else:
                answer = carry_out()
            taken = self._venue.find(order.symbol, order.client_order_id)
            if not is_unheard and not (taken is not None and taken.is_silent):
                exposures.go_on(order.symbol, order.client_order_id)
                self._loop.in_world(chance.between(0.004, 0.04), answer_to, done, answer)

        def give_up() -> None:
            answer_to(done, self._news(order, S.UNKNOWN, R.UNAVAILABLE))

        self._loop.in_world(there_s, arrive)
        self._loop.in_world(_TIMEOUT_S, give_up)
        return await done

    def may_sign(self, stamp_ms: int) -> bool:
        """Return whether the process still leads the account, as far as it can know."""
        return stamp_ms <= self._lead.deadline_ms

    def _taken(self, order: Order) -> OrderUpdate:
        taken = self._venue.take(order)
        if isinstance(taken, Refused):
            return self._news(order, S.REJECTED, taken.refusal)
        is_early = order.type is OrderType.MARKET and self._chance.strikes("answer_early")
        return self._confirmed(taken) if is_early else taken.update(self._loop.now_ms())

    def _confirmed(self, remote: Remote) -> OrderUpdate:
        return replace(remote.update(self._loop.now_ms(), fills=()), status=S.SUBMITTED)

    def _cancelled(self, order: Order) -> OrderUpdate:
        remote = self._venue.find(order.symbol, order.client_order_id)
        if remote is None or not self._venue.cancel(remote):
            return self._news(order, S.REJECTED, R.NOT_RESTING)
        return remote.update(self._loop.now_ms())

    def _news(self, order: Order, status: OrderStatus, refusal: Refusal) -> OrderUpdate:
        return OrderUpdate(
            order.client_order_id,
            order.symbol,
            status,
            self._loop.now_ms(),
            reason=refusal.value,
            refusal=refusal,
        )

    # --- questions

    async def _ask(self, look: Callable[[int], T], symbol: str = "") -> T:
        """Return what is shown at the moment the question arrives, or somewhat before it.

        ``symbol`` says where a close may be waiting for the answer.
        """
        self.called()
        chance, loop = self._chance, self._loop
        done: asyncio.Future[T] = loop.create_future()

        def arrive() -> None:
            if self._venue.is_away or chance.strikes("query_fails"):
                error = ExchangeUnavailableError("the exchange does not answer")
                wait_s = chance.between(0.05, 1.0)
                self._laws.exposures.unanswered(wait_s, symbol)
                loop.in_world(wait_s, fail, done, error)
                return
            as_of_ms = loop.now_ms()
            if chance.strikes("stale"):
                as_of_ms -= round(chance.between(50, chance.weather.stale_ms))
            loop.in_world(chance.between(0.004, 0.03), answer_to, done, look(as_of_ms))

        loop.in_world(chance.between(0.004, 0.03), arrive)
        return await done

    async def fetch_order(self, order: Order) -> OrderReport | None:
        """Return what rests under a name."""
        name = order.client_order_id
        found = await self.fetch_open_orders(order.symbol)
        return next((report for report in found if report.client_order_id == name), None)

    async def fetch_update(self, order: Order) -> OrderUpdate | None:
        """Return news of an order with its fills so far."""
        name = order.client_order_id
        found = await self._ask(lambda as_of: self._views.update(order.symbol, name, as_of))
        if found is not None:
            self._laws.exposures.shown_update(self._host, found)
        return found

    async def follow(self, symbol: str, client_order_id: str) -> OrderUpdate | None:
        """Return what the stream has promised of an order."""
        return await self._ask(lambda as_of: self._views.update(symbol, client_order_id, as_of))

    async def fetch_stranger(self, symbol: str, exchange_order_id: str) -> OrderUpdate | None:
        """Return news of an order by the exchange's id."""
        return await self._ask(lambda as_of: self._views.update(symbol, exchange_order_id, as_of))

    async def fetch_open_orders(self, symbol: str | None = None) -> list[OrderReport]:
        """Return what rests."""
        found = await self._ask(lambda as_of: self._views.open_orders(symbol, as_of))
        self._laws.exposures.shown_listing(self._host, symbol, found)
        return found

    async def fetch_fills(
        self, symbol: str, *, first_ms: int | None = None, exchange_order_id: str = ""
    ) -> list[Fill]:
        """Return executions, oldest first."""
        found = await self._ask(lambda as_of: self._views.fills(symbol, first_ms or 0, as_of))
        self._laws.exposures.shown_fills(self._host, found)
        return found

    async def fetch_positions(self) -> list[PositionReport]:
        """Return what is open."""
        look = self._views.positions
        found, behind = await self._ask(lambda as_of: (look(as_of), self._views.behind(as_of)))
        self._laws.exposures.shown_fills(self._host, behind)
        return found

    async def fetch_account(self) -> Account:
        """Return balances that never run out: what bounds an entry is tested elsewhere."""
        return await self._ask(lambda _: Account(_WALLET, _WALLET, ZERO, TAKER_FEE))

    async def fetch_rules(self, symbol: str) -> SymbolRules:
        """Return the rules of a symbol, known without asking."""
        return self._venue.rules[symbol]

    async def fetch_last_price(self, symbol: str) -> Decimal:
        """Return the price now."""
        return await self._ask(lambda _: self._venue.price(symbol), symbol)

    async def prepare_symbol(
        self, symbol: str, *, leverage: int, margin_mode: MarginMode
    ) -> SymbolSettings:
        """Take what is asked for."""
        return await self._ask(lambda _: SymbolSettings(symbol, leverage, margin_mode))

    async def fetch_mark_price(self, symbol: str) -> MarkPrice:
        """Return the price now."""
        price = await self.fetch_last_price(symbol)
        return MarkPrice(symbol, price, price, ZERO, 0, self._loop.now_ms())
