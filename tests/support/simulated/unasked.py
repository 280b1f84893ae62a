"""The rest of an account's and a market's interface: nothing in a history asks for it."""

from milobot.domain.market import CandleSeries, LeverageBracket, SymbolRules
from milobot.domain.reports import (
    BookTicker,
    FundingRate,
    Income,
    KeyRights,
    MarginMode,
    SymbolSettings,
)
from milobot.domain.timeframes import Timeframe
from milobot.errors import DataError


class Unasked:
    """Says what is so on an account that has seen nothing but what is simulated."""

    async def fetch_income(self, *, first_ms: int, last_ms: int) -> list[Income]:
        """Return that nothing was booked beside trades."""
        return []

    async def fetch_brackets(self) -> dict[str, tuple[LeverageBracket, ...]]:
        """Return that no brackets are known."""
        return {}

    async def fetch_key_rights(self) -> KeyRights:
        """Return that the key may trade."""
        return KeyRights(can_trade=True, can_withdraw=False)

    async def fetch_is_hedged(self) -> bool:
        """Return that the account is in one-way mode."""
        return False

    async def set_one_way(self) -> None:
        """Change nothing."""

    async def fetch_symbol_settings(self, symbol: str) -> SymbolSettings:
        """Return what every symbol starts with."""
        return SymbolSettings(symbol, 1, MarginMode.ISOLATED)

    async def fetch_server_time(self) -> int:
        """Raise: the clock is shared."""
        raise DataError("the clock is the exchange's own")

    async def fetch_all_rules(self) -> dict[str, SymbolRules]:
        """Return none: rules are asked for one by one."""
        return {}

    async def fetch_candles(
        self, symbol: str, timeframe: Timeframe, *, first_ms: int | None, limit: int
    ) -> CandleSeries:
        """Raise: there are none."""
        raise DataError("there are no candles here")

    async def fetch_funding_rates(
        self, symbol: str, *, first_ms: int, last_ms: int
    ) -> list[FundingRate]:
        """Return that none was paid."""
        return []

    async def fetch_book_ticker(self, symbol: str) -> BookTicker:
        """Raise: there is no book."""
        raise DataError("there is no book here")
