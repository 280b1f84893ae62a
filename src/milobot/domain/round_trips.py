"""Round trips: from the first entry fill to flat."""

from dataclasses import dataclass
from decimal import Decimal

from milobot.domain.intents import PositionSide


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """One position from entry to flat.

    Attributes:
        quantity: Largest quantity held, in the base asset.
        signal_time_ms: Open time of the candle that decided the entry.
        entry_time_ms: Time of the first entry fill.
        entry_price: Average price of the entry fills.
        stop: Stop as first placed; None when the entry was unprotected.
        target: Target as first placed; None without one.
        exit_price: Average price of the exit fills.
        exit_reason: ``stop``, ``target``, ``trailing_stop``, ``break_even``, ``close``,
            ``reversal``, ``liquidation``, ``end_of_data``, ``late_fill`` (an entry that
            filled when nobody waited for it any more), or the exit that could not rest,
            such as ``stop_rejected``.
        fees: Fees of all its fills, in USDT.
        funding: Funding paid while open, in USDT; negative when received.
        pnl: Net result in USDT: price gain less fees less funding.
    """

    symbol: str
    side: PositionSide
    quantity: Decimal
    signal_time_ms: int
    entry_time_ms: int
    entry_price: Decimal
    stop: Decimal | None
    target: Decimal | None
    exit_time_ms: int
    exit_price: Decimal
    exit_reason: str
    fees: Decimal
    funding: Decimal
    pnl: Decimal
