"""BingX's user events in our words. Pure but for what it remembers of ids and settings."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from milobot.domain.money import ZERO
from milobot.domain.orders import FundingUpdate, OrderPurpose, OrderStatus, OrderUpdate
from milobot.domain.reports import (
    AccountNews,
    MarginMode,
    NewsKind,
    OrderReport,
    PositionNews,
    SymbolSettings,
)
from milobot.exchanges.bingx.ids import OrderIds
from milobot.exchanges.bingx.mapping import (
    CONDITIONAL_TYPES,
    FORCED_TYPES,
    funding_id,
    position_side_of,
    side_of,
    status_of,
)
from milobot.exchanges.bingx.payloads import first_of
from milobot.exchanges.bingx.symbols import from_wire
from milobot.exchanges.fields import Fields
from milobot.exchanges.listen_keys import ListenKeyExpired
from milobot.ports import News

_FORCED_EXECUTION = "CALCULATED"
_MARGIN_MODES = {"isolated": MarginMode.ISOLATED, "cross": MarginMode.CROSS}
_FILLED = {OrderStatus.FILLED, OrderStatus.PARTIALLY_FILLED}


@dataclass(frozen=True, slots=True)
class FollowOrder:
    """An order was executed: its executions are told by a listing, which is asked for.

    Attributes:
        filled_quantity: What the event says is filled altogether.
        is_over: Whether it says that the order has ended.
        is_forced: Whether it was the exchange's own order, a liquidation or ADL.
        client_order_id: Our id of it as far as the event tells it; empty where it does not.
        status: What the event says of it.
        time_ms: When that was.
    """

    symbol: str
    exchange_order_id: str
    filled_quantity: Decimal
    is_over: bool
    is_forced: bool = False
    client_order_id: str = ""
    status: OrderStatus = OrderStatus.SUBMITTED
    time_ms: int = 0


def _ignored(_report: OrderReport) -> None:
    """Take no note of what rests."""


UserNews = News | FollowOrder | ListenKeyExpired


@dataclass(slots=True)
class UserEvents:
    """Reads events one by one.

    Attributes:
        ids: Names orders that carry no id of ours.
        assets: What the account is kept in; the first that an event has counts.
        shown: Takes every conditional order that an event says rests.
        skipped: How many events of a kind were left out, known ones and unknown ones.
    """

    ids: OrderIds = field(default_factory=OrderIds)
    assets: tuple[str, ...] = ("USDT",)
    shown: Callable[[OrderReport], object] = _ignored
    skipped: Counter[str] = field(default_factory=Counter)
    _settings: dict[str, tuple[str, str, str]] = field(default_factory=dict)

    def parse(self, data: Any) -> list[UserNews]:
        """Return what an event says; events of no concern are counted and give nothing.

        Raises:
            ProtocolError: The event lacks what it promises.
        """
        event = Fields(data, "a user event")
        kind = event.text_or_empty("e")
        reader = self._readers().get(kind)
        if reader is not None:
            return reader(event)
        self.skipped[kind or "no event"] += 1
        return []

    def _readers(self) -> dict[str, Callable[[Fields], list[UserNews]]]:
        return {
            "ORDER_TRADE_UPDATE": self._order,
            "ACCOUNT_UPDATE": self._account,
            "ACCOUNT_CONFIG_UPDATE": self._config,
            "SNAPSHOT": self._snapshot,
            "listenKeyExpired": lambda _: [ListenKeyExpired()],
        }

    def _order(self, event: Fields) -> list[UserNews]:
        """Read an order's status; what it says of a fill is too little to book it.

        The kind of execution is no guide: TRADE stands beside NEW too.
        """
        order = event.object("o")
        status, exchange_id = status_of(order.text("X")), order.identity("i")
        symbol, filled = from_wire(order.text("s")), order.decimal_or_zero("z")
        is_forced = (
            order.text_or_empty("o") in FORCED_TYPES
            or order.text_or_empty("x") == _FORCED_EXECUTION
        )
        self._learn_names(order, exchange_id)
        if filled or status in _FILLED:
            told = order.text_or_empty(first_of(order, "c", "C")).lower()
            return [
                FollowOrder(
                    symbol,
                    exchange_id,
                    filled,
                    status.is_final,
                    is_forced,
                    client_order_id=told,
                    status=status,
                    time_ms=order.integer_or_zero("T") or event.integer("E"),
                )
            ]
        time_ms = order.integer_or_zero("T") or event.integer("E")
        if status is OrderStatus.SUBMITTED:
            self._show(order, exchange_id, time_ms)
        update = OrderUpdate(
            client_order_id=self._name_of(order, exchange_id),
            symbol=symbol,
            status=status,
            time_ms=time_ms,
            purpose=OrderPurpose.LIQUIDATION if is_forced else None,
            exchange_order_id=exchange_id,
        )
        return [update]

    def _show(self, order: Fields, exchange_id: str, time_ms: int) -> None:
        """Show a conditional order that rests, before it is named: it may be one of ours."""
        kind, price = order.text_or_empty("o"), order.decimal_or_zero("sp")
        if kind not in CONDITIONAL_TYPES or not price or not order.has("q"):
            return
        report = OrderReport(
            client_order_id="",
            exchange_order_id=exchange_id,
            symbol=from_wire(order.text("s")),
            side=side_of(order.text("S")),
            type=CONDITIONAL_TYPES[kind],
            status=OrderStatus.SUBMITTED,
            quantity=order.decimal("q"),
            time_ms=time_ms,
            trigger_price=price,
            is_conditional=True,
        )
        self.shown(report)

    def _learn_names(self, order: Fields, exchange_id: str) -> None:
        """Note that an order came of a condition of ours, where the event says so."""
        parent = self.ids.client_id(order.identity_or_empty("ti"))
        if parent and self.ids.is_free(exchange_id):
            self.ids.bind(parent, exchange_id)

    def _name_of(self, order: Fields, exchange_id: str) -> str:
        """Return our id, as BingX tells it or as we know it; theirs where it is not ours."""
        told = order.text_or_empty(first_of(order, "c", "C")).lower()
        return self.ids.client_id(exchange_id) or told or exchange_id

    def _snapshot(self, event: Fields) -> list[UserNews]:
        return (self._account(event) if event.has("a") else []) + (
            self._config(event) if event.has("ac") else []
        )

    def _account(self, event: Fields) -> list[UserNews]:
        account = event.object("a")
        reason = account.text_or_empty("m")
        time_ms = event.integer_or_zero("T") or event.integer("E")
        wallet, change = self._wallet(account)
        rows = account.rows("P") if account.has("P") else iter(())
        positions = tuple(_position(row) for row in rows)
        symbol = positions[0].symbol if len(positions) == 1 else ""
        news = AccountNews(
            kind=NewsKind.POSITION if positions else NewsKind.BALANCE,
            time_ms=time_ms,
            symbol=symbol,
            wallet=wallet,
            positions=positions,
            reason=reason,
        )
        if reason == "FUNDING_FEE" and symbol and change:
            return [FundingUpdate(funding_id(symbol, time_ms), symbol, -change, time_ms), news]
        return [news]

    def _wallet(self, account: Fields) -> tuple[Decimal | None, Decimal]:
        """Return the wallet after the event, None when not told, and how it changed."""
        rows = account.rows("B") if account.has("B") else iter(())
        found = {row.text("a"): row for row in rows}
        row = next((found[asset] for asset in self.assets if asset in found), None)
        return (row.decimal("wb"), row.decimal_or_zero("bc")) if row else (None, ZERO)

    def _config(self, event: Fields) -> list[UserNews]:
        """Tell a change of settings; BingX repeats all of them every five seconds."""
        config = event.object("ac")
        symbol = from_wire(config.text("s"))
        state = (
            config.identity_or_empty("l"),
            config.identity_or_empty("S"),
            config.text_or_empty("mt"),
        )
        known = self._settings.get(symbol)
        self._settings[symbol] = state
        if known is None or known == state:
            return []
        told = _settings(symbol, *state)
        return [AccountNews(NewsKind.SETTINGS, event.integer("E"), symbol=symbol, settings=told)]


def _settings(symbol: str, long: str, short: str, mode: str) -> SymbolSettings | None:
    """Return what is set for a symbol where an event tells it of both directions alike."""
    if long != short or not long.isdecimal() or mode not in _MARGIN_MODES:
        return None
    return SymbolSettings(symbol, int(long), _MARGIN_MODES[mode])


def _position(row: Fields) -> PositionNews:
    amount = row.decimal("pa")
    return PositionNews(
        symbol=from_wire(row.text("s")),
        side=position_side_of(amount, row.text_or_empty("ps")) if amount else None,
        quantity=abs(amount),
        entry_price=row.decimal_or_zero("ep"),
    )
