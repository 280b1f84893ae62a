"""The rules of every symbol that an exchange trades, at most an hour old, with brackets."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from milobot.domain.market import LeverageBracket, SymbolRules
from milobot.exchanges.names import unknown_symbol
from milobot.exchanges.times import ExchangeClock

Brackets = tuple[LeverageBracket, ...]

_FRESH_MS = 3_600_000
_ASK_AGAIN_MS = 60_000


class SymbolList:
    """Holds rules, and asks for them anew when they are old or a symbol is not among them."""

    def __init__(
        self,
        exchange: str,
        clock: ExchangeClock,
        fetch: Callable[[], Awaitable[dict[str, SymbolRules]]],
    ) -> None:
        """Know no rules yet.

        Args:
            exchange: Its name as users read it.
            clock: Our own time is read from it.
            fetch: Asks for the rules of all symbols; may raise ``ExchangeError``.
        """
        self._exchange = exchange
        self._clock = clock
        self._fetch = fetch
        self._rules: dict[str, SymbolRules] = {}
        self._brackets: dict[str, Brackets] = {}
        self._fetched_ms: int | None = None

    async def fetch_all(self) -> dict[str, SymbolRules]:
        """Return the rules of every symbol, asked for now, with brackets as far as known.

        Raises:
            ExchangeError: They cannot be had.
        """
        self._rules = await self._fetch()
        self._fetched_ms = self._clock.local_ms()
        return {symbol: self._with_brackets(rules) for symbol, rules in self._rules.items()}

    async def fetch(self, symbol: str) -> SymbolRules:
        """Return the rules of a symbol, at most an hour old.

        Raises:
            DataError: It is not traded; the message names the nearest that are.
            ExchangeError: The rules cannot be had.
        """
        if self._is_old(_FRESH_MS if symbol in self._rules else _ASK_AGAIN_MS):
            await self.fetch_all()
        if symbol not in self._rules:
            raise unknown_symbol(symbol, self._exchange, self._rules)
        return self._with_brackets(self._rules[symbol])

    def learn_brackets(self, brackets: Mapping[str, Brackets]) -> None:
        """Take over leverage brackets of some symbols; their rules carry them from now on."""
        self._brackets.update(brackets)

    def _is_old(self, most_ms: int) -> bool:
        return self._fetched_ms is None or self._clock.local_ms() - self._fetched_ms > most_ms

    def _with_brackets(self, rules: SymbolRules) -> SymbolRules:
        brackets = self._brackets.get(rules.symbol)
        return rules if brackets is None else replace(rules, brackets=brackets)
