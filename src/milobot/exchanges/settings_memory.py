"""Leverage and margin modes as they were read back: what is known to be set needs no request."""

from collections import Counter
from collections.abc import Iterable

from milobot.domain.reports import AccountNews, MarginMode, NewsKind, SymbolSettings


class SettingsMemory:
    """Settings that an answer or news have told and no news has put in doubt since.

    What was put in doubt waits to be read again, and what was asked for ahead to be set.
    """

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._known: dict[str, SymbolSettings] = {}
        self._told: dict[str, SymbolSettings] = {}
        self._doubts: Counter[str] = Counter()
        self._ahead: dict[str, SymbolSettings | None] = {}

    def recall(self, symbol: str) -> SymbolSettings | None:
        """Return what is known to be set; None when it has to be asked for."""
        return self._known.get(symbol)

    def is_isolated(self, symbol: str) -> bool:
        """Return whether a symbol is known to be in isolated margin mode."""
        known = self._known.get(symbol)
        return known is not None and known.margin_mode is MarginMode.ISOLATED

    def doubts(self, symbol: str) -> int:
        """Return a number that changes whenever the settings of a symbol are put in doubt."""
        return self._doubts[symbol] + self._doubts[""]

    def learn(self, settings: SymbolSettings, doubts: int) -> None:
        """Remember what was read back, unless it was put in doubt since it was asked for.

        Args:
            settings: As read back.
            doubts: What ``doubts`` returned before they were asked for.
        """
        told = self._told.get(settings.symbol)
        if self.doubts(settings.symbol) == doubts or told == settings:
            self._known[settings.symbol] = settings
        else:
            # A change of our own is told like anybody's, and may not be told in full: reading
            # once more tells them apart.
            self._ahead.setdefault(settings.symbol, None)

    def hear(self, news: AccountNews) -> None:
        """Take over what news tell in full, forget what they put in doubt: after a gap, all."""
        if news.kind is NewsKind.RECONNECTED:
            self.forget()
        elif news.kind is NewsKind.SETTINGS and news.settings is None:
            self.forget(news.symbol)
        elif news.kind is NewsKind.SETTINGS and news.settings is not None:
            # An answer that is on its way may be older.
            self._doubts[news.symbol] += 1
            self._known[news.symbol] = self._told[news.symbol] = news.settings

    def forget(self, symbol: str = "") -> None:
        """Forget the settings of a symbol, or of all; those known before are to be read again."""
        self._doubts[symbol] += 1
        gone = [symbol] if symbol else list(self._known)
        self._told = {name: one for name, one in self._told.items() if name not in gone}
        for name in gone:
            if self._known.pop(name, None) is not None:
                self._ahead.setdefault(name, None)

    def want(self, wanted: Iterable[SymbolSettings]) -> None:
        """Note settings that are to be made before anybody needs them."""
        self._ahead.update({one.symbol: one for one in wanted})

    def next_ahead(self) -> tuple[str, SymbolSettings | None] | None:
        """Take the symbol that has waited longest, with what to set; None there: only to be read."""
        if not self._ahead:
            return None
        symbol = next(iter(self._ahead))
        return symbol, self._ahead.pop(symbol)
