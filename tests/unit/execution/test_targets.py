"""Several targets: how much rests at each, and what moves when one of them is hit."""

from dataclasses import replace

import pytest
from tests.support.desk import Desk, P, S
from tests.support.exchanges import status_news
from tests.support.scripted_exchange import QUIET, Scene, refuses
from tests.support.trading import (
    SYMBOL,
    Stage,
    at_price,
    base,
    candle,
    dec,
    decs,
    enter_long,
    enter_short,
    intent,
    percent,
    rules,
)

from milobot.domain.intents import Aim
from milobot.domain.orders import OrderType, Refusal
from milobot.domain.slots import Setup, Slot, Tally
from milobot.execution.targets import wanted_targets


def aims(*shares: str) -> tuple[Aim, ...]:
    """Return targets at 105, 110, 115 and so on with these shares."""
    return tuple(
        Aim(at_price(str(105 + 5 * number)), dec(share)) for number, share in enumerate(shares)
    )


PLAN = enter_long(base("1"), stop=at_price("95"), aims=aims("0.5", "0.3", "0.2"))


async def entered(*shares: str, quantity: str = "1") -> Slot:
    """Return a slot that holds a position with these targets."""
    stage = Stage(symbol_rules=rules(step="0.001", min_quantity="0.01"))
    plan = replace(PLAN, size=base(quantity), aims=aims(*shares))
    await stage.play(QUIET, intent(plan))
    return stage.slot


def parts(slot: Slot) -> list[str]:
    """Return the quantities that have to rest, as text."""
    assert slot.setup is not None
    return [str(part.normalize()) for _, part in wanted_targets(slot, slot.setup)]


@pytest.mark.parametrize(
    ("quantity", "shares", "expected"),
    [
        ("1", ("0.5", "0.3", "0.2"), ["0.5", "0.3", "0.2"]),
        ("0.101", ("0.5", "0.25", "0.25"), ["0.05", "0.025", "0.026"]),
        ("1", ("0.001", "0.5", "0.499"), ["0.501", "0.499"]),  # the first is below the minimum
        ("0.05", ("0.9", "0.1"), ["0.05"]),  # what the last would get is below it
        ("1", ("0.5", "0.1"), ["0.5", "0.5"]),  # the last takes what the others leave
        ("1", ("0.7", "0.7"), ["0.7", "0.3"]),
        ("1", ("1", "1"), ["1"]),
    ],
)
async def test_shares_become_quantities_on_the_grid(
    quantity: str, shares: tuple[str, ...], expected: list[str]
) -> None:
    """Rounded down, never lost: what is too small goes to the next, the last takes the rest."""
    assert parts(await entered(*shares, quantity=quantity)) == expected


async def test_what_was_taken_by_hand_is_missing_at_the_furthest_target() -> None:
    """The nearer ones are as they were planned; none is for more than is held."""
    slot = await entered("0.5", "0.3", "0.2")
    held = [
        parts(replace(slot, position=replace(slot.position, quantity=dec(quantity))))
        for quantity in ("0.9", "0.6", "0.4")
    ]

    assert held == [["0.5", "0.3", "0.1"], ["0.5", "0.1"], ["0.4"]]


async def test_the_last_target_takes_more_than_its_share_when_others_took_less() -> None:
    """All that is held is aimed at something."""
    slot = await entered("0.5", "0.3", "0.2")
    assert slot.tally is not None
    taken = replace(slot.tally, target_quantity=dec("0.8"))
    more = replace(slot, tally=taken, position=replace(slot.position, quantity=dec("0.3")))

    assert parts(more) == ["0.3"]


async def test_without_a_tally_what_is_held_is_what_was_entered() -> None:
    """Books taken over in the middle of a trip still aim at something."""
    slot = await entered("0.5", "0.5")

    assert parts(replace(slot, tally=None)) == ["0.5", "0.5"]
    assert isinstance(slot.setup, Setup)
    assert isinstance(slot.tally, Tally)


async def test_targets_rest_side_by_side_and_are_hit_one_after_the_other() -> None:
    """One round trip with the average exit; the stop closes what is left."""
    stage = Stage()
    await stage.play(QUIET, intent(PLAN))
    assert stage.resting == [
        ("stop", dec("95")),
        ("target", dec("105")),
        ("target", dec("110")),
        ("target", dec("115")),
    ]

    await stage.play(candle(100, 111, 100, 108))
    assert stage.slot.position.quantity == dec("0.2")
    assert stage.resting == [("stop", dec("95")), ("target", dec("115"))]
    await stage.play(candle(108, 108, 90, 92))

    (trip,) = stage.journal.round_trips
    assert (trip.exit_price, trip.exit_reason, trip.quantity) == (dec("104.5"), "stop", dec("1"))
    assert (trip.target, stage.slot.owner, stage.resting) == (dec("105"), "", [])
    assert stage.books_balance()


