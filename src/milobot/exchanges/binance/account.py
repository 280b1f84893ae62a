"""A Binance account, as the ``ExchangeAccount`` port."""

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
from milobot.errors import ExchangeError, RequestRefusedError
from milobot.exchanges.account import TakerFee, TradingAccount
from milobot.exchanges.binance import mapping, market_mapping, requests
from milobot.exchanges.binance.market import BinanceMarket
from milobot.exchanges.binance.orders import BinanceOrders
from milobot.exchanges.binance.outcomes import ALREADY_SO_CODES
from milobot.exchanges.fields import Fields
from milobot.exchanges.gateway import Gateway
from milobot.exchanges.wire import Call
from milobot.ports import Account

_FEE_SYMBOL = "BTCUSDT"
_FEE_ASSET = "BNB"


class BinanceAccount(TradingAccount[BinanceOrders, BinanceMarket]):
    """Orders, positions, balances and settings of one account."""

    def __init__(
        self,
        gateway: Gateway,
        market: BinanceMarket,
        orders: BinanceOrders,
        *,
        tells_rights: bool,
    ) -> None:
        """Put the parts together; ``tells_rights``: there is a host that tells a key's rights."""
        super().__init__(orders, market)
        self._gateway = gateway
        self._tells_rights = tells_rights
        self._taker_fee = TakerFee(gateway.clock, self._fetch_taker_fee)
        self._has_brackets = False

    async def place_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Send an order once and return what became of it."""
        return await self._orders.place_order(order)

    async def fetch_rules(self, symbol: str) -> SymbolRules:
        """Return the rules of a symbol with its leverage brackets."""
        if not self._has_brackets:
            await self.fetch_brackets()
        return await self._market.fetch_rules(symbol)

    async def fetch_brackets(self) -> dict[str, tuple[LeverageBracket, ...]]:
        """Return the leverage brackets of every symbol; rules carry them from now on."""
        data = await self._gateway.read(requests.fetch_brackets())
        brackets = market_mapping.parse_all_brackets(data)
        self._market.learn_brackets(brackets)
        self._has_brackets = True
        return brackets

    async def fetch_account(self) -> Account:
        """Return balances and open gains."""
        data = await self._gateway.read(requests.fetch_account())
        return mapping.parse_account(data, await self._taker_fee.current())

    async def fetch_positions(self) -> list[PositionReport]:
        """Return what is open."""
        return mapping.parse_positions(await self._gateway.read(requests.fetch_positions()))

    async def fetch_income(self, *, first_ms: int, last_ms: int) -> list[Income]:
        """Return bookings in [first_ms, last_ms], oldest first."""
        found: dict[tuple[str, str, str], Income] = {}
        while True:
            call = requests.fetch_income(first_ms=first_ms, last_ms=last_ms)
            rows = mapping.parse_income(await self._gateway.read(call))
            found |= {(row.income_id, row.kind, row.symbol): row for row in rows}
            if len(rows) < requests.MOST_ROWS or rows[-1].time_ms <= first_ms:
                return list(found.values())
            first_ms = rows[-1].time_ms

    async def fetch_key_rights(self) -> KeyRights:
        """Return what the key may do; withdrawals are told by production's hosts only."""
        config = Fields(await self._gateway.read(requests.fetch_account_rights()), "the account")
        if not self._tells_rights:
            return KeyRights(config.flag("canTrade"), None)
        data = await self._gateway.read(requests.fetch_key_rights())
        rights = Fields(data, "the rights of the key")
        return KeyRights(
            can_trade=config.flag("canTrade") and rights.flag("enableFutures"),
            can_withdraw=rights.told_flag("enableWithdrawals")
            or rights.flag("enableInternalTransfer"),
            is_address_bound=rights.flag("ipRestrict") if rights.has("ipRestrict") else None,
        )

    async def fetch_is_hedged(self) -> bool:
        """Return whether the account is in hedge mode."""
        data = await self._gateway.read(requests.fetch_position_mode())
        return Fields(data, "the position mode").flag("dualSidePosition")

    async def set_one_way(self) -> None:
        """Leave hedge mode; refused while anything is open."""
        await self._set(requests.set_one_way())

    async def fetch_symbol_settings(self, symbol: str) -> SymbolSettings:
        """Return leverage and margin mode of a symbol."""
        data = await self._gateway.read(requests.fetch_symbol_settings(symbol))
        return mapping.parse_symbol_settings(data, symbol)

    async def prepare_symbol(
        self, symbol: str, *, leverage: int, margin_mode: MarginMode
    ) -> SymbolSettings:
        """Set what differs, read it back and return what was read."""
        known = await self.fetch_symbol_settings(symbol)
        if known == SymbolSettings(symbol, leverage, margin_mode):
            return known
        if known.margin_mode is not margin_mode:
            await self._set(requests.set_margin_mode(symbol, margin_mode))
        if known.leverage != leverage:
            await self._set(requests.set_leverage(symbol, leverage))
        return await self.fetch_symbol_settings(symbol)

    async def learn_fee_prices(self) -> None:
        """Learn what fees in BNB are worth, so that events that tell them can be booked."""
        try:
            price = await self._market.fetch_last_price(f"{_FEE_ASSET}USDT")
        except ExchangeError:
            return  # fees in BNB count as zero until the next time
        self._orders.fee_prices[_FEE_ASSET] = price

    async def _set(self, call: Call) -> None:
        try:
            await self._gateway.demand(call)
        except RequestRefusedError as refused:
            if refused.code not in ALREADY_SO_CODES:
                raise

    async def _fetch_taker_fee(self) -> Decimal:
        data = await self._gateway.read(requests.fetch_fees(_FEE_SYMBOL))
        return Fields(data, "the fees").decimal("takerCommissionRate")
