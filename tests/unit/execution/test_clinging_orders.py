"""An exchange that says an order still rests is asked again later, not in a circle."""

from tests.support.exchanges import ClingingExchange
from tests.support.trading import Stage, at_price, base, candle, enter_long, intent

from milobot.domain.intents import Close
from milobot.domain.orders import OrderStatus
from milobot.ports import Exchange

QUIET = candle(100, 101, 99, 100)


async def test_a_cancel_that_did_not_take_waits_for_the_next_news() -> None:
    """Asking without a pause would burn the rate budget that exits need."""
    exchanges: list[ClingingExchange] = []

    def clinging(venue: Exchange) -> Exchange:
        exchanges.append(ClingingExchange(venue, times=2))
        return exchanges[0]

    stage = Stage(exchange=clinging)
    await stage.play(QUIET, intent(enter_long(base("1"), target=at_price("110"))))

    stage.open(QUIET)
    await stage.engine.accept(intent(Close(), key="close"))
    assert stage.slot.position.is_flat
    assert stage.slot.owner
    assert [o.status for o in stage.slot.orders] == [OrderStatus.SUBMITTED] * 2

    await stage.close()
    await stage.play(QUIET)
    assert stage.slot.orders == ()
    assert not stage.slot.owner
    assert exchanges[0].times == 0
