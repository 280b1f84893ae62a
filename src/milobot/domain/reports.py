"""What an exchange reports: orders, positions, prices, income and rights, in our words."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from milobot.domain.intents import PositionSide, Side
from milobot.domain.market import Candle
from milobot.domain.money import ZERO
from milobot.domain.orders import OrderStatus, OrderType
from milobot.domain.timeframes import Timeframe


class MarginMode(StrEnum):
    """What a position may lose: its own margin, or everything in the account."""

    ISOLATED = "ISOLATED"
    CROSS = "CROSS"


class IncomeKind(StrEnum):
    """Why a balance changed."""

    REALIZED_PNL = "realized_pnl"
    FEE = "fee"
    FUNDING = "funding"
    TRANSFER = "transfer"
    LIQUIDATION = "liquidation"
    OTHER = "other"


class NewsKind(StrEnum):
    """What news of the account is about; all but BALANCE and POSITION ask for a reconciliation.

    RECONNECTED: events may have been missed. TRIGGER_REJECTED: a conditional order was
    triggered and the exchange refused what came of it. SETTINGS: leverage, margin or
    position mode changed.
    """

    BALANCE = "balance"
    POSITION = "position"
    MARGIN_CALL = "margin_call"
    SETTINGS = "settings"
    TRIGGER_REJECTED = "trigger_rejected"
    RECONNECTED = "reconnected"


@dataclass(frozen=True, slots=True)
class ClosedCandle:
    """One closed candle and the series it belongs to."""

    symbol: str
    timeframe: Timeframe
    candle: Candle


@dataclass(frozen=True, slots=True)
class BookTicker:
    """Best bid and ask; quantities in the base asset."""

    symbol: str
    bid_price: Decimal
    bid_quantity: Decimal
    ask_price: Decimal
    ask_quantity: Decimal
    time_ms: int


@dataclass(frozen=True, slots=True)
class MarkPrice:
    """The price that gains and liquidations are measured by.

    Attributes:
        funding_rate: Rate of the next payment as it stands; longs pay a positive one.
        next_funding_ms: When it is paid; 0 when not told.
    """

    symbol: str
    mark_price: Decimal
    index_price: Decimal
    funding_rate: Decimal
    next_funding_ms: int
    time_ms: int


@dataclass(frozen=True, slots=True)
class FundingRate:
    """A rate that was paid; longs pay a positive one."""

    symbol: str
    rate: Decimal
    time_ms: int


@dataclass(frozen=True, slots=True)
class OrderReport:
    """The exchange's view of one order, ours or not.

    Attributes:
        client_order_id: As the exchange stores it; empty when the order has none.
        exchange_order_id: Theirs; of a conditional order the id of the condition.
        type: None for types that we never send.
        quantity: In the base asset; 0 for ``close_position`` orders that wait.
        average_price: Of what was filled; 0 before the first fill.
        is_conditional: Whether it was placed as a conditional order.
        child_order_id: Order that a triggered condition became; empty before.
        time_ms: Of its last change.
    """

    client_order_id: str
    exchange_order_id: str
    symbol: str
    side: Side
    type: OrderType | None
    status: OrderStatus
    quantity: Decimal
    time_ms: int
    filled_quantity: Decimal = ZERO
    average_price: Decimal = ZERO
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    reduce_only: bool = False
    close_position: bool = False
    is_conditional: bool = False
    child_order_id: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PositionReport:
    """The exchange's view of one open position.

    Attributes:
        quantity: In the base asset, above 0.
        liquidation_price: None when the exchange names none.
        leverage: None when the listing does not say; ``SymbolSettings`` does.
        margin_mode: As ``leverage``.
        time_ms: Of its last change; tells a fresh snapshot from a stale one.
    """

    symbol: str
    side: PositionSide
    quantity: Decimal
    entry_price: Decimal
    mark_price: Decimal
    unrealized_pnl: Decimal
    time_ms: int
    liquidation_price: Decimal | None = None
    leverage: int | None = None
    margin_mode: MarginMode | None = None


@dataclass(frozen=True, slots=True)
class SymbolSettings:
    """Leverage and margin mode that apply to the next entry in a symbol."""

    symbol: str
    leverage: int
    margin_mode: MarginMode


@dataclass(frozen=True, slots=True)
class Income:
    """One booking on the account.

    Attributes:
        income_id: Unique per symbol and kind.
        amount: Received in ``asset``; negative when paid.
    """

    income_id: str
    kind: IncomeKind
    symbol: str
    asset: str
    amount: Decimal
    time_ms: int


@dataclass(frozen=True, slots=True)
class KeyRights:
    """What a key may do; None where this host does not say.

    Attributes:
        is_address_bound: Whether it works from listed addresses only.
    """

    can_trade: bool
    can_withdraw: bool | None
    is_address_bound: bool | None = None


@dataclass(frozen=True, slots=True)
class PositionNews:
    """How large a position is after an event; ``quantity`` is 0 once flat.

    Attributes:
        side: None when flat.
    """

    symbol: str
    side: PositionSide | None
    quantity: Decimal
    entry_price: Decimal


@dataclass(frozen=True, slots=True)
class AccountNews:
    """News of the account that is not about one order of ours.

    Attributes:
        symbol: Symbol concerned; empty when it is the account as a whole.
        wallet: USDT wallet after the event; None when not told.
        positions: Positions that the event touched.
        exchange_order_id: Order concerned, for TRIGGER_REJECTED.
        reason: The exchange's own word for why, or a sentence.
        settings: What is set for the symbol now, for SETTINGS; None when not all of it is told.
    """

    kind: NewsKind
    time_ms: int
    symbol: str = ""
    wallet: Decimal | None = None
    positions: tuple[PositionNews, ...] = field(default=())
    exchange_order_id: str = ""
    reason: str = ""
    settings: SymbolSettings | None = None
