"""What a comparison leaves over: differences that last are an operator's, others end by themselves."""

from tests.support.reconciling import World

from milobot.domain.orders import OrderStatus
from milobot.execution.findings import Code


def lasting(world: World) -> list[Code]:
    """Return what the last look of a world counts."""
    return [notice.code for notice in world.last.lasting]


async def test_a_foreign_position_counts_at_every_look_and_is_news_at_one() -> None:
    """An alert waits for minutes: what is counted once and forgotten never fires."""
    world = World()
    world.others_trade("2")
    counted, news = [], []
    for _ in range(6):
        await world.reconcile()
        counted.append(lasting(world))
        news.append(len(world.last.news))
        world.later(30)

    assert counted == [[Code.FOREIGN_POSITION]] * 6
    assert news == [1, 0, 0, 0, 0, 0]


async def test_a_position_that_others_enlarged_counts_until_they_take_it_back() -> None:
    """The slot is frozen meanwhile."""
    world = World()
    await world.opened("1")
    world.others_trade("1")
    await world.converge(rounds=4, apart_s=30)
    assert Code.POSITION_LARGER in lasting(world)

    world.others_trade("-1")
    await world.converge(rounds=4, apart_s=30)

    assert lasting(world) == []


async def test_what_a_look_puts_right_does_not_count() -> None:
    """An end that was never told is told by asking; an account with many orders has one each time."""
    world = World()
    _, _, target = await world.opened("1")
    await world.end(target, OrderStatus.CANCELLED, is_heard=False)

    await world.converge(rounds=1)
    assert world.codes == ["order_news"]
    first = lasting(world)
    await world.converge(rounds=1)

    assert (first, lasting(world)) == ([], [])
