"""Which candles of a listing have closed: what the listing proves, and what a clock may say.

Both exchanges list the candle that forms as their last row, and nothing in the row says so.
A candle that was taken as closed too early is wrong for good, so of the last row

- a later row is the proof that needs no clock: all rows before the last have closed;
- our idea of the exchange's time is believed only when it is far from the end of the row,
  since clocks jump (a machine that slept, a server that was set);
- in between the exchange is asked for its time. Once it has said that the end is past, what
  it lists a moment later is final.

What is left out is not lost: whoever fills in from listings asks again.
"""

from collections.abc import Awaitable, Callable

from milobot.domain.market import CandleSeries
from milobot.domain.timeframes import Timeframe
from milobot.errors import ExchangeError
from milobot.exchanges.gateway import Gateway
from milobot.telemetry import get_logger

ListAll = Callable[[], Awaitable[CandleSeries]]
"""Lists candles, oldest first, the one that forms included."""

SURE_AFTER_MS = 60_000
"""How long after its end our clock alone may call a candle closed.

Jumps of seconds add up between two measurements of the exchange's time, ten minutes apart.
Being too careful is cheap: a market without any later row a minute after a close is rare.
"""

_SETTLE_S = 0.5
"""How long a listing may lag behind the exchange's own clock; they come from other machines."""


async def list_closed(gateway: Gateway, timeframe: Timeframe, list_all: ListAll) -> CandleSeries:
    """Return the candles of a listing that have closed.

    Args:
        gateway: Knows the exchange's time, and asks for it where it matters.
        timeframe: Of the candles.
        list_all: Asks for the listing; it may be asked twice.

    Raises:
        ExchangeError: The listing, or the first measurement of the clock, cannot be had.
    """
    clock = gateway.clock
    if not clock.is_measured:
        await gateway.measure_clock()
    # By what had closed when it was asked: the answer may be from just before a close.
    asked_ms = clock.now_ms() - clock.uncertainty_ms
    listed = await list_all()
    if not len(listed):
        return listed
    newest_ms = int(listed.time[-1])
    end_ms = timeframe.next_open(newest_ms)
    if end_ms + SURE_AFTER_MS <= asked_ms:
        return listed
    proven = listed.part(0, len(listed) - 1)
    if end_ms > asked_ms or not await _has_passed(gateway, end_ms):
        return proven
    await gateway.sleep(_SETTLE_S)
    again = (await list_all()).between(None, newest_ms)
    return again if len(again) else proven


async def _has_passed(gateway: Gateway, end_ms: int) -> bool:
    """Return whether the exchange itself says that a time is past; no answer is no."""
    try:
        return await gateway.measure_clock() >= end_ms
    except ExchangeError as failed:
        get_logger().warning("exchange_time_not_measured", reason=str(failed))
        return False
