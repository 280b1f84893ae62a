"""One record of every kind, with every field in use, for tests of what keeps them."""

from tests.support.trading import SYMBOL, dec

from milobot.domain.decisions import Decision, Gate, Outcome
from milobot.domain.intents import (
    Close,
    Distance,
    DistanceKind,
    Enter,
    PositionSide,
    Side,
    Size,
    SizeKind,
    TradeIntent,
)
from milobot.domain.market import SymbolRules
from milobot.domain.orders import (
    Fill,
    FundingUpdate,
    Order,
    OrderPurpose,
    OrderStatus,
    OrderType,
    OrderUpdate,
    Refusal,
)
from milobot.domain.positions import Position
from milobot.domain.risk import Levels, Target
from milobot.domain.round_trips import RoundTrip
from milobot.domain.slots import EarlyExit, Setup, Slot, Tally

ENTER = Enter(
    PositionSide.LONG,
    Size(SizeKind.RISK, dec("0.01")),
    leverage=10,
    stop=Distance(DistanceKind.PERCENT, dec("0.02")),
    reward_ratio=dec("3"),
    trail=Distance(DistanceKind.ATR, dec("1.5")),
)
INTENT = TradeIntent("s1|1704067200000", "s1", SYMBOL, 1704067200000, ENTER, dec("42314.1"))
CLOSE_INTENT = TradeIntent("s1|1704067260000", "s1", SYMBOL, 1704067260000, Close(), dec("42000"))
ORDER = Order(
    "milo1",
    INTENT.key,
    SYMBOL,
    Side.BUY,
    OrderType.MARKET,
    OrderPurpose.ENTRY,
    dec("1.0"),
    1704067200100,
    leverage=10,
    send_before_ms=1704067201100,
)
FILL = Fill("f1", "milo1", SYMBOL, Side.BUY, dec("0.4"), dec("42315.0"), dec("8.463"), 5)
UPDATE = OrderUpdate("milo1", SYMBOL, OrderStatus.PARTIALLY_FILLED, 1)
FUNDING = FundingUpdate("p1", SYMBOL, dec("-0.5"), 2)
DECISION = Decision(
    INTENT.key,
    INTENT.owner,
    SYMBOL,
    INTENT.time_ms,
    "long",
    Outcome.ACCEPTED,
    "accepted",
    "entry sent",
    (Gate("quantity", "0.4", ">= 0.001"), Gate("drift", "0.1 %", "<= 0.5 %", is_passed=True)),
)
_POSITION = Position(
    SYMBOL,
    PositionSide.LONG,
    quantity=dec("0.4"),
    cost=dec("16926.00"),
    realized_pnl=dec("-3.5"),
    fees=dec("8.463"),
    funding=dec("0.1"),
)
SLOT = Slot(
    SYMBOL,
    _POSITION,
    owner="s1",
    setup=Setup(
        INTENT,
        ENTER,
        Levels(
            dec("42314.1"),
            dec("41467.9"),
            (Target(dec("43000.0"), dec("0.5")), Target(dec("44852.7"))),
            trail=dec("120.5"),
        ),
        dec("1.0"),
        dec("0.0005"),
        SymbolRules(SYMBOL, dec("0.10"), dec("0.001"), dec("0.001"), dec("120"), dec("5")),
    ),
    stop=dec("41467.9"),
    queued=INTENT,
    revision=3,
    tally=Tally(Position(SYMBOL), dec("0.4"), dec("16926"), largest=dec("0.4"), entry_time_ms=5),
    exposed_since_ms=7,
    blocked="foreign_position",
    paid=("p1", "p2"),
    hindrances=frozenset({Refusal.BACKSTOP_EXISTS, Refusal.WOULD_TRIGGER}),
    seen=dec("0.1"),
    early=(EarlyExit(OrderPurpose.STOP, FILL),),
)
TRIP = RoundTrip(
    symbol=SYMBOL,
    side=PositionSide.LONG,
    quantity=dec("1"),
    signal_time_ms=0,
    entry_time_ms=1,
    entry_price=dec("100"),
    stop=None,
    target=None,
    exit_time_ms=2,
    exit_price=dec("101"),
    exit_reason="close",
    fees=dec("0"),
    funding=dec("0"),
    pnl=dec("1"),
)
