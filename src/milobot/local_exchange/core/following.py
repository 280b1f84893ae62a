"""A market that is followed: symbols, prices, old candles and funding are told from outside."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from milobot.domain.intents import Side
from milobot.domain.market import Candle, CandleSeries, SymbolRules
from milobot.domain.money import ZERO, to_money
from milobot.domain.timeframes import MINUTE_MS, Timeframe
from milobot.errors import ConfigurationError
from milobot.local_exchange.core.accounts import Account
from milobot.local_exchange.core.contracts import contract_of
from milobot.local_exchange.core.events import BalanceEvent
from milobot.local_exchange.core.market import FundingRates, Tape
from milobot.local_exchange.core.playing import play
from milobot.local_exchange.core.venue import Venue
from milobot.simulation.matching import Bar, Phase


@dataclass(frozen=True, slots=True)
class Quote:
    """Best bid and ask of a symbol.

    Attributes:
        age_ms: How long ago the followed exchange said so.
    """

    symbol: str
    bid: Decimal
    ask: Decimal
    age_ms: int = 0


@dataclass(frozen=True, slots=True)
class Followed:
    """One symbol, as far as it was followed.

    Attributes:
        told_ms: When its last price held, by the server's clock; 0 when none was told.
        is_busy: Whether a position is open, or an order rests.
        funded_ms: Until when fundings are charged.
    """

    symbol: str
    told_ms: int
    is_busy: bool
    funded_ms: int


class Following:
    """Moves the market of one venue by what is told."""

    def __init__(self, venue: Venue, *, stale_after_ms: int) -> None:
        """Refuse to fill from here on at prices that were told longer ago."""
        self._venue = venue
        self._stale_after_ms = stale_after_ms
        self._told_ms: dict[str, int] = {}
        self._funded_ms: dict[str, int] = {}
        self._fresh_from_ms: dict[str, int] = {}  # by the timer, which never jumps
        venue.is_stale = self.is_stale

    def is_stale(self, symbol: str) -> bool:
        """Return whether the last price of a symbol is too old to fill at."""
        told_ms = self._fresh_from_ms.get(symbol)
        if told_ms is None:
            return True
        return self._venue.clock.timer_ms() - told_ms > self._stale_after_ms

    def learn(self, rules: Iterable[SymbolRules]) -> None:
        """Take contracts in; those that are known get the new rules."""
        for one in rules:
            self._venue.contracts[one.symbol] = contract_of(one)

    def followed(self) -> list[Followed]:
        """Return every symbol that has a price."""
        return [
            Followed(
                symbol,
                self._told_ms.get(symbol, 0),
                self._is_busy(symbol),
                self._funded_ms.get(symbol, 0),
            )
            for symbol in self._venue.market.tapes
        ]

    def resume(self, symbol: str, price: Decimal, *, told_ms: int, funded_ms: int) -> None:
        """Take over where a symbol stood before a restart; nothing is filled at that price."""
        self._open(symbol, price)
        self._told_ms[symbol] = told_ms
        self._funded_ms[symbol] = funded_ms

    def quote(self, quote: Quote) -> None:
        """Let the market stand at a bid and an ask; what they trigger fills at them.

        Raises:
            ConfigurationError: The symbol is not listed, or the prices make no sense.
        """
        if not ZERO < quote.bid <= quote.ask:
            raise ConfigurationError(
                f"{quote.symbol}: a bid of {quote.bid} and an ask of {quote.ask} are no prices"
            )
        clock = self._venue.clock
        middle = (quote.bid + quote.ask) / 2
        tape = self._open(quote.symbol, middle)
        tape.book = (quote.bid, quote.ask)
        self._told_ms[quote.symbol] = clock.now_ms() - quote.age_ms
        self._fresh_from_ms[quote.symbol] = clock.timer_ms() - quote.age_ms
        tape.move(middle)
        play(self._venue, quote.symbol, _flat(clock.now_ms(), middle), Phase.OPEN)

    def replay(self, symbol: str, candles: Iterable[Candle]) -> None:
        """Play one-minute candles that passed while nobody followed, at their own times.

        Of the minute in which the last price was told only the close counts: its high and low
        may have been before that price, when orders that rest now did not rest yet.

        Raises:
            ConfigurationError: The symbol is not followed.
        """
        tape = self._venue.market.tapes.get(symbol)
        if tape is None:
            raise ConfigurationError(f"{symbol[:30]} is not followed: tell its price first")
        tape.book = None
        self._fresh_from_ms.pop(symbol, None)
        clock, told_ms = self._venue.clock, self._told_ms.get(symbol, 0)
        try:
            for candle in candles:
                end_ms = candle.time + MINUTE_MS
                if end_ms <= told_ms:
                    continue
                bar = Bar.from_candle(candle)
                if candle.time < told_ms:
                    bar = _flat(candle.time, bar.close)
                clock.held_ms = end_ms - 1
                tape.move(bar.close)
                play(self._venue, symbol, bar, Phase.OPEN)
                self._told_ms[symbol] = end_ms
        finally:
            clock.held_ms = None

    def charge(self, symbol: str, rate: Decimal, time_ms: int) -> None:
        """Charge the positions that were open at a funding time, once, at the price now."""
        tape = self._venue.market.tapes.get(symbol)
        if tape is None or time_ms <= self._funded_ms.get(symbol, 0):
            return
        self._funded_ms[symbol] = time_ms
        for account in self._venue.accounts.values():
            held = self._held_at(account, symbol, time_ms)
            if held:
                paid = to_money(held * tape.last_price * rate)
                self._venue.credit(account, symbol, "FUNDING_FEE", -paid)
                self._venue.emit(account, BalanceEvent("FUNDING_FEE", symbol, -paid))

    def _held_at(self, account: Account, symbol: str, time_ms: int) -> Decimal:
        """Return the quantity that was open at a time, negative when short."""
        position = self._venue.book(account, symbol).position
        later = (e for e in account.executions if e.symbol == symbol and e.time_ms > time_ms)
        moved = sum((e.quantity if e.side is Side.BUY else -e.quantity for e in later), ZERO)
        return position.side.sign * position.quantity - moved

    def _open(self, symbol: str, price: Decimal) -> Tape:
        """Return the symbol's market; begin it where there is none."""
        tapes = self._venue.market.tapes
        if symbol not in tapes:
            if symbol not in self._venue.contracts:
                raise ConfigurationError(f"{symbol[:30]} is not listed: list its rules first")
            start = float(price)
            opens_ms = Timeframe.M1.open_of(self._venue.clock.now_ms())
            first = Candle(opens_ms, start, start, start, start, 0.0)
            tape = Tape(
                symbol,
                CandleSeries.from_candles([first]),
                Timeframe.M1,
                history=0,
                funding=FundingRates.fixed(ZERO),
            )
            tape.last_price = price
            tapes[symbol] = tape
            self._funded_ms[symbol] = self._venue.clock.now_ms()
        return tapes[symbol]

    def _is_busy(self, symbol: str) -> bool:
        return any(
            not self._venue.book(account, symbol).position.is_flat
            or any(order.ticket.symbol == symbol for order in account.open_orders)
            or any(one.ticket.symbol == symbol for one in account.live_conditionals.values())
            for account in self._venue.accounts.values()
        )


def _flat(time_ms: int, price: Decimal) -> Bar:
    return Bar(time_ms, price, price, price, price)
