"""What each refusal of an exit leads to: another try, another way, or out."""

from dataclasses import replace

import pytest
from tests.support.scripted_exchange import PLAN, Says, Scene, refuses
from tests.support.trading import SYMBOL, at_price, base, candle, dec, enter_long, percent, rules

from milobot.domain.orders import OrderPurpose, OrderStatus, OrderType, Refusal
from milobot.domain.slots import PositionState, position_state

P, S, R = OrderPurpose, OrderStatus, Refusal
PASSING = [
    refuses(R.POSITION_NOT_VISIBLE),
    refuses(R.NOTHING_TO_REDUCE),
    refuses(R.KEY),
    Says(S.NOT_EXECUTED, R.UNAVAILABLE),
    Says(S.NOT_EXECUTED, R.RATE_LIMITED),
    Says(S.NOT_EXECUTED, R.CLOCK),
    Says(S.NOT_EXECUTED, R.TOO_LATE),
]
FOR_GOOD = [
    R.INSUFFICIENT_MARGIN,
    R.TOO_MANY_ORDERS,
    R.POSITION_LIMIT,
    R.HEDGE_MODE,
    R.OTHER,
]


def state(scene: Scene) -> PositionState:
    """Return how safe the slot is."""
    return position_state(scene.stage.slot)


@pytest.mark.parametrize("said", PASSING)
async def test_a_stop_refused_for_a_passing_reason_is_sent_again(said: Says) -> None:
    """At the next look, not in a circle: then it rests, and the target after it."""
    scene = Scene()
    scene.script.say(P.STOP, said)
    await scene.enter()
    assert (state(scene), len(scene.script.of(P.STOP))) == (PositionState.UNPROTECTED, 1)

    await scene.look()

    assert state(scene) is PositionState.PROTECTED
    assert scene.stage.resting == [("stop", dec("95")), ("target", dec("110"))]
    assert scene.stage.slot.hindrances == frozenset()


@pytest.mark.parametrize("said", PASSING)
async def test_a_stop_that_stays_refused_ends_in_a_close(said: Says) -> None:
    """So soon after the fill was seen that the close is in time as well."""
    scene = Scene()
    scene.script.say(P.STOP, *[said] * 100)
    await scene.enter()

    await scene.look(4)
    assert state(scene) is PositionState.UNPROTECTED
    await scene.look()

    (trip,) = scene.stage.journal.round_trips
    assert trip.exit_reason == "no_stop_in_time"
    assert len(scene.script.of(P.STOP)) == 5
    assert (scene.stage.slot.owner, scene.stage.resting) == ("", [])


@pytest.mark.parametrize("refusal", FOR_GOOD)
async def test_a_stop_refused_for_good_is_closed_at_once(refusal: Refusal) -> None:
    """No stop will ever rest here: waiting would only be risk."""
    scene = Scene()
    scene.script.say(P.STOP, refuses(refusal))

    await scene.enter()

    assert scene.stage.journal.round_trips[0].exit_reason == "stop_rejected"
    assert scene.stage.slot.is_idle


async def test_a_stop_that_the_price_has_passed_is_carried_out() -> None:
    """It would have been hit: out, and the books say why."""
    scene = Scene()
    scene.script.say(P.STOP, refuses(R.WOULD_TRIGGER))

    await scene.enter()

    assert scene.stage.journal.round_trips[0].exit_reason == "stop_passed"


@pytest.mark.parametrize("refusal", [R.BACKSTOP_EXISTS, R.SIZE_OR_PRICE])
async def test_where_a_backstop_rests_the_stop_goes_by_quantity(refusal: Refusal) -> None:
    """One that closes everything is there already, whoever placed it: BingX has no word for that."""
    scene = Scene()
    scene.script.say(P.STOP, refuses(refusal))

    await scene.enter()

    first, second = scene.script.of(P.STOP)
    assert (first.close_position, second.close_position) == (True, False)
    assert second.quantity == 1
    assert state(scene) is PositionState.PROTECTED


async def test_a_stop_whose_size_or_price_is_wrong_is_closed_after_the_second_try() -> None:
    """By quantity it is refused as well: it was the price."""
    scene = Scene()
    scene.script.say(P.STOP, *[refuses(R.SIZE_OR_PRICE)] * 2)

    await scene.enter()

    assert scene.stage.journal.round_trips[0].exit_reason == "stop_rejected"


