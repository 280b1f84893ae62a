"""A BingX account, as the ``ExchangeAccount`` port."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal

from milobot.domain.market import LeverageBracket, SymbolRules
from milobot.domain.orders import Order, OrderUpdate
from milobot.domain.reports import (
    Income,
    KeyRights,
    MarginMode,
    PositionReport,
    SymbolSettings,
)
from milobot.errors import ProtocolError
from milobot.exchanges.account import TakerFee, TradingAccount
from milobot.exchanges.bingx import mapping, market_mapping, requests
from milobot.exchanges.bingx.hosts import BingxHosts
from milobot.exchanges.bingx.market import BingxMarket
from milobot.exchanges.bingx.orders import BingxOrders
from milobot.exchanges.gateway import Gateway
from milobot.exchanges.shared_question import SharedQuestion
from milobot.exchanges.urgency import is_vital
from milobot.exchanges.wire import Priority
from milobot.ports import Account

_BRACKETS_FRESH_MS = 3_600_000


class BingxAccount(TradingAccount[BingxOrders, BingxMarket]):
    """Orders, positions, balances and settings of one account."""

    def __init__(
        self, hosts: BingxHosts, gateway: Gateway, market: BingxMarket, orders: BingxOrders
    ) -> None:
        """Put the parts together."""
        super().__init__(orders, market)
        self._hosts = hosts
        self._gateway = gateway
        self._taker_fee = TakerFee(gateway.clock, self._fetch_taker_fee)
        self._brackets_ms: dict[str, int] = {}
        self._highest: dict[str, tuple[int, int]] = {}
        self._positions = SharedQuestion(self._read_positions)
        self._vital_positions = SharedQuestion(self._read_positions)

    @property
    def attaches_exits(self) -> bool:
        """Return that an entry carries its stop and target along."""
        return True

    async def place_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Send an order once and return what became of it, and of the exits attached to it."""
        return await self._orders.place_order(order)

    def learn_order_ids(self, pairs: Mapping[str, str]) -> None:
        """Take over our id and BingX's of orders that were sent before a restart.

        Without them a stop is recognized by what it does, which is slower and sure only
        while no other stop does the same.
        """
        self._orders.ids.bind_all(pairs)

    async def fetch_rules(self, symbol: str) -> SymbolRules:
        """Return the rules of a symbol with its leverage brackets, at most an hour old."""
        rules = await self._market.fetch_rules(symbol)
        asked_ms = self._brackets_ms.get(symbol)
        now_ms = self._gateway.clock.local_ms()
        if asked_ms is not None and now_ms - asked_ms <= _BRACKETS_FRESH_MS:
            return rules
        await self._fetch_brackets_of(symbol, 0, Priority.QUERY)
        return await self._market.fetch_rules(symbol)

    async def fetch_brackets(self) -> dict[str, tuple[LeverageBracket, ...]]:
        """Return the leverage brackets of every symbol: one or two calls each, as downloads."""
        found = {}
        for symbol in await self._market.fetch_all_rules():
            listed = self._market.listed_leverage(symbol)
            brackets = await self._fetch_brackets_of(symbol, listed, Priority.DOWNLOAD)
            if brackets:
                found[symbol] = brackets
        return found

    async def fetch_account(self) -> Account:
        """Return balances and open gains."""
        data = await self._gateway.read(requests.fetch_balance())
        return mapping.parse_account(
            data, assets=self._hosts.assets, taker_fee=await self._taker_fee.current()
        )

    async def fetch_positions(self) -> list[PositionReport]:
        """Return what is open; all who ask while an answer is waited for share the next."""
        shared = self._vital_positions if is_vital() else self._positions
        return list(await shared.answer())

    async def fetch_income(self, *, first_ms: int, last_ms: int) -> list[Income]:
        """Return bookings in [first_ms, last_ms], oldest first."""
        found: dict[tuple[str, str, str], Income] = {}
        waiting = [(first_ms, last_ms)]
        while waiting:
            start_ms, end_ms = waiting.pop()
            call = requests.fetch_income(first_ms=start_ms, last_ms=end_ms)
            rows = mapping.parse_income(await self._gateway.read(call))
            if len(rows) >= requests.MOST_ROWS and start_ms < end_ms:
                middle_ms = (start_ms + end_ms) // 2
                waiting += [(start_ms, middle_ms), (middle_ms + 1, end_ms)]
                continue
            found |= {(row.income_id, row.kind, row.symbol): row for row in rows}
        return sorted(found.values(), key=lambda row: row.time_ms)

    async def fetch_key_rights(self) -> KeyRights:
        """Return what the key may do."""
        return mapping.parse_key_rights(await self._gateway.read(requests.fetch_key_rights()))

    async def fetch_is_hedged(self) -> bool:
        """Return whether the account is in hedge mode."""
        return mapping.parse_is_hedged(await self._gateway.read(requests.fetch_position_mode()))

    async def set_one_way(self) -> None:
        """Leave hedge mode; refused while anything is open."""
        if await self.fetch_is_hedged():
            await self._gateway.demand(requests.set_one_way())

    async def fetch_symbol_settings(self, symbol: str) -> SymbolSettings:
        """Return leverage and margin mode of a symbol; of two leverages the higher one."""
        sides, mode = await self._fetch_both(symbol)
        return SymbolSettings(symbol, max(sides), mode)

    async def prepare_symbol(
        self, symbol: str, *, leverage: int, margin_mode: MarginMode
    ) -> SymbolSettings:
        """Set what differs, read it back and return what was read."""
        sides, known_mode = await self._fetch_both(symbol)
        if known_mode is margin_mode and set(sides) == {leverage}:
            return SymbolSettings(symbol, leverage, margin_mode)
        if known_mode is not margin_mode:
            await self._gateway.demand(requests.set_margin_mode(symbol, margin_mode))
        if set(sides) != {leverage}:
            await self._gateway.demand(requests.set_leverage(symbol, leverage))
        # A change of the mode may change the leverage: what counts is read last.
        return await self.fetch_symbol_settings(symbol)

    async def _fetch_both(self, symbol: str) -> tuple[tuple[int, int], MarginMode]:
        """Return leverages and margin mode, asked for at the same time: an order may wait."""
        return await asyncio.gather(self._fetch_leverage(symbol), self._fetch_margin_mode(symbol))

    async def _read_positions(self) -> list[PositionReport]:
        return mapping.parse_positions(await self._gateway.read(requests.fetch_positions()))

    async def _fetch_leverage(self, symbol: str) -> tuple[int, int]:
        data = await self._gateway.read(requests.fetch_leverage(symbol))
        with suppress(ProtocolError):  # where it is not told, brackets are asked for with it
            highest = market_mapping.parse_max_leverage(data)
            self._highest[symbol] = (highest, self._gateway.clock.local_ms())
        return mapping.parse_leverage(data)

    async def _fetch_margin_mode(self, symbol: str) -> MarginMode:
        data = await self._gateway.read(requests.fetch_margin_mode(symbol))
        return mapping.parse_margin_mode(data)

    async def _fetch_brackets_of(
        self, symbol: str, max_leverage: int, priority: Priority
    ) -> tuple[LeverageBracket, ...]:
        """Return a symbol's brackets; its rules carry them from now on."""
        highest, told_ms = self._highest.get(symbol, (0, 0))
        if not max_leverage and self._gateway.clock.local_ms() - told_ms <= _BRACKETS_FRESH_MS:
            max_leverage = highest
        if not max_leverage:
            data = await self._gateway.read(requests.fetch_leverage(symbol, priority))
            max_leverage = market_mapping.parse_max_leverage(data)
        data = await self._gateway.read(requests.fetch_brackets(symbol, priority))
        brackets = market_mapping.parse_brackets(data, symbol=symbol, max_leverage=max_leverage)
        self._market.learn_brackets({symbol: brackets})
        self._brackets_ms[symbol] = self._gateway.clock.local_ms()
        return brackets

    async def _fetch_taker_fee(self) -> Decimal:
        return mapping.parse_taker_fee(await self._gateway.read(requests.fetch_fees()))
