"""Binance's user events in our words. Pure but for what it remembers of triggered orders."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from milobot.domain.money import ZERO
from milobot.domain.orders import (
    Fill,
    FundingUpdate,
    OrderStatus,
    OrderUpdate,
)
from milobot.domain.reports import AccountNews, NewsKind, PositionNews
from milobot.exchanges.binance.mapping import (
    ALGO_STATUSES,
    STATUSES,
    USDT,
    fee_in_usdt,
    funding_id,
    identity_of,
    position_side_of,
    purpose_of,
    side_of,
    status_of,
)
from milobot.exchanges.binance.told_fills import ToldFills
from milobot.exchanges.fields import Fields
from milobot.exchanges.listen_keys import ListenKeyExpired
from milobot.exchanges.order_news import sum_of
from milobot.ports import News

_FOLLOWED = {"TRIGGERED", "FINISHED"}
_MOST_REMEMBERED = 5000


@dataclass(frozen=True, slots=True)
class Follow:
    """Ask for a plain order: an event says that there is more to it than was told.

    Either a conditional order was triggered and has become this one, or this one has
    filled further than the events so far add up to.
    """

    symbol: str
    client_order_id: str
    exchange_order_id: str


UserNews = News | Follow | ListenKeyExpired


@dataclass(slots=True)
class UserEvents:
    """Reads events one by one.

    Attributes:
        prices: USDT per unit of an asset that fees are paid in.
        told: Keeps every execution that an event tells.
        touch: Is told the symbol of every order that an event is about.
        skipped: How many events of a kind were left out, known ones and unknown ones.
    """

    prices: Mapping[str, Decimal] = field(default_factory=dict)
    told: ToldFills = field(default_factory=ToldFills)
    touch: Callable[[str], None] = lambda _: None
    skipped: Counter[str] = field(default_factory=Counter)
    _parents: dict[str, str] = field(default_factory=dict)
    _conditions: dict[str, str] = field(default_factory=dict)

    def parse(self, data: Any) -> list[UserNews]:
        """Return what an event says; events of no concern are counted and give nothing.

        Raises:
            ProtocolError: The event lacks what it promises.
        """
        fields = Fields(data, "a user event")
        kind = fields.text_or_empty("e")
        reader = self._readers().get(kind)
        if reader is not None:
            return reader(fields)
        # TRADE_LITE is among them on purpose: it tells a fill sooner but without its fee,
        # and whoever books it first would never book the fee.
        self.skipped[kind or "no event"] += 1
        return []

    def _readers(self) -> dict[str, Callable[[Fields], list[UserNews]]]:
        return {
            "ORDER_TRADE_UPDATE": self._order,
            "ALGO_UPDATE": self._algo,
            "ACCOUNT_UPDATE": self._account,
            "CONDITIONAL_ORDER_TRIGGER_REJECT": self._trigger_rejected,
            "MARGIN_CALL": _margin_calls,
            "ACCOUNT_CONFIG_UPDATE": _settings,
            "listenKeyExpired": lambda _: [ListenKeyExpired()],
        }

    def _order(self, event: Fields) -> list[UserNews]:
        order = event.object("o")
        self.touch(order.text("s"))
        exchange_id = order.identity("i")
        named = order.text_or_empty("c")
        client_id = self._parents.get(exchange_id) or identity_of(named, exchange_id)
        fill = self._fill(order, client_id)
        update = OrderUpdate(
            client_order_id=client_id,
            symbol=order.text("s"),
            status=status_of(order.text("X"), STATUSES),
            time_ms=order.integer("T"),
            fills=(fill,) if fill else (),
            reason=order.text_or_empty("er"),
            purpose=purpose_of(named),
            exchange_order_id=exchange_id,
        )
        if self._told_of(exchange_id, fill) >= order.decimal_or_zero("z"):
            return [update]
        # Whoever hears FILLED must have the position: the rest is asked for first.
        follow = Follow(update.symbol, client_id, exchange_id)
        return [replace(update, status=OrderStatus.PARTIALLY_FILLED), follow] if fill else [follow]

    def _told_of(self, exchange_order_id: str, fill: Fill | None) -> Decimal:
        """Return what the executions told so far add up to, this one included."""
        if fill is not None:
            self.told.learn(exchange_order_id, fill)
        return sum_of(self.told.of(exchange_order_id))

    def _fill(self, order: Fields, client_order_id: str) -> Fill | None:
        if order.decimal_or_zero("l") == 0:
            return None
        fee = order.decimal_or_zero("n")
        return Fill(
            fill_id=order.identity("t"),
            client_order_id=client_order_id,
            symbol=order.text("s"),
            side=side_of(order.text("S")),
            quantity=order.decimal("l"),
            price=order.decimal("L"),
            fee=fee_in_usdt(fee, order.text_or_empty("N"), self.prices),
            time_ms=order.integer("T"),
        )

    def _algo(self, event: Fields) -> list[UserNews]:
        order = event.object("o")
        client_id, symbol = order.text_or_empty("caid"), order.text("s")
        self.touch(symbol)
        child_id, word = order.identity_or_empty("ai"), order.text("X")
        update = OrderUpdate(
            client_order_id=client_id,
            symbol=symbol,
            status=status_of(word, ALGO_STATUSES),
            time_ms=event.integer("T"),
            reason=order.text_or_empty("rm"),
            exchange_order_id=order.identity("aid"),
        )
        _remember(self._conditions, update.exchange_order_id, client_id)
        if word not in _FOLLOWED:
            return [update]
        if child_id:
            _remember(self._parents, child_id, client_id)
        return [update, Follow(symbol, client_id, child_id)]

    def _account(self, event: Fields) -> list[UserNews]:
        account = event.object("a")
        reason, time_ms = account.text_or_empty("m"), event.integer("T")
        wallet, change = None, ZERO
        for row in account.rows("B"):
            if row.text("a") == USDT:
                wallet, change = row.decimal("wb"), row.decimal_or_zero("bc")
        positions = tuple(_position(row) for row in account.rows("P"))
        news = AccountNews(
            kind=NewsKind.POSITION if positions else NewsKind.BALANCE,
            time_ms=time_ms,
            symbol=positions[0].symbol if len(positions) == 1 else "",
            wallet=wallet,
            positions=positions,
            reason=reason,
        )
        if reason == "FUNDING_FEE" and len(positions) == 1:
            symbol = positions[0].symbol
            return [FundingUpdate(funding_id(symbol, time_ms), symbol, -change, time_ms), news]
        return [news]

    def _trigger_rejected(self, event: Fields) -> list[UserNews]:
        order = event.object("or")
        exchange_id, symbol = order.identity("i"), order.text("s")
        reason, time_ms = order.text_or_empty("r"), event.integer("T")
        # Documented as the order's id; after the move to the algo service it may be the condition's.
        parent = self._parents.get(exchange_id) or self._conditions.get(exchange_id)
        if parent is not None:
            status = OrderStatus.REJECTED
            return [
                OrderUpdate(
                    parent, symbol, status, time_ms, reason=reason, exchange_order_id=exchange_id
                )
            ]
        kind = NewsKind.TRIGGER_REJECTED
        return [AccountNews(kind, time_ms, symbol, exchange_order_id=exchange_id, reason=reason)]


def _remember(known: dict[str, str], exchange_id: str, client_order_id: str) -> None:
    known[exchange_id] = client_order_id
    if len(known) > _MOST_REMEMBERED:
        del known[next(iter(known))]


def _margin_calls(event: Fields) -> list[UserNews]:
    return [
        AccountNews(NewsKind.MARGIN_CALL, event.integer("E"), symbol=row.text("s"))
        for row in event.rows("p")
    ]


def _settings(event: Fields) -> list[UserNews]:
    symbol = event.object("ac").text("s") if event.has("ac") else ""
    return [AccountNews(NewsKind.SETTINGS, event.integer("T"), symbol=symbol)]


def _position(row: Fields) -> PositionNews:
    amount = row.decimal("pa")
    return PositionNews(
        symbol=row.text("s"),
        side=position_side_of(amount, row.text_or_empty("ps")) if amount else None,
        quantity=abs(amount),
        entry_price=row.decimal_or_zero("ep"),
    )