async def test_a_stop_by_quantity_follows_what_is_held() -> None:
    """Closing nothing by itself it must be as large as the position, and no larger."""
    scene = Scene()
    scene.script.say(P.STOP, refuses(R.BACKSTOP_EXISTS))
    await scene.enter(replace(PLAN, trail=percent("2")))
    await scene.stage.play(candle(104, 104, 104, 104))

    stops = [o for o in scene.stage.slot.orders if o.purpose is P.STOP]
    assert [(o.trigger_price, o.close_position) for o in stops] == [(dec("102"), False)]


async def test_where_a_symbol_does_not_trade_the_stop_is_tried_until_it_does() -> None:
    """A close would be refused like it: the position keeps its plan, however long it takes."""
    scene = Scene()
    scene.script.say(P.STOP, *[refuses(R.SYMBOL_NOT_TRADING)] * 20)
    await scene.enter()

    await scene.look(19)
    assert R.SYMBOL_NOT_TRADING in scene.stage.slot.hindrances
    assert (state(scene), scene.stage.journal.round_trips) == (PositionState.UNPROTECTED, [])
    await scene.look()

    assert state(scene) is PositionState.PROTECTED
    assert scene.stage.slot.hindrances == frozenset()


async def test_once_it_trades_again_a_stop_that_is_refused_otherwise_is_out_of_time() -> None:
    """The two seconds are over long ago."""
    scene = Scene()
    halted, busy = refuses(R.SYMBOL_NOT_TRADING), Says(S.NOT_EXECUTED, R.UNAVAILABLE)
    scene.script.say(P.STOP, *[halted] * 10, busy)
    await scene.enter()

    await scene.look(11)

    assert scene.stage.journal.round_trips[0].exit_reason == "no_stop_in_time"


async def test_a_moved_stop_that_is_refused_waits_behind_the_one_that_rests() -> None:
    """Nothing is exposed: it is tried again at the next candle, not closed."""
    scene = Scene()
    await scene.enter(replace(PLAN, trail=percent("2")))
    scene.script.say(P.STOP, *[Says(S.NOT_EXECUTED, R.UNAVAILABLE)] * 3)

    for close in (103, 104, 105, 105):
        await scene.stage.play(candle(close, close, close, close))

    assert state(scene) is PositionState.PROTECTED
    assert scene.stage.resting == [
        ("stop", dec("95")),
        ("stop", dec("103")),
        ("target", dec("110")),
    ]


async def test_a_moved_stop_that_the_price_has_passed_closes() -> None:
    """The price ran through the level on its way: that is what the level is for."""
    scene = Scene()
    await scene.enter(replace(PLAN, trail=percent("2")))
    scene.script.say(P.STOP, refuses(R.WOULD_TRIGGER))

    await scene.stage.engine.candle_closed(SYMBOL, dec("104"))

    assert scene.stage.journal.round_trips[0].exit_reason == "stop_passed"
    assert scene.stage.resting == []


@pytest.mark.parametrize("said", PASSING)
async def test_a_target_refused_for_a_passing_reason_closes_nothing(said: Says) -> None:
    """The stop rests: a gain can wait."""
    scene = Scene()
    scene.script.say(P.TARGET, *[said] * 3)
    await scene.enter()

    await scene.look(2)
    assert scene.stage.resting == [("stop", dec("95"))]
    await scene.look()

    assert scene.stage.resting == [("stop", dec("95")), ("target", dec("110"))]


async def test_a_target_that_the_price_has_passed_is_taken_by_the_market() -> None:
    """It would have been hit: the gain is taken, and called what it is."""
    scene = Scene()
    scene.script.say(P.TARGET, refuses(R.WOULD_TRIGGER))

    await scene.enter()

    assert [o.type for o in scene.script.of(P.TARGET)] == [
        OrderType.TAKE_PROFIT_MARKET,
        OrderType.MARKET,
    ]
    assert scene.stage.journal.round_trips[0].exit_reason == "target"
    assert scene.stage.slot.is_idle


async def test_a_target_refused_for_good_closes() -> None:
    """The plan cannot be kept; flat is safe."""
    scene = Scene()
    scene.script.say(P.TARGET, refuses(R.TOO_MANY_ORDERS))

    await scene.enter()

    assert scene.stage.journal.round_trips[0].exit_reason == "target_rejected"


async def closing(scene: Scene, *answers: Says) -> None:
    """Enter, then ask for a close that is answered so."""
    await scene.enter()
    scene.script.say(P.CLOSE, *answers)
    await scene.stage.engine.close_position(SYMBOL, "by_hand")


