"""What an exchange shows of itself: late, from old pictures, and not all of it."""

from collections.abc import Iterator
from decimal import Decimal

from tests.support.simulated.loop import SimulatedLoop
from tests.support.simulated.remote import Remote
from tests.support.simulated.venue import Venue

from milobot.domain.intents import PositionSide
from milobot.domain.money import ZERO
from milobot.domain.orders import Fill, OrderUpdate
from milobot.domain.reports import OrderReport, PositionReport


class Views:
    """Answers questions about an account as of some moment."""

    def __init__(self, venue: Venue, loop: SimulatedLoop) -> None:
        """Show what is at a venue."""
        self._venue = venue
        self._loop = loop

    def update(self, symbol: str, name: str, as_of_ms: int) -> OrderUpdate | None:
        """Return news of an order; None when none is shown under that name."""
        remote = self._venue.find(symbol, name)
        if remote is None or not self._is_shown(remote, as_of_ms):
            return None
        return remote.update(as_of_ms)

    def open_orders(self, symbol: str | None, as_of_ms: int) -> list[OrderReport]:
        """Return what rests."""
        symbols = self._venue.symbols if symbol is None else (symbol,)
        reports = (
            remote.report(as_of_ms)
            for one in symbols
            for remote in self._venue.orders[one]
            if self._is_shown(remote, as_of_ms)
        )
        return [report for report in reports if report is not None]

    def fills(self, symbol: str, first_ms: int, as_of_ms: int) -> list[Fill]:
        """Return executions."""
        return [
            fill
            for fill, remote in self._venue.fills[symbol]
            if first_ms <= fill.time_ms <= as_of_ms and self._is_shown(remote, as_of_ms)
        ]

    def positions(self, as_of_ms: int) -> list[PositionReport]:
        """Return what is held."""
        found = (self._position(symbol, as_of_ms) for symbol in self._venue.symbols)
        return [report for report in found if report is not None]

    def behind(self, as_of_ms: int) -> list[Fill]:
        """Return the executions that the positions shown are made of."""
        symbols = self._venue.symbols
        return [fill for symbol in symbols for fill, _ in self._behind(symbol, as_of_ms)]

    def _behind(self, symbol: str, as_of_ms: int) -> Iterator[tuple[Fill, Remote]]:
        for fill, remote in self._venue.fills[symbol]:
            if fill.time_ms > as_of_ms or not self._is_shown(remote, as_of_ms):
                return  # a position is shown as it once was, never as if something had not been
            yield fill, remote

    def _position(self, symbol: str, as_of_ms: int) -> PositionReport | None:
        held, changed_ms, cost = ZERO, 0, ZERO
        for fill, remote in self._behind(symbol, as_of_ms):
            held += remote.sign * fill.quantity
            changed_ms, cost = fill.time_ms, fill.price
        if not held:
            return None
        side = PositionSide.LONG if held > 0 else PositionSide.SHORT
        mark: Decimal = self._venue.price(symbol)
        return PositionReport(symbol, side, abs(held), cost, mark, ZERO, changed_ms)

    def _is_shown(self, remote: Remote, as_of_ms: int) -> bool:
        return remote.visible_ms <= self._loop.now_ms() and remote.taken_ms <= as_of_ms
