"""Symbol rules at hand: fetched once, kept fresh in the background, withdrawn when delisted."""

import asyncio
from dataclasses import dataclass

from milobot.domain.market import SymbolRules
from milobot.errors import DataError
from milobot.exchanges.times import ExchangeClock
from milobot.ports import ExchangeAccount, MarketData


@dataclass(slots=True)
class _Kept:
    rules: SymbolRules
    fetched_ms: int


class RulesCache:
    """The rules of the symbols that were asked for."""

    def __init__(
        self,
        account: ExchangeAccount,
        market: MarketData,
        clock: ExchangeClock,
        *,
        stale_ms: int,
        has_bulk_brackets: bool,
    ) -> None:
        """Know no rules yet.

        Args:
            account: Tells the rules of a symbol with its brackets.
            market: Tells which symbols are traded.
            clock: Our own time is read from it.
            stale_ms: Rules older than this are not given out without asking again.
            has_bulk_brackets: Whether all brackets come with one call.
        """
        self._account = account
        self._market = market
        self._clock = clock
        self._stale_ms = stale_ms
        self._has_bulk_brackets = has_bulk_brackets
        self._kept: dict[str, _Kept] = {}
        self._gone: set[str] = set()
        self._turn = asyncio.Lock()

    async def fetch(self, symbol: str) -> SymbolRules:
        """Return the rules of a symbol, without a request where they are at hand.

        Raises:
            DataError: It is not traded, or not any more.
            ExchangeError: They are not at hand and cannot be had.
        """
        kept = self._fresh(symbol)
        if kept is None:
            # One after the other: the first call brings what the others wait for.
            async with self._turn:
                kept = self._fresh(symbol) or await self._ask(symbol)
        return kept

    async def refresh(self) -> None:
        """Fetch anew what is kept; ``ExchangeError`` when it cannot be had: the old rules stay."""
        async with self._turn:
            if self._has_bulk_brackets:
                await self._account.fetch_brackets()
            traded = await self._market.fetch_all_rules()
        self._gone = {s for s in self._gone | self._kept.keys() if s not in traded}
        for symbol in [s for s in self._kept if s in traded]:
            async with self._turn:
                await self._ask(symbol)

    def doubt(self, symbol: str) -> None:
        """Forget the rules of a symbol: the exchange has just said that it is not traded."""
        self._kept.pop(symbol, None)

    def _fresh(self, symbol: str) -> SymbolRules | None:
        if symbol in self._gone:
            raise DataError(
                f"{symbol[:40]} is not traded any more, it was delisted or is being settled:"
                " close what is open there at the exchange and take it out of your scripts"
            )
        kept = self._kept.get(symbol)
        if kept is None or self._clock.local_ms() - kept.fetched_ms > self._stale_ms:
            return None
        return kept.rules

    async def _ask(self, symbol: str) -> SymbolRules:
        asked_ms = self._clock.local_ms()
        rules = await self._account.fetch_rules(symbol)
        self._kept[symbol] = _Kept(rules, asked_ms)
        return rules