async def test_a_close_that_finds_nobody_goes_by_a_limit_through_the_band() -> None:
    """At once: reduce-only, with a price as far away as exchanges take."""
    scene = Scene()

    await closing(scene, refuses(R.NO_COUNTERPARTY))

    market, limit = scene.script.of(P.CLOSE)
    assert (market.type, limit.type, limit.price) == (OrderType.MARKET, OrderType.LIMIT, dec("96"))
    assert limit.reduce_only
    assert scene.stage.journal.round_trips[0].exit_reason == "by_hand"
    assert scene.stage.slot.is_idle


async def test_a_short_is_bought_back_with_a_limit_above() -> None:
    """The mirror."""
    scene = Scene()
    short = replace(PLAN, side=PLAN.side.opposite, stop=at_price("105"), target=at_price("90"))
    scene.script.say(P.CLOSE, refuses(R.NO_COUNTERPARTY))
    await scene.enter(short)

    await scene.stage.engine.close_position(SYMBOL, "by_hand")

    assert scene.script.of(P.CLOSE)[-1].price == 104
    assert scene.stage.slot.is_idle


async def test_a_limit_that_finds_nobody_either_takes_turns_with_the_market() -> None:
    """Two tries a look, never a circle, until somebody is there."""
    scene = Scene()
    both = (refuses(R.NO_COUNTERPARTY), Says(S.EXPIRED))

    await closing(scene, *both, *both, *both)
    assert len(scene.script.of(P.CLOSE)) == 2
    await scene.look(2)
    assert len(scene.script.of(P.CLOSE)) == 6
    await scene.look()

    kinds = [o.type for o in scene.script.of(P.CLOSE)]
    assert kinds == [OrderType.MARKET, OrderType.LIMIT] * 3 + [OrderType.MARKET]
    assert scene.stage.slot.is_idle


async def test_a_limit_without_a_price_to_be_had_is_tried_again() -> None:
    """Nobody buys at the market, and the exchange does not say where the market is."""
    scene = Scene()
    await scene.enter()
    scene.script.has_price = False
    scene.script.say(P.CLOSE, refuses(R.NO_COUNTERPARTY))

    await scene.stage.engine.close_position(SYMBOL, "by_hand")
    assert scene.script.of(P.CLOSE)[-1].price is None
    assert state(scene) is PositionState.CLOSING
    await scene.look()

    assert scene.stage.slot.is_idle


async def test_a_large_position_is_closed_in_pieces() -> None:
    """One market order may take so much and no more."""
    grid = rules(max_market="1")
    scene = Scene(grid)
    await scene.enter(enter_long(base("1"), stop=at_price("95")))
    slot = scene.stage.slot
    assert slot.setup is not None
    small = replace(slot.setup, rules=replace(slot.setup.rules, max_market_quantity=dec("0.4")))
    scene.stage.engine._books.keep(replace(slot, setup=small))

    await scene.stage.engine.close_position(SYMBOL, "by_hand")

    assert [o.quantity for o in scene.script.of(P.CLOSE)] == [dec("0.4"), dec("0.4"), dec("0.2")]
    assert scene.stage.slot.is_idle


async def test_a_close_with_nothing_to_reduce_withdraws_targets_and_asks() -> None:
    """Targets may reserve the position; or it is gone, which only the exchange can say."""
    scene = Scene()

    await closing(scene, refuses(R.NOTHING_TO_REDUCE), refuses(R.NOTHING_TO_REDUCE))
    assert scene.stage.slot.is_doubted
    assert scene.stage.resting == [("stop", dec("95"))]
    assert len(scene.script.of(P.CLOSE)) == 2
    await scene.look()

    assert scene.stage.slot.is_idle
    assert not scene.stage.slot.is_doubted


async def test_refused_closes_are_tried_at_every_look() -> None:
    """Nothing else can be done, and the stop rests meanwhile."""
    scene = Scene()

    await closing(scene, *[Says(S.NOT_EXECUTED, R.UNAVAILABLE)] * 9)
    await scene.look(8)
    assert state(scene) is PositionState.CLOSING
    assert ("stop", dec("95")) in scene.stage.resting
    await scene.look()

    assert scene.stage.slot.is_idle


async def test_a_candle_looks_again_at_what_was_refused() -> None:
    """Where only candles tell the time, the next one is the next look."""
    scene = Scene()
    scene.script.say(P.STOP, Says(S.NOT_EXECUTED, R.UNAVAILABLE))
    await scene.enter()

    await scene.stage.close()

    assert state(scene) is PositionState.PROTECTED
