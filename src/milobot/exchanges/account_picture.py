"""What an account holds now: the last answer, moved on by news and mark prices. Pure.

What a new entry may tie up only ever falls between two answers. What a closed position gives
back is credited by the next answer alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from milobot.domain.intents import PositionSide
from milobot.domain.money import ZERO
from milobot.domain.orders import Fill
from milobot.domain.reports import AccountNews, MarginMode, PositionNews, PositionReport
from milobot.ports import Account

MarkOf = Callable[[str], Decimal | None]
IsIsolated = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Held:
    """An open position; gains are measured at the latest mark price."""

    side: PositionSide
    quantity: Decimal
    entry_price: Decimal
    mark_price: Decimal

    def pnl(self, mark_price: Decimal | None = None) -> Decimal:
        """Return the open gain in USDT, at the mark price that came with it or another."""
        price = self.mark_price if mark_price is None else mark_price
        return self.side.sign * self.quantity * (price - self.entry_price)


@dataclass(frozen=True, slots=True)
class Change:
    """What news did to a position: by how much it grew since the last answer, or shrank just now."""

    symbol: str
    grown: Decimal = ZERO
    shrunk: Decimal = ZERO
    price: Decimal = ZERO


class AccountPicture:
    """One answer and what has happened since.

    Attributes:
        positions: What is open, by symbol.
        isolated: Symbols whose positions were listed as isolated.
    """

    def __init__(
        self, account: Account, positions: Sequence[PositionReport], asked_ms: int
    ) -> None:
        """Begin with an answer.

        Args:
            account: Balances as told.
            positions: What is open, as told with them.
            asked_ms: When both were asked for, on the exchange's clock: older events are
                contained in them.
        """
        self.positions = {report.symbol: _held(report) for report in positions}
        self.isolated = {r.symbol for r in positions if r.margin_mode is MarginMode.ISOLATED}
        self._told = account
        self._told_positions = dict(self.positions)
        self._told_gains = {symbol: held.pnl() for symbol, held in self.positions.items()}
        self._wallet = account.wallet
        self._asked_ms = self._latest_ms = asked_ms
        self._seen = set(self.positions)

    def hear(self, news: AccountNews) -> list[Change]:
        """Take in news of balances and positions; events before the latest change nothing."""
        if news.time_ms < self._latest_ms:
            return []
        self._latest_ms = news.time_ms
        if news.wallet is not None:
            self._wallet = news.wallet
        return [self._move(position) for position in news.positions]

    def contains(self, fill: Fill, settle_ms: int) -> bool:
        """Return whether a fill is so old that the answer shows what it did."""
        return fill.time_ms + settle_ms < self._asked_ms

    def loss_of(self, fill: Fill) -> Decimal | None:
        """Return what an exit's fill loses, in USDT without its fee; 0 for a gain.

        None when nothing is known of what it closes.
        """
        held = self.positions.get(fill.symbol)
        if held is None or fill.side is not held.side.exit:
            return ZERO if fill.symbol in self._seen else None
        closed = min(fill.quantity, held.quantity)
        return max(ZERO, held.side.sign * closed * (held.entry_price - fill.price))

    def account(self, held: Decimal | None, mark_of: MarkOf, is_isolated: IsIsolated) -> Account:
        """Return what the account holds.

        Args:
            held: Margin of entries that the answer may not contain; None for any amount.
            mark_of: The latest mark price of a symbol, None where none is fresh.
            is_isolated: Whether a symbol is known to be isolated where its listing does not say.
        """
        gain = self._gain_since(mark_of, lambda _: False)
        available = ZERO
        if held is not None:
            spent = max(ZERO, self._told.wallet - self._wallet)
            # Losses of isolated positions stay in their own margin; others take it from here.
            lost = max(ZERO, -self._gain_since(mark_of, is_isolated))
            available = max(ZERO, self._told.available - held - spent - lost)
        return replace(
            self._told,
            wallet=self._wallet,
            available=available,
            unrealized_pnl=self._told.unrealized_pnl + gain,
        )

    def _gain_since(self, mark_of: MarkOf, leave_out: IsIsolated) -> Decimal:
        """Return by how much open gains have risen since the answer."""
        now = sum((h.pnl(mark_of(s)) for s, h in self.positions.items() if not leave_out(s)), ZERO)
        then = sum((gain for s, gain in self._told_gains.items() if not leave_out(s)), ZERO)
        return now - then

    def _move(self, news: PositionNews) -> Change:
        before = self.positions.pop(news.symbol, None)
        self._seen.add(news.symbol)
        told = self._told_positions.get(news.symbol)
        price = before.mark_price if before else news.entry_price
        base = told.quantity if told and told.side is news.side else ZERO
        if news.side is None or not news.quantity:
            return Change(news.symbol, ZERO, before.quantity if before else ZERO, price)
        self.positions[news.symbol] = Held(
            side=news.side,
            quantity=news.quantity,
            entry_price=news.entry_price or (before.entry_price if before else ZERO),
            mark_price=price or news.entry_price,
        )
        shrunk = ZERO
        if before is not None:
            kept = news.quantity if before.side is news.side else ZERO
            shrunk = max(ZERO, before.quantity - kept)
        return Change(news.symbol, max(ZERO, news.quantity - base), shrunk, price)


def _held(report: PositionReport) -> Held:
    return Held(
        side=report.side,
        quantity=report.quantity,
        entry_price=report.entry_price,
        mark_price=report.mark_price,
    )