async def test_the_last_target_ends_the_trip() -> None:
    """Nothing is left, and nothing rests."""
    stage = Stage()
    short = enter_short(
        base("1"),
        stop=at_price("105"),
        aims=(Aim(at_price("90"), dec("0.5")), Aim(at_price("95"), dec("0.5"))),
    )
    await stage.play(QUIET, intent(short))
    assert [price for kind, price in stage.resting if kind == "target"] == [dec("90"), dec("95")]

    await stage.play(candle(100, 100, 85, 88))

    (trip,) = stage.journal.round_trips
    assert (trip.exit_price, trip.exit_reason, trip.target) == (dec("92.5"), "target", dec("95"))
    assert stage.resting == []


async def test_a_moved_stop_shrinks_with_the_position() -> None:
    """By quantity, it must never be for more than is held."""
    stage = Stage()
    await stage.play(QUIET, intent(replace(PLAN, trail=percent("2"))))
    await stage.play(candle(100, 106, 100, 104))

    moved = [o for o in stage.slot.orders if o.purpose is P.STOP and not o.close_position]
    assert [(o.trigger_price, o.quantity) for o in moved] == [decs("102", "0.5")]


async def test_targets_grow_with_an_entry_that_fills_in_parts() -> None:
    """One is withdrawn and placed anew at a time; together never more than is held."""
    desk = Desk()
    await desk.engine.accept(intent(replace(PLAN, aims=aims("0.5", "0.5"))))
    entry = desk.exchange.last(P.ENTRY)
    await desk.fill(entry, "0.4", "100", "f1", S.PARTIALLY_FILLED)
    await desk.tell(desk.exchange.last(P.STOP), S.SUBMITTED)
    for target in [o for o in desk.exchange.placed if o.purpose is P.TARGET]:
        await desk.tell(target, S.SUBMITTED)

    await desk.fill(entry, "0.6", "100", "f2")
    for target in list(desk.exchange.cancelled):
        await desk.tell(target, S.CANCELLED)
    for target in list(desk.exchange.cancelled):
        await desk.tell(target, S.CANCELLED)

    live = desk.slot.live(P.TARGET)
    assert [(o.trigger_price, o.quantity) for o in live] == [
        decs("105", "0.5"),
        decs("110", "0.5"),
    ]


async def test_an_exit_that_fills_withdraws_what_is_left_of_the_entry() -> None:
    """The trip is on its way down: nothing more is bought for it."""
    desk = Desk()
    await desk.engine.accept(intent(PLAN))
    entry = desk.exchange.last(P.ENTRY)
    await desk.fill(entry, "0.4", "100", "f1", S.PARTIALLY_FILLED)
    await desk.tell(desk.exchange.last(P.STOP), S.SUBMITTED)
    first = desk.slot.live(P.TARGET)[0]
    await desk.tell(first, S.SUBMITTED)

    await desk.fill(first, "0.2", "105", "f2")

    assert entry.client_order_id in {o.client_order_id for o in desk.exchange.cancelled}


async def test_a_target_that_the_price_has_passed_takes_its_share_by_the_market() -> None:
    """And only its share: the others rest."""
    scene = Scene()
    scene.script.say(P.TARGET, refuses(Refusal.WOULD_TRIGGER))

    await scene.enter(PLAN)

    kinds = [(o.type, o.quantity) for o in scene.script.of(P.TARGET)]
    assert kinds == [
        (OrderType.TAKE_PROFIT_MARKET, dec("0.5")),
        (OrderType.MARKET, dec("0.5")),
        (OrderType.TAKE_PROFIT_MARKET, dec("0.3")),
        (OrderType.TAKE_PROFIT_MARKET, dec("0.2")),
    ]
    assert scene.stage.slot.position.quantity == dec("0.5")


async def test_a_target_on_its_way_by_the_market_is_waited_for() -> None:
    """What is left for the others is known when it has filled."""
    desk = Desk()
    await desk.engine.accept(intent(PLAN))
    await desk.fill(desk.exchange.last(P.ENTRY), "1", "100", "f1")
    await desk.tell(desk.exchange.last(P.STOP), S.SUBMITTED)
    first = desk.slot.live(P.TARGET)[0]
    said = status_news(first, S.REJECTED)
    await desk.engine.apply(replace(said, refusal=Refusal.WOULD_TRIGGER))
    market = desk.exchange.last(P.TARGET)
    placed = len(desk.exchange.placed)

    await desk.engine.look_again(SYMBOL)

    assert market.type is OrderType.MARKET
    assert len(desk.exchange.placed) == placed


async def test_two_targets_at_one_price_are_withdrawn_down_to_one() -> None:
    """One was lost, replaced, and turned up after all."""
    desk = Desk()
    await desk.opened()
    first = desk.exchange.last(P.TARGET)
    (resting,) = desk.slot.live(P.TARGET)
    twin = replace(resting, client_order_id="twin")
    desk.engine._books.keep(desk.slot.with_order(twin), twin)

    await desk.engine.look_again(SYMBOL)

    assert [o.client_order_id for o in desk.exchange.cancelled] == ["twin"]
    assert first.trigger_price == 110
