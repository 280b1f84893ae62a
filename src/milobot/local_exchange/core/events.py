"""What the exchange tells an account and everybody, free of any dialect."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from milobot.local_exchange.core.orders import Conditional, Execution, Status, VenueOrder


class Change(StrEnum):
    """What happened to an order."""

    NEW = "NEW"
    TRADE = "TRADE"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """News of one order, at the moment it is told.

    Attributes:
        status: Status of the order at that moment; the order itself moves on.
        filled: Filled quantity at that moment.
        execution: The fill that is told; None for other news.
    """

    order: VenueOrder
    change: Change
    status: Status
    filled: Decimal
    execution: Execution | None = None


@dataclass(frozen=True, slots=True)
class ConditionalEvent:
    """News of one conditional order."""

    conditional: Conditional
    status: Status


@dataclass(frozen=True, slots=True)
class BalanceEvent:
    """The wallet or a position changed.

    Attributes:
        reason: ORDER, FUNDING_FEE, LIQUIDATION or DEPOSIT.
        symbol: The position that changed; empty for none.
        amount: Change of the wallet by other things than trading.
    """

    reason: str
    symbol: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class SettingEvent:
    """The leverage of a symbol changed."""

    symbol: str
    leverage: int


AccountEvent = OrderEvent | ConditionalEvent | BalanceEvent | SettingEvent
