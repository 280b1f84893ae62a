"""Exposures: everything that ties up the account counts, and once."""

from dataclasses import replace

from tests.support.trading import LONG, SYMBOL, at_price, base, dec, enter_long, intent, rules

from milobot.domain.intents import Side
from milobot.domain.orders import Order, OrderPurpose, OrderStatus, OrderType
from milobot.domain.positions import Position
from milobot.domain.reports import PositionReport
from milobot.domain.risk import levels_of
from milobot.domain.slots import Setup, Slot
from milobot.execution.exposures import exposures_of

PLAN = enter_long(base("2"), stop=at_price("95"))
LEVELS = levels_of(PLAN, reference=dec(100), atr=None, rules=rules(), default_stop=at_price("95"))
FOREIGN = PositionReport("XRPUSDT", LONG, dec(100), dec("0.5"), dec("0.6"), dec(10), 0)


def setup_of(symbol: str, quantity: str = "2") -> Setup:
    """Return a plan at the reference price 100."""
    wish = replace(intent(PLAN), symbol=symbol)
    return Setup(wish, PLAN, LEVELS, dec(quantity), dec(0))


def entry_of(symbol: str) -> Order:
    """Return an entry on its way."""
    return Order(
        "e1",
        "k1",
        symbol,
        Side.BUY,
        OrderType.MARKET,
        OrderPurpose.ENTRY,
        dec(2),
        0,
        status=OrderStatus.UNKNOWN,
    )


def opened(symbol: str, cost: str) -> Slot:
    """Return a slot that holds one unit."""
    return Slot(
        symbol, Position(symbol, LONG, dec(1), dec(cost)), owner="o", setup=setup_of(symbol)
    )


def test_open_opening_promised_and_foreign_positions_count() -> None:
    """An entry in doubt may be there; a promise will be; a position by hand is."""
    opening = replace(
        opened("ETHUSDT", "50"), orders=(entry_of("ETHUSDT"),), setup=setup_of("ETHUSDT")
    )

    found = exposures_of(
        SYMBOL,
        slots=[opened("SOLUSDT", "90"), opening],
        promised=[setup_of("BNBUSDT", "3")],
        foreign=[FOREIGN],
    )

    assert found == {
        "SOLUSDT": dec(90),  # what it cost, not what was planned
        "ETHUSDT": dec(200),  # half is filled, all of it is coming
        "BNBUSDT": dec(300),
        "XRPUSDT": dec(60),
    }


def test_free_slots_and_the_symbol_itself_do_not_count() -> None:
    """What was traded and is flat ties up nothing; the symbol's own entry is the request."""
    idle = Slot("SOLUSDT", Position("SOLUSDT"))

    assert (
        exposures_of(SYMBOL, slots=[idle, opened(SYMBOL, "90")], promised=[setup_of(SYMBOL)]) == {}
    )


def test_nothing_counts_twice() -> None:
    """A promise that is in its slot already, and our own positions at the exchange, are known."""
    ours = replace(FOREIGN, symbol="SOLUSDT")

    found = exposures_of(
        SYMBOL, slots=[opened("SOLUSDT", "90")], promised=[setup_of("SOLUSDT")], foreign=[ours]
    )

    assert found == {"SOLUSDT": dec(200)}
