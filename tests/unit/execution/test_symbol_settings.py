"""Leverage and margin mode: what is read back decides, not what was asked for."""

import pytest
from tests.support.exchanges import StubbornExchange
from tests.support.trading import SYMBOL, Stage, base, candle, enter_long, intent

from milobot.domain.reports import MarginMode, SymbolSettings

QUIET = candle(100, 101, 99, 100)
PLAN = enter_long(base("1"), leverage=10)


@pytest.mark.parametrize(
    "found",
    [
        SymbolSettings(SYMBOL, 20, MarginMode.ISOLATED),
        SymbolSettings(SYMBOL, 10, MarginMode.CROSS),
    ],
)
async def test_settings_that_do_not_take_send_nothing(found: SymbolSettings) -> None:
    """In cross margin or at another leverage the liquidation price would be a lie."""
    stage = Stage(exchange=lambda venue: StubbornExchange(venue, found))

    (decision,) = await stage.play(QUIET, intent(PLAN))

    assert decision.code == "settings_not_taken"
    assert not decision.gates[-1].is_passed
    assert stage.journal.orders == []
    assert not stage.slot.owner


async def test_an_exchange_out_of_reach_is_a_decision_not_a_crash() -> None:
    """The trader reads why nothing was done; the next candle may try again."""
    stage = Stage(exchange=lambda venue: StubbornExchange(venue, None))

    (decision,) = await stage.play(QUIET, intent(PLAN))

    assert decision.code == "exchange_unavailable"
    assert "cannot be reached" in decision.reason
    assert stage.journal.orders == []
